"""Numbers in addresses: whole ones as far as a column of 64 bits goes, others as JSON writes them."""

from tests.client import Api, assert_problem

LEAST, MOST = -(2**63), 2**63 - 1


def test_numbers_may_be_what_columns_hold(world):
    api = Api(world.ada)
    for condition in (f"version={LEAST}", f"version__in=1,{MOST}", "latitude__gte=5.2e1", "latitude__gte=-1E-3"):
        assert api.get(f"/chargers?{condition}").status_code == 200, condition
    assert [one["chargerId"] for one in api.get("/chargers?latitude__gte=5.2e%2B1").data["items"]] == ["QUAY-1"]
    for site_id in (LEAST, MOST):
        assert_problem(api.get(f"/sites/{site_id}"), 404, "Site not found for the customer")


def test_others_are_refused_by_name(world):
    api = Api(world.ada)
    for condition in (f"version={LEAST - 1}", f"version={MOST + 1}", "latitude__gte=1e999", "latitude__gte=1e"):
        refused = api.get(f"/chargers?{condition}")
        assert_problem(refused, 400, "Errors in the route parameters")
        assert refused.data["errors"][0]["pointer"] == condition.partition("=")[0]
    assert_problem(api.get(f"/sites/{MOST + 1}"), 400, "Errors in the route parameters")
