"""May I charge? The answer with its evidence, a driver's reach, and the reasons of page 003; whatever the scope."""

import datetime
import json
import random
from urllib.parse import quote

import jsonschema
import pytest

from chargers.models import Charger
from drivers.access import Code
from drivers.evidence import STATUSES, explained_drivers, may_charge, reached_chargers
from drivers.models import ChargerRight, SiteRight, Tag
from drivers.similar_tags import similar_keys
from operators.models import SiteGrant
from tests.client import BAD_ROUTE, Api, assert_problem
from tests.conftest import NOON, made
from tests.naive import NaiveReader
from tests.networks import EPOCH, RandomNetwork
from tests.openapi import resolved

NETWORKS = 8
STEP = {"tag": None, "differences": [], "driver": None, "right": None, "otherRights": None}


@pytest.fixture
def ada(world):
    api = Api(world.ada)
    api.get("/sites/tree")  # The key's use is noted; it is not again within a minute.
    return api


@pytest.fixture
def rob(world):
    return Api(world.rob)


def ask(api, charger, id_tag, at=""):
    return api.get(f"/access?chargerId={charger}&idTag={quote(id_tag)}" + (f"&at={quote(at)}" if at else "")).data


def codes(answer):
    return [step["code"] for step in answer["evidence"]]


def test_it_works(world, ada, django_assert_num_queries):
    # 1 the key, 2 the charger; the decision: 3 the tag with its driver, 4 rights on the charger, 5 the site's level,
    # 6 rights on sites; 7 the tag as far as it is visible, 8 the sites above, 9 their names
    with django_assert_num_queries(9):
        answer = ask(ada, "gar-1", " 04a1b2c3 ")
    card = {
        "id": world.dora_card.pk,
        "idTag": "04A1B2C3",
        "expiringDate": "9999-12-31T23:59:59Z",
        "startDate": None,
        "tokenName": "Card",
    }
    right = {
        "kind": "site",
        "id": world.dora.site_rights.get().pk,
        "chargerId": None,
        "groupId": world.harbour.pk,
        "groupName": "Harbour",
        "path": ["Harbour"],
        "levels": 2,
        "hidden": False,
    }
    expected = {
        "allowed": True,
        "reason": "right_on_site_above",
        "ocpp16": "Accepted",
        "ocpp201": "Accepted",
        "ocpi": "ALLOWED",
        "evidence": [
            {"code": "tag_found", **STEP, "tag": card},
            {"code": "tag_valid", **STEP, "tag": card},
            {"code": "driver", **STEP, "driver": {"id": world.dora.pk, "name": "Dora"}},
            {"code": "right_on_site_above", **STEP, "right": right},
        ],
    }
    assert json.dumps(answer) == json.dumps(expected)


def test_all_rights_are_told_nearest_first(world, ada):
    made(ChargerRight, driver=world.dora, charger=world.gar_1)
    made(SiteRight, driver=world.dora, site=world.garage)
    answer = ask(ada, "GAR-1", "04A1B2C3")
    assert answer["reason"] == "right_on_charger"
    told = [step["right"] for step in answer["evidence"] if step["right"]]
    assert [(one["kind"], one["chargerId"], one["groupName"], one["levels"]) for one in told] == [
        ("charger", "GAR-1", "Garage", None),
        ("site", None, "Garage", 0),
        ("site", None, "Harbour", 2),
    ]
    assert codes(answer)[3:] == ["right_on_charger", "right_on_site", "right_on_site_above"]
    assert told[0]["path"] == ["Harbour", "East car park", "Garage"]


def test_the_moment_decides(ada):
    for at, reason, *statuses in (
        ("2026-06-01T13:59:59.999+02:00", "tag_not_yet_valid", "Blocked", "NotAtThisTime", "BLOCKED"),
        ("2026-06-01T14:00:00+02:00", "right_on_site", "Accepted", "Accepted", "ALLOWED"),
        ("2026-07-01T12:00:00Z", "tag_expired", "Expired", "Expired", "EXPIRED"),
    ):
        answer = ask(ada, "QUAY-1", "04FFEE01", at)
        assert [answer[key] for key in ("reason", "ocpp16", "ocpp201", "ocpi")] == [reason, *statuses]
        assert answer["allowed"] == (reason == "right_on_site")
        assert answer["evidence"][1]["tag"]["startDate"] == "2026-06-01T12:00:00Z"
        # The rights are told all the same: the tag is all that is in the way.
        assert codes(answer)[-1] == "right_on_site"


def test_every_reason_has_a_word_in_every_protocol():
    steps = {Code.TAG_FOUND, Code.TAG_VALID, Code.DRIVER, Code.SIMILAR_TAG, Code.NEAREST_RIGHT}
    assert set(STATUSES) == set(Code) - steps


def test_without_a_right_the_nearest_one_is_told(world, ada, django_assert_num_queries):
    tag = made(Tag, driver=world.dirk, id_tag="D1")
    made(SiteRight, driver=world.dirk, site=world.airport)
    # As in test_it_works; 10 the nearest of the rights on sites, 11 of those on chargers, 12 its path
    with django_assert_num_queries(12):
        answer = ask(ada, "QUAY-1", "d1")
    assert (answer["allowed"], answer["reason"], answer["ocpp201"]) == (False, "no_right", "NotAtThisLocation")
    assert codes(answer) == ["tag_found", "tag_valid", "driver", "no_right", "nearest_right"]
    assert answer["evidence"][3]["otherRights"] == 2
    right = answer["evidence"][4]["right"]
    assert (right["kind"], right["chargerId"], right["levels"]) == ("charger", "GAR-1", None)
    assert right["path"] == ["Harbour", "East car park", "Garage"]
    # The Garage is nearer to GAR-2 than the East car park's neighbour is.
    made(SiteRight, driver=world.dirk, site=world.west)
    assert ask(ada, "GAR-2", "D1")["evidence"][4]["right"]["chargerId"] == "GAR-1"
    # Nothing is shared with another tree.
    made(Tag, driver=world.dora, id_tag="D2")
    assert codes(ask(ada, "AIR-1", "D2"))[3:] == ["no_right"]
    assert ask(ada, "AIR-1", tag.id_tag)["reason"] == "right_on_site"


def test_an_unknown_tag_and_those_like_it(world, ada, django_assert_num_queries):
    for id_tag in ("4A1B2C3", "04:A1:B2:C3:D4:E5:F6", "NL-ABC-C12345678-X"):
        made(Tag, driver=world.spike, id_tag=id_tag)
    like = {
        "04:A1:B2:C3": [("04A1B2C3", ["separators"]), ("4A1B2C3", ["separators", "leading_zeros"])],
        "C3B2A104": [("04A1B2C3", ["byte_order"]), ("4A1B2C3", ["byte_order", "leading_zeros"])],
        "c3-b2-a1-04": [
            ("04A1B2C3", ["separators", "byte_order"]),
            ("4A1B2C3", ["separators", "byte_order", "leading_zeros"]),
        ],
        "00000004A1B2C3": [("04A1B2C3", ["leading_zeros"]), ("4A1B2C3", ["leading_zeros"])],
        "04 A1 b2 c3 d4 e5 f6": [("04:A1:B2:C3:D4:E5:F6", ["separators"])],
        "4A1B2C3D4E5F6": [("04:A1:B2:C3:D4:E5:F6", ["separators", "leading_zeros"])],
        "nlabcc12345678x": [("NL-ABC-C12345678-X", ["separators"])],
        "04A1B2C4": [],
        "%": [],
        "\t": None,
    }
    for id_tag, expected in like.items():
        if expected is None:
            assert_problem(ada.get(f"/access?chargerId=GAR-1&idTag={quote(id_tag)}"), 400, BAD_ROUTE)
            continue
        # 1 the key, 2 the charger, 3 the tag, 4 the tag as far as it is visible, 5 those like it
        with django_assert_num_queries(5):
            answer = ask(ada, "GAR-1", id_tag)
        assert (answer["reason"], answer["ocpp16"], answer["ocpp201"]) == ("tag_unknown", "Invalid", "Unknown")
        assert codes(answer)[0] == "tag_unknown"
        found = [(step["tag"]["idTag"], sorted(step["differences"])) for step in answer["evidence"][1:]]
        assert found == [(tag, sorted(differences)) for tag, differences in expected], id_tag


def test_forms_of_a_tag_are_few_whatever_it_is():
    rng = random.Random(1)
    for alphabet in ("0", "01", "0123456789abcdef", "0 :-a", "é0"):
        for length in (0, 1, 2, 8, 20, 64, 65, 255):
            key = "".join(rng.choice(alphabet) for _ in range(length))
            found = similar_keys(key)
            assert key not in found and len(found) < 300
            assert all(found.values())
    # Whoever mistypes the one for the other is told, either way round.
    for one, other in (("04a1b2c3", "c3:b2:a1:04"), ("4a1b2c3", "04 a1 b2 c3"), ("0012", "12")):
        assert set(similar_keys(one)[other]) == set(similar_keys(other)[one])


def test_a_right_above_the_scope_appears_on_the_topmost_visible_site(world, rob):
    made(SiteRight, driver=world.dora, site=world.garage)
    answer = ask(rob, "GAR-1", "04A1B2C3")
    assert answer["reason"] == "right_on_site"
    on_garage, above = [step["right"] for step in answer["evidence"] if step["right"]]
    assert (on_garage["path"], on_garage["levels"]) == (["East car park", "Garage"], 0)
    assert above == {
        "kind": "site",
        "id": None,
        "chargerId": None,
        "groupId": world.east.pk,
        "groupName": "East car park",
        "path": ["East car park"],
        "levels": 1,
        "hidden": True,
    }


def test_of_a_hidden_tag_only_that_it_charges_is_told(world, rob):
    """Dirk is out of Rob's sight, and may charge at GAR-1."""
    made(Tag, driver=world.dirk, id_tag="D1", expires_at=NOON)
    assert ask(rob, "GAR-1", "D1", "2026-06-01T11:00:00Z") == {
        "allowed": True,
        "reason": "out_of_sight",
        "ocpp16": "Accepted",
        "ocpp201": "Accepted",
        "ocpi": "ALLOWED",
        "evidence": [{"code": "out_of_sight", **STEP}],
    }
    unknown = ask(rob, "GAR-1", "nobody's")
    assert ask(rob, "GAR-2", "D1", "2026-06-01T11:00:00Z") == unknown
    assert ask(rob, "GAR-1", "D1", "2026-06-01T13:00:00Z") == unknown
    # Nor is a hidden tag told to be like another.
    assert ask(rob, "GAR-1", "0D1") == unknown
    assert ask(rob, "GAR-1", "04:A1:B2:C3")["evidence"][1]["tag"]["id"] == world.dora_card.pk


def test_a_charger_out_of_scope_is_not_found(rob):
    for charger_id in ("AIR-1", "QUAY-1", "DEP-1", "NOBODY", "é"):
        response = rob.get(f"/access?chargerId={quote(charger_id)}&idTag=04A1B2C3")
        assert_problem(response, 404, "Charger not found for the customer")


def test_wrong_questions_name_what_is_wrong(ada):
    for query, wrong in {
        "": ["chargerId", "idTag"],
        "chargerId=GAR-1": ["idTag"],
        "chargerId=&idTag=%20": ["chargerId", "idTag"],
        "idTag=a&at=yesterday": ["chargerId", "at"],
        "chargerId=GAR-1&idTag=a&at=2026-06-01T12:00:00": ["at"],
        "chargerId=GAR-1&idTag=a&at=2026-06-01T12:00:00+02:00": ["at"],
        "chargerId=GAR-1&idTag=a&at=9999-12-31T23:59:59-14:00": ["at"],
        "chargerId=GAR-1&idTag=a&idTag=b": ["idTag"],
        "chargerId=GAR-1&idTag=a&chargerld=b": ["chargerld"],
        "chargerId=%00&idTag=%00": ["chargerId", "idTag"],
        "chargerId=" + "x" * 49 + "&idTag=" + "x" * 256: ["chargerId", "idTag"],
    }.items():
        response = ada.get(f"/access?{query}")
        assert_problem(response, 400, BAD_ROUTE)
        assert [error["pointer"] for error in response.data["errors"]] == wrong, query


def test_reach(world, ada, django_assert_num_queries):
    made(ChargerRight, driver=world.dora, charger=world.air_1)
    # 1 the key, 2 the driver; 3 rights on sites, 4 on chargers; 5 the chargers, 6 the sites above, 7 their names
    with django_assert_num_queries(7):
        page = ada.get(f"/drivers/{world.dora.pk}/reach").data
    assert page["next"] is None
    assert [(one["chargerId"], one["chargerName"], one["path"]) for one in page["items"]] == [
        ("AIR-1", "Gate A", ["Airport"]),
        ("GAR-1", "Garage one", ["Harbour", "East car park", "Garage"]),
        ("GAR-2", "Garage two", ["Harbour", "East car park", "Garage"]),
        ("QUAY-1", "Quay one", ["Harbour"]),
    ]
    rights = [(one["right"]["kind"], one["right"]["groupName"], one["right"]["levels"]) for one in page["items"]]
    assert rights == [
        ("charger", "Airport", None),
        ("site", "Harbour", 2),
        ("site", "Harbour", 2),
        ("site", "Harbour", 0),
    ]
    assert list(page["items"][0]) == ["chargerId", "chargerName", "groupId", "groupName", "path", "right"]


def test_reach_a_page_at_a_time(world, ada):
    address, pages = f"/drivers/{world.dora.pk}/reach?limit=2", []
    while address:
        response = ada.get(address.partition("/api/v1")[2] or address)
        pages.append([one["chargerId"] for one in response.data["items"]])
        address = response.data["next"]
        assert ('rel="next"' in response.headers.get("Link", "")) == (address is not None)
    assert pages == [["GAR-1", "GAR-2"], ["QUAY-1"]]


def test_reach_of_a_restricted_operator(world, rob):
    page = rob.get(f"/drivers/{world.dora.pk}/reach").data
    assert [(one["chargerId"], one["path"], one["right"]["hidden"]) for one in page["items"]] == [
        ("GAR-1", ["East car park", "Garage"], True),
        ("GAR-2", ["East car park", "Garage"], True),
    ]
    for driver in (world.dirk, world.spike, world.sid):
        assert_problem(rob.get(f"/drivers/{driver.pk}/reach"), 404, "Driver not found for the customer")
    assert Api(world.ada).get(f"/drivers/{world.spike.pk}/reach").data == {"items": [], "next": None}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=-1", "limit=", "limit=１", "cursor=", "cursor=x", "cursor=a:b:c", "page=2"],
)
def test_wrong_pages_name_what_is_wrong(world, ada, query):
    response = ada.get(f"/drivers/{world.dora.pk}/reach?{query}")
    assert_problem(response, 400, BAD_ROUTE)
    assert response.data["errors"][0]["pointer"] == query.partition("=")[0]


def test_authorised_drivers_explained(world, ada, rob, django_assert_num_queries):
    # 1 the key, 2 the tag, 3 the charger; 4 the drivers, 5 rights on the charger, 6 the level of the site, 7 rights on
    # sites, 8 the sites above, 9 their names
    with django_assert_num_queries(9):
        drivers = ada.get("/chargers/GAR-1/authorised-drivers?explain=true").data
    assert [one["driver"] for one in drivers] == [
        {"id": world.dirk.pk, "name": "Dirk"},
        {"id": world.dora.pk, "name": "Dora"},
    ]
    told = [[(right["kind"], right["path"][-1], right["levels"]) for right in one["rights"]] for one in drivers]
    assert told == [[("charger", "Garage", None)], [("site", "Harbour", 2)]]
    [dora] = rob.get("/chargers/GAR-1/authorised-drivers?explain=true").data
    assert (dora["driver"]["name"], dora["rights"][0]["hidden"]) == ("Dora", True)
    assert ada.get("/chargers/GAR-1/authorised-drivers?explain=false").body == (
        ada.get("/chargers/GAR-1/authorised-drivers").body
    )
    assert_problem(ada.get("/chargers/GAR-1/authorised-drivers?explain=yes"), 400, BAD_ROUTE)


def test_answers_are_as_the_openapi_document_says(world, ada, client):
    schema = json.loads(client.get("/api/schema").content)
    for path, address in {
        "/api/v1/access": "/access?chargerId=GAR-1&idTag=04A1B2C3",
        "/api/v1/drivers/{userId}/reach": f"/drivers/{world.dora.pk}/reach",
        "/api/v1/chargers/{chargerId}/authorised-drivers": "/chargers/GAR-1/authorised-drivers?explain=true",
    }.items():
        operation = schema["paths"][path]["get"]
        content = operation["responses"]["200"]["content"]["application/json"]
        described = jsonschema.Draft202012Validator({**content["schema"], "components": schema["components"]})
        answer = ada.get(address).data
        described.validate(answer)
        for example in content.get("examples", {}).values():
            described.validate(resolved(schema, example)["value"])
        assert {"400", "401", "404", "406"} <= set(operation["responses"])


def narrow(network):
    """An operator who sees one site with what is below it, and not the whole tree; an admin where there is none."""
    some = [one for one in network.operators if not one.is_admin_operator]
    inner = [site for site in network.sites if site.parent_id is not None]
    if not some or not inner:
        return network.operators[0]
    SiteGrant._base_manager.filter(operator=some[0]).delete()
    widest = max(inner, key=lambda site: site.rght - site.lft)
    made(SiteGrant, operator=some[0], site=widest)
    return some[0]


@pytest.mark.django_db
def test_on_random_networks_answers_are_true_and_show_only_what_is_visible():
    seen = set()
    for seed in range(NETWORKS):
        rng = random.Random(seed)
        network = RandomNetwork(seed, drivers=12)
        operator = narrow(network) if seed % 4 else network.operators[0]
        naive, scope = NaiveReader(operator, rng), operator.scope()
        truth = NaiveReader(network.operators[0])
        for driver in naive.drivers[:3]:
            reached = reached_chargers(scope, driver, "", 1000)
            expected = [charger for charger in naive.chargers if naive.may_charge(driver, charger)]
            assert [one.charger_id for one in reached] == [
                one.charger_id for one in sorted(expected, key=lambda charger: charger.charger_id_key)
            ]
            assert reached_chargers(scope, driver, "", 1) == reached[:1]
            for one in reached:
                check_right(naive, driver, Charger.objects.get(charger_id=one.charger_id), one.right, seen)
        for charger in naive.chargers[:2]:
            explained = explained_drivers(scope, charger)
            assert [one.pk for one in explained] == [d.pk for d in naive.drivers if naive.may_charge(d, charger)]
            for one in explained:
                driver = next(driver for driver in naive.drivers if driver.pk == one.pk)
                check_right(naive, driver, charger, one.rights[0], seen)
                assert [right.is_hidden for right in one.rights[:-1]] == [False] * (len(one.rights) - 1)
            for driver in truth.drivers:
                for tag in driver.tags.all()[:1]:
                    check_answer(naive, scope, charger, driver, tag, truth.may_charge(driver, charger), seen)
    assert seen >= {"hidden", "site", "charger", *STATUSES} - {Code.TAG_UNKNOWN}


def check_right(naive, driver, charger, right, seen):
    """The right is the nearest one, and shown on a visible site."""
    above = naive.above(charger.site_id)
    assert right.site_id in naive.sites
    assert right.path == tuple(naive.sites[pk].name for pk in naive.above(right.site_id)[::-1] if pk in naive.sites)
    direct = [one.pk for one in driver.charger_rights.all() if one.charger_id == charger.pk]
    granted = {one.site_id: one.pk for one in driver.site_rights.all()}
    if direct:
        assert (right.kind, right.right_id) == ("charger", direct[0])
    else:
        nearest = next(pk for pk in above if pk in granted)
        assert right.is_hidden == (nearest not in naive.sites)
        assert right.right_id == (None if right.is_hidden else granted[nearest])
        assert above[right.levels] == right.site_id
        assert right.is_hidden or right.site_id == nearest
    seen.add("hidden" if right.is_hidden else right.kind)


def check_answer(naive, scope, charger, driver, tag, has_right, seen):
    at = EPOCH + datetime.timedelta(days=naive.random.randint(-10, 130))
    is_valid = (tag.starts_at is None or tag.starts_at <= at) and (tag.expires_at is None or at < tag.expires_at)
    answer = may_charge(scope, charger, tag.id_tag, at)
    assert answer.is_allowed == (is_valid and has_right)
    assert answer.is_allowed == (answer.statuses.ocpi == "ALLOWED")
    seen.add(answer.reason)
    if not naive.sees(driver.home_site_id):
        assert answer.reason == (Code.OUT_OF_SIGHT if answer.is_allowed else Code.TAG_UNKNOWN)
    for step in answer.evidence:
        assert step.tag is None or naive.sees(step.tag.driver.home_site_id)
        assert step.driver is None or naive.sees(step.driver.home_site_id)
        assert step.right is None or step.right.site_id in naive.sites


def test_a_scope_of_two_branches_knows_nothing_of_what_joins_them(world, rob):
    """Harbour is above both of Rob's sites, and hidden: the right in the west is near nothing in the east."""
    made(SiteGrant, operator=world.rob, site=world.west)
    made(Tag, driver=world.dora, id_tag="D1")
    SiteRight.objects.get(driver=world.dora).delete()
    made(SiteRight, driver=world.dora, site=world.west)
    answer = ask(rob, "GAR-1", "D1")
    assert codes(answer)[3:] == ["no_right"]
    assert answer["evidence"][3]["otherRights"] == 1
    assert codes(ask(Api(world.ada), "GAR-1", "D1"))[3:] == ["no_right", "nearest_right"]
