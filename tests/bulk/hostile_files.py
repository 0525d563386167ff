"""Files that nobody should send: what is wrong with them before anybody asks what their tables mean."""

import io
import struct
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def zipped(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in dict(members).items():
            archive.writestr(name, content)
    return file.getvalue()


def workbook(rows="", *, texts="", styles="", book="", more=(), **sheets):
    """A workbook as little as it can be; `rows` are those of the sheet `sites`."""
    sheets = sheets or {"sites": f"<sheetData>{rows}</sheetData>"}
    names = list(enumerate(sheets, start=1))
    parts = [(f"r{n}", "worksheet", f"worksheets/sheet{n}.xml") for n, _name in names]
    parts += [("s", "styles", "styles.xml"), ("t", "sharedStrings", "/xl/sharedStrings.xml")]
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in names)
    related = "".join(f'<Relationship Id="{i}" Type="{RELATIONS}/{kind}" Target="{to}"/>' for i, kind, to in parts)
    members = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="b" Type="{RELATIONS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{book}<sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
    }
    for (n, _name), content in zip(names, sheets.values(), strict=True):
        members[f"xl/worksheets/sheet{n}.xml"] = f'<worksheet xmlns="{MAIN}">{content}</worksheet>'
    return zipped(members | dict(more))


HEADER = '<row r="1"><c t="str"><v>name</v></c><c t="str"><v>type</v></c></row>'


def cell(content, attributes=""):
    """A workbook with one more row, whose second cell is given."""
    return workbook(f'{HEADER}<row r="2"><c><v>1</v></c><c r="B2" {attributes}>{content}</c></row>')


def crc_wrong(data):
    """A stored member with one byte changed."""
    return data.replace(b"Garage", b"Gerage")


def flagged(data, offset, value):
    """The first member's local and central header with another value at an offset of the latter."""
    at = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    struct.pack_into("<H", changed, at + offset, value)
    struct.pack_into("<H", changed, offset - 2 + data.index(b"PK\x03\x04"), value)
    return bytes(changed)


SITES = "name,type\nGarage,1\n"
BILLION = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
EMPTY = "The file is empty: it needs a header row and the rows below it."
DAMAGED = "The archive is damaged or was not copied completely: fetch or pack it again."
DECLARED = "The workbook has a document type declaration, which no spreadsheet program writes: refused."
UNSOUND = "in the workbook is not sound XML: open the file in a spreadsheet program and save it again."

NO_TABLES = "The file is empty: it needs an object with a list of objects for each table."
OTHER = 'Must be an object of tables, as in {"sites": [{"groupName": "Garage"}]}, or a tree of sites.'
NO_NUMBER = "has a number that none can be, as NaN or 1e999: write null, or another one."
NESTED = "has too many lists and objects within one another."


def broken(line, column):
    return (
        f"This is not JSON at line {line}, column {column}: look there for a quotation mark, comma or bracket too many "
        "or too few."
    )


# The kind of a file, its bytes, and what is among the messages.
HOSTILE = [
    # CSV
    ("csv", b"", EMPTY),
    ("csv", b"\xef\xbb\xbf\r\n \r\n;;\r\n", EMPTY),
    ("csv", b"\x00\x01\x02", "This is not a text file: save the table as CSV, UTF-8."),
    ("csv", "name".encode("utf-16"), "This is a UTF-16 file, not CSV: save the table as CSV, UTF-8."),
    ("csv", b"x" * 1_000_001, "Line 1 is longer than 1000000 characters: this is not a table as CSV."),
    ("csv", b"," * 20_000, "Row 1 has more than 16384 cells: this is not a table as CSV."),
    (
        "csv",
        b'name\n"' + b"never closed\n" * 11_000,
        "row 2: A cell is longer than 131072 characters: look for a quotation mark that is never closed. The rows from "
        "here on were not read.",
    ),
    (
        "csv",
        "Größe\n1\n".encode("latin-1"),
        "row 1: 'Gr\ufffd\ufffde': Is not UTF-8 text: save the file with the encoding UTF-8.",
    ),
    (
        "csv",
        b"groupName;costId\n1;\xff\n",
        "row 2, column costId: '\ufffd': Is not UTF-8 text: save the file with the encoding UTF-8.",
    ),
    # ZIP
    ("zip", b"", DAMAGED),
    ("zip", zipped({"sites.csv": SITES})[:-9], DAMAGED),
    (
        "zip",
        crc_wrong(zipped({"sites.csv": SITES}, zipfile.ZIP_STORED)),
        "sites.csv: Its member sites.csv is damaged or was not copied completely: fetch or pack it again.",
    ),
    (
        "zip",
        flagged(zipped({"sites.csv": SITES}), 8, 1),
        "The member sites.csv has a password: pack it without one.",
    ),
    (
        "zip",
        flagged(zipped({"sites.csv": SITES}), 10, 99),
        "The member sites.csv is compressed in an unusual way: pack it as ordinary ZIP.",
    ),
    (
        "zip",
        zipped({"sites.csv": SITES}, zipfile.ZIP_LZMA),
        "The member sites.csv is compressed in an unusual way: pack it as ordinary ZIP.",
    ),
    *(
        ("zip", zipped({path: SITES}), f"The member {path} lies outside of the archive: pack the files by plain names.")
        for path in ("../../sites.csv", "a/../sites.csv", "/etc/sites.csv", "C:/sites.csv", "a\\sites.csv")
    ),
    (
        "zip",
        zipped({"sites.csv": SITES, "more.zip": zipped({"a.csv": SITES})}),
        "The member more.zip is an archive itself: pack the CSV files directly.",
    ),
    (
        "zip",
        zipped({"a/sites.csv": SITES, "b/sites.csv": SITES}),
        "The table sites is there twice, as a/sites.csv and as b/sites.csv: remove one of them.",
    ),
    (
        "zip",
        zipped({"sitez.csv": SITES, "sites.csv": SITES}).replace(b"sitez", b"sites"),
        "The archive has two members of one name: pack it again.",
    ),
    (
        "zip",
        zipped({"readme.txt": ""}),
        "There is no CSV file in the archive: pack one for each table, as in sites.csv.",
    ),
    ("zip", zipped({f"{n}.csv": "" for n in range(1_001)}), "The archive has more than 1000 members: split it."),
    (
        "zip",
        zipped({"sites.csv": bytes(10_000_001)}),
        "The member sites.csv becomes more than 200 times as large when unpacked: no table does that.",
    ),
    # XLSX
    ("xlsx", b"", DAMAGED),
    (
        "xlsx",
        zipped({"word/document.xml": "<w/>"}),
        "There is no workbook in the file: save it as XLSX in a spreadsheet program.",
    ),
    (
        "xlsx",
        workbook(more={"xl/_rels/workbook.xml.rels": "<Relationships/>"}),
        "There is no sheet in the file: save it as XLSX in a spreadsheet program.",
    ),
    ("xlsx", workbook(), EMPTY),
    ("xlsx", workbook(more={"xl/workbook.xml": "<workbook"}), f"xl/workbook.xml {UNSOUND}"),
    ("xlsx", workbook(more={"xl/workbook.xml": BILLION}), DECLARED),
    ("xlsx", workbook(more={"xl/sharedStrings.xml": BILLION.encode("utf-16")}), DECLARED),
    ("xlsx", workbook(more={"xl/worksheets/sheet1.xml": BILLION}), f"sites: {DECLARED}"),
    (
        "xlsx",
        workbook(more={"xl/worksheets/sheet1.xml": f"<a><!--{'x' * 1_200_000}--></a>"}),
        f"sites: xl/worksheets/sheet1.xml {UNSOUND}",
    ),
    ("xlsx", workbook("<a>" * 200), f"sites: xl/worksheets/sheet1.xml {UNSOUND}"),
    (
        "xlsx",
        workbook(f"<row>{'<c><v>1</v></c>' * 20_000}</row>"),
        "sites: Row 1 has a cell where none can be (XFE): save the file again.",
    ),
    (
        "xlsx",
        workbook('<row><c r="ZZZZZZ9"><v>1</v></c></row>'),
        "sites: Row 1 has a cell where none can be (ZZZZZZ9): save the file again.",
    ),
    (
        "xlsx",
        workbook("<row><c r='B1' t='e'><v>#N/A</v></c><c r='B1' t='e'><v>#N/A</v></c></row>"),
        "sites: Row 1 has a cell where none can be (B1): save the file again.",
    ),
    (
        "xlsx",
        workbook(HEADER + '<row r="1048577"/>'),
        "sites: Row 1048577 follows row 1, as in no sound workbook: save the file again.",
    ),
    (
        "xlsx",
        workbook(HEADER + '<row r="99999999999999999999"/>'),
        "sites: Row 99999999999999999999 follows row 1, as in no sound workbook: save the file again.",
    ),
    (
        "xlsx",
        workbook(HEADER + '<row r="1"/>'),
        "sites: Row 1 follows row 1, as in no sound workbook: save the file again.",
    ),
    (
        "xlsx",
        workbook(HEADER + '<row><c r="XFD2"><v>1</v></c></row>' * 101),
        "sites: More than 100 rows have cells beyond the header: give each column a heading.",
    ),
    (
        "xlsx",
        cell(f"<is><t>{'x' * 300_000}</t></is>", 't="inlineStr"'),
        "sites: A cell has more than 32767 characters, which no workbook may hold.",
    ),
    (
        "xlsx",
        workbook(texts=f"<si><t>{'x' * 300_000}</t></si>"),
        "A cell has more than 32767 characters, which no workbook may hold.",
    ),
    (
        "xlsx",
        cell("<f>1+1</f><v></v>"),
        "sites, row 2, column type: Is a formula that was never calculated: open the file in a spreadsheet program and "
        "save it.",
    ),
    (
        "xlsx",
        cell("<v>#REF!</v>", 't="e"'),
        "sites, row 2, column type: '#REF!': Formula error. Fix the formula, or write the value.",
    ),
    (
        "xlsx",
        cell("<v>7</v>", 't="s"'),
        "sites, row 2, column type: '7': Refers to a text that is not in the workbook: write it again.",
    ),
    ("xlsx", cell("<v>nan</v>"), "sites, row 2, column type: 'nan': Is not a number: write it again."),
    (
        "xlsx",
        cell("<v>1e999</v>"),
        "sites, row 2, column type: '1e999': Is too large for a number: write it again, as a text.",
    ),
    ("xlsx", cell("<v>soon</v>", 't="d"'), "sites, row 2, column type: 'soon': Is not a date: write it again."),
    (
        "xlsx",
        workbook('<row><c t="e"><v>#N/A</v></c></row>'),
        "sites, row 1, column A: '#N/A': Formula error. Fix the formula, or write the value.",
    ),
    # JSON
    ("json", b"", NO_TABLES),
    ("json", b"\xef\xbb\xbf \r\n\t", NO_TABLES),
    ("json", b"null", OTHER),
    ("json", b'"sites"', OTHER),
    ("json", b"groupName\nGarage\n", OTHER),
    ("json", b'{"sites": {"groupName": "Garage"}}', OTHER),
    ("json", b'{"sites": [], "more": 1}', OTHER),
    ("json", b'{"sites": [\n{"name": "x"} {"name": "y"}]}', broken(2, 15)),
    ("json", b'{"sites": [\n{"name": "x",\n "type": 1 "id": 2}]}', broken(3, 12)),
    ("json", b'{"sites": [{"name": "x"}', broken(1, 25)),
    ("json", b'{"sites": [{"name": "x', broken(1, 21)),
    ("json", b'{"sites": [{"name": "x\ny"}]}', broken(1, 23)),
    ("json", b'{"sites": []}\n}', broken(2, 1)),
    ("json", b'{"sites": []; "more": []}', broken(1, 13)),
    ("json", b'{"sites" []}', broken(1, 10)),
    ("json", b"{1: []}", broken(1, 3)),
    ("json", b'{"sites": [{"name": tru}]}', broken(1, 21)),
    ("json", b'{"sites": [' + b" " * 200_000 + b"]]", broken(1, 200_013)),
    *(
        ("json", b'{"sites": [{},\n  {"name": %s}]}' % number, f"What begins at line 2, column 3 {NO_NUMBER}")
        for number in (b"NaN", b"-Infinity", b"1e999", b"9" * 4_301)
    ),
    (
        "json",
        b'{"sites": [\n{"name": "\xff"}]}',
        "Line 2, column 11 is not UTF-8 text: save the file with the encoding UTF-8.",
    ),
    (
        "json",
        b'{"sites": [\n{"name": "\xe2\x82',
        "Line 2, column 11 is not UTF-8 text: save the file with the encoding UTF-8.",
    ),
    ("json", '{"a": 1}'.encode("utf-16"), "Line 1, column 1 is not UTF-8 text: save the file with the encoding UTF-8."),
    (
        "json",
        b'{"sites": [{"name": 1, "name": 2}]}',
        "sites, row 1, column name: This key stands there twice: remove one of them.",
    ),
    ("json", b'{"sites": [], "sites": []}', "sites: The table is there twice: put its rows into one list."),
    ("json", b'{"sites": [' + b"[" * 100_000, f"What begins at line 1, column 12 {NESTED}"),
    ("json", b'{"sites": [{"a": %s}]}' % (b"[" * 250 + b"]" * 250), f"What begins at line 1, column 12 {NESTED}"),
    ("json", b'{"sites": [{"a": [%s]}]}' % (b"[]," * 249 + b"0"), f"What begins at line 1, column 12 {NESTED}"),
    (
        "json",
        b'{"sites": [{"a": [%s]}]}' % (b"0," * 600_000),
        "What begins at line 1, column 12 has more than 1,000,000 characters.",
    ),
    ("json", b'{"sites": ["%s"]}' % (b"x" * 2_000_000), broken(1, 12)),
    (
        "json",
        b'{"sites": [%s]}' % (b"[]," * 1_000),
        "So many rows are not what they should be that those from here on were not read.",
    ),
    ("json", b"{%s}" % (b'"a":[],' * 1_001), "The file has more than 1,000 tables: split it."),
]
