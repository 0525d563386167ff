"""A page without anything on it says what to do next."""

from django.urls import reverse

from chargers.models import Charger
from drivers.models import Driver
from hierarchy.models import Import
from tests.backoffice.admin_pages import MODELS, address


def empty(client, model, query=""):
    text = client.get(f"{address(model, 'changelist')}{query}").content.decode()
    return text.partition('<div class="empty-list">')[2].partition("</div>")[0]


def test_it_works(client, world):
    client.force_login(world.ada)
    assert not empty(client, Charger)
    for query in ("?q=nothing-of-the-kind", "?health=error&q=zzz"):
        missed = empty(client, Charger, query)
        assert "No chargers match the search and filters." in missed
        assert 'href="?"' in missed
    assert "Import a file" in empty(client, Import)


def test_before_there_is_anything(client, world):
    client.force_login(world.nell)
    for model in MODELS:
        found = empty(client, model)
        assert "add/" not in found or model._meta.model_name in ("apikey", "webhook"), model
    assert "Ask an admin operator" in empty(client, Charger)
    client.force_login(world.sue)
    for driver in Driver.objects.visible_to(world.sue.scope()):
        driver.delete()
    nobody = empty(client, Driver)
    assert address(Driver, "add") in nobody
    assert "Import a file" in nobody


def test_pages_that_are_no_lists(client, world):
    def page(name, *args, query=""):
        return client.get(f"{reverse(f'admin:{name}', args=args)}{query}").content.decode()

    client.force_login(world.nell)
    assert "Ask an admin operator for access" in page("hierarchy_site_tree")
    assert "You have no access to any site yet" in page("export")
    assert "will be listed here" in page("hierarchy_change_changelist")
    client.force_login(world.ada)
    assert "You have no access to any site yet" not in page("export")
    assert "or show all changes" in page("hierarchy_change_changelist", query="?q=nothing-of-the-kind")
    give = f"{reverse('admin:drivers_siteright_add')}?driver={world.spike.pk}"
    assert give in page("drivers_driver_change", world.spike.pk)
    assert give in page("drivers_driver_reach", world.spike.pk)
