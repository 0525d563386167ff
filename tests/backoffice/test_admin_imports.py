"""Importing and exporting in the admin: a file becomes a plan, a plan waits for a yes, and every list is a file."""

import csv
import io
import json
import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice import plans
from chargers.models import Charger
from drivers.models import SiteRight
from hierarchy.models import Change, Import, ImportPlan
from operators.models import Operator
from tests.backoffice.admin_pages import address
from tests.conftest import made

ADD = "/admin/hierarchy/import/add/"
EXPORT = "/admin/export/"
# One charger is renamed, one is new, one stays as it is.
CHARGERS = (
    "chargerId,chargerName,group\nGAR-1,Garage 1,\nGAR-9,Ninth,Harbour / East car park / Garage\nGAR-2,Garage two,\n"
)
WRONG = "chargerId,splitEvseBySocket,group\nGAR-1,maybe,\nGAR-9,,\n"


def signed_in(operator):
    client = Client()
    client.force_login(operator)
    return client


def upload(client, content, name="chargers.csv", to=ADD, **values):
    return client.post(to, {"file": SimpleUploadedFile(name, content.encode()), **values})


def planned(client, content=CHARGERS, **values):
    """The address of the plan that a file became."""
    response = upload(client, content, **values)
    assert response.status_code == 302, response.context["form"].errors
    return response["Location"]


def text_of(response):
    """A page as it is read: without tags, every space one space."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def table_of(response):
    """A CSV file of an answer, a dictionary a row."""
    return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))


def test_it_works(world):
    client = signed_in(world.ada)
    plan = planned(client)
    page = client.get(plan)
    text = text_of(page)
    assert "Apply these 2 changes" in text
    assert "changed GAR-1 Charger, row 2 chargerName Garage one → Garage 1" in text
    assert [(one.label, one.numbers, one.unchanged) for one in page.context["counts"]] == [
        ("Chargers", [("deleted", 0), ("moved", 0), ("changed", 1), ("created", 1)], 1)
    ]
    assert not Charger.objects.filter(charger_id="GAR-9").exists()
    assert "chargers.csv" in text_of(client.get(ADD))

    response = client.post(plan, {"answer": "apply"}, follow=True)
    record = Import.objects.get()
    assert response.request["PATH_INFO"] == address(Import, "change", record.pk)
    text = text_of(response)
    for word in ("Imported chargers.csv: 1 new, 1 changed.", "ada@northwind.example", "Source: Admin", "CSV"):
        assert word in text
    world.gar_1.refresh_from_db()
    assert world.gar_1.name == "Garage 1"
    assert set(Change.objects.filter(import_id=record.pk).values_list("natural_key", "actor_label", "source")) == {
        (name, "ada@northwind.example", "admin") for name in ("GAR-1", "GAR-9", "chargers.csv")
    }

    history = text_of(client.get(address(Import, "history", record.pk)))
    assert "Garage one → Garage 1" in history
    assert "Charger GAR-9" in history
    assert "SHA-256" not in history
    assert "Admin, chargers.csv" in text_of(client.get(address(Charger, "history", world.gar_1.pk)))
    assert "chargers.csv" not in text_of(signed_in(world.rob).get(address(Charger, "history", world.gar_1.pk)))
    assert "chargers.csv" in text_of(client.get(address(Import, "changelist")))
    assert "chargers.csv" not in text_of(client.get(ADD))


def test_pressing_twice_shows_the_record(world):
    client = signed_in(world.ada)
    plan = planned(client)
    first, second = (client.post(plan, {"answer": "apply"}) for _ in range(2))
    assert first["Location"] == second["Location"] == client.get(plan)["Location"]
    assert client.get(f"{plan}errors/")["Location"] == first["Location"]
    assert Import.objects.count() == 1


def test_a_plan_is_nobody_elses_business(world):
    bob = made(Operator, customer=world.northwind, email="bob@northwind.example", name="Bob", is_admin_operator=True)
    plan = planned(signed_in(world.ada))
    for operator in (bob, world.pat, world.sue, world.rob, world.nell):
        client = signed_in(operator)
        for response in (client.get(plan), client.get(f"{plan}errors/"), client.post(plan, {"answer": "apply"})):
            assert response.status_code == 404
        if operator != world.nell:
            assert "chargers.csv" not in text_of(client.get(ADD))
    assert Client().get(plan)["Location"].startswith("/admin/login/")
    assert not Import.objects.exists()


def test_what_changed_meanwhile_is_told_and_planned_again(world):
    client = signed_in(world.ada)
    plan = planned(client)
    world.gar_1.name = "Somebody's"
    world.gar_1.save()
    response = client.post(plan, {"answer": "apply"})
    assert response.status_code == 409
    assert "GAR-1: chargerName is now Somebody" in text_of(response)
    assert "Apply these" not in text_of(response)
    assert not Import.objects.exists()

    fresh = client.post(plan, {"answer": "again"})["Location"]
    assert client.get(plan).status_code == 404
    assert "Somebody&#x27;s → Garage 1" in text_of(client.get(fresh))
    assert client.post(fresh, {"answer": "apply"}).status_code == 302
    world.gar_1.refresh_from_db()
    assert world.gar_1.name == "Garage 1"


def test_errors_are_shown_downloaded_and_mended(world):
    client = signed_in(world.ada)
    plan = planned(client, WRONG, table="chargers")
    text = text_of(client.get(plan))
    assert "The file has 2 errors" in text
    assert "2 splitEvseBySocket &#x27;maybe&#x27; Must be true or false." in text
    assert "Apply" not in text
    assert client.post(plan, {"answer": "apply"}).status_code == 409

    annotated = client.get(f"{plan}errors/")
    assert 'filename="chargers with errors.csv"' in annotated["Content-Disposition"]
    assert table_of(annotated)[0]["errors"] == "splitEvseBySocket: Must be true or false."

    assert "Choose a file." in text_of(client.post(plan, {"answer": "upload"}))
    response = upload(client, "chargerId,chargerName\nGAR-1,Mended\n", "mended.csv", to=plan, answer="upload")
    assert response["Location"] != plan
    # What was chosen with the first file goes for the mended one.
    assert ImportPlan.objects.values_list("file_name", "table").get() == ("mended.csv", "chargers")
    assert "Mended" in text_of(client.get(response["Location"]))


def test_a_file_that_is_none_and_one_with_nothing_to_do(world):
    client = signed_in(world.ada)
    broken = planned(client, "%PDF-1.4", name="scan.pdf")
    text = text_of(client.get(broken))
    assert "PDF" in text
    assert "Download" not in text
    assert client.get(f"{broken}errors/")["Location"] == broken

    done = planned(client, "chargerId,chargerName\nGAR-1,Garage one\n")
    text = text_of(client.get(done))
    assert "Nothing to import" in text
    assert "Apply" not in text
    assert client.post(done, {"answer": "apply"}).status_code == 409
    for plan in (broken, done):
        assert client.post(plan, {"answer": "discard"})["Location"] == ADD
    assert not ImportPlan.objects.exists()


def test_deleting_what_the_file_no_longer_names(world):
    client = signed_in(world.ada)
    content = "chargerId\nGAR-1\n"
    for values, field, message in (
        ({"prune": "below"}, "site", "Choose the site below which to delete rows."),
        ({"site": world.east.pk}, "prune", "Choose to delete below this site, or clear the site."),
        ({"prune": "below", "site": world.depot.pk}, "site", "Not found, or you have no access to it."),
    ):
        response = upload(client, content, **values)
        assert response.context["form"].errors[field] == [message]
        assert response.context["is_more_open"]

    plan = planned(client, content, prune="below", site=world.east.pk)
    text = text_of(client.get(plan))
    assert "all rows below Harbour / East car park" in text
    assert "1 row will be deleted" in text
    client.post(plan, {"answer": "apply"})
    assert not Charger.objects.filter(pk=world.gar_2.pk).exists()

    # The same everywhere: QUAY-1 and AIR-1 with all that is theirs. The other customer's stay.
    plan = planned(client, content, prune="/")
    assert client.post(plan, {"answer": "apply"}).status_code == 302
    assert set(Charger.objects.values_list("charger_id", flat=True)) == {"GAR-1", "DEP-1"}


def test_who_may_import_what(world):
    assert signed_in(world.nell).get(ADD).status_code == 403
    assert upload(signed_in(world.nell), CHARGERS).status_code == 403
    assert "Import a file" not in text_of(signed_in(world.nell).get("/admin/"))

    rob = signed_in(world.rob)
    plan = planned(rob, "chargerId,group\nAIR-1,Airport\n")
    assert "group &#x27;Airport&#x27; Not found" in text_of(rob.get(plan))
    plan = planned(rob, "chargerId,chargerName\nGAR-1,Robs\n")
    record = rob.post(plan, {"answer": "apply"}, follow=True)
    assert "rob@northwind.example" in text_of(record)
    assert signed_in(world.ada).get(record.request["PATH_INFO"]).status_code == 200
    assert signed_in(world.sue).get(record.request["PATH_INFO"]).status_code == 404

    pat = signed_in(world.pat)
    assert upload(pat, CHARGERS).context["form"].errors["customer"]
    wrong = {"customer": world.northwind.pk, "prune": "below", "site": world.depot.pk}
    assert "Belongs to another customer" in str(upload(pat, CHARGERS, **wrong).context["form"].errors["site"])
    plan = planned(pat, CHARGERS, customer=world.northwind.pk, prune="below", site=world.garage.pk)
    assert pat.post(plan, {"answer": "apply"}).status_code == 302
    assert Charger.objects.get(charger_id="GAR-9").customer == world.northwind


def test_what_is_sent_stays_within_bounds(world, settings):
    settings.IMPORT_MAX_MEGABYTES = 1
    message = "The file is larger than 1 MB. Split it, or have IMPORT_MAX_MEGABYTES raised."
    # Two parts that are small enough each are together too much.
    for size, more in ((1_000_001, {}), (600_000, {"more": SimpleUploadedFile("more.csv", b"x" * 600_000)})):
        response = signed_in(world.ada).post(ADD, {**more, "file": SimpleUploadedFile("large.csv", b"x" * size)})
        assert response.context["form"].errors["file"] == [message]
    assert not ImportPlan.objects.exists()

    client = Client(enforce_csrf_checks=True)
    client.force_login(world.ada)
    assert upload(client, CHARGERS).status_code == 403
    client.get(ADD)
    token = client.cookies["csrftoken"].value
    plan = planned(client, csrfmiddlewaretoken=token)
    assert client.post(plan, {"answer": "apply"}).status_code == 403
    assert client.post(plan, {"answer": "apply", "csrfmiddlewaretoken": token}).status_code == 302


def test_garbage(world):
    client = signed_in(world.ada)
    plan = planned(client)
    for junk in ("\0", "abc", "9" * 30, "-1"):
        refuse(client, plan, junk)


def refuse(client, plan, junk):
    assert client.get(f"/admin/hierarchy/import/plans/{junk}/").status_code == 404
    assert client.get(plan, {"table": junk, "action": junk, "p": junk}).status_code == 200
    assert client.post(plan, {"answer": junk}).status_code == 400
    values = dict.fromkeys(("customer", "format", "table", "prune", "site"), junk)
    assert upload(client, CHARGERS, **values).status_code == 200
    for kind in (junk, "exe"):
        assert client.get(f"/admin/export/chargers/charger.{kind}").status_code == 404
    assert client.get("/admin/export/hierarchy/change.csv").status_code == 404
    nothing = client.get("/admin/export/chargers/charger.csv", {"status__exact": junk})
    assert nothing.status_code == 400 or not table_of(nothing)
    assert client.get("/admin/export/chargers/charger.csv", {"charger_id": junk}).status_code == 400
    assert client.get(EXPORT, {"format": junk, "site": junk}).status_code == 200


def test_a_long_plan_has_pages_and_filters(world, monkeypatch):
    monkeypatch.setattr(plans, "STEPS_PER_PAGE", 5)
    client = signed_in(world.ada)
    rows = "".join(f"N-{number},Harbour\n" for number in range(12))
    plan = planned(client, f"chargerId,group\nGAR-1,Airport\n{rows}")

    def objects(**query):
        return [step.object for step in client.get(plan, query).context["steps"]]

    assert objects() == ["GAR-1", "N-0", "N-1", "N-2", "N-3"]
    assert objects(p=3) == ["N-9", "N-10", "N-11"]
    assert objects(action="moved") == objects(action="moved", table="chargers") == ["GAR-1"]
    assert objects(table="sites") == []
    assert "action=moved&amp;p=2" not in client.get(plan, {"action": "moved"}).content.decode()

    client.get(plan)
    with CaptureQueriesContext(connection) as queries:
        client.get(plan)
    # Session, operator, the plan with its customer, the operator's customer in the page's head.
    assert len(queries) == 4


def test_the_list_of_imports_takes_a_constant_number_of_statements(world):
    client = signed_in(world.ada)

    def statements():
        with CaptureQueriesContext(connection) as queries:
            assert "ada" in text_of(client.get(address(Import, "changelist")))
        return len(queries)

    client.post(planned(client), {"answer": "apply"})
    few = statements()
    for number in range(3):
        made(Import, customer=world.northwind, file_name=f"{number}.csv", format="csv")
    assert statements() == few


def names_in(response):
    network = json.loads(b"".join(response))
    return {row["groupName"] for row in network["sites"]}, {row["chargerId"] for row in network["chargers"]}


def test_the_network_as_a_file(world):
    ada, rob, pat = (signed_in(operator) for operator in (world.ada, world.rob, world.pat))
    response = ada.get(EXPORT, {"format": "json"})
    assert re.fullmatch(r'attachment; filename="northwind-\d{4}-\d\d-\d\d.json"', response["Content-Disposition"])
    sites = {"Harbour", "East car park", "Garage", "West car park", "Airport"}
    assert names_in(response) == (sites, {"QUAY-1", "GAR-1", "GAR-2", "AIR-1"})
    below = names_in(ada.get(EXPORT, {"format": "json", "site": world.east.pk}))
    assert below == names_in(rob.get(EXPORT, {"format": "json"})) == ({"East car park", "Garage"}, {"GAR-1", "GAR-2"})
    assert names_in(signed_in(world.nell).get(EXPORT, {"format": "json"})) == (set(), set())

    assert pat.get(EXPORT, {"format": "json"}).context["form"].errors["customer"]
    assert names_in(pat.get(EXPORT, {"format": "json", "customer": world.southwind.pk})) == ({"Depot"}, {"DEP-1"})

    # What is exported imports with nothing to do.
    workbook = io.BytesIO(b"".join(ada.get(EXPORT, {"format": "xlsx"})))
    workbook.name = "network.xlsx"
    plan = ada.post(ADD, {"file": workbook})["Location"]
    assert "Nothing to import" in text_of(ada.get(plan))


def test_the_template_as_it_is_imports_nothing(world):
    client = signed_in(world.ada)
    link = re.search(r'href="([^"]*template[^"]*)"', client.get(ADD).content.decode())[1]
    workbook = io.BytesIO(b"".join(client.get(link)))
    workbook.name = "template.xlsx"
    assert "Nothing to import" in text_of(client.get(client.post(ADD, {"file": workbook})["Location"]))


def test_a_list_as_a_file(world):
    ada, pat = signed_in(world.ada), signed_in(world.pat)
    page = ada.get(address(Charger, "changelist"), {"q": "gar", "o": "1"}).content.decode()
    link = re.search(r'href="(/admin/export/[^"]*\.csv[^"]*)"', page)[1].replace("&amp;", "&")
    assert [row["chargerId"] for row in table_of(ada.get(link))] == ["GAR-1", "GAR-2"]
    assert "/admin/export/" not in ada.get(address(Change, "changelist")).content.decode()

    # Rights on sites share their table with rights on chargers, which are another list.
    rights = table_of(ada.get("/admin/export/drivers/siteright.csv"))
    assert [(row["driver"], row["group"], row["chargerId"]) for row in rights] == [("D/1", "Harbour", "")]
    assert SiteRight.objects.count() == 2

    response = pat.get("/admin/export/hierarchy/site.csv", {"group_type__exact": "1"}, follow=True)
    assert "A file contains rows of one customer only. Filter the list by customer." in text_of(response)
    assert response.request["QUERY_STRING"] == "group_type__exact=1"
    rows = table_of(pat.get("/admin/export/hierarchy/site.csv", {"customer__id__exact": world.southwind.pk}))
    assert [row["groupName"] for row in rows] == ["Depot"]


def test_what_a_format_cannot_hold_is_told(world):
    client = signed_in(world.ada)
    Charger._base_manager.filter(pk=world.gar_1.pk).update(custom_properties={"note": "x" * 40_000})
    assert "32767" in str(client.get(EXPORT, {"format": "xlsx"}).context["form"].errors["format"])
    response = client.get("/admin/export/chargers/charger.xlsx", follow=True)
    assert "32767" in text_of(response)
    assert len(table_of(client.get("/admin/export/chargers/charger.csv"))) == 4


def test_hostile_names_stay_text(world):
    client = signed_in(world.ada)
    hostile = "<img src=x onerror=alert(1)>{{ 7|add:7 }}"
    for content in (f'chargerId,chargerName\nGAR-1,"{hostile}"\n', f'chargerId,latitude\nGAR-1,"{hostile}"\n'):
        plan = planned(client, content, name=f"{hostile}.csv")
        pages = [client.get(plan), client.get(ADD)]
        applied = client.post(plan, {"answer": "apply"}, follow=True)
        for page in [*pages, applied, client.get(address(Import, "changelist"))]:
            assert "<img src=x" not in page.content.decode()
    assert hostile in world.gar_1.__class__.objects.get(pk=world.gar_1.pk).name
