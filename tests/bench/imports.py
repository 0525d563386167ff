"""`python -m tests.bench.imports`: large imports against the least that they could take, on one database.

The least is to parse the file with the csv module and to write the rows that the import wrote, lines of the journal
included, with the driver's quickest statements in one transaction; nothing is checked or compared. Prints a table and
exits 1 where a target is missed. With `--full` a million sockets are exported, too. Under `python -m tests.postgres`
the database is PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.db import connection  # noqa: E402

from chargers.models import Charger, Socket  # noqa: E402
from hierarchy.models import Customer  # noqa: E402
from tests.bench import commands, databases, files, floor  # noqa: E402

POINTS = 29_109
SITES, CHARGERS = 2_040, 100_000
SOCKETS_PER_CHARGER = 10
MEGABYTE = 1_000_000
_CUSTOMER = ("--customer", "Northwind", "--no-input")


def main() -> int:
    """Measure on scratch databases, which are removed afterwards; the answer is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.imports")
    parser.add_argument("--full", action="store_true", help="export a million sockets, too; takes some minutes")
    is_full = parser.parse_args().full
    with tempfile.TemporaryDirectory(prefix="chargetree-bench-") as folder, databases.scratch():
        print(f"{databases.title()}, Python {platform.python_version()}, {os.cpu_count()} cores")
        _print("", "seconds", "rows/s", "memory", "least", "ratio", "")
        Customer(name="Northwind").save()
        met = [_register(Path(folder)), _table(Path(folder), is_full)]
    return 0 if all(met) else 1


def _register(folder: Path) -> bool:
    """The register of a whole country, into an empty network; then the same file once more."""
    path = folder / "register.csv"
    files.write_register(path, POINTS)
    return _twice(path, POINTS, ("--format", "irve"), target=30, again=15)


def _table(folder: Path, is_full: bool) -> bool:
    """A table of our own, into a network that has the sites; then once more; then all sockets out of it."""
    sites, chargers = folder / "sites.csv", folder / "chargers.csv"
    files.write_sites(sites, SITES)
    files.write_chargers(chargers, CHARGERS, SITES)
    with databases.copy("sites") as url:
        _import(url, sites)
        is_met = _twice(chargers, CHARGERS, (), target=90, most=1000 * MEGABYTE)
        if is_full:
            _import(url, chargers)
            is_met &= _export(url, folder)
        return is_met


def _twice(
    path: Path, rows: int, options: tuple[str, ...], *, target: int, again: int | None = None, most: int | None = None
) -> bool:
    """Import a file, then once more what is there already; whether both stayed below their targets."""
    before = floor.last_ids()
    with databases.copy("ours") as url:
        first = _import(url, path, *options)
        # At once, before PostgreSQL has counted the rows by itself.
        second = _import(url, path, *options)
        if "Nothing to do" not in second.output:
            raise AssertionError(f"The second import of {path.name} has something to do:\n{second.output}")
        written = floor.rows_after(before)
    with databases.copy("least"):
        least = floor.seconds(path, written)
    kind = path.stem
    results = [
        _result(f"{kind}, {rows:,} rows", first, rows, target, most, least),
        _result(f"{kind}, the same again", second, rows, again, most),
    ]
    return all(results)


def _import(url: str, path: Path, *options: str) -> commands.Run:
    return commands.run(url, "import_network", str(path), *_CUSTOMER, *options)


def _export(url: str, folder: Path) -> bool:
    """All sockets of a network that has a million, as CSV and as a workbook."""
    _add_sockets()
    databases.gather_statistics()
    rows = CHARGERS * SOCKETS_PER_CHARGER
    results = []
    for kind in ("csv", "xlsx"):
        target = folder / f"sockets.{kind}"
        run = commands.run(url, "export_network", "--table", "sockets", "--output", str(target))
        results.append(_result(f"export, {rows:,} rows, {kind}", run, rows, most=200 * MEGABYTE))
    return all(results)


def _add_sockets() -> None:
    """Give every charger so many sockets, by one statement."""
    model = Socket(name="Left", type="IEC_62196_T2", format="SOCKET", max_power="22 kW", max_power_w=22_000)
    given = {"charger_id": "charger.id", "number": "numbers.number"}
    fields = [field for field in Socket._meta.concrete_fields if not field.primary_key]
    values = [field for field in fields if field.column not in given]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    selected = ", ".join(given.get(field.column, "%s") for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < "
            f"{SOCKETS_PER_CHARGER}) INSERT INTO {Socket._meta.db_table} ({columns}) "
            f"SELECT {selected} FROM {Charger._meta.db_table} charger CROSS JOIN numbers",
            [field.get_db_prep_save(getattr(model, field.attname), connection) for field in values],
        )


def _result(
    title: str,
    run: commands.Run,
    rows: int,
    target: int | None = None,
    most: int | None = None,
    least: float | None = None,
) -> bool:
    """Print one line; whether the run took less time and memory than it may."""
    targets = [f"< {target} s"] if target else []
    targets += [f"< {most / MEGABYTE:.0f} MB"] if most else []
    is_met = (target is None or run.seconds < target) and (most is None or run.peak < most)
    _print(
        title,
        f"{run.seconds:.1f} s",
        f"{rows / run.seconds:,.0f}",
        f"{run.peak / MEGABYTE:.0f} MB" if run.peak else "",
        f"{least:.1f} s" if least else "",
        f"{run.seconds / least:.1f}×" if least else "",
        ", ".join(targets),
        is_met,
    )
    return is_met


def _print(
    title: str, seconds: str, speed: str, memory: str, least: str, ratio: str, target: str, is_met: bool = True
) -> None:
    line = f"{title:<34}{seconds:>9}{speed:>9}{memory:>10}{least:>9}{ratio:>8}  {target:<16}"
    print(f"{line}{'' if is_met else ' missed'}".rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
