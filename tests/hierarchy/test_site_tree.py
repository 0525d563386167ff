"""Page 000: GET /sites/tree."""

import pytest

from tests import contract
from tests.client import Api, assert_problem

TITLE = "Exception occured"


def names(sites):
    """The tree of names, chargers after a colon."""
    return [(s["groupName"], [c["chargerId"] for c in s.get("chargers", [])], names(s["subgroups"])) for s in sites]


def counts(site):
    return site["onlineSocket"], site["offlineSocket"], site["errorSocket"]


def test_it_works(world, django_assert_num_queries):
    api = Api(world.ada)
    api.get("/sites/tree")  # The key's use is noted; it is not again within a minute.
    with django_assert_num_queries(6):
        # 1 the key with its operator and customer, 2 the tag, 3 sites, 4 chargers, 5 sockets, 6 configurations
        response = api.get("/sites/tree")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    contract.check("[site]", response.data)
    assert names(response.data) == [
        ("Airport", ["AIR-1"], []),
        (
            "Harbour",
            ["QUAY-1"],
            [("East car park", [], [("Garage", ["GAR-1", "GAR-2"], [])]), ("West car park", [], [])],
        ),
    ]


def test_a_charger_has_every_value(world):
    charger = Api(world.ada).get("/sites/tree").data[1]["chargers"][0]
    assert charger == {
        "id": world.quay_1.pk,
        "chargerId": "QUAY-1",
        "chargerName": "Quay one",
        "groupId": world.harbour.pk,
        "groupName": "Harbour",
        "firmwareVersion": "6.5",
        "publicGroupName": "The Harbour",
        "manufacturer": "Alfen",
        "serialNumber": None,
        "chargerModel": None,
        "amountOfSockets": 2,
        "lastSeen": "2026-06-01T12:00:00Z",
        "lastMessage": None,
        "activeConnection": True,
        "chargerStatus": "Available",
        "locationInfo": {
            "latitude": 52.0907,
            "longitude": 5.1214,
            "streetAddress": None,
            "streetNumber": "",
            "houseLetter": None,
            "postalNumber": "",
            "city": "Utrecht",
            "area": None,
            "country": None,
        },
        "pushIntegrationEnabled": False,
        "chargerSpecificMessageStructure": False,
        "chargerConfigurations": [{"configName": "HeartbeatInterval", "configValue": "300", "canBeChanged": True}],
        "sockets": [
            {
                "type": "Type2",
                "maxPower": None,
                "status": status,
                "id": number,
                "name": f"Socket {number}",
                "deviceEvseId": None,
                "deviceConnectorId": None,
                "format": None,
                "socketPowerType": None,
                "maxWatts": 22000,
                "maxVoltage": None,
                "maxAmperage": None,
                "phaseRotation": None,
                "termsAndConditions": None,
                "lastUpdated": "2026-06-01T12:00:00Z",
                "chargingStationEvseId": None,
            }
            for number, status in ((1, "Charging"), (2, "Error"))
        ],
        "evseId": "NL*NWD*E1",
        "splitEvseBySocket": False,
        "capabilities": ["REMOTE_START_STOP_CAPABLE"],
        "physicalReference": None,
        "integrationRelays": [],
        "iccid": None,
        "imsi": None,
        "meterSerialNumber": None,
        "meterType": None,
        "customProperties": {"asset": "17", "owner": "Port"},
    }


def test_counts_take_in_the_subsites(world):
    airport, harbour = Api(world.ada).get("/sites/tree").data
    east, west = harbour["subgroups"]
    assert counts(airport) == (0, 1, 0)
    assert counts(harbour) == (1, 1, 1)
    assert counts(east) == (0, 1, 0)
    assert counts(west) == (0, 0, 0)


def test_without_details_only_names_remain(world, django_assert_num_queries):
    api = Api(world.ada)
    api.get("/sites/tree")
    with django_assert_num_queries(3):  # 1 the key, 2 the tag, 3 sites
        response = api.get("/sites/tree?excludeDetails=true")
    contract.check("[outline]", response.data)
    assert [site["groupName"] for site in response.data] == ["Airport", "Harbour"]
    assert response.data[1]["subgroups"][0] == {
        "id": world.east.pk,
        "groupName": "East car park",
        "groupType": 2,
        "subgroups": [{"id": world.garage.pk, "groupName": "Garage", "groupType": 2, "subgroups": []}],
    }


@pytest.mark.parametrize("value", ["false", "False", "FALSE"])
def test_details_may_be_asked_for(world, value):
    assert "chargers" in Api(world.ada).get(f"/sites/tree?excludeDetails={value}").data[0]


def test_a_restricted_operator_begins_at_the_granted_sites(world):
    data = Api(world.rob).get("/sites/tree").data
    assert names(data) == [("East car park", [], [("Garage", ["GAR-1", "GAR-2"], [])])]


def test_an_operator_without_a_grant_sees_nothing(world):
    assert Api(world.nell).get("/sites/tree").data == []


def test_another_customer_sees_only_its_own(world):
    assert names(Api(world.sue).get("/sites/tree").data) == [("Depot", ["DEP-1"], [])]


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("excludeDetails=maybe", "Must be true or false"),
        ("excludeDetails=", "Must be true or false"),
        ("excludeDetails=1", "Must be true or false"),
        ("excludeDetails=true&excludeDetails=false", "once only"),
        ("excludeDetail=true", "Did you mean excludeDetails?"),
        ("%00=1", "Unknown parameter"),
    ],
)
def test_wrong_parameters_are_named(world, query, hint):
    response = Api(world.ada).get(f"/sites/tree?{query}")
    assert_problem(response, 400, TITLE)
    assert hint in response.data["errors"][0]["detail"]


def test_plain_text_is_the_bare_sentence(world):
    response = Api(world.ada).get("/sites/tree?excludeDetails=maybe", accept="text/plain")
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.body == b"Exception occured"


def test_who_accepts_plain_text_is_answered_in_json(world):
    assert Api(world.ada).get("/sites/tree", accept="text/plain").status_code == 200


def test_a_post_is_no_read(world):
    response = Api(world.ada).request("post", "/sites/tree")
    assert_problem(response, 405, "Method not allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
