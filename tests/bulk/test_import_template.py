"""The workbook to fill in, and the reference of what it takes: complete, true, and importable as it stands."""

import datetime
import io
import json
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from bulk.reference import described, reference
from bulk.tables import sheets, tables
from hierarchy.models import Change, Customer
from hierarchy.text import comparison_key
from tests.conftest import made

TEXTS = ("string", "reference", "list", "object")
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "network.xlsx"
    call_command("import_template", output=str(path))
    return path


@pytest.fixture
def imported(capsys):
    """Import a file and give the report."""

    def run(path):
        call_command("import_network", str(path), json=True)
        return json.loads(capsys.readouterr().out)

    return run


def without_notes(path, names):
    """The workbook with the notes gone that keep examples from being imported."""
    book = load_workbook(path)
    for name in names:
        for row in range(2, book[name].max_row + 1):
            assert book[name].cell(row, 1).value == "example"
            book[name].cell(row, 1).value = None
    changed = path.with_name("changed.xlsx")
    book.save(changed)
    return changed


def total(report, action):
    return sum(counts[action] for counts in report["counts"].values())


def test_the_template_as_it_is_imports_as_nothing(db, template, imported):
    made(Customer, name="Northwind")
    before = Change.objects.count()
    report = imported(template)
    assert (report["errorCount"], report["warningCount"], report["counts"]) == (0, 0, {})
    assert Change.objects.count() == before
    assert load_workbook(template).sheetnames == list(sheets())


def test_the_examples_are_one_network(db, template, imported):
    made(Customer, name="Northwind", time_zone="Europe/Amsterdam")
    report = imported(without_notes(template, sheets()))
    people = set(sheets()["people"].tables)
    assert {name: counts["created"] for name, counts in report["counts"].items()} == {
        name: 3 if name == "sites" else 2 if name in people else 1 for name in tables()
    }
    report = imported(without_notes(template, sheets()))
    assert total(report, "unchanged") == len(tables()) + 2 + len(people)


def test_every_column_is_there_explained_and_fit_for_what_it_takes(template):
    book = load_workbook(template)
    for name, sheet in sheets().items():
        page = book[name]
        assert page.freeze_panes == "C2"
        note, *headers = page[1]
        assert note.value == "note"
        assert "left out" in note.comment.text
        columns = described(sheet)
        assert [header.value.removesuffix(" *") for header in headers] == [one.name for one in columns]
        offered = {str(rule.sqref): rule.formula1 for rule in page.data_validations.dataValidation}
        for column, header, example in zip(columns, headers, page[page.max_row][1:], strict=True):
            assert column.meaning in header.comment.text
            assert header.value.endswith(" *") == column.is_needed == (header.font.color.rgb == "00FFFFFF")
            assert header.font.bold
            assert example.font.italic
            letter = header.column_letter
            assert example.number_format == page.column_dimensions[letter].number_format
            # Leading zeros of a card's number stay.
            assert (example.number_format == "@") == (kind_of(column) in TEXTS)
            assert isinstance(example.value, datetime.datetime) == (kind_of(column) in ("date", "timestamp"))
            assert offered.pop(f"{letter}2:{letter}1048576", None) == (
                f'"{",".join(column.choices)}"' if column.choices else None
            )
        assert not offered


def kind_of(column):
    return "choice" if column.choices and column.type.name != "boolean" else column.type.name


def taken(heading, value):
    """What a field makes of a value of its column; raises ValidationError."""
    table = tables()[heading.table]
    column = table.by_name[heading.column]
    field = table.fields[column.field]
    return field.clean(table.types[column.name].parse_cell(value, datetime.UTC, ends_day=column.ends_day), None)


def test_what_is_told_of_a_column_is_what_it_takes():
    told = {
        (name, one.name): (heading, one)
        for name, sheet in sheets().items()
        for heading, one in zip(sheet.headings, described(sheet), strict=True)
        if kind_of(one) != "reference"
    }
    for place, (heading, one) in told.items():
        assert one.example == "" or taken(heading, one.example) is not None, place
        for choice in one.choices:
            taken(heading, choice)
        if kind_of(one) == "string" and one.most is None:
            taken(heading, "x" * 5000)
        elif kind_of(one) == "string":
            with pytest.raises(ValidationError, match=f"at most {one.most} characters"):
                taken(heading, "x" * (one.most + 1))
        elif kind_of(one) in ("integer", "number"):
            taken(heading, one.least)
            with pytest.raises(ValidationError):
                taken(heading, one.least - 1)
            if one.most is not None:
                taken(heading, one.most)
                with pytest.raises(ValidationError):
                    taken(heading, one.most + 1)
        elif kind_of(one) == "choice":
            with pytest.raises(ValidationError):
                taken(heading, "7")
    assert not [place[1] for place, (_heading, one) in told.items() if kind_of(one) == "string" and one.most is None]
    kinds = {(place[1], kind_of(one)) for place, (_heading, one) in told.items()}
    assert {
        ("groupType", "choice"),
        ("latitude", "number"),
        ("maxWatts", "integer"),
        ("expiringDate", "timestamp"),
        ("capabilities", "list"),
        ("customProperties", "object"),
        ("isActive", "boolean"),
        ("configValue", "string"),
    } <= kinds


def test_the_reference_in_the_docs_is_up_to_date():
    page = reference()
    assert (ROOT / "docs" / "import-reference.md").read_text(encoding="utf-8") == page, (
        "Write it again: manage.py import_template --reference -o docs/import-reference.md"
    )
    assert comparison_key(page).count("## ") == len(sheets())
    for heading in (heading for sheet in sheets().values() for heading in sheet.headings):
        assert f"| `{heading.name}` |" in page


def test_it_writes_where_it_is_told_and_what_is_asked_for(tmp_path, capsysbinary, monkeypatch):
    path = tmp_path / "drivers.XLSX"
    call_command("import_template", "--table", "tags", "--table", "drivers", "-o", str(path))
    assert load_workbook(path).sheetnames == ["drivers", "tags"]
    call_command("import_template")
    assert load_workbook(io.BytesIO(capsysbinary.readouterr().out)).sheetnames == list(sheets())
    call_command("import_template", "--reference", "-o", "-")
    assert capsysbinary.readouterr().out.decode() == reference()

    nowhere = tmp_path / "nowhere" / "network.xlsx"
    for arguments, message in [
        (["-o", str(nowhere)], f"{nowhere} cannot be written: No such file or directory."),
        (["-o", "network.csv"], "network.csv would be a workbook under another name: let it end in .xlsx."),
        (["--reference", "--table", "sites"], "The reference has all tables: leave out --table."),
    ]:
        with pytest.raises(CommandError) as error:
            call_command("import_template", *arguments)
        assert (str(error.value), error.value.returncode) == (message, 2)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(CommandError, match="A terminal cannot show a workbook: name a file"):
        call_command("import_template")
