"""The reads beside the five pages: the same objects, found in other ways."""

import pytest

from drivers.models import SiteRight, Tag
from tests import contract
from tests.client import BAD_BODY, BAD_ROUTE, Api, assert_problem
from tests.conftest import made

DRIVERS = 11  # as in tests/drivers/test_driver_reads.py


@pytest.fixture
def ada(world):
    api = Api(world.ada)
    api.get("/sites/tree")  # The key's use is noted; it is not again within a minute.
    return api


@pytest.fixture
def rob(world):
    return Api(world.rob)


def drivers_of(users):
    return [driver["name"] for driver in users]


def test_driver_tree(world, ada, django_assert_num_queries):
    with django_assert_num_queries(DRIVERS + 1):  # and the groups
        data = ada.get("/drivers/tree").data
    contract.check("userTree", data)
    shown = [(group["groupName"], group["isSpare"], drivers_of(group["users"])) for group in data["userGroups"]]
    assert shown == [("Airport", False, ["Dirk"]), ("Garage", False, ["Dora"]), ("SpareGroup", True, ["Spike"])]
    assert drivers_of(data["spareUsers"]) == ["Spike"]


def test_driver_tree_of_a_restricted_operator(rob):
    data = rob.get("/drivers/tree").data
    assert [drivers_of(group["users"]) for group in data["userGroups"]] == [["Dora"]]
    assert data["spareUsers"] == []


def test_home_operators(world, ada, django_assert_num_queries):
    with django_assert_num_queries(2 + 1 + 11):  # the key and the tag, the site, the operators as on page 002
        group = ada.get(f"/sites/{world.harbour.pk}/home-operators").data
    contract.check("operatorGroup", group)
    east, west = group["subgroups"]
    assert [one["name"] for one in east["operators"]] == ["Rob"]
    assert group["operators"] == west["operators"] == []
    assert east == ada.get("/operators/tree").data["operatorGroups"][0]


def test_spare_operators_are_home_at_site_0(ada, rob):
    group = ada.get("/sites/0/home-operators").data
    contract.check("operatorGroup", group)
    assert (group["isSpare"], [one["name"] for one in group["operators"]]) == (True, ["Ada", "Nell"])
    assert_problem(rob.get("/sites/0/home-operators"), 404, "Site not found for the customer")


@pytest.mark.parametrize("end", ["home-operators", "authorised-drivers"])
def test_sites_by_id(world, ada, rob, end):
    assert_problem(rob.get(f"/sites/{world.harbour.pk}/{end}"), 404, "Site not found for the customer")
    assert_problem(ada.get(f"/sites/{world.depot.pk}/{end}"), 404, "Site not found for the customer")
    assert_problem(ada.get(f"/sites/x/{end}"), 400, BAD_ROUTE)
    assert_problem(ada.get(f"/sites/{10**30}/{end}"), 400, BAD_ROUTE)


def test_authorised_at_a_site(world, ada, django_assert_num_queries):
    made(SiteRight, driver=world.dirk, site=world.garage)
    with django_assert_num_queries(DRIVERS + 1):  # and the site
        data = ada.get(f"/sites/{world.east.pk}/authorised-drivers").data
    contract.check("[driver]", data)
    assert drivers_of(data) == ["Dora"]
    assert drivers_of(ada.get(f"/sites/{world.garage.pk}/authorised-drivers").data) == ["Dirk", "Dora"]


def test_authorised_at_several_sites(world, ada, django_assert_num_queries):
    made(SiteRight, driver=world.dirk, site=world.garage)
    asked = [world.garage.pk, world.airport.pk, world.harbour.pk, world.garage.pk]
    with django_assert_num_queries(DRIVERS):  # and the sites, but no tag
        data = ada.post("/sites/authorised-drivers", {"groupIds": asked}).data
    contract.check("[authorisedUsers]", data)
    assert [(one["groupId"], drivers_of(one["users"])) for one in data] == [
        (world.garage.pk, ["Dirk", "Dora"]),
        (world.airport.pk, []),
        (world.harbour.pk, ["Dora"]),
    ]
    assert ada.post("/sites/authorised-drivers", {"groupIds": []}).data == []


def test_a_read_only_key_may_ask_by_post(world):
    api = Api(world.ada, is_read_only=True)
    assert api.post("/sites/authorised-drivers", {"groupIds": [world.harbour.pk]}).status_code == 200


def test_an_unknown_site_among_several(world, ada, rob):
    for api, hidden in ((ada, world.depot.pk), (rob, world.harbour.pk), (ada, 2**62)):
        response = api.post("/sites/authorised-drivers", {"groupIds": [world.garage.pk, hidden]})
        assert_problem(response, 404, "Site not found for the customer")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"groupIds": list(range(1, 22))}, "/groupIds"),
        ({"groupIds": [1, "2"]}, "/groupIds/1"),
        ({"groupIds": [True]}, "/groupIds/0"),
        ({"groupIds": [1.0]}, "/groupIds/0"),
        ({"groupIds": [10**30]}, "/groupIds/0"),
        ({"groupIds": [None]}, "/groupIds/0"),
        ({"groupIds": 1}, None),
        ({"groupIds": [1], "more": 1}, None),
        ({}, None),
        ([1], None),
        (b"{", None),
        (b"[" * 100_000, None),
        (b"\xff", None),
        (b'{"groupIds": [NaN]}', None),
        (b'"\\ud800"', None),
    ],
)
def test_bad_bodies(ada, body, pointer):
    response = ada.post("/sites/authorised-drivers", body)
    assert_problem(response, 400, BAD_BODY)
    if pointer:
        assert pointer in [error["pointer"] for error in response.data["errors"]]


def test_bodies_of_another_type(ada):
    response = ada.post("/sites/authorised-drivers", b"groupIds=1", content_type="text/csv")
    assert_problem(response, 415, "Only application/json is accepted")


@pytest.mark.parametrize("text", ["D/1", "d/1", "D%2F1", "%20D/1"])
def test_driver_by_external_id(world, ada, text, django_assert_num_queries):
    with django_assert_num_queries(DRIVERS):
        data = ada.get(f"/drivers/by-external-id/{text}").data
    assert data == ada.get(f"/drivers/{world.dora.pk}").data


def test_driver_by_tag(world, ada, django_assert_num_queries):
    made(Tag, driver=world.dirk, id_tag="A/b c")
    with django_assert_num_queries(DRIVERS):
        data = ada.get("/drivers/by-tag/04a1b2c3").data
    assert data == ada.get(f"/drivers/{world.dora.pk}").data
    assert ada.get("/drivers/by-tag/a/B%20C").data["name"] == "Dirk"


def test_a_driver_out_of_sight_is_not_found_by_any_id(world, ada, rob):
    world.dirk.external_id = "X"
    world.dirk.save()
    assert_problem(rob.get("/drivers/by-external-id/X"), 404, "Driver not found for the customer")
    assert_problem(ada.get("/drivers/by-external-id/nobody"), 404, "Driver not found for the customer")
    assert_problem(ada.get("/drivers/by-external-id/%20"), 404, "Driver not found for the customer")
    assert_problem(ada.get("/drivers/by-tag/nobody"), 404, "Tag not found for the customer")
    assert_problem(ada.get("/drivers/by-tag/%20"), 404, "Tag not found for the customer")


@pytest.mark.parametrize("path", ["/drivers/by-external-id/", "/drivers/by-tag/", "/sites/by-external-id/"])
def test_what_is_no_id(ada, path):
    assert_problem(ada.get(path + "%00"), 400, BAD_ROUTE)
    assert_problem(ada.get(path + "x" * 256), 400, BAD_ROUTE)


def test_site_by_external_id(world, ada, django_assert_num_queries):
    with django_assert_num_queries(2 + 1 + 4):  # the key and the tag, the site, its tree as on page 000
        site = ada.get("/sites/by-external-id/n-1").data
    assert site == ada.get("/sites/tree").data[1]
    alone = ada.get("/sites/by-external-id/N-1?excludeSubgroups=true").data
    contract.check("site", alone)
    assert alone == {**site, "subgroups": []}


def test_a_site_out_of_scope_is_not_found_by_external_id(rob, ada):
    assert_problem(rob.get("/sites/by-external-id/N-1"), 404, "Site not found for the customer")
    assert_problem(ada.get("/sites/by-external-id/%20"), 404, "Site not found for the customer")
    assert_problem(ada.get("/sites/by-external-id/N-1?excludeSubgroups=no"), 400, BAD_ROUTE)
