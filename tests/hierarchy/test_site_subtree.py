"""GET /sites/{siteId}/tree: what page 000 says of one site."""

from tests import contract
from tests.client import Api, assert_problem


def test_it_works(world, django_assert_num_queries):
    api = Api(world.ada)
    harbour = api.get("/sites/tree").data[1]
    outline = api.get("/sites/tree?excludeDetails=true").data[1]
    path = f"/sites/{world.harbour.pk}/tree"
    assert api.get(path).data == api.get(f"{path}?excludeDetails=false").data == harbour
    with django_assert_num_queries(4):  # 1 the key, 2 the tag, 3 the site, 4 all below it
        short = api.get(f"{path}?excludeDetails=true")
    contract.check("outline", short.data)
    assert short.data == outline


def test_it_begins_at_the_site_and_is_the_callers(world):
    below = f"/sites/{world.east.pk}/tree?excludeDetails=true"
    for operator in (world.ada, world.rob):
        site = Api(operator).get(below).data
        assert (site["groupName"], [one["groupName"] for one in site["subgroups"]]) == ("East car park", ["Garage"])
    for hidden in (world.harbour, world.depot):
        refused = Api(world.rob).get(f"/sites/{hidden.pk}/tree?excludeDetails=true")
        assert_problem(refused, 404, "Site not found for the customer")


def test_wrong_parameters_are_named(world):
    for query in ("excludeDetails=1", "excludeDetails=true&excludeDetails=true", "excludeSubgroups=true"):
        refused = Api(world.ada).get(f"/sites/{world.harbour.pk}/tree?{query}")
        assert_problem(refused, 400, "Errors in the route parameters")
        assert refused.data["errors"][0]["pointer"] == query.split("=")[0]
