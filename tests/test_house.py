"""The rules of the house, read from the sources: who imports whom, and what stands only in one place."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from django.apps import apps
from django.contrib import admin

from tests.contract import OBJECTS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "hierarchy", "chargers", "drivers", "operators")

# Domain modules import from their own floor and those below it.
FLOORS = ("hierarchy", "chargers", "drivers", "operators")
# Serializers and documents nest in this order: a site holds chargers, a driver sites, an operator drivers.
NESTING = ("chargers", "hierarchy", "drivers", "operators")

# Which surfaces a surface may import, besides any domain. Everything else in an app is domain, and imports none.
SURFACES = {
    "serializers": {"serializers"},
    "documents": {"documents", "serializers"},
    "filters": set(),
    "views": {"bulk", "documents", "serializers", "filters"},
    "flat": {"flat"},
    "resources": {"documents", "flat", "resources", "serializers", "views"},
    "urls": {"resources", "views"},
    "admin": {"admin", "bulk", "forms"},
    "forms": {"admin", "forms"},
    "templatetags": {"admin"},
    "bulk": {"bulk", "registers"},
    "registers": {"bulk", "registers"},
    "management": {"management", "bulk"},
}
NESTED = {"serializers", "documents", "views"}

# Bare transactions: a write inside would not be in the journal's, so entities are written in `recording` blocks.
OPEN_TRANSACTIONS = {"hierarchy.journal", "hierarchy.db", "operators.authentication", "chargers.status"}


class Module(NamedTuple):
    name: str
    tree: ast.Module

    @property
    def app(self) -> str:
        return self.name.split(".")[0]

    @property
    def part(self) -> str:
        return part_of(self.name)


def part_of(name: str) -> str:
    """What a module is within its app: `models`, `admin`, `bulk` …; of `webhook_resources` the last word."""
    return name.split(".")[1].rpartition("_")[2] if "." in name else ""


@cache
def modules() -> tuple[Module, ...]:
    return tuple(_parsed())


def _parsed() -> Iterator[Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                name = ".".join(parts).removesuffix(".__init__")
                yield Module(name, ast.parse(path.read_text(encoding="utf-8")))


def imports(tree: ast.Module) -> set[str]:
    """The names that a module imports, whole: `from a import b` is a.b."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "Imports are absolute."
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in PACKAGES}


def objection(module: Module, imported: str) -> str | None:
    """Why `module` must not import `imported`; None if it may."""
    app, part = imported.split(".")[0], part_of(imported)
    if module.app == "config":
        if module.part in ("api", "middleware", "settings") and app != "config":
            return "this part of config knows no app"
        if part in SURFACES and (module.part, part) not in {
            ("urls", "views"),
            ("urls", "resources"),
            ("admin", "admin"),
        }:
            return "config puts together only urls and the admin"
        return None
    if app == "config":
        return None if part in ("api", "middleware") else "apps know config/api and nothing else of config"
    if module.part not in SURFACES:
        if part in SURFACES:
            return "domain modules import no surface"
        if FLOORS.index(app) > FLOORS.index(module.app):
            return "domain modules import only downwards"
        return None
    if part not in SURFACES:
        return None
    if part not in SURFACES[module.part]:
        return f"{module.part} may import of surfaces only {sorted(SURFACES[module.part])}"
    order = NESTING if module.part in NESTED else FLOORS
    if order.index(app) > order.index(module.app):
        return f"the order is {' ← '.join(order)}"
    return None


def test_imports_follow_the_floors():
    objections = [
        f"{module.name} imports {imported}: {why}"
        for module in modules()
        for imported in sorted(imports(module.tree))
        if (why := objection(module, imported))
    ]
    assert not objections, "\n".join(objections)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("hierarchy.services", "operators.models.Operator"),
        ("chargers.models", "drivers.models.Driver"),
        ("hierarchy.models", "hierarchy.documents.site_tree"),
        ("drivers.access", "drivers.serializers.TagSerializer"),
        ("hierarchy.documents", "drivers.documents.render_drivers"),
        ("chargers.serializers", "hierarchy.serializers.SiteSerializer"),
        ("chargers.views", "drivers.views.DriverView"),
        ("hierarchy.resources.base", "chargers.flat.FlatChargerSerializer"),
        ("chargers.models", "chargers.flat.FlatChargerSerializer"),
        ("hierarchy.admin.entities", "operators.admin.OperatorAdmin"),
        ("hierarchy.bulk.plan", "chargers.bulk.TABLE"),
        ("drivers.bulk", "drivers.views.DriverView"),
        ("config.api.errors", "hierarchy.models.Site"),
        ("config.middleware", "operators.models.Operator"),
        ("hierarchy.services", "config.settings.env"),
    ],
)
def test_what_breaks_the_rule_is_found(module, imported):
    assert objection(Module(module, ast.parse("")), imported)


def test_documented_keys_stand_in_serializers_alone():
    """Besides, as names of columns, in flat objects and bulk tables; and where a request names a parameter."""
    keys = {key for keys in OBJECTS.values() for key in keys if key != key.lower()}
    allowed = {"serializers", "flat", "bulk", "registers", "resources", "views"}
    found = [
        f"{module.name}, line {node.lineno}: {node.value!r}"
        for module in modules()
        if module.part not in allowed and module.name not in ("config.api.schema", "config.urls")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value in keys
    ]
    assert not found, "Take these keys from the serializer's fields:\n" + "\n".join(found)


def is_tie(value: ast.expr) -> bool:
    """Whether a condition ties rows to other rows' customer, and does not say whose rows the caller may read."""
    if isinstance(value, ast.Call):
        return getattr(value.func, "id", "") == "OuterRef"
    callers = {"scope", "caller", "operator", "user", "self"}
    return (
        isinstance(value, ast.Attribute)
        and value.attr == "customer_id"
        and isinstance(value.value, ast.Name)
        and value.value.id not in callers
    )


def test_nobody_filters_by_customer_by_hand():
    """What a caller may see, `visible_to` says."""
    surfaces = {"views", "resources", "admin", "forms", "filters", "flat", "serializers", "documents", "urls"}
    conditions = {"filter", "exclude", "get", "Q", "get_or_create", "update_or_create", "get_object_or_404"}
    found = [
        f"{module.name}, line {node.lineno}: {keyword.arg}="
        for module in modules()
        if module.part in surfaces or module.name == "config.admin"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in conditions
        for keyword in node.keywords
        if (keyword.arg or "").split("__")[0] in ("customer", "customer_id") and not is_tie(keyword.value)
    ]
    assert not found, "Filter with visible_to(scope):\n" + "\n".join(found)


def test_transactions_are_opened_where_the_journal_knows_of_them():
    found = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("atomic", "set_autocommit", "savepoint")
    }
    assert found <= OPEN_TRANSACTIONS, (
        f"{sorted(found - OPEN_TRANSACTIONS)}: open a journal.recording() block, or a snapshot() to read."
    )


def test_every_model_has_a_page_in_the_admin():
    models = {model for app in FLOORS for model in apps.get_app_config(app).get_models()}
    shown = {model for model in models if admin.site.is_registered(model)}
    # Numbers on which the journal locks and by which tags are made; what waits for its answer on pages that only who
    # brought it finds; and what requests and webhooks remember from one time to the next.
    silent = {"Attempts", "ChangeCounter", "ImportPlan", "Mark", "IdempotentRequest", "ToldStatus"}
    assert {model.__name__ for model in models - shown} == silent


def test_every_module_says_what_belongs_in_it():
    silent = [
        module.name
        for module in modules()
        if module.tree.body and module.part != "apps" and not ast.get_docstring(module.tree)
    ]
    assert not silent, f"Begin these with a docstring of one sentence: {silent}"


def test_colours_are_tokens_for_light_and_dark():
    """Each colour stands only in tokens.css, and there it says what it is in either theme."""
    colour = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(|\b(?:black|white|gr[ae]y)\b", re.I)
    # What stands between a colon and a semicolon or the end of a rule is no selector.
    values = {
        sheet.name: re.findall(r"([\w-]+):([^;{}]+)[;}]", re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S))
        for sheet in (ROOT / "static" / "chargetree").glob("*.css")
    }
    tokens = values.pop("tokens.css")
    literal = [f"{sheet}: {name}" for sheet, found in values.items() for name, value in found if colour.search(value)]
    assert not literal, f"Take these colours from tokens.css: {literal}"
    colours = {name: value.strip() for name, value in tokens if name.startswith("--color-") or colour.search(value)}
    assert len(colours) > 30
    one_sided = [name for name, value in colours.items() if not re.fullmatch(r"light-dark\(.+, .+\)", value)]
    assert not one_sided, f"Say what these colours are in light and in dark: {one_sided}"
