"""Files of tables: hostile ones end in a clear message, and what is written comes back as it was."""

import contextlib
import datetime
import io
import tracemalloc
from types import SimpleNamespace

import openpyxl
import pytest

from bulk import files
from bulk.drafts import Findings
from bulk.files import json_files, raw, xlsx_files, zip_files
from bulk.files.xlsx_writing import WorkbookWriter
from tests.bulk.hostile_files import HEADER, HOSTILE, MAIN, SITES, workbook, zipped

# Everything that a text of the product may hold and that some format treats in a way of its own.
NASTY = [
    *("plain", " before", "after ", "a\tb", "a\nb", "a\r\nb", "a\rb", "\n", "two\n\nlines "),
    *("=1+1", "+1", "-1", "@a", "'quoted", "#REF!", "#N/A", "0012", "1e5", "true", "2026-01-01"),
    *("_x0041_", "_x005F_x0041_", "_x000D_", "x005F_", "_x", "_xD800_", "__x0041__", "_x0041_x0042_"),
    *("\ufffe\uffff", "\ufeffmark", "\x80\x85\x9f", "\u2028\u2029", "\xa0", "😀é\u0301", "\U0010ffff"),
    *('"', '""', 'a"b', "a,b;c\td", "<&>", "]]>", "<!-- -->", "\\", "a" * 32_767),
]


def read(data, kind, stream=None):
    """The tables of a file, each a list of rows, and the findings."""
    findings = Findings(f"network.{kind}")
    stream = stream or io.BytesIO(data)
    if kind == "json":
        tables = {}
        try:
            for name, rows in files.JsonDocument(stream, findings).tables():
                tables[name] = [row for _number, row in rows]
        except files.Unreadable as error:
            findings.error(error, sheet="")
        return SimpleNamespace(tables=tables, findings=findings)
    tables = [(table.name, table.sheet, list(table.rows)) for table in files.read_tables(stream, kind, findings)]
    return SimpleNamespace(tables=tables, findings=findings)


def written(kind, tables, **options):
    file = io.BytesIO()
    with files.open_writer(kind, file) as writer:
        for name, (header, *rows) in tables.items():
            writer.table(name, header)
            for row in rows:
                writer.row(row)
    return file.getvalue()


def told(result):
    return [str(finding) for finding in result.findings.errors]


@pytest.mark.parametrize(("kind", "data", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_end_in_a_message(kind, data, message):
    result = read(data, kind)
    assert message in [text.removeprefix(f"network.{kind}").lstrip(":, ") for text in told(result)]


def test_limits(monkeypatch):
    """Those that take large files to reach, made smaller."""
    wide = workbook(f"<row>{'<c><v>1</v></c>' * 90}</row>" + "<row><c><v>1</v></c></row>" * 90)
    monkeypatch.setattr(raw, "_CELLS_LIMIT", 1_000)
    cells = "The file has more than 1,000 cells, each line counting as ten at least: split it."
    assert told(read(b"a,b\n" + b"\n" * 200, "csv")) == [f"network.csv: {cells}"]
    assert told(read(b"a,b\n" + b'1,"' + b"\n" * 200 + b'"\n', "csv")) == [f"network.csv: {cells}"]
    assert told(read(zipped({f"{n}.csv": SITES for n in range(100)}), "zip")) == [f"network.zip, 41.csv: {cells}"]
    assert told(read(wide, "xlsx")) == [f"network.xlsx, sites: {cells}"]
    monkeypatch.setattr(xlsx_files, "_ELEMENTS_LIMIT", 100)
    advice = "split it, or give the tables as a ZIP of CSV files."
    many = workbook(HEADER + "<row/>" * 100)
    assert told(read(many, "xlsx")) == [f"network.xlsx, sites: The workbook has more than 100 XML elements: {advice}"]
    monkeypatch.setattr(xlsx_files, "_STRINGS_LIMIT", 0)
    assert "network.xlsx: The member xl/sharedStrings.xml has more than 0 MB when unpacked: split it." in told(
        read(wide, "xlsx")
    )
    monkeypatch.setattr(zip_files, "TOTAL_LIMIT", 10)
    assert "The archive has more than 0 MB when unpacked: split it." in told(read(zipped({"a.csv": SITES}), "zip"))[0]


def test_the_size_of_a_file_is_limited(settings):
    settings.IMPORT_MAX_MEGABYTES = 1
    large = "The file is larger than 1 MB: split it, or have IMPORT_MAX_MEGABYTES raised."
    for kind in files.KINDS:
        data = b"{" + b" " * 1_000_000 if kind == "json" else b"a\n" + (b"," * 999 + b"\n") * 1_000
        for stream in (io.BytesIO(data), Flowing(data)):
            assert told(read(b"", kind, stream))[-1] == f"network.{kind}: {large}"


class Flowing(io.RawIOBase):
    """A stream that cannot be rewound, as standard input."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._data.readinto(buffer)


def test_it_works():
    tables = {"sites": [["name", "type"], ["Garage", 1], ["Campus", None]], "chargers": [["chargerId"], ["A-1"]]}
    for kind, none in (("xlsx", None), ("zip", "")):
        data = written(kind, tables)
        assert data == written(kind, tables)
        for stream in (io.BytesIO(data), Flowing(data)):
            result = read(data, kind, stream)
            number = 1 if kind == "xlsx" else "1"
            end = "" if kind == "xlsx" else ".csv"
            assert result.tables == [
                ("sites", f"sites{end}", [(1, ["name", "type"]), (2, ["Garage", number]), (3, ["Campus", none])]),
                ("chargers", f"chargers{end}", [(1, ["chargerId"]), (2, ["A-1"])]),
            ]
            assert told(result) == []
    documents = {
        "sites": [{"name": "Garage", "type": 1}, {"name": "Campus", "type": None}],
        "chargers": [{"chargerId": "A-1"}],
    }
    assert read(written("json", tables), "json").tables == documents
    assert read(written("json", {}), "json").tables == {}
    with pytest.raises(files.Unwritable, match=r"one table, and these are several \(sites, chargers\)"):
        written("csv", tables)


@pytest.mark.parametrize("kind", files.KINDS)
def test_texts_come_back_as_they_were(kind):
    table = [["text", "last"], *([text, "x"] for text in NASTY)]
    data = written(kind, {"sites": table})
    result = read(data, kind)
    assert told(result) == []
    if kind == "json":
        assert [item["text"] for item in result.tables["sites"]] == NASTY
    else:
        assert [list(cells) for _number, cells in result.tables[0][2]] == table


def test_another_program_reads_the_same_workbook():
    values = [1, -2.5, True, datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000), datetime.time(6, 7, 8), "=1+1", "#REF!"]
    data = written("xlsx", {"sites": [["value"], *([value] for value in values)]})
    sheet = openpyxl.load_workbook(io.BytesIO(data))["sites"]
    assert [one.value for one in sheet["A"]] == ["value", *values]
    assert [one.data_type for one in sheet["A"]] == ["s", "n", "n", "b", "d", "d", "s", "s"]
    assert (sheet.freeze_panes, sheet["A1"].font.b, sheet["A2"].font.b) == ("A2", True, False)
    assert sheet.column_dimensions["A"].width == 12
    assert [cells for _row, cells in read(data, "xlsx").tables[0][2]] == [["value"], *([value] for value in values)]


def test_what_another_program_wrote_is_read():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "sites"
    sheet.append(["name", "value"])
    values = [" é ", 1, 1.5, True, datetime.datetime(2026, 5, 6, 7, 8, 9), datetime.time(1, 2, 3), "\n"]
    for value in values:
        sheet.append(["x", value])
    sheet["B20"] = datetime.date(2026, 5, 6)
    sheet["B21"] = 0.25
    sheet["B21"].number_format = '[Red]0.00" days"'
    sheet["B22"] = datetime.timedelta(hours=30)
    book.create_chartsheet("chart")
    book.create_sheet("hidden").sheet_state = "hidden"
    book.create_sheet("sites (2)").append(["name"])
    for epoch in (openpyxl.utils.datetime.WINDOWS_EPOCH, openpyxl.utils.datetime.MAC_EPOCH):
        book.epoch = epoch
        file = io.BytesIO()
        book.save(file)
        result = read(file.getvalue(), "xlsx")
        (name, where, rows), (again, part, continued) = result.tables
        assert (name, where, again, part, continued) == ("sites", "sites", "sites", "sites (2)", [(1, ["name"])])
        assert [cells for _row, cells in rows[:8]] == [["name", "value"], *(["x", value] for value in values)]
        assert rows[8:] == [
            (20, [None, datetime.datetime(2026, 5, 6)]),
            (21, [None, 0.25]),
            (22, [None, 1.25]),
        ]
        assert told(result) == []
        assert [str(warning) for warning in result.findings.warnings] == [
            "network.xlsx, hidden: The sheet is hidden and was left out: unhide it to import it."
        ]


def test_cells_of_other_programs():
    """Prefixes, shared and rich texts, hints for pronunciation, formulas, dates, and places that are left out."""
    texts = (
        "<si><r><t>Ri</t></r><r><t xml:space='preserve'>ch </t></r><rPh><t>hint</t></rPh></si><si><t>_x0041_</t></si>"
    )
    styles = '<numFmts><numFmt numFmtId="200" formatCode="dd/mm"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs>'
    cells = [
        ('<c t="s"><v>0</v></c>', "Rich "),
        ('<c t="s"><v>1</v></c>', "A"),
        ('<c t="str"><f>A1</f><v>text</v></c>', "text"),
        ('<c t="str"><f>""</f><v></v></c>', None),
        ("<c><f>1+1</f><v>2</v></c>", 2),
        ('<c t="b"><v>0</v></c>', False),
        ('<c t="d"><v>2026-01-02T03:04:05</v></c>', datetime.datetime(2026, 1, 2, 3, 4, 5)),
        ('<c s="0"><v>1.5</v></c>', datetime.datetime(1900, 1, 1, 12)),
        ('<c s="0"><v>61</v></c>', datetime.datetime(1900, 3, 1)),
        ("<c><v>1E3</v></c>", 1000.0),
        ('<c t="n"/>', None),
        ("<c><v>9</v></c>", 9),
    ]
    header = f"<row>{'<c><v>1</v></c>' * len(cells)}</row>"
    rows = f"{header}<row r='7'>{''.join(one for one, _value in cells)}</row>"
    result = read(workbook(rows, texts=texts, styles=styles), "xlsx")
    assert told(result) == []
    assert result.tables[0][2][1] == (7, [value for _cell, value in cells])
    prefixed = {
        "xl/worksheets/sheet1.xml": f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="3"><x:c r="C3">'
        "<x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    }
    assert read(workbook(more=prefixed), "xlsx").tables[0][2] == [(3, [None, None, 1])]


def test_rows_beyond_the_header_and_far_away():
    """Longer rows have one cell more than the header; distances cost nothing."""
    far = '<row r="9"><c r="A9"><v>1</v></c><c r="XFC9"/><c r="XFD9"><v>2</v></c></row>'
    far = f'{HEADER}{far}<row r="1048576"><c><v>3</v></c></row>'
    assert read(workbook(far), "xlsx").tables[0][2][1:] == [(9, [1, None, 2]), (1_048_576, [3, None])]
    assert read(b"a,b\n1\n1,2,3\n", "csv").tables[0][2] == [(1, ["a", "b"]), (2, ["1"]), (3, ["1", "2", "3"])]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\n1,2", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"\xef\xbb\xbfa;b\r\n1,5;2\r\n", [(1, ["a", "b"]), (2, ["1,5", "2"])]),
        (b"a\tb\r1\t2\r", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b'"a,b,c,d";e\n1;2\n', [(1, ["a,b,c,d", "e"]), (2, ["1", "2"])]),
        (b'"a ""quoted"", b,,";e;f\n', [(1, ['a "quoted", b,,', "e", "f"])]),
        (b"\n\na;b\n\n ; \n1;2\n", [(3, ["a", "b"]), (6, ["1", "2"])]),
        (b"sep=;\r\na;b\r\n1;2\r\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b'a;b\n"1\n2";3\n4;5\n', [(1, ["a", "b"]), (2, ["1\n2", "3"]), (3, ["4", "5"])]),
    ],
)
def test_csv_is_understood_by_its_header(data, rows):
    result = read(data, "csv")
    assert (told(result), result.tables) == ([], [("", "", rows)])


def test_what_is_no_table_in_an_archive_is_left_out():
    data = zipped({"in/": "", "in/Sites.CSV": SITES, "__MACOSX/in/x.csv": "", ".hidden.csv": "", "readme.txt": ""})
    result = read(data, "zip")
    assert [(name, sheet) for name, sheet, _rows in result.tables] == [("Sites", "in/Sites.CSV")]
    assert [str(warning) for warning in result.findings.warnings] == [
        "network.zip, readme.txt: Was left out: only files that end in .csv are tables."
    ]


KINDS = [
    ("x.csv", b"a,b\n", "csv"),
    ("x.csv", b"PK;name", "csv"),
    ("x.zip", b"a,b\n", "ends as ZIP files do and is none"),
    ("-", b"a;b", "csv"),
    ("", b"", "csv"),
    ("x.csv", workbook(), "xlsx"),
    ("x.bin", written("xlsx", {}), "xlsx"),
    ("x.xlsx", zipped({"sites.csv": SITES}), "zip"),
    ("x.zip", b"PK\x05\x06" + bytes(18), "zip"),
    ("-", b'\xef\xbb\xbf \n{"sites": []}', "json"),
    ("x.csv", b"[1]", "json"),
    ("x.json", b"", "json"),
    ("x.xlsx", b"", "x.xlsx ends as XLSX files do and is none"),
    ("x.csv", b"%PDF-1.7", "PDF files cannot"),
    ("x.xlsx", b"\xd0\xcf\x11\xe0", "XLS or password-protected files cannot"),
    ("x.csv.gz", b"\x1f\x8b", "gzip files cannot"),
    ("x.csv", "a".encode("utf-16"), "UTF-16 files cannot"),
    ("x.csv", b"\x89PNG\x00", "Binary files cannot"),
    ("x.xls", b"<html>", "HTML files cannot"),
    ("x", b"<?xml version='1.0'?>", "XML files cannot"),
    ("x.ods", zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument files cannot"),
]


@pytest.mark.parametrize(("name", "data", "expected"), KINDS, ids=range(len(KINDS)))
def test_kinds(name, data, expected):
    for stream in (io.BytesIO(data), Flowing(data)):
        start, again = files.peek(stream)
        assert again.read() == data
    if expected in files.KINDS:
        assert files.kind_of(name, start) == expected
    else:
        with pytest.raises(files.Unreadable, match=expected):
            files.kind_of(name, start)


def annotated(data, kind, messages):
    file = io.BytesIO()
    files.annotate(io.BytesIO(data), kind, messages, file)
    return file.getvalue()


def test_annotating_adds_a_column_and_writes_over_it_later():
    csv_file = b"\xef\xbb\xbfname;type\r\n\r\n\xff;1\r\nCampus\r\na;b;c\r\n"
    once = annotated(csv_file, "csv", {("", 3): "Mend; this", ("", 4): "Too short", ("", 5): "Too long"})
    assert once == (
        b'\xef\xbb\xbfname;type;errors\r\n\r\n\xff;1;"Mend; this"\r\nCampus;;Too short\r\na;b;Too long;c\r\n'
    )
    assert annotated(once, "csv", {}) == once.replace(b'"Mend; this"', b"").replace(b"Too short", b"").replace(
        b"Too long", b""
    )

    archive = annotated(zipped({"in/sites.csv": SITES, "x.txt": ""}), "zip", {("in/sites.csv", 2): "Wrong"})
    assert read(archive, "zip").tables == [
        ("sites", "in/sites.csv", [(1, ["name", "type", "errors"]), (2, ["Garage", "1", "Wrong"])])
    ]

    rows = (
        HEADER.replace('r="1"', 'r="2"')
        + '<row r="5"><c><f>1/0</f><v>#REF!</v></c></row><row r="8"><c><v>2</v></c></row>'
    )
    rows = rows.replace("<c><f>", '<c t="e"><f>')
    book = workbook(**{"sites (2)": f"<sheetData>{rows}</sheetData>", "empty": "<sheetData/>"})
    once = annotated(book, "xlsx", {("sites (2)", 5): "Wrong", ("empty", 1): "Nowhere"})
    result = read(once, "xlsx")
    assert result.tables == [
        ("sites", "sites (2)", [(2, ["name", "type", "errors"]), (5, ["#REF!", None, "Wrong"]), (8, [2, None, None])]),
        ("empty", "empty", []),
    ]
    assert openpyxl.load_workbook(io.BytesIO(once))["sites (2)"].freeze_panes == "A3"
    assert read(annotated(once, "xlsx", {}), "xlsx").tables[0][2][1] == (5, ["#REF!", None, None])

    tree = written("json", {"sites": [["name"], ["a"], ["b"]]})
    once = annotated(tree, "json", {("sites", 2): "Wrong"})
    assert read(once, "json").tables == {"sites": [{"name": "a"}, {"name": "b", "errors": "Wrong"}]}
    assert read(annotated(once, "json", {}), "json").tables == read(tree, "json").tables
    once = annotated(rb'[{"a": "\ud800\u00e9", "b": 1e2}, 1, {"errors": 1}]', "json", {("", 1): "x"})
    assert once.decode() == '[\n{"a": "\\ud800é", "b": 100.0, "errors": "x"},\n1,\n{}\n]\n'
    assert [annotated(given, "json", {}) for given in (b"{}", b"[]")] == [b"{}\n", b"[\n]\n"]
    with pytest.raises(files.Unreadable, match="A tree of sites has no rows"):
        annotated(b'[{"subgroups": []}]', "json", {("sites", 1): "x"})
    with pytest.raises(files.Unreadable):
        annotated(b"PK", "xlsx", {})


def test_a_workbook_goes_on_in_a_second_sheet():
    file = io.BytesIO()
    with contextlib.closing(WorkbookWriter(file, rows_limit=3)) as writer:
        writer.table("sites", ["name"])
        for name in "abcde":
            writer.row([name])
    tables = read(file.getvalue(), "xlsx").tables
    assert [(name, sheet) for name, sheet, _rows in tables] == [
        ("sites", "sites"),
        ("sites", "sites (2)"),
        ("sites", "sites (3)"),
    ]
    assert [cells[0] for _name, _sheet, rows in tables for _row, cells in rows] == [
        "name",
        *"ab",
        "name",
        *"cd",
        "name",
        "e",
    ]


def test_a_text_too_long_for_a_workbook_is_named():
    for text in ("a" * 32_768, "😀" * 16_384):
        with pytest.raises(
            files.Unwritable, match=r"Table sites, row 2, column note: the text is longer than the 32767 "
        ):
            written("xlsx", {"sites": [["name", "note"], ["a", text]]})
    assert read(written("xlsx", {"sites": [["note"], ["😀" * 16_383]]}), "xlsx").tables[0][2][1][1] == ["😀" * 16_383]


class Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self):
        return True

    def write(self, data):
        return len(data)


@pytest.mark.parametrize("kind", files.KINDS)
def test_writing_takes_the_same_memory_for_any_number_of_rows(kind):
    peaks = []
    for count in (1_000, 10_000):
        tracemalloc.start()
        with files.open_writer(kind, Nowhere()) as writer:
            writer.table("sites", ["name", "number"])
            for number in range(count):
                writer.row([f"Site {number}", number])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 50_000


def test_objects_are_read_one_by_one():
    """Each in little memory, wherever in it the pieces end in which the file is read."""
    row = {"name": "Größe 😀", "more": {"a": ["b", None, True, 1.5, -17]}, "number": 12345}
    data = written("json", {"sites": [list(row), *[list(row.values())] * 20_000], "none": [["name"]]})
    count = 0
    tracemalloc.start()
    for name, rows in files.JsonDocument(Flowing(data), Findings("")).tables():
        for number, found in rows:
            count += 1
            assert (name, number, found) == ("sites", count, row)
    assert (count, tracemalloc.get_traced_memory()[1] < 1_000_000) == (20_000, True)
    tracemalloc.stop()
    # Numbers alone, which may go on in the next piece.
    numbers = list(range(99_000_000, 99_000_099))
    data = b"[" + b" " * 65_000 + b", ".join(b"%d" % number for number in numbers) + b"]"
    assert read(data, "json").tables == {"": numbers}
    # What nobody asks for is read all the same.
    findings = Findings("")
    with pytest.raises(files.Unreadable, match="line 1, column 31"):
        list(files.JsonDocument(io.BytesIO(b'{"more": [{"name": 1}, {"name"}], "sites": []}'), findings).tables())


def test_a_tree_is_read_whole_within_its_bounds(monkeypatch):
    def whole(data):
        findings = Findings("")
        return files.JsonDocument(io.BytesIO(data), findings).whole(), [str(error) for error in findings.errors]

    data = b'[{"name": "\xf0\x9f\x98\x80", "a": [1, 1e2, null]}]' + b" " * 70_000
    assert whole(data) == ([{"name": "😀", "a": [1, 100, None]}], [])
    assert whole(b'[{"a": 1, "a": 2}]')[1] == ["column a: This key stands there twice: remove one of them."]
    deep = b"[" * 250 + b"]" * 250
    assert whole(b" " + deep + b" ")[1] == []
    for wrong, message in (
        *((nested, "line 1, column 1 has too many lists and objects") for nested in (b"[%s]" % deep, b"[" * 100_000)),
        (b"[1,\n2", "not JSON at line 2, column 2"),
        (b"[1] 2", "not JSON at line 1, column 5"),
        (b"[1]" + b" " * 70_000 + b"\xe2", "column 70004 is not UTF-8"),
    ):
        with pytest.raises(files.Unreadable, match=message):
            whole(wrong)
    monkeypatch.setattr(json_files, "WHOLE_LIMIT", 300_000)
    spaces = b" " * 65_536
    for start, more, is_too_large in (
        (b"[", b" " * 90_000, False),
        (b"[", b" " * 110_000, True),
        (b"[", "é".encode() + b" " * 70_000, True),
        (b'["\xf0\x9f\x98\x80",', b" " * 40_000, True),
        (b"[", b"[]," * 1_000, True),
    ):
        with pytest.raises(files.Unreadable) as caught:
            whole(start + spaces + more)
        assert ("too large to be read whole" in str(caught.value)) == is_too_large


def test_reading_takes_the_same_memory_for_any_number_of_rows():
    for kind in ("csv", "xlsx", "zip"):
        peaks = []
        for count in (1_000, 4_000):
            data = io.BytesIO(written(kind, {"sites": [["name"], *([f"Site {n}"] for n in range(count))]}))
            tracemalloc.start()
            for table in files.read_tables(data, kind, Findings("")):
                assert sum(1 for _row in table.rows) == count + 1
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < peaks[0] + 50_000
