"""Every page of every model in the admin, as everybody: the right status, and nothing of somebody else's on it."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import URLResolver, reverse

from chargers.models import Charger
from drivers.models import Driver
from hierarchy.models import Change, Customer, Import, Site
from hierarchy.scoping import Scope
from operators.models import ApiKey, Operator, Webhook
from tests.backoffice.admin_pages import MODELS, address, filled
from tests.conftest import made
from tests.slow import all_but_first_slow

NORTHWIND = ["Northwind", "Harbour", "Airport", "QUAY-1", "GAR-1", "AIR-1", "Dora", "Dirk", "Spike", "Nell"]
SOUTHWIND = ["Southwind", "Depot", "DEP-1", "Sid", "Sue", "southwind.example"]
# What Rob does not see of his own customer. He reads no name of a site above his own.
OUT_OF_SIGHT = ["Harbour", "Airport", "West car park", "QUAY-1", "AIR-1", "Dirk", "Spike", "Nell"]
HIDDEN = {
    "rob": [*SOUTHWIND, *OUT_OF_SIGHT],
    "ada": SOUTHWIND,
    "nell": [*SOUTHWIND, "Harbour", "East car park", "Airport", "QUAY-1", "GAR-1", "Dora", "Dirk", "Spike", "Rob"],
    "sue": NORTHWIND,
    "pat": [],
}
PEOPLE = list(HIDDEN)
# Models whose rows only some may add, whatever their sight; everything else: who sees a site.
ONLY_PLATFORM = {Customer}
NOBODY = {Change}


@pytest.fixture
def full_world(world):
    """Every model has a row of both customers where the story has only one."""
    for operator in (world.ada, world.sue, world.rob):
        made(
            Import,
            customer=operator.customer,
            operator_id=operator.pk,
            file_name=f"of-{operator.name}.csv",
            format="csv",
            counts={"sites": {"created": 1}},
        )
        made(ApiKey, operator=operator, name="Backend", hint="ctk_abcd", digest=f"digest-of-{operator.pk}")
        made(Webhook, operator=operator, name="ERP", url="https://erp.example/", seed=f"digest-of-{operator.pk}")
    return world


def scope_of(world, who):
    return getattr(world, who).scope()


def may_add(model, scope: Scope):
    if model in NOBODY:
        return False
    if model in ONLY_PLATFORM:
        return scope.is_platform
    return scope.is_platform or scope.is_admin or bool(scope.root_ids) or model in (ApiKey, Webhook)


def may_write(row, world, who):
    """Who may change what, told once more in the story's words."""
    if isinstance(row, Change | Import):
        return False
    if who == "pat":
        return True
    if isinstance(row, Customer):
        return False
    if who in ("ada", "sue"):
        return True
    # Rob: everything he sees but the site he was granted, himself, and his own grant.
    own = (isinstance(row, Site) and row.pk == world.east.pk) or (isinstance(row, Operator) and row.pk == world.rob.pk)
    return not own and row._meta.model_name != "sitegrant"


def assert_clean(response, who):
    text = response.content.decode()
    leaked = [word for word in HIDDEN[who] if word in text and re.search(rf"(?<![\w-]){re.escape(word)}\b", text)]
    assert not leaked, f"{response.request['PATH_INFO']} shows {leaked} to {who}"
    assert "digest-of-" not in text


@pytest.mark.parametrize("who", all_but_first_slow(PEOPLE))
def test_lists_and_empty_forms(client, full_world, who):
    client.force_login(getattr(full_world, who))
    scope = scope_of(full_world, who)
    for path in ("/admin/", "/admin/password_change/"):
        response = client.get(path)
        assert response.status_code == 200
        assert_clean(response, who)
    for model in MODELS:
        response = client.get(address(model, "changelist"))
        assert response.status_code == 200
        assert_clean(response, who)
        assert response.context["cl"].result_count == model.objects.visible_to(scope).count()
        found = client.get(address(model, "changelist"), {"q": "o"})
        assert found.status_code == 200
        assert_clean(found, who)
        expected = 200 if may_add(model, scope) else 403
        for response in (client.get(address(model, "add")), client.post(address(model, "add"), {})):
            assert (model, response.status_code) == (model, expected)
            if expected == 200:
                assert_clean(response, who)


@pytest.mark.parametrize("who", all_but_first_slow(PEOPLE))
def test_pages_of_every_row(client, full_world, who):
    """Of rows that show nobody anything, because they are not found or nothing is hidden from who asks, the first of
    each kind has all its pages called and the others one."""
    client.force_login(getattr(full_world, who))
    scope = scope_of(full_world, who)
    called = set()
    for model in MODELS:
        visible = set(model.objects.visible_to(scope).values_list("pk", flat=True))
        # The journal has many lines of few kinds.
        for row in model._base_manager.all()[:: 7 if model is Change else 1]:
            writes = may_write(row, full_world, who)
            expected = {
                ("change", "get"): 200,
                ("history", "get"): 404 if model is Change else 200,
                ("delete", "get"): 200 if writes else 403,
                ("change", "post"): 200 if writes else 403,
            }
            kind = (model, row.pk in visible, writes)
            if kind in called and (row.pk not in visible or not HIDDEN[who]):
                expected = {("change", "get"): 200}
            called.add(kind)
            for (page, method), status in expected.items():
                response = getattr(client, method)(address(model, page, row.pk))
                wanted = status if row.pk in visible else 404
                assert (model, row, page, method, response.status_code) == (model, row, page, method, wanted)
                if response.status_code == 200:
                    assert_clean(response, who)
                if page == "change" and response.status_code == 200 and method == "get":
                    is_form = b'name="_save"' in response.content
                    assert (row, is_form) == (row, writes)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("who", PEOPLE)
def test_deleting_every_row(client, full_world, who):
    client.force_login(getattr(full_world, who))
    scope = scope_of(full_world, who)
    for model in reversed(MODELS):
        if model in (Change, Operator):
            continue
        for row in model._base_manager.order_by("-pk"):
            is_visible = model.objects.visible_to(scope).filter(pk=row.pk).exists()
            writes = is_visible and may_write(row, full_world, who)
            is_blocked = isinstance(row, Customer) or (isinstance(row, Site) and not row.is_leaf_node())
            is_blocked |= isinstance(row, Site) and row.home_operators.exists()
            response = client.post(address(model, "delete", row.pk), {"post": "yes"})
            expected = 404 if not is_visible else 403 if not writes else 200 if is_blocked else 302
            assert (model, row, response.status_code) == (model, row, expected)
            assert model._base_manager.filter(pk=row.pk).exists() == (expected != 302)
            if expected == 200:
                assert_clean(response, who)


def further_pages():
    """The addresses of the admin beside those of every model, each with the names of what is put into it."""
    patterns, known = list(admin.site.get_urls()), ("changelist", "add", "change", "delete", "history")
    while patterns:
        one = patterns.pop()
        if isinstance(one, URLResolver):
            patterns += one.url_patterns
        elif one.name and one.name.rpartition("_")[2] not in known and one.name not in ("login", "logout"):
            yield one.name, sorted(one.pattern.converters or one.pattern.regex.groupindex)


def rows_for(page):
    """The rows of the model that a page's name begins with."""
    name = page.removeprefix("admin:").split("_")
    model = next(one for one in MODELS if [one._meta.app_label, one._meta.model_name] == name[:2])
    return model._base_manager.all()[:: 20 if model is Change else 1]


@pytest.mark.parametrize("who", all_but_first_slow(PEOPLE))
def test_all_other_pages(client, full_world, who):
    client.force_login(getattr(full_world, who))
    scope = scope_of(full_world, who)
    of_rows = 0
    for page, names in further_pages():
        if names == ["object_id"]:
            of_rows += 1
            for row in rows_for(page):
                is_visible = type(row).objects.visible_to(scope).filter(pk=row.pk).exists()
                response = client.get(reverse(f"admin:{page}", args=[row.pk]))
                assert response.status_code in ((200, 302, 400, 403, 404, 405) if is_visible else (404, 405)), page
                assert_clean(response, who)
        else:
            junk = {"app_label": "drivers", "model_name": "driver", "kind": "csv"}
            response = client.get(reverse(f"admin:{page}", kwargs={name: junk.get(name, "7") for name in names}))
            assert response.status_code in (200, 302, 400, 403, 404, 405), page
            if response.streaming:
                assert b"".join(response)
            else:
                assert_clean(response, who)
    assert of_rows > 10


def test_a_stranger_is_sent_to_the_login(client, full_world):
    for page, names in further_pages():
        if names == ["object_id"]:
            path = reverse(f"admin:{page}", args=[rows_for(page)[0].pk])
            for response in (client.get(path), client.post(path)):
                assert response["Location"].startswith("/admin/login/"), path
    for model in MODELS:
        row = model._base_manager.first()
        pages = [address(model, "changelist"), address(model, "add")]
        pages += [address(model, page, row.pk) for page in ("change", "delete", "history")]
        for path in [*pages, "/admin/", "/admin/autocomplete/"]:
            for response in (client.get(path), client.post(path)):
                assert response.status_code == 302
                assert response["Location"].startswith("/admin/login/")
            # What is sent along is on the page to sign in, and nothing else.
            response = client.post(path, {"post": "yes"})
            assert (path, response.status_code, response.context["typed"]) == (path, 200, "post=yes")
            assert not re.search(r"Northwind|Southwind", response.content.decode())
    login = client.get("/admin/login/")
    assert "Chargetree" in login.content.decode()
    assert not re.search(r"Northwind|Southwind", login.content.decode())


@pytest.mark.parametrize("who", all_but_first_slow(["ada", "pat"]))
def test_an_untouched_form_changes_nothing(client, full_world, who):
    client.force_login(getattr(full_world, who))
    before = Change.objects.count()
    for model in MODELS:
        for row in model.objects.visible_to(scope_of(full_world, who)):
            if not may_write(row, full_world, who):
                continue
            page = client.get(address(model, "change", row.pk))
            response = client.post(address(model, "change", row.pk), filled(page))
            assert (model, row, response.status_code) == (model, row, 302)
            assert model._base_manager.get(pk=row.pk).version == row.version
    assert Change.objects.count() == before


def references():
    return [
        (model, field)
        for model in MODELS
        if model is not Change
        for field in model._meta.concrete_fields
        if field.is_relation
    ]


@pytest.mark.parametrize("who", PEOPLE)
def test_choosing_by_typing(client, full_world, who):
    client.force_login(getattr(full_world, who))
    scope = scope_of(full_world, who)
    for model, field in references():
        query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
        response = client.get("/admin/autocomplete/", {**query, "term": ""})
        assert response.status_code == 200
        assert_clean(response, who)
        visible = {str(pk) for pk in field.related_model.objects.visible_to(scope).values_list("pk", flat=True)}
        assert {one["id"] for one in response.json()["results"]} == visible


GARBAGE = ["\0", "abc", "9" * 30, "-1", "2026-13-45T99:99 <b>'\""]


@pytest.mark.parametrize("junk", all_but_first_slow(GARBAGE))
def test_garbage_is_an_error_on_the_form(client, full_world, junk):
    """Typed into every field of every form at once; what is no error of the form is text that a person may type."""
    client.force_login(full_world.pat)
    for model in MODELS:
        # The one is nobody's to write, the other is not typed but chosen.
        if model in (Change, Import):
            continue
        row = model.objects.first()
        for path in (address(model, "add"), address(model, "change", row.pk)):
            names = filled(client.get(path))
            management = {name: value for name, value in names.items() if name.endswith("_FORMS")}
            response = client.post(path, {**dict.fromkeys(names, junk), **management})
            assert response.status_code in (200, 302), path


@pytest.mark.parametrize("junk", all_but_first_slow(GARBAGE))
def test_garbage_in_the_address(client, full_world, junk):
    client.force_login(full_world.ada)
    filters = {Charger: "status__exact", Operator: "is_active__exact", Change: "kind", Site: "group_type__exact"}
    for model in MODELS:
        for query in ({"q": junk, "o": junk, "e": junk}, {"p": junk}, {filters.get(model, "status"): junk}):
            assert client.get(address(model, "changelist"), query).status_code in (200, 302, 400)
        initial = dict.fromkeys(("_popup", "site", "parent", "driver", "name", "starts_at", "customer"), junk)
        assert client.get(address(model, "add"), initial).status_code in (200, 403)
        for page in ("change", "delete", "history"):
            assert client.get(address(model, page, junk)).status_code == 404
        chosen = {"action": "delete_selected", "_selected_action": junk, "index": "0"}
        assert client.post(address(model, "changelist"), chosen).status_code in (200, 302, 400)
    assert client.get(address(Charger, "add"), {"_to_field": junk}).status_code == 400
    for name in ("app_label", "model_name", "field_name", "term", "page", "outside_of"):
        query = {"app_label": "chargers", "model_name": "charger", "field_name": "site", name: junk}
        assert client.get("/admin/autocomplete/", query).status_code in (200, 403, 404)


@pytest.mark.parametrize("junk", all_but_first_slow([*GARBAGE, "7", ""]))
def test_garbage_in_the_lines_of_another_kind(client, full_world, junk):
    client.force_login(full_world.ada)
    path = address(Driver, "change", full_world.dora.pk)
    data = filled(client.get(path))
    for name in ("TOTAL_FORMS", "INITIAL_FORMS", "0-id", "0-driver", "0-row_version", "0-starts_at"):
        assert client.post(path, {**data, f"tags-{name}": junk}).status_code in (200, 302)


def test_reverse_relations_are_no_choices(client, full_world):
    client.force_login(full_world.ada)
    query = {"app_label": "hierarchy", "model_name": "customer", "field_name": "sites"}
    assert client.get("/admin/autocomplete/", query).status_code == 403


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (Operator, "password__startswith"),
        (ApiKey, "digest__startswith"),
        (Charger, "customer__name__startswith"),
        (Charger, "site__parent__name__startswith"),
        (Driver, "site_rights__site__name"),
    ],
)
def test_columns_cannot_be_guessed_letter_by_letter(client, full_world, model, lookup):
    client.force_login(full_world.ada)
    assert client.get(address(model, "changelist"), {lookup: "p"}).status_code == 400


def test_no_redirect_to_a_public_page(client, full_world):
    client.force_login(full_world.ada)
    assert client.get("/admin/r/1/1/").status_code == 404
