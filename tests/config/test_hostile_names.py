"""Names that would be code, turn text around or never end: on every page of the admin they are text, and only text."""

import re

import pytest

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import Driver, Tag
from hierarchy import journal
from hierarchy.models import Change, Customer, Import, Site
from operators.models import ApiKey, Operator
from tests.backoffice.admin_pages import MODELS, address
from tests.conftest import made
from tests.test_house import PACKAGES, ROOT

OVERRIDE = "\u202e"
HOSTILE = [
    """<img src=x onerror=alert(1)>"'><script>alert(1)</script></title></textarea><svg onload=alert(1)>{{ 7|add:7 }}""",
    f"{OVERRIDE}gnp.exe",
    "javascript:alert(1) =cmd|' /C calc'!A0 👩‍👩‍👧‍👦 日本",
    "x" * 255,
]
# What a browser would take for code, had it not been escaped.
CODE = re.compile(r"<img src=x|<script>alert|<svg onload|(?:href|src)=[\"']?javascript:", re.IGNORECASE)


@pytest.fixture
def hostile(world):
    """A row of most kinds for each of the names; they hang on one another."""
    # In one transaction: its lines of the journal are written once.
    with journal.recording():
        world.hostile = [_rows(world, number, name) for number, name in enumerate(HOSTILE)]
    return world


def _rows(world, number, name):
    site = made(Site, parent=world.garage, name=name, public_name=name)
    charger = made(Charger, site=site, charger_id=name[:36], name=name, city=name, latitude=52, longitude=number)
    driver = made(Driver, home_site=site, name=name, external_id=name)
    operator = made(Operator, customer=world.northwind, home_site=site, email=f"h{number}@x.example", name=name)
    made(Socket, charger=charger, number=1, name=name)
    made(ChargerConfiguration, charger=charger, name=name, value=name)
    made(Import, customer=world.northwind, file_name=name, format="csv", counts={"sites": {"created": 1}})
    tag = made(Tag, driver=driver, id_tag=name, token_name=name)
    key = made(ApiKey, operator=operator, name=name, hint="ctk_abcd", digest=f"h{number}")
    return site, charger, driver, operator, tag, key


def test_no_page_takes_them_for_code(client, hostile):
    client.force_login(hostile.ada)
    pages = ["/admin/", "/admin/map.json", address(Site, "tree"), f"{address(Site, 'tree')}?open={hostile.garage.pk}"]
    pages += [f"{address(Site, 'tree')}?q=alert", f"{address(Charger, 'changelist')}?q=%3Cimg+src%3Dx"]
    pages += [address(model, "changelist") for model in MODELS]
    for row in hostile.hostile[0]:
        pages += [address(type(row), page, row.pk) for page in ("change", "delete", "history")]
    pages += [address(type(row), "change", row.pk) for rows in hostile.hostile[2:] for row in rows[:2]]
    pages += [address(Change, "change", Change.objects.order_by("-pk").first().pk)]
    pages += [address(Site, "move", row.pk) for row in hostile.hostile[1][:1]]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        if answer["Content-Type"].startswith("text/html"):
            assert not CODE.search(answer.content.decode()), page
            assert "(1)&gt;14" not in answer.content.decode()


def test_a_name_that_turns_text_around_turns_nothing_else(client, hostile):
    """In a line with other names, each stands in an element that its marks do not leave."""
    client.force_login(hostile.ada)
    site, charger, *_ = hostile.hostile[HOSTILE.index(f"{OVERRIDE}gnp.exe")]
    for page in (address(Site, "change", site.pk), address(Charger, "history", charger.pk)):
        text = client.get(page).content.decode()
        line = re.search('<div class="breadcrumbs">(.*?)</div>', text, re.DOTALL).group(1)
        names = re.findall(f"<([a-z]+)[^>]*>[^<]*{OVERRIDE}", line)
        assert set(names) == {"bdi"}, page


def test_nobody_calls_stored_text_safe():
    """`format_html` escapes what it puts in; what only says that it is safe does not."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for match in re.finditer(r"(mark_safe|SafeString|SafeText)\(.*", path.read_text(encoding="utf-8"))
    ]
    assert not found, found


def test_a_customer_with_such_a_name(client, world):
    Customer._base_manager.filter(pk=world.northwind.pk).update(name=HOSTILE[0])
    client.force_login(world.pat)
    for page in ("/admin/", address(Customer, "changelist"), address(Site, "changelist"), address(Site, "tree")):
        assert not CODE.search(client.get(page).content.decode())
