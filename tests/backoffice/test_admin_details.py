"""What pages of the admin say where: the open page in the navigation, errors by their row, ways out of dead ends."""

import re

from django.urls import reverse

from chargers.models import Charger
from drivers.models import Driver
from hierarchy.models import Site
from operators.models import Operator
from tests.backoffice.admin_pages import address, filled


def test_the_navigation_marks_the_open_page(client, world):
    client.force_login(world.ada)
    tree, sites = reverse("admin:hierarchy_site_tree"), address(Site, "changelist")
    for page, marked in ((tree, tree), (sites, sites), (address(Site, "change", world.east.pk), sites)):
        assert re.findall(r'<a href="([^"]+)" aria-current="page"', client.get(page).content.decode()) == [marked], page


def test_the_heading_is_the_name(client, world):
    client.force_login(world.ada)
    for row, name in ((world.east, world.east.name), (world.rob, world.rob.name), (world.gar_1, "GAR-1")):
        page = client.get(address(type(row), "change", row.pk)).content.decode()
        assert f"<h1><bdi>{name}</bdi>" in page
    assert "<h1>Add operator</h1>" in client.get(address(Operator, "add")).content.decode()


def test_errors_of_a_row_stand_above_it_over_all_columns(client, world):
    client.force_login(world.ada)
    path = address(Driver, "change", world.dora.pk)
    response = client.get(path)
    assert '"addText": "Add another right on a site"' in response.content.decode()
    page = client.post(path, filled(response, **{"tags-0-id_tag": ""})).content.decode()
    row = page.partition('<tr class="row-form-errors">')[2]
    cells = re.findall('<td class="([^"]*)"', page.partition('id="tags-0"')[2].partition("</tr>")[0])
    columns = [cell for cell in cells if "hidden" not in cell.split()]
    assert int(row.partition('colspan="')[2].partition('"')[0]) >= len(columns) > 5
    assert re.search(r"ID tag: <ul.*This field is required", row.partition("</tr>")[0])
    # The field is described by it wherever it stands.
    assert row.partition("</tr>")[0].count('id="id_tags-0-id_tag_error"') == 1


def test_what_stands_in_the_way_is_a_link(client, world):
    client.force_login(world.ada)
    page = client.get(address(Site, "delete", world.garage.pk)).content.decode()
    assert f'<a href="{address(Charger, "change", world.gar_1.pk)}"><bdi>GAR-1</bdi></a>' in page
    assert f'href="{address(Site, "change", world.garage.pk)}">Back to the object' in page


def test_browsers_find_the_icon(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/chargetree/favicon.svg")
