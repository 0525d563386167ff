"""Writing through the admin: the services' rules, shown on the form, in one transaction and one recording."""

import pytest
from django.contrib.admin.models import LogEntry

from chargers.models import Charger, Socket
from drivers.models import Driver, SiteRight, Tag
from hierarchy.models import Change, Customer, Site
from operators import keys
from operators.models import ApiKey, Operator, SiteGrant
from tests.backoffice.admin_pages import add_line, address, errors_of, filled
from tests.conftest import NOON, made

STALE = "was changed after you opened the page"
UNKNOWN = "Not found, or you have no access to it."


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


@pytest.fixture
def rob(client, world):
    client.force_login(world.rob)
    return client


def change(client, row, **values):
    path = address(type(row), "change", row.pk)
    return client.post(path, filled(client.get(path), **values))


def add(client, model, **values):
    path = address(model, "add")
    return client.post(path, filled(client.get(path), **values))


def test_it_works(ada, world):
    response = add(ada, Site, name="Pier", parent=world.harbour.pk)
    assert response.status_code == 302
    pier = Site.objects.get(name="Pier")
    assert (pier.parent, pier.customer, pier.level) == (world.harbour, world.northwind, 1)

    line = Change.objects.filter(object_type="site", object_id=pier.pk).get()
    assert (line.actor_label, line.actor_id, line.source) == ("ada@northwind.example", world.ada.pk, "admin")
    assert line.request_id == response["X-Request-ID"]
    assert not LogEntry.objects.exists()

    assert change(ada, pier, name="Old pier").status_code == 302
    assert ada.post(address(Site, "delete", pier.pk), {"post": "yes"}).status_code == 302
    assert not Site.objects.filter(pk=pier.pk).exists()


def test_history_is_read_from_the_journal(ada, world):
    change(ada, world.garage, name="Car wash", parent=world.west.pk)
    text = ada.get(address(Site, "history", world.garage.pk)).content.decode()
    for word in ("ada@northwind.example", "admin", "Garage", "Car wash", "East car park", "West car park"):
        assert word in text
    front = ada.get("/admin/").content.decode()
    assert "Car wash" in front


def test_moving_a_site(ada, world):
    assert change(ada, world.garage, parent=world.west.pk).status_code == 302
    world.garage.refresh_from_db()
    assert world.garage.parent == world.west
    assert change(ada, world.garage, parent="").status_code == 302
    world.garage.refresh_from_db()
    assert world.garage.is_root_node()


@pytest.mark.parametrize("target", ["harbour", "garage"])
def test_a_site_does_not_move_below_itself(ada, world, target):
    response = change(ada, world.harbour, parent=getattr(world, target).pk)
    assert "own subtree" in errors_of(response)[0]
    query = {"app_label": "hierarchy", "model_name": "site", "field_name": "parent", "outside_of": world.harbour.pk}
    choices = ada.get("/admin/autocomplete/", query).json()["results"]
    assert [one["text"] for one in choices] == ["Airport"]


def test_choices_are_called_by_their_path(ada, world):
    query = {"app_label": "chargers", "model_name": "charger", "field_name": "site", "term": "garage"}
    (garage,) = ada.get("/admin/autocomplete/", query).json()["results"]
    assert garage == {"id": str(world.garage.pk), "text": "Harbour › East car park › Garage"}
    assert "Harbour › East car park › Garage" in ada.get(address(Charger, "change", world.gar_1.pk)).content.decode()


def test_paths_begin_where_sight_begins(rob, world):
    text = rob.get(address(Charger, "change", world.gar_1.pk)).content.decode()
    assert "East car park › Garage" in text
    assert "Harbour" not in text


def test_a_stale_page_does_not_overwrite(ada, world):
    path = address(Site, "change", world.west.pk)
    page = ada.get(path)
    world.west.cost_id = "77"
    world.west.save()
    response = ada.post(path, filled(page, name="Left car park"))
    assert STALE in errors_of(response)[0]
    assert 'value="Left car park"' in response.content.decode()
    world.west.refresh_from_db()
    assert (world.west.name, world.west.cost_id) == ("West car park", "77")


@pytest.mark.parametrize("version", ["", "0", "abc", "-1", "99"])
def test_a_page_without_the_right_version_is_refused(ada, world, version):
    response = change(ada, world.west, name="Left", row_version=version)
    assert response.status_code == 200
    assert errors_of(response)
    assert Site.objects.get(pk=world.west.pk).name == "West car park"


def test_a_stale_line_does_not_overwrite(ada, world):
    path = address(Driver, "change", world.dora.pk)
    page = ada.get(path)
    world.dora_card.token_name = "New card"
    world.dora_card.save()
    response = ada.post(path, filled(page, name="Dora the second", **{"tags-0-token_name": "Blue card"}))
    assert STALE in errors_of(response)[0]
    assert 'value="Blue card"' in response.content.decode()
    assert Driver.objects.get(pk=world.dora.pk).name == "Dora"
    assert Tag.objects.get(pk=world.dora_card.pk).token_name == "New card"


def test_a_line_deleted_meanwhile_is_told(ada, world):
    path = address(Driver, "change", world.dora.pk)
    page = ada.get(path)
    world.dora_card.delete()
    response = ada.post(path, filled(page, name="Dora the second"))
    assert "deleted after you opened the page" in " ".join(errors_of(response))
    assert Driver.objects.get(pk=world.dora.pk).name == "Dora"


def test_row_and_lines_are_one_change(ada, world):
    path = address(Driver, "add")
    data = filled(ada.get(path), name="Daisy", home_site=world.garage.pk)
    add_line(data, "tags", id_tag="AA11", token_name="Card")
    add_line(data, "site_rights", site=world.east.pk)
    add_line(data, "charger_rights", charger=world.air_1.pk)
    add_line(data, "external_ids", reference_type="0", reference_id="fleet", external_id="F-1")
    response = ada.post(path, data)
    assert response.status_code == 302
    daisy = Driver.objects.get(name="Daisy")
    assert (daisy.tags.count(), daisy.site_rights.count(), daisy.charger_rights.count()) == (1, 1, 1)
    lines = Change.objects.filter(request_id=response["X-Request-ID"])
    assert {line.object_type for line in lines} == {
        "driver",
        "tag",
        "siteright",
        "chargerright",
        "integratedexternalid",
    }


def test_one_refused_line_writes_nothing(ada, world):
    """The tag is somebody else's of the same customer: only the database knows."""
    path = address(Driver, "change", world.dirk.pk)
    data = filled(ada.get(path), name="Dirk the second")
    add_line(data, "tags", id_tag="BB22", token_name="Fine")
    add_line(data, "tags", id_tag="04a1b2c3", token_name="Taken")
    response = ada.post(path, data)
    assert errors_of(response) == ["This ID tag is already in use."]
    for typed in ("Dirk the second", "BB22", "04a1b2c3", "Taken"):
        assert f'value="{typed}"' in response.content.decode()
    assert Driver.objects.get(pk=world.dirk.pk).name == "Dirk"
    assert not Tag.objects.filter(id_tag="BB22").exists()


def test_removing_a_line(ada, world):
    assert change(ada, world.dora, **{"tags-1-DELETE": "on"}).status_code == 302
    assert list(world.dora.tags.values_list("id_tag", flat=True)) == ["04A1B2C3"]
    path = address(Driver, "change", world.dora.pk)
    page = ada.get(path)
    world.dora_card.token_name = "New card"
    world.dora_card.save()
    response = ada.post(path, filled(page, **{"tags-0-DELETE": "on"}))
    assert "was changed" in errors_of(response)[0]
    assert world.dora.tags.count() == 1


def test_the_database_says_what_is_taken(ada, world):
    assert errors_of(add(ada, Site, name="HARBOUR")) == ["A top-level site with this name already exists."]
    taken = add(ada, Charger, charger_id="dep-1", site=world.east.pk)
    assert errors_of(taken) == ["This charger ID is already in use."]
    assert "Southwind" not in taken.content.decode()


def test_foreign_ids_are_unknown(ada, world):
    assert errors_of(add(ada, Charger, charger_id="NEW-1", site=world.depot.pk)) == [UNKNOWN]
    assert errors_of(add(ada, Site, name="Annex", parent=world.depot.pk)) == [UNKNOWN]
    assert errors_of(add(ada, SiteRight, driver=world.sid.pk, site=world.depot.pk)) == [UNKNOWN, UNKNOWN]
    path = address(Driver, "change", world.dora.pk)
    stolen = filled(ada.get(path), **{"tags-0-id": world.sid_card.pk, "tags-0-id_tag": "STOLEN"})
    assert "deleted after you opened the page" in " ".join(errors_of(ada.post(path, stolen)))
    world.sid_card.refresh_from_db()
    assert (world.sid_card.id_tag, world.sid_card.driver) == ("04A1B2C3", world.sid)


def test_the_customer_never_changes(ada, client, world):
    add(ada, Driver, name="Dave", customer=world.southwind.pk)
    assert Driver.objects.get(name="Dave").customer == world.northwind
    client.force_login(world.pat)
    for row in (world.airport, world.spike, world.nell):
        assert change(client, row, customer=world.southwind.pk).status_code == 302
        assert type(row).objects.get(pk=row.pk).customer == world.northwind


def test_platform_staff_choose_the_customer(client, world):
    client.force_login(world.pat)
    assert "customer" in client.get(address(Site, "add")).context["adminform"].form.fields
    assert add(client, Driver, name="Dave", customer=world.southwind.pk).status_code == 302
    assert Driver.objects.get(name="Dave").customer == world.southwind
    assert add(client, Site, name="Yard", parent=world.depot.pk).status_code == 302
    assert Site.objects.get(name="Yard").customer == world.southwind
    assert errors_of(add(client, Site, name="Annex", customer=world.northwind.pk, parent=world.depot.pk))
    assert add(client, Customer, name="Eastwind", time_zone="Europe/Riga").status_code == 302


def test_what_has_things_in_it_is_not_deleted(ada, world):
    path = address(Site, "delete", world.east.pk)
    page = ada.get(path).content.decode()
    assert "Subsite" in page or "Garage" in page
    assert "rob@northwind.example" in page
    assert 'type="submit" value="Delete"' not in page
    assert ada.post(path, {"post": "yes"}).status_code == 200
    assert Site.objects.filter(pk=world.east.pk).exists()


def test_a_deletion_says_what_goes_with_it(ada, world):
    page = ada.get(address(Driver, "delete", world.dora.pk)).content.decode()
    for word in ("Tags: 2", "Rights on sites: 1", "<li>Tag: 04FFEE01</li>", "<li>Right on a site: Dora @ Harbour</li>"):
        assert word in page
    stale = {"post": "yes", "row_version": "9"}
    assert ada.post(address(Driver, "delete", world.dora.pk), stale, follow=True).status_code == 200
    assert Driver.objects.filter(pk=world.dora.pk).exists()


def test_a_deletion_does_not_show_what_is_out_of_sight(rob, world):
    page = rob.get(address(Driver, "delete", world.dora.pk)).content.decode()
    assert "Harbour" not in page
    assert "Tags: 2" in page


def delete_chosen(client, model, *rows, sure=True):
    """The page of the plan that this becomes and, with `sure`, the answer when it is applied."""
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "index": "0"}
    answer = client.post(address(model, "changelist"), data)
    if "/plans/" not in answer["Location"]:
        return answer
    return client.post(answer["Location"], {"answer": "apply"}) if sure else client.get(answer["Location"])


def test_deleting_many(ada, world):
    page = delete_chosen(ada, Charger, world.gar_1, world.gar_2, sure=False)
    assert "GAR-1" in page.content.decode()
    assert delete_chosen(ada, Charger, world.gar_1, world.gar_2).status_code == 302
    assert not Charger.objects.filter(site=world.garage).exists()


def test_deleting_many_is_all_or_nothing(ada, world):
    page = delete_chosen(ada, Site, world.west, world.airport)
    assert "charger AIR-1" in page.content.decode()
    assert Site.objects.filter(pk__in=[world.west.pk, world.airport.pk]).count() == 2


def test_a_whole_branch_can_be_deleted_at_once(ada, world):
    top = made(Site, customer=world.northwind, name="Old")
    below = made(Site, parent=top, name="Older")
    assert delete_chosen(ada, Site, top, below).status_code == 302
    assert not Site.objects.filter(name__startswith="Old").exists()


def test_rows_of_others_cannot_be_chosen(ada, rob, world):
    delete_chosen(rob, Charger, world.dep_1, world.quay_1)
    assert Charger.objects.filter(pk__in=[world.dep_1.pk, world.quay_1.pk]).count() == 2


def test_what_may_only_be_looked_at_has_no_form(rob, world):
    page = rob.get(address(Site, "change", world.east.pk))
    text = page.content.decode()
    assert page.status_code == 200
    assert 'name="name"' not in text
    assert 'name="_save"' not in text
    assert rob.post(address(Site, "change", world.east.pk), {"name": "Mine"}).status_code == 403
    assert delete_chosen(rob, Site, world.east).status_code in (403, 409)
    assert Site.objects.get(pk=world.east.pk).name == "East car park"


def test_a_restricted_operator_writes_below_the_granted_site(rob, world):
    assert errors_of(add(rob, Site, name="Top")) == ["This field is required."]
    assert add(rob, Site, name="Ramp", parent=world.east.pk).status_code == 302
    assert add(rob, Charger, charger_id="RAMP-1", site=Site.objects.get(name="Ramp").pk).status_code == 302
    assert errors_of(add(rob, Driver, name="Spare")) == ["This field is required."]
    path = address(Driver, "add")
    data = add_line(filled(rob.get(path), name="Rita", home_site=world.garage.pk), "tags", id_tag="CC33")
    assert rob.post(path, data).status_code == 302


def test_nobody_gives_what_one_does_not_have(rob, world):
    path = address(Operator, "add")
    data = filled(rob.get(path), name="Ron", email="ron@northwind.example", home_site=world.garage.pk)
    data |= {"new_password": "correct horse battery", "new_password_again": "correct horse battery"}
    add_line(data, "grants", site=world.harbour.pk)
    assert errors_of(rob.post(path, {**data, "is_admin_operator": "on"})) == [UNKNOWN]
    assert not Operator.objects.filter(name="Ron").exists()
    data["grants-0-site"] = world.garage.pk
    assert rob.post(path, {**data, "is_admin_operator": "on"}).status_code == 302
    ron = Operator.objects.get(name="Ron")
    assert (ron.is_admin_operator, ron.check_password("correct horse battery")) == (False, True)
    # Neither his own sight nor himself.
    assert "is_admin_operator" not in rob.get(address(Operator, "add")).context["adminform"].form.fields
    refused = add(rob, SiteGrant, operator=world.rob.pk, site=world.garage.pk)
    assert "You cannot change your own access" in errors_of(refused)[0]
    assert rob.post(address(Operator, "change", world.rob.pk), {"is_admin_operator": "on"}).status_code == 403


def test_passwords(ada, client, world):
    page = address(Operator, "password", world.nell.pk)
    good = "a new and better one"
    response = ada.post(page, {"new_password": "12345", "new_password_again": "12345"})
    assert response.context["form"].errors["new_password"]
    assert ada.post(page, {"new_password": good, "new_password_again": "other"}).status_code == 200
    assert ada.post(page, {"new_password": good, "new_password_again": good}).status_code == 302
    world.nell.refresh_from_db()
    assert world.nell.check_password(good)
    line = Change.objects.filter(object_type="operator", object_id=world.nell.pk).first()
    assert line.fields == {"password": ["***", "***"]}
    assert ada.get(address(Operator, "password", world.sue.pk)).status_code == 404
    client.force_login(world.rob)
    assert client.get(address(Operator, "password", world.ada.pk)).status_code == 404


def test_one_changes_the_own_password(rob, world):
    assert rob.get(address(Operator, "password", world.rob.pk))["Location"] == "/admin/password_change/"
    good = "a new and better one"
    data = {"old_password": "correct horse battery", "new_password1": good, "new_password2": good}
    assert rob.post("/admin/password_change/", data).status_code == 302
    world.rob.refresh_from_db()
    assert world.rob.check_password(good)
    line = Change.objects.filter(object_type="operator", object_id=world.rob.pk).first()
    assert (line.actor_label, line.source) == ("rob@northwind.example", "admin")
    assert rob.get("/admin/").status_code == 200


def test_signing_in_by_e_mail(client, world):
    data = {"username": "ADA@northwind.example", "password": "correct horse battery"}
    assert client.post("/admin/login/", data)["Location"] == "/admin/"
    world.nell.is_active = False
    world.nell.save()
    assert client.post("/admin/login/", {**data, "username": "nell@northwind.example"}).status_code == 200


def test_platform_staff_are_asked_for_a_customer(client, world):
    client.force_login(world.pat)
    values = {"name": "New", "email": "new@northwind.example"}
    for model, source, place in (
        (Site, "parent", world.harbour),
        (Driver, "home_site", world.garage),
        (Operator, "home_site", world.garage),
    ):
        refused = add(client, model, **values)
        label = refused.context["adminform"].form[source].label
        assert dict(refused.context["adminform"].form.errors) == {
            "customer": [f"Choose a customer, or a value for {label}."]
        }
        assert errors_of(add(client, model, **values, **{source: "999999999"})) == [UNKNOWN]
        add(client, model, **values, **{source: place.pk})
        assert model.objects.get(name="New").customer == world.northwind


def shown(client, answer):
    """The keys and their texts on the page to which the making of them leads."""
    return answer.context["shown"]


def test_a_key_is_shown_once(ada, world):
    made = add(ada, ApiKey, name="Backend", operator=world.rob.pk)
    assert made.status_code == 200
    # The session lies in the database.
    assert "ctk_" not in str(dict(ada.session.items())) and "ctk_" not in str(ada.cookies)
    ((key, text),) = made.context["shown"]
    assert text in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    assert (key.digest, key.operator) == (keys.digest(text), world.rob)
    # Where the page's script leads, and so who loads it again.
    again = ada.get(made.context["address"], follow=True)
    assert "If you did not copy it, rotate" in again.content.decode() and text not in again.content.decode()
    assert ApiKey.objects.get(pk=key.pk).digest == key.digest
    for path in (address(ApiKey, "changelist"), *(address(ApiKey, page, key.pk) for page in ("change", "history"))):
        page = ada.get(path).content.decode()
        assert text not in page
        assert key.digest not in page
        assert key.hint in page
    journaled = str(list(Change.objects.values_list("fields", flat=True)))
    assert text not in journaled
    assert key.digest not in journaled


def test_a_key_of_ones_own(rob, world):
    ((key, _text),) = shown(rob, add(rob, ApiKey, name="Mine", operator=world.rob.pk))
    assert key.operator == world.rob
    refused = add(rob, ApiKey, name="Hers", operator=world.ada.pk)
    assert errors_of(refused) == [UNKNOWN]
    past = add(rob, ApiKey, name="Late", operator=world.rob.pk, expires_at="2020-01-01T00:00:00")
    assert errors_of(past) == ["In the past. Choose a later time, or none."]


def test_an_untouched_moment_keeps_its_milliseconds(ada, world):
    world.dora_fob.starts_at = NOON.replace(microsecond=123_000)
    world.dora_fob.save()
    assert change(ada, world.dora_fob, token_name="Key fob").status_code == 302
    world.dora_fob.refresh_from_db()
    assert (world.dora_fob.token_name, world.dora_fob.starts_at.microsecond) == ("Key fob", 123_000)


def test_lists_and_properties_are_typed_by_line(ada, world):
    changed = change(ada, world.quay_1, capabilities="RFID_READER\n\nRESERVABLE", custom_properties='a = b\n"c=d" = e')
    assert changed.status_code == 302
    world.quay_1.refresh_from_db()
    assert world.quay_1.capabilities == ["RFID_READER", "RESERVABLE"]
    assert world.quay_1.custom_properties == {"a": "b", "c=d": "e"}
    wrong = change(ada, world.quay_1, custom_properties="a = b\nnothing")
    assert errors_of(wrong) == ["Line 2 has no value. Write it as name = value."]


def test_reported_values_are_not_edited(ada, world):
    change(ada, world.quay_1, status="Error", name="Quay 1", firmware_version="0")
    world.quay_1.refresh_from_db()
    assert (world.quay_1.name, world.quay_1.status, world.quay_1.firmware_version) == ("Quay 1", "Available", "6.5")
    change(ada, Socket.objects.get(charger=world.quay_1, number=2), status="Available", name="Right")
    assert Socket.objects.get(charger=world.quay_1, number=2).status == "Error"


def test_hostile_names_stay_text(ada, world):
    hostile = "<img src=x onerror=alert(1)>{{ 7|add:7 }}"
    change(ada, world.garage, name=hostile)
    pages = [address(Site, "changelist"), address(Charger, "changelist"), "/admin/", address(Change, "changelist")]
    pages += [address(Site, page, world.garage.pk) for page in ("change", "delete", "history")]
    for path in [*pages, address(Charger, "change", world.gar_1.pk), address(Charger, "delete", world.gar_1.pk)]:
        assert "<img src=x" not in ada.get(path).content.decode()
