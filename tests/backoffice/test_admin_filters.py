"""The filters of the lists: what each leaves, what is said of them above the list, and how they go."""

import datetime
from urllib.parse import parse_qs

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.models import Site
from operators.models import ApiKey, Operator, SiteGrant, Webhook
from tests.backoffice.admin_pages import MODELS, address
from tests.conftest import made
from tests.slow import all_but_first_slow


def listed(client, kind, **query):
    """What stands on the list, as text."""
    response = client.get(address(kind, "changelist"), query)
    assert response.status_code == 200, response.content
    return sorted(str(row) for row in response.context["cl"].result_list)


def test_by_place(client, world):
    client.force_login(world.ada)
    east = {"within": world.east.pk}
    assert listed(client, Site, **east) == ["East car park", "Garage"]
    assert listed(client, Charger, **east) == ["GAR-1", "GAR-2"]
    assert listed(client, Socket, **east) == ["GAR-1 #1"]
    assert listed(client, ChargerConfiguration, **east) == []
    assert listed(client, ChargerConfiguration, within=world.harbour.pk) == ["QUAY-1 HeartbeatInterval"]
    assert listed(client, Driver, **east) == ["Dora"]
    assert listed(client, Tag, **east) == ["04A1B2C3", "04FFEE01"]
    # A right lies where one may charge, whoever's it is.
    assert listed(client, SiteRight, **east) == []
    assert listed(client, SiteRight, within=world.harbour.pk) == ["Dora @ Harbour"]
    assert listed(client, ChargerRight, **east) == ["Dirk @ GAR-1"]
    assert listed(client, IntegratedExternalId, **east) == ["Dora fleet F-77"]
    assert listed(client, Operator, **east) == ["rob@northwind.example"]
    assert listed(client, SiteGrant, **east) == ["rob@northwind.example @ East car park"]


def test_the_place_is_chosen_by_typing(client, world):
    client.force_login(world.ada)
    page = client.get(address(Charger, "changelist"), {"within": world.garage.pk, "health": "offline", "q": "gar"})
    text = page.content.decode()
    assert 'class="admin-autocomplete"' in text.replace("  ", " ")
    assert "autocomplete.js" in text
    # What else is chosen goes along.
    for name, value in (("health", "offline"), ("q", "gar")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in text
    query = {"app_label": "hierarchy", "model_name": "site", "field_name": "parent", "term": "gara"}
    found = client.get("/admin/autocomplete/", query).json()["results"]
    assert found == [{"id": str(world.garage.pk), "text": "Harbour › East car park › Garage"}]


def test_what_narrows_the_list_is_said_and_goes_with_a_link(client, world):
    client.force_login(world.ada)
    query = {"within": world.east.pk, "health": "offline", "q": "gar", "o": "-1", "has_active_connection__exact": "0"}
    page = client.get(address(Charger, "changelist"), query)
    cl = page.context["cl"]
    said = {str(one.title): (str(one.choice), one.without) for one in cl.active_filters}
    assert {title: choice for title, (choice, _without) in said.items()} == {
        "Search": "gar",
        "Site": "Harbour › East car park",
        "Health": "Offline",
        "Connected": "No",
    }
    names = {"Search": "q", "Site": "within", "Health": "health", "Connected": "has_active_connection__exact"}
    for title, (_choice, without) in said.items():
        left = parse_qs(without.removeprefix("?"))
        assert left.keys() == query.keys() - {names[title]}
        assert client.get(address(Charger, "changelist") + without).status_code == 200
    assert cl.without_filters == "?o=-1"
    assert "active-filters" in page.content.decode()
    assert "active-filters" not in client.get(address(Charger, "changelist")).content.decode()


def test_manufacturers_and_models_that_exist_in_sight(client, world):
    for charger, manufacturer, model in (
        (world.gar_1, "Alfen", "Eve"),
        (world.gar_2, "Zaptec", "Pro"),
        (world.air_1, "Alfen", "Twin"),
        (world.dep_1, "Secret", "Model"),
    ):
        charger.manufacturer, charger.model = manufacturer, model
        charger.save()

    def offered(title, **query):
        cl = client.get(address(Charger, "changelist"), query).context["cl"]
        specs = [spec for spec in cl.filter_specs if spec.title == title]
        return [str(choice["display"]) for spec in specs for choice in spec.choices(cl)]

    client.force_login(world.ada)
    assert offered("manufacturer") == ["All", "Alfen", "Zaptec"]
    assert offered("model") == []
    assert offered("model", manufacturer="Alfen") == ["All", "Eve", "Twin", "None"]
    assert listed(client, Charger, manufacturer="Alfen", model="Eve") == ["GAR-1"]
    assert listed(client, Charger, manufacturer="Alfen", model="-") == ["QUAY-1"]
    # Another manufacturer has other models.
    cl = client.get(address(Charger, "changelist"), {"manufacturer": "Alfen", "model": "Eve"}).context["cl"]
    links = [
        choice["query_string"]
        for spec in cl.filter_specs
        if spec.title == "manufacturer"
        for choice in spec.choices(cl)
    ]
    assert links == ["?", "?manufacturer=Alfen&model=Eve", "?manufacturer=Zaptec"]
    client.force_login(world.rob)
    assert offered("manufacturer") == ["All", "Alfen", "Zaptec"]
    client.force_login(world.sue)
    assert offered("manufacturer") == ["All", "Secret"]


def test_questions(client, world):
    client.force_login(world.ada)
    now = timezone.now()
    day = datetime.timedelta(days=1)
    made(Tag, driver=world.dirk, id_tag="SOON", expires_at=now + 3 * day)
    made(Tag, driver=world.dirk, id_tag="PAST", expires_at=now - day)
    made(Tag, driver=world.dirk, id_tag="LATER", starts_at=now + day)
    Tag._base_manager.filter(pk=world.dora_fob.pk).update(starts_at=None, expires_at=now + 90 * day)
    assert listed(client, Tag, expires="valid") == ["04A1B2C3", "04FFEE01", "SOON"]
    assert listed(client, Tag, expires="soon") == ["SOON"]
    assert listed(client, Tag, expires="not-yet") == ["LATER"]
    assert listed(client, Tag, expires="past") == ["PAST"]

    assert listed(client, Driver, rights="none") == ["Spike"]
    assert listed(client, Driver, tags="none") == ["Spike"]
    assert listed(client, Driver, tags="some") == ["Dirk", "Dora"]
    assert listed(client, Driver, home="none") == ["Spike"]
    assert listed(client, Driver, home="some") == ["Dirk", "Dora"]

    assert listed(client, Operator, grants="all") == ["ada@northwind.example"]
    assert listed(client, Operator, grants="some") == ["rob@northwind.example"]
    assert listed(client, Operator, grants="none") == ["nell@northwind.example"]
    assert listed(client, Operator, is_admin_operator__exact="1") == ["ada@northwind.example"]

    key = {"operator": world.ada, "hint": "ctk_1"}
    made(ApiKey, name="Fine", digest="1", **key)
    made(ApiKey, name="Old", digest="2", expires_at=now - day, **key)
    made(ApiKey, name="Gone", digest="3", expires_at=now - day, revoked_at=now, **key)
    states = {state: listed(client, ApiKey, state=state) for state in ("valid", "expired", "revoked")}
    assert states == {"valid": ["Fine (ctk_1…)"], "expired": ["Old (ctk_1…)"], "revoked": ["Gone (ctk_1…)"]}

    for name, values in (
        ("Quiet", {}),
        ("Broken", {"failing_since": now, "last_delivered_at": now - day}),
        ("Busy", {"last_delivered_at": now}),
    ):
        made(Webhook, operator=world.ada, name=name, url="https://example.org/", **values)
    deliveries = {one: listed(client, Webhook, delivery=one) for one in ("fine", "failing", "never")}
    assert deliveries == {"fine": ["Busy"], "failing": ["Broken"], "never": ["Quiet"]}


def test_platform_staff_choose_a_customer_on_every_list(client, world):
    client.force_login(world.pat)
    for model in (Charger, Socket, ChargerConfiguration, Driver, IntegratedExternalId, ApiKey, Webhook):
        titles = [spec.title for spec in client.get(address(model, "changelist")).context["cl"].filter_specs]
        assert "customer" in titles, model
    assert listed(client, Socket, of=world.southwind.pk) == ["DEP-1 #1"]
    client.force_login(world.ada)
    titles = [spec.title for spec in client.get(address(Socket, "changelist")).context["cl"].filter_specs]
    assert "customer" not in titles


@pytest.mark.parametrize("junk", all_but_first_slow(["\0", "9" * 30, "", "\u202e<b>'\""]))
def test_wrong_values_are_refused_or_find_nothing(client, world, junk):
    client.force_login(world.ada)
    for model in MODELS:
        specs = getattr(client.get(address(model, "changelist")).context["cl"], "filter_specs", [])
        for name in [name for spec in specs for name in spec.expected_parameters()]:
            response = client.get(address(model, "changelist"), {name: junk})
            assert response.status_code in (200, 400), (model, name)
    assert listed(client, Charger, manufacturer="%", model="_") == []


def test_what_no_filter_knows_leaves_no_row(client, world):
    """The whole list would be taken for the answer, and an action would be about all of it."""
    client.force_login(world.rob)
    listing = address(Charger, "changelist")
    unknown = {
        "health=zzz": "Health zzz",
        "within=abc": "Site abc",
        f"within={world.harbour.pk}": f"Site {world.harbour.pk}",
        f"within={world.depot.pk}": f"Site {world.depot.pk}",
        "within=" + "9" * 30: "Site " + "9" * 30,
        "status__exact=zzz": "Status zzz",
        "status__isnull=1": "Status 1",
        "has_active_connection__exact=2": "Connected 2",
        "status=Available": "status",
        "site__name=Harbour": "site__name",
        "customer__id__exact=1": "customer__id__exact",
        "health=offline&zzz=1": "zzz",
        "health=%3Cb%3E": "Health &lt;b&gt;",
    }
    action = {"action": "delete_selected", "index": 0, "select_across": 1, "_selected_action": world.gar_1.pk}
    export = "/admin/export/chargers/charger.csv"
    for query, named in unknown.items():
        answers = [client.get(f"{listing}?{query}"), client.get(f"{export}?{query}")]
        answers.append(client.post(f"{listing}?{query}", action))
        for answer in answers:
            assert answer.status_code == 400, query
            text = answer.content.decode()
            assert "GAR-1" not in text and "Harbour" not in text
            assert f'<a class="button default" href="{listing}">All chargers</a>' in text
            for word in named.split(" ", 1):
                assert f"“<bdi>{word}</bdi>”" in text, query
    assert Charger.objects.filter(pk=world.gar_1.pk).exists()
    popup = client.get(f"{listing}?health=zzz&_popup=1").content.decode()
    assert f'href="{listing}?_popup=1"' in popup
    # An empty field of a form asks for nothing, and the last page is what is left of one whose rows went.
    for query in ("health=", "within=", "p=99", "p=0", "p=-1", "p=x", "e=1"):
        assert listed(client, Charger, **dict([query.split("=")])) == ["GAR-1", "GAR-2"], query


def test_the_last_page_stands_in_for_one_that_is_not_there(client, world, monkeypatch):
    monkeypatch.setattr(admin.site.get_model_admin(Charger), "list_per_page", 1)
    client.force_login(world.rob)
    for number, shown in (("1", "GAR-1"), ("2", "GAR-2"), ("99", "GAR-2"), ("-1", "GAR-2")):
        assert listed(client, Charger, p=number) == [shown], number


def test_names_are_in_the_order_of_their_letters_and_chargers_in_that_of_their_ids(client, world):
    client.force_login(world.ada)
    for name in ("anna", "Bert", "Çelik"):
        made(Driver, customer=world.northwind, name=name)
    for query in ({}, {"o": "1"}):
        names = [row.name for row in client.get(address(Driver, "changelist"), query).context["cl"].result_list]
        assert names == sorted(names, key=str.casefold) and names[:2] == ["anna", "Bert"], query
    chargers = client.get(address(Charger, "changelist")).context["cl"].result_list
    assert [row.charger_id for row in chargers] == ["AIR-1", "GAR-1", "GAR-2", "QUAY-1"]


def test_columns_are_compared_as_the_filters_do(client, world):
    """A regular expression that is wrong is a mistake of PostgreSQL; one that never ends keeps SQLite busy."""
    client.force_login(world.ada)
    for comparison in ("regex", "iregex", "contains", "gt", "in", "range", "exact__regex"):
        response = client.get(address(Charger, "changelist"), {f"status__{comparison}": "("})
        assert response.status_code == 400, comparison
    assert listed(client, Charger, status__exact="Available") == ["QUAY-1"]


def test_filters_cost_no_statement_until_they_are_used(client, world):
    client.force_login(world.ada)
    client.get(address(Driver, "changelist"))
    with CaptureQueriesContext(connection) as plain:
        client.get(address(Driver, "changelist"))
    assert not any("rght" in query["sql"] and "LIMIT 1" in query["sql"] for query in plain)
    with CaptureQueriesContext(connection) as narrowed:
        client.get(address(Driver, "changelist"), {"within": world.east.pk, "rights": "some"})
    # The site, and its path.
    assert len(narrowed) == len(plain) + 2


def test_the_tree_of_sites_is_in_the_navigation(client, world):
    client.force_login(world.rob)
    for page in ("/admin/", address(Driver, "changelist")):
        assert '<a href="/admin/hierarchy/site/tree/">Tree of sites</a>' in client.get(page).content.decode()


def test_the_headings_of_the_navigation_lead_to_what_stands_below_them(client, world):
    client.force_login(world.rob)
    first = {"hierarchy": "site/tree", "chargers": "charger", "drivers": "driver", "operators": "operator"}
    for app, page in first.items():
        response = client.get(f"/admin/{app}/")
        assert (response.status_code, response["Location"]) == (302, f"/admin/{app}/{page}/")
    assert client.get("/admin/zzz/").status_code == 404
