"""Page 002: GET /operators/tree."""

import pytest

from operators.models import SiteGrant
from tests import contract
from tests.client import BAD_ROUTE, Api, assert_problem
from tests.conftest import made


@pytest.fixture
def ada(world):
    api = Api(world.ada)
    api.get("/sites/tree")  # The key's use is noted; it is not again within a minute.
    return api


def test_it_works(world, ada, django_assert_num_queries):
    # 1 the key, 2 the tag; 3 operators, 4 sites, 5 grants; 6 drivers, 7 tags, 8 external ids, 9 rights on sites,
    # 10 rights on chargers; 11 chargers, 12 sockets, 13 configurations
    with django_assert_num_queries(13):
        data = ada.get("/operators/tree").data
    contract.check("operatorTree", data)
    east, spare = data["operatorGroups"]
    assert (east["isSpare"], east["id"], east["groupName"]) == (False, world.east.pk, "East car park")
    assert [group["groupName"] for group in east["subgroups"]] == ["Garage"]
    (rob,) = east["operators"]
    assert {**rob, "groups": len(rob["groups"])} == {
        "id": world.rob.pk,
        "name": "Rob",
        "operatorId": world.rob.operator_id,
        "emailAddress": "rob@northwind.example",
        "homeGroupId": world.east.pk,
        "homeGroupName": "East car park",
        "isAdminOperator": False,
        "groups": 1,
    }
    assert {**spare, "operators": [one["name"] for one in spare["operators"]]} == {
        "isSpare": True,
        "subgroups": [],
        "operators": ["Ada", "Nell"],
        "id": 0,
        "groupName": "SpareGroup",
        "groupType": None,
        "externalId": "",
    }
    assert data["spareOperators"] == spare["operators"]


def test_an_authorised_site_has_its_people_and_chargers(world, ada):
    (rob,) = ada.get("/operators/tree").data["operatorGroups"][0]["operators"]
    (east,) = rob["groups"]
    (garage,) = east["subgroups"]
    assert [(one["name"], one["groups"]) for one in east["operators"]] == [("Rob", [])]
    assert [driver["name"] for driver in garage["users"]] == ["Dora"]
    assert [charger["chargerId"] for charger in garage["chargers"]] == ["GAR-1", "GAR-2"]


def test_an_admin_operator_is_authorised_at_the_roots(world, ada):
    admin = ada.get("/operators/tree").data["spareOperators"][0]
    assert [site["groupName"] for site in admin["groups"]] == ["Airport", "Harbour"]


def test_an_operator_without_grants_has_no_groups(world, ada):
    assert ada.get("/operators/tree").data["spareOperators"][1]["groups"] == []


def test_without_hierarchy_only_groups_are_left_out(world, ada, django_assert_num_queries):
    whole = ada.get("/operators/tree").data
    with django_assert_num_queries(4):  # 1 the key, 2 the tag, 3 operators, 4 sites
        bare = ada.get("/operators/tree?excludeHierarchy=true").data

    def emptied(operators):
        return [{**operator, "groups": []} for operator in operators]

    for group in whole["operatorGroups"]:
        group["operators"] = emptied(group["operators"])
    assert bare == {**whole, "spareOperators": emptied(whole["spareOperators"])}


def test_a_restricted_operator_sees_colleagues_at_home_below(world):
    data = Api(world.rob).get("/operators/tree").data
    contract.check("operatorTree", data)
    assert [one["name"] for group in data["operatorGroups"] for one in group["operators"]] == ["Rob"]
    assert data["spareOperators"] == []


def test_what_a_colleague_sees_elsewhere_stays_hidden(world):
    made(SiteGrant, operator=world.rob, site=world.airport)
    world.ada.home_site = world.garage
    world.ada.save()
    operator = made(type(world.rob), customer=world.northwind, email="x@northwind.example", name="X")
    made(SiteGrant, operator=operator, site=world.east)
    data = Api(operator).get("/operators/tree").data
    (east,) = data["operatorGroups"]
    (rob,) = east["operators"]
    (ada,) = east["subgroups"][0]["operators"]
    assert [site["groupName"] for site in rob["groups"]] == ["East car park"]
    assert [site["groupName"] for site in ada["groups"]] == ["East car park"]


def test_no_home_sites_no_groups(world):
    assert Api(world.nell).get("/operators/tree").data == {"operatorGroups": [], "spareOperators": []}


@pytest.mark.parametrize("query", ["excludeHierarchy=2", "excludehierarchy=true", "excludeHierarchy=true&x=1"])
def test_wrong_parameters(ada, query):
    assert_problem(ada.get(f"/operators/tree?{query}"), 400, BAD_ROUTE)
