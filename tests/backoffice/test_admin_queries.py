"""The number of SQL statements behind a page of the admin does not depend on the number of rows on it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.models import Customer, Site
from operators.models import ApiKey, Operator, SiteGrant
from tests.backoffice.admin_pages import MODELS, address
from tests.conftest import made
from tests.slow import all_but_first_slow


def grow(world, count):
    """Some more of everything, each at a site of its own, and everything of it at one driver, charger and operator."""
    start = Site.objects.count()
    for number in range(start, start + count):
        made(Customer, name=f"Customer {number}")
        site = made(Site, parent=world.east, name=f"Site {number}")
        charger = made(Charger, site=site, charger_id=f"C-{number}")
        made(Socket, charger=world.gar_1, number=number + 10)
        made(ChargerConfiguration, charger=world.gar_1, name=f"Key {number}")
        driver = made(Driver, home_site=site, name=f"Driver {number}")
        made(Tag, driver=driver, id_tag=f"T{number}")
        made(Tag, driver=world.dora, id_tag=f"D{number}")
        made(SiteRight, driver=world.dora, site=site)
        made(ChargerRight, driver=world.dora, charger=charger)
        made(IntegratedExternalId, driver=world.dora, reference_id=f"R{number}", external_id="1")
        operator = made(
            Operator, customer=world.northwind, home_site=site, email=f"o{number}@northwind.example", name="O"
        )
        made(SiteGrant, operator=operator, site=site)
        made(SiteGrant, operator=world.rob, site=site)
        made(ApiKey, operator=operator, name="Key", digest=f"d{number}", hint="ctk_1234")


def counts(client, pages):
    found = {}
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        found[page] = len(queries)
    return found


@pytest.mark.parametrize("who", all_but_first_slow(["rob", "ada", "pat"]))
def test_pages_take_a_constant_number_of_statements(client, world, who):
    client.force_login(getattr(world, who))
    pages = [address(model, "changelist") for model in MODELS]
    pages += ["/admin/", address(Driver, "change", world.dora.pk), address(Charger, "change", world.gar_1.pk)]
    pages += [address(Driver, "delete", world.dora.pk), address(Driver, "history", world.dora.pk)]
    pages += ["/admin/autocomplete/?app_label=chargers&model_name=charger&field_name=site"]
    if who != "rob":
        pages.append(address(Operator, "change", world.rob.pk))
    grow(world, 2)
    # Once before, for what Django reads once per process.
    counts(client, pages[len(MODELS) :])
    small = counts(client, pages)
    grow(world, 5)
    assert counts(client, pages) == small
    # Session, user, customer in the page's head, grants of a restricted operator, count, rows, paths, tags or what
    # a filter offers, zones, the health of chargers.
    assert max(small[address(model, "changelist")] for model in MODELS) <= 10
