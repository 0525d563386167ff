"""A page of the admin that is older than its row: what both typed is shown, nothing is lost, nothing overwritten."""

import re

import pytest

from chargers.models import Charger
from drivers.models import Driver, Tag
from hierarchy import journal, services
from hierarchy.models import Change, Site
from hierarchy.scoping import Caller, Scope
from operators import sign_in
from operators.models import Operator
from tests.backoffice.admin_pages import address, errors_of, filled
from tests.conftest import NOON

OVERTAKEN = "was changed after you opened the page. Nothing was saved."


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


def others(row, **values):
    """What somebody else saves while a page is open."""
    fresh = type(row).objects.get(pk=row.pk)
    for name, value in values.items():
        setattr(fresh, name, value)
    fresh.save()


def text(response):
    return " ".join(re.sub("<[^>]*>", "", response.content.decode()).split())


def test_it_works(ada, world):
    path = address(Site, "change", world.west.pk)
    page = ada.get(path)
    others(world.west, name="Right car park", cost_id="77")
    refused = ada.post(path, filled(page, name="Left car park", cost_name="Left"))
    assert refused.status_code == 409
    assert f"Right car park {OVERTAKEN}" in re.sub("<[^>]*>", "", errors_of(refused)[0])
    # What both changed is asked; theirs alone stands; mine alone stays.
    assert "Someone else changed this too. Keep my value Use theirs: Right car park" in text(refused)
    assert "Their changes to these fields are already filled in: Cost ID." in text(refused)
    # What is not saved stands in the fields alone, and what is to be done is said once.
    assert str(refused.context["original"]) == "Right car park" and "<title>Right car park" in refused.content.decode()
    assert "Please correct" not in text(refused)
    for value in ("Left car park", "77", "Left"):
        assert f'value="{value}"' in refused.content.decode()
    assert Site.objects.get(pk=world.west.pk).name == "Right car park"

    mine = filled(refused, name_whose="mine")
    assert ada.post(path, mine).status_code == 302
    site = Site.objects.get(pk=world.west.pk)
    assert (site.name, site.cost_id, site.cost_name) == ("Left car park", "77", "Left")


def test_a_row_that_was_deleted_meanwhile(client, world):
    """Who saw it last is told by whom and when, and how it comes back; anybody else is told nothing."""
    path = address(Driver, "change", world.dora.pk)
    client.force_login(world.rob)
    sent = filled(client.get(path), name="Dora the second")
    services.delete(Caller(world.ada.scope(), "ada@northwind.example", journal.ADMIN), world.dora)
    line = Change.objects.filter(object_type="driver", object_id=world.dora.pk).latest("id")
    gone = client.post(path, sent)
    assert gone.status_code == 404
    assert "Driver Dora was deleted" in text(gone) and "Deleted by: ada@northwind.example, " in text(gone)
    assert "Nothing was saved. Go back in your browser to get your input back." in text(gone)
    assert f'href="{address(Change, "undo", line.pk)}">Restore' in gone.content.decode()
    assert f"?object=driver.{world.dora.pk}" in gone.content.decode()
    for page in ("change", "delete", "history"):
        assert "Driver Dora was deleted" in text(client.get(address(Driver, page, world.dora.pk)))
    others = [world.dirk.pk, 999_999_999, "abc", "9" * 30]
    assert all(
        "the object was deleted, or you have no access" in text(client.get(address(Driver, "change", one)))
        for one in others
    )
    client.force_login(world.sue)
    stranger = client.post(path, sent)
    assert stranger.status_code == 404 and "Dora" not in text(stranger) and "ada" not in text(stranger)


def test_taking_theirs(ada, world):
    path = address(Site, "change", world.west.pk)
    page = ada.get(path)
    others(world.west, name="Right car park", parent=world.airport)
    refused = ada.post(path, filled(page, name="Left car park", parent=world.garage.pk, cost_name="Left"))
    assert "Use theirs: Airport" in text(refused)
    answer = filled(refused, name_whose="theirs", parent_whose="theirs")
    assert ada.post(path, answer).status_code == 302
    site = Site.objects.get(pk=world.west.pk)
    assert (site.name, site.parent, site.cost_name) == ("Right car park", world.airport, "Left")


def test_somebody_is_quicker_once_more(ada, world):
    path = address(Site, "change", world.west.pk)
    page = ada.get(path)
    others(world.west, name="Right")
    again = ada.post(path, filled(page, name="Left"))
    others(world.west, name="Middle")
    refused = ada.post(path, filled(again, name_whose="mine"))
    assert refused.status_code == 409
    assert "Use theirs: Middle" in text(refused)


def test_every_kind_of_field(ada, world):
    """One that both changed, of each kind: what is stored is shown in words, and taken as it is."""
    path = address(Charger, "change", world.quay_1.pk)
    page = ada.get(path)
    theirs = {
        "site": world.airport,
        "latitude": 51.5,
        "capabilities": ["RESERVABLE", "RFID_READER"],
        "custom_properties": {"owner": "City"},
        "is_push_integration_enabled": not world.quay_1.is_push_integration_enabled,
        "evse_id": "",
    }
    others(world.quay_1, **theirs)
    typed = {"site": world.west.pk, "latitude": "50", "capabilities": "A", "custom_properties": "owner = Me"}
    refused = ada.post(path, filled(page, **typed, evse_id="NL*X*E1", name="Quay"))
    shown = text(refused)
    for words in ("Airport", "51.5", "RESERVABLE, RFID_READER", "owner = City", "–"):
        assert f"Use theirs: {words}" in shown or words == "owner = City"
    whose = {f"{name}_whose": "theirs" for name in theirs}
    assert ada.post(path, filled(refused, **whose)).status_code == 302
    charger = Charger.objects.get(pk=world.quay_1.pk)
    assert {name: getattr(charger, name) or "" for name in theirs} == {
        name: value or "" for name, value in theirs.items()
    }
    assert charger.name == "Quay"


def test_moments(ada, world):
    path = address(Tag, "change", world.dora_fob.pk)
    page = ada.get(path)
    # The second 02:30 of that night.
    autumn = NOON.replace(month=10, day=25, hour=1, minute=30, microsecond=123_000)
    others(world.dora_fob, starts_at=autumn, expires_at=None)
    refused = ada.post(path, filled(page, starts_at="2026-01-01T00:00"))
    assert "Use theirs: 2026-10-25 02:30 CET" in text(refused)
    assert ada.post(path, filled(refused, starts_at_whose="theirs")).status_code == 302
    assert Tag.objects.get(pk=world.dora_fob.pk).starts_at == autumn


def test_lines(ada, world):
    path = address(Driver, "change", world.dora.pk)
    page = ada.get(path)
    others(world.dora_card, token_name="New card", is_invoicable=not world.dora_card.is_invoicable)
    typed = {"tags-0-token_name": "Blue card", "tags-1-token_name": "Blue fob"}
    refused = ada.post(path, filled(page, name="Dora the second", **typed))
    assert refused.status_code == 409
    assert "Use theirs: New card" in text(refused)
    for value in ("Dora the second", "Blue card", "Blue fob"):
        assert f'value="{value}"' in refused.content.decode()
    assert Tag.objects.get(pk=world.dora_fob.pk).token_name == "Fob"
    answer = filled(refused, **{"tags-0-token_name_whose": "theirs"})
    assert ada.post(path, answer).status_code == 302
    assert [tag.token_name for tag in world.dora.tags.order_by("id")] == ["New card", "Blue fob"]
    assert Driver.objects.get(pk=world.dora.pk).name == "Dora the second"


def test_lines_that_nobody_here_touched_stay_as_the_others_made_them(ada, world):
    path = address(Driver, "change", world.dora.pk)
    page = ada.get(path)
    others(world.dora_card, token_name="New card")
    assert ada.post(path, filled(page, name="Dora the second")).status_code == 302
    assert Tag.objects.get(pk=world.dora_card.pk).token_name == "New card"
    assert not Change.objects.filter(object_type="tag", object_id=world.dora_card.pk, source="admin").exists()


def test_a_line_to_delete_is_told_first(ada, world):
    path = address(Driver, "change", world.dora.pk)
    page = ada.get(path)
    others(world.dora_card, token_name="New card")
    refused = ada.post(path, filled(page, **{"tags-0-DELETE": "on"}))
    assert "was changed by someone else" in errors_of(refused)[0]
    assert ada.post(path, filled(refused, **{"tags-0-DELETE": "on"})).status_code == 302
    assert not Tag.objects.filter(pk=world.dora_card.pk).exists()


def test_without_its_journal_everything_that_differs_is_asked(ada, client, world):
    """Rob does not see who moved the garage about."""
    path = address(Site, "change", world.garage.pk)
    client.force_login(world.rob)
    page = client.get(path)
    others(world.garage, cost_id="77")
    Change.objects.filter(object_type="site", object_id=world.garage.pk)._raw_delete("default")
    refused = client.post(path, filled(page, name="Car wash"))
    assert refused.status_code == 409
    assert "Use theirs: Garage" in text(refused)
    assert "Use theirs: 77" in text(refused)


def test_only_lines_that_made_a_version_count(ada, world):
    """A lock of the sign-in is noted as well, and changes nothing of the row."""
    path = address(Operator, "change", world.rob.pk)
    page = ada.get(path)
    others(world.rob, name="Robert")
    for _time in range(3):
        sign_in._note(Caller(Scope.platform(), "sign-in", journal.SYSTEM), world.rob, None, NOON)
    refused = ada.post(path, filled(page, email="robert@northwind.example"))
    assert refused.status_code == 409
    assert "Their changes to these fields are already filled in: Name." in text(refused)
    assert 'value="Robert"' in refused.content.decode()


def test_changes_out_of_sight_are_not_taken_for_older_ones(client, world):
    """Rob does not see what was changed while the charger was elsewhere."""
    path = address(Charger, "change", world.gar_2.pk)
    others(world.gar_2, city="Utrecht")
    client.force_login(world.rob)
    page = client.get(path)
    for values in ({"site": world.west}, {"name": "Garage 2"}, {"site": world.garage}):
        others(world.gar_2, **values)
    refused = client.post(path, filled(page, city="Zeist"))
    assert refused.status_code == 409
    assert "Use theirs: Garage 2" in text(refused)


def test_answers_out_of_nowhere_change_nothing(ada, world):
    path = address(Site, "change", world.west.pk)
    values = {"name_whose": "theirs", "row_version_whose": "theirs", "nothing_whose": "theirs", "cost_id_whose": "x"}
    assert ada.post(path, filled(ada.get(path), cost_name="Left", **values)).status_code == 302
    site = Site.objects.get(pk=world.west.pk)
    assert (site.name, site.cost_name) == ("West car park", "Left")
