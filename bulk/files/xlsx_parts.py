"""What the parts of a workbook say (ECMA-376 part 1, SpreadsheetML): sheets, styles, shared texts and rows."""

from __future__ import annotations

import re
import string
from datetime import datetime, time, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

from bulk.files.raw import COLUMNS_LIMIT, Budget, Cell, Unreadable
from bulk.files.xml_guard import MarkupHandler

ROWS_LIMIT = 1_048_576
TEXT_LIMIT = 32_767
EPOCH_1900, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
# So many rows with cells beyond the header are no slip.
_LONG_ROWS = 100

# ST_Xstring (22.9.2.19) writes a character that XML cannot hold as _xHHHH_. Surrogates are no characters.
_ESCAPE = re.compile("_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")
_NUMBER = re.compile(r"[-+]?([0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})([eE][-+]?[0-9]{1,4})?")
_LETTERS = frozenset(string.ascii_uppercase)
# Formats by number that show days or times (18.8.30), those of East Asian versions included.
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
# What in a format code is literal, a colour, a condition or padding.
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hmsHMS]+\])[^\]]*\]')
_DURATION = re.compile(r"\[[hms]+\]", re.IGNORECASE)


class Wrong(NamedTuple):
    """A cell that says nothing, by its column (A is 1), and why."""

    column: int
    value: str
    message: str


class SheetRow(NamedTuple):
    """A row as it stands: cells without a value that can be used hold the text that is there."""

    number: int
    cells: list[Cell]
    wrong: list[Wrong]


class Relations(MarkupHandler):
    def __init__(self) -> None:
        self.relations: list[tuple[str, str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            self.relations.append(tuple(attributes.get(key, "") for key in ("Id", "Type", "Target")))  # type: ignore[arg-type]


class Main(MarkupHandler):
    """The part that lists the sheets."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.is_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
            is_hidden = local.get("state", "visible") != "visible"
            self.sheets.append((local.get("name", ""), local.get("id", ""), is_hidden))
        elif name == "workbookPr":
            self.is_1904 = attributes.get("date1904") in ("1", "true")


class Styles(MarkupHandler):
    """Which styles of cells show days or times."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._formats: list[str] = []
        self._is_within = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._is_within = True
        elif name == "xf" and self._is_within:
            self._formats.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._is_within = False

    def dates(self) -> frozenset[str]:
        """Their numbers, as cells give them."""
        return frozenset(str(style) for style, number in enumerate(self._formats) if self._shows_date(number))

    def _shows_date(self, number: str) -> bool:
        code = self._codes.get(number)
        if code is None:
            return _count(number) in _DATE_FORMATS
        code = _LITERAL.sub("", code.partition(";")[0]).lower()
        return not _DURATION.search(code) and not set("dmyhs").isdisjoint(code)


class _CellText(MarkupHandler):
    """Collects the texts of `t` elements. Hints for pronunciation (`rPh`) are no part of them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._is_collecting = self._is_hint = False

    def text(self, data: str) -> None:
        if self._is_collecting and not self._is_hint:
            self._length += len(data)
            # Escaped, each character is seven.
            if self._length > 7 * TEXT_LIMIT:
                raise Unreadable(
                    _("A cell has more than %(limit)s characters, which no workbook may hold.") % {"limit": TEXT_LIMIT}
                )
            self._pieces.append(data)

    def taken(self) -> str:
        """What was collected since the last time."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return text


class SharedStrings(_CellText):
    """The texts that cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "t":
            self._is_collecting = True
        elif name == "rPh":
            self._is_hint = True

    def end(self, name: str) -> None:
        if name == "t":
            self._is_collecting = False
        elif name == "rPh":
            self._is_hint = False
        elif name == "si":
            self.texts.append(unescaped(self.taken()))


class SheetRows(_CellText):
    """The rows of a sheet, which are carried off while it is read."""

    def __init__(self, texts: list[str], date_styles: frozenset[str], epoch: datetime, budget: Budget) -> None:
        super().__init__()
        self.lines: list[SheetRow] = []
        self._texts, self._date_styles, self._epoch = texts, date_styles, epoch
        self._budget = budget
        self._row = self._column = 0
        # The columns of the header, once it was there.
        self._width = 0
        self._long_rows = 0
        self._columns: dict[str, int] = {}
        self._cells: dict[int, Cell] = {}
        self._wrong: list[Wrong] = []
        self._type = self._style = ""
        self._has_formula = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            reference = attributes.get("r")
            column = self._column_of(reference) if reference else self._column + 1
            if not self._column < column <= COLUMNS_LIMIT:
                raise Unreadable(
                    _("Row %(row)s has a cell where none can be (%(cell)s): save the file again.")
                    % {"row": self._row, "cell": (reference or column_letters(column))[:20]}
                )
            self._column = column
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._has_formula = False
        elif name == "v" or name == "t":
            self._is_collecting = True
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._is_hint = True
        elif name == "row":
            number = attributes.get("r", "")
            row = _count(number) if number else self._row + 1
            if not self._row < row <= ROWS_LIMIT:
                raise Unreadable(
                    _("Row %(row)s follows row %(last)s, as in no sound workbook: save the file again.")
                    % {"row": number[:20] or row, "last": self._row}
                )
            self._row, self._column = row, 0

    def _column_of(self, reference: str) -> int:
        """The number of a cell's column, from a reference as in AB12; none that can be from anything else."""
        letters = reference.rstrip("0123456789")
        if letters not in self._columns:
            column = 0
            for letter in letters[:4].upper():
                column = column * 26 + ord(letter) - 64 if letter in _LETTERS else COLUMNS_LIMIT + 1
            self._columns[letters] = column
        return self._columns[letters]

    def end(self, name: str) -> None:
        if name == "v" or name == "t":
            self._is_collecting = False
        elif name == "c":
            self._end_cell()
        elif name == "rPh":
            self._is_hint = False
        elif name == "row":
            self._end_row()
        elif name == "sheetData":
            self.is_done = True

    def _end_cell(self) -> None:
        if not self._pieces and not self._has_formula:
            return
        text = self.taken()
        column = self._column
        if self._width and column > self._width:
            # One value beyond the header tells that the row is too long; where it stands does not matter.
            column = self._width + 1
        value, problem = self._value(text)
        if problem:
            self._wrong.append(Wrong(self._column, text, problem))
        if value is not None and value != "":
            self._cells[column] = value

    def _value(self, text: str) -> tuple[Cell, str]:
        """What a cell says, or its text and what is wrong with it."""
        kind = self._type
        if kind == "s" and text:
            number = _count(text)
            if 0 <= number < len(self._texts):
                return self._texts[number], ""
            return text, _("Refers to a text that is not in the workbook: write it again.")
        if kind in ("inlineStr", "str"):
            return unescaped(text), ""
        if not text:
            if self._has_formula:
                return None, _(
                    "Is a formula that was never calculated: open the file in a spreadsheet program and save it."
                )
            return None, ""
        if kind == "b":
            return text in ("1", "true"), ""
        if kind == "e":
            return text, _("Formula error. Fix the formula, or write the value.")
        if kind == "d":
            return self._iso_date(text)
        return self._number(text)

    def _number(self, text: str) -> tuple[Cell, str]:
        if not _NUMBER.fullmatch(text):
            return text, _("Is not a number: write it again.")
        if self._style in self._date_styles:
            return self._date(text)
        try:
            return int(text), ""
        except ValueError:
            value = float(text)
        if value in (float("inf"), float("-inf")):
            return text, _("Is too large for a number: write it again, as a text.")
        return value, ""

    def _date(self, text: str) -> tuple[Cell, str]:
        """A moment from days since the epoch; a time of day where there is less than one."""
        days = float(text)
        # The program that the format comes from held 1900 for a leap year.
        epoch = self._epoch + timedelta(days=1) if self._epoch is EPOCH_1900 and days < 60 else self._epoch
        try:
            moment = epoch + timedelta(milliseconds=round(days * 86_400_000))
        except (OverflowError, ValueError):
            moment = datetime.min
        if moment < self._epoch:
            return text, _("Is shown as a date and is none: write the date, or show the cell as a number.")
        return (moment.time() if days < 1 else moment), ""

    def _iso_date(self, text: str) -> tuple[Cell, str]:
        for kind in (datetime, time):
            try:
                return kind.fromisoformat(text), ""
            except ValueError:
                continue
        return text, _("Is not a date: write it again.")

    def _end_row(self) -> None:
        cells, wrong = self._cells, self._wrong
        self._cells, self._wrong = {}, []
        if not wrong and not any(not isinstance(cell, str) or cell.strip() for cell in cells.values()):
            return
        last = max(cells, default=0)
        if not self._width:
            self._width = max(last, *(cell.column for cell in wrong)) if wrong else last
        elif last > self._width:
            self._long_rows += 1
        padded: list[Cell] = [None] * max(last, self._width)
        self._budget.spend(len(padded))
        for column, cell in cells.items():
            padded[column - 1] = cell
        self.lines.append(SheetRow(self._row, padded, wrong))
        if self._long_rows > _LONG_ROWS:
            raise Unreadable(
                _("More than %(limit)s rows have cells beyond the header: give each column a heading.")
                % {"limit": _LONG_ROWS}
            )


def _count(text: str) -> int:
    """A whole number that is not written at length; -1 for anything else."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def column_letters(column: int) -> str:
    """The letters of a column by number: A is 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
