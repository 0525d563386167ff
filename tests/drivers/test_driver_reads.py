"""Pages 001, 003 and 004: home drivers of a site, authorised drivers of a charger, one driver."""

import pytest

from drivers.models import SiteRight
from operators.models import SiteGrant
from tests import contract
from tests.client import BAD_ROUTE, Api, assert_problem
from tests.conftest import made

# 1 the key, 2 the answer's tag; 3 drivers, 4 tags, 5 external ids, 6 rights on sites, 7 rights on chargers; 8 sites;
# 9 chargers, 10 sockets, 11 configurations
DRIVERS = 11


@pytest.fixture
def ada(world):
    api = Api(world.ada)
    api.get("/sites/tree")  # The key's use is noted; it is not again within a minute.
    return api


def test_one_driver(world, ada, django_assert_num_queries):
    with django_assert_num_queries(DRIVERS):
        driver = ada.get(f"/drivers/{world.dora.pk}").data
    contract.check("driver", driver)
    assert {key: driver[key] for key in ("id", "name", "homeGroupId", "homeGroupName", "externalId", "payerId")} == {
        "id": world.dora.pk,
        "name": "Dora",
        "homeGroupId": world.garage.pk,
        "homeGroupName": "Garage",
        "externalId": "D/1",
        "payerId": 4,
    }
    assert driver["tags"] == [
        {
            "id": world.dora_card.pk,
            "idTag": "04A1B2C3",
            "expiringDate": "9999-12-31T23:59:59Z",
            "startDate": None,
            "lastUpdated": None,
            "tokenName": "Card",
            "invoicable": False,
        },
        {
            "id": world.dora_fob.pk,
            "idTag": "04FFEE01",
            "expiringDate": "2026-07-01T12:00:00Z",
            "startDate": "2026-06-01T12:00:00Z",
            "lastUpdated": None,
            "tokenName": "Fob",
            "invoicable": False,
        },
    ]
    assert driver["integratedExternalIds"] == [
        {"referenceType": 0, "referenceId": "fleet", "externalId": "F-77", "effectiveFrom": "2026-06-01T12:00:00Z"}
    ]
    assert driver["chargers"] == []
    assert driver["chargerGroups"] == ada.get("/sites/tree").data[1:]


def test_a_right_on_a_charger_carries_the_charger_alone(world, ada):
    driver = ada.get(f"/drivers/{world.dirk.pk}").data
    assert driver["chargerGroups"] == []
    assert [charger["chargerId"] for charger in driver["chargers"]] == ["GAR-1"]


def test_a_spare_driver_has_no_home(world, ada):
    driver = ada.get(f"/drivers/{world.spike.pk}").data
    assert (driver["homeGroupId"], driver["homeGroupName"]) == (0, "")


def test_a_granted_site_above_the_scope_appears_as_its_topmost_visible_sites(world):
    driver = Api(world.rob).get(f"/drivers/{world.dora.pk}").data
    assert [site["groupName"] for site in driver["chargerGroups"]] == ["East car park"]
    made(SiteGrant, operator=world.rob, site=world.west)
    driver = Api(world.rob).get(f"/drivers/{world.dora.pk}").data
    assert [site["groupName"] for site in driver["chargerGroups"]] == ["East car park", "West car park"]


def test_a_site_and_one_below_it_both_stand_there_when_both_were_granted(world, ada):
    made(SiteRight, driver=world.dora, site=world.garage)
    driver = ada.get(f"/drivers/{world.dora.pk}").data
    assert [site["groupName"] for site in driver["chargerGroups"]] == ["Garage", "Harbour"]


@pytest.mark.parametrize("who", ["dirk", "spike", "sid"])
def test_a_driver_out_of_sight_is_not_found(world, who):
    response = Api(world.rob).get(f"/drivers/{getattr(world, who).pk}")
    assert_problem(response, 404, "Driver not found for the customer")


@pytest.mark.parametrize(
    "text", ["abc", "1.0", "1e3", "+1", "%201", "１", "1" + "0" * 30, "9223372036854775808", "%00"]
)
@pytest.mark.parametrize("path", ["/drivers/{}", "/sites/{}/home-drivers"])
def test_what_is_no_id_is_a_bad_parameter(ada, path, text):
    response = ada.get(path.format(text))
    assert_problem(response, 400, BAD_ROUTE)
    assert response.data["errors"][0]["pointer"] in ("userId", "siteId")


@pytest.mark.parametrize("text", ["9223372036854775807", "-1"])
def test_an_id_of_nobody_is_not_found(ada, text):
    assert_problem(ada.get(f"/drivers/{text}"), 404, "Driver not found for the customer")
    assert_problem(ada.get(f"/sites/{text}/home-drivers"), 404, "Site not found for the customer")


def test_home_drivers(world, ada, django_assert_num_queries):
    with django_assert_num_queries(DRIVERS + 2):  # and the site itself, and the groups below it
        group = ada.get(f"/sites/{world.harbour.pk}/home-drivers").data
    contract.check("userGroup", group)
    assert (group["isSpare"], group["groupName"], group["externalId"], group["users"]) == (False, "Harbour", "N-1", [])
    east, west = group["subgroups"]
    assert [driver["name"] for driver in east["subgroups"][0]["users"]] == ["Dora"]
    assert west["subgroups"] == west["users"] == []


def test_spare_drivers_are_home_at_site_0(world, ada):
    group = ada.get("/sites/0/home-drivers").data
    contract.check("userGroup", group)
    assert {**group, "users": [driver["name"] for driver in group["users"]]} == {
        "isSpare": True,
        "subgroups": [],
        "users": ["Spike"],
        "id": 0,
        "groupName": "SpareGroup",
        "groupType": None,
        "externalId": "",
    }


def test_the_spare_group_may_be_empty(world):
    assert Api(world.sue).get("/sites/0/home-drivers").data["users"] == []


def test_the_spare_group_is_for_admin_operators(world):
    assert_problem(Api(world.rob).get("/sites/0/home-drivers"), 404, "Site not found for the customer")


@pytest.mark.parametrize("site", ["harbour", "airport", "depot"])
def test_a_site_out_of_scope_is_not_found(world, site):
    response = Api(world.rob).get(f"/sites/{getattr(world, site).pk}/home-drivers")
    assert_problem(response, 404, "Site not found for the customer")


def test_authorised_drivers(world, ada, django_assert_num_queries):
    with django_assert_num_queries(DRIVERS + 1):  # and the charger itself
        drivers = ada.get("/chargers/GAR-1/authorised-drivers").data
    contract.check("[driver]", drivers)
    assert [driver["name"] for driver in drivers] == ["Dirk", "Dora"]


def test_a_charger_is_found_in_any_case(world, ada):
    assert [driver["name"] for driver in ada.get("/chargers/quay-1/authorised-drivers").data] == ["Dora"]


def test_a_charger_without_rights_has_nobody(world, ada):
    assert ada.get("/chargers/AIR-1/authorised-drivers").data == []


def test_only_visible_drivers_are_listed(world):
    drivers = Api(world.rob).get("/chargers/GAR-1/authorised-drivers").data
    assert [driver["name"] for driver in drivers] == ["Dora"]


@pytest.mark.parametrize("charger_id", ["AIR-1", "QUAY-1", "DEP-1", "NOBODY"])
def test_a_charger_out_of_scope_is_not_found(world, charger_id):
    response = Api(world.rob).get(f"/chargers/{charger_id}/authorised-drivers")
    assert_problem(response, 404, "Charger not found for the customer")


@pytest.mark.parametrize("charger_id", ["%00", "x" * 49, "%F0%9F%92%A9%0A"])
def test_what_is_no_charger_id_is_a_bad_parameter(ada, charger_id):
    assert_problem(ada.get(f"/chargers/{charger_id}/authorised-drivers"), 400, BAD_ROUTE)


def test_these_reads_take_no_query_parameters(world, ada):
    assert_problem(ada.get(f"/drivers/{world.dora.pk}?fields=id"), 400, BAD_ROUTE)
