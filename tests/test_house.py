"""The rules of the house, read from the sources: who imports whom, and what stands only in one place."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model

from tests.contract import OBJECTS

ROOT = Path(__file__).resolve().parent.parent
# From the bottom to the top.
NOUNS = ("hierarchy", "chargers", "drivers", "operators")
FRAMEWORKS = ("api", "bulk", "backoffice")
PACKAGES = ("config", *FRAMEWORKS, *NOUNS)
# Serializers and documents nest in this order: a site holds chargers, a driver sites, an operator drivers.
NESTING = ("chargers", "hierarchy", "drivers", "operators")
NESTED = {"serializers", "documents", "views"}

# The layers: each module imports only from its own and those below.
SETTINGS, DOMAIN, FRAMEWORK, BACKOFFICE, SURFACE, TOP = range(6)
SURFACES = {
    "admin",
    "apps",
    "bulk",
    "changes",
    "documents",
    "flat",
    "forms",
    "management",
    "registers",
    "resources",
    "serializers",
    "views",
}
# What belongs to operators and speaks to clients.
SURFACE_MODULES = {
    "operators.authentication",
    "operators.idempotency",
    "operators.webhooks.messages",
    "operators.webhooks.dispatch",
    "operators.webhooks.services",
}

# Bare transactions: a write inside would not be in the journal's, so entities are written in `recording` blocks.
OPEN_TRANSACTIONS = {"hierarchy.journal", "hierarchy.db", "operators.authentication", "chargers.status"}


class Module(NamedTuple):
    name: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".")[0]

    @property
    def part(self) -> str:
        return part_of(self.name)


def part_of(name: str) -> str:
    """What a module is within its package: `models`, `admin`, `bulk` …; of webhooks what it is within them."""
    names = name.split(".")[1:]
    if names[:1] == ["webhooks"]:
        names = names[1:] or names
    return names[0] if names else ""


def layer_of(name: str) -> int:
    package = name.split(".")[0]
    if package == "config":
        return SETTINGS if name in ("config.settings", "config.middleware") else TOP
    if part_of(name) == "management":
        return SURFACE
    if package in NOUNS:
        is_surface = part_of(name) in SURFACES or any(f"{name}.".startswith(f"{one}.") for one in SURFACE_MODULES)
        return SURFACE if is_surface else DOMAIN
    return BACKOFFICE if package == "backoffice" else FRAMEWORK


@cache
def modules() -> dict[str, Module]:
    return {module.name: module for module in _parsed()}


def _parsed() -> Iterator[Module]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                name = ".".join(parts).removesuffix(".__init__")
                yield Module(name, ast.parse(path.read_text(encoding="utf-8")))


def imports(tree: ast.AST) -> set[str]:
    """The names that a module imports, whole: `from a import b` is a.b. Inside functions too, and what is loaded by a
    literal name; only what type checkers alone read is not counted."""
    found = set()
    for node in _running(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "Imports are absolute."
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            found |= _loaded(node)
    return {name for name in found if name.split(".")[0] in PACKAGES}


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        is_typing = isinstance(tree, ast.If) and getattr(tree.test, "id", "") == "TYPE_CHECKING" and child in tree.body
        if not is_typing:
            yield from _running(child)


def _loaded(call: ast.Call) -> set[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    literals = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if name == "import_string" or name == "import_module":
        return set(literals[:1])
    if name == "get_model" and literals:
        return {f"{literals[0].partition('.')[0]}.models"}
    return set()


def module_of(imported: str) -> str:
    """The module that an imported name leads to."""
    while imported not in modules() and "." in imported:
        imported = imported.rpartition(".")[0]
    return imported


def objection(importer: str, imported: str) -> str | None:
    """Why the module `importer` must not import `imported`; None if it may."""
    here, there = layer_of(importer), layer_of(module_of(imported))
    package, other = importer.split(".")[0], imported.split(".")[0]
    if there > here:
        return f"layer {here} imports nothing of layer {there}"
    if here == DOMAIN and there == DOMAIN and NOUNS.index(other) > NOUNS.index(package):
        return f"domain modules import downwards only: {' ← '.join(NOUNS)}"
    if here in (FRAMEWORK, BACKOFFICE):
        if there == DOMAIN and other != "hierarchy":
            return "frameworks know the domain of hierarchy only"
        if there == FRAMEWORK and other != package and (package, other) != ("backoffice", "bulk"):
            return f"{package} does not know {other}"
    if here == there == SURFACE and {part_of(importer), part_of(imported)} <= NESTED:
        order = NESTING.index
        if package in NESTING and other in NESTING and order(other) > order(package):
            return f"nested documents: {' ← '.join(NESTING)}"
    return None


def test_imports_follow_the_layers():
    objections = [
        f"{name} imports {imported}: {why}"
        for name, module in modules().items()
        for imported in sorted(imports(module.tree))
        if (why := objection(name, imported))
    ]
    assert not objections, "\n".join(objections)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("hierarchy.services", "operators.models.Operator"),
        ("chargers.models", "drivers.models.Driver"),
        ("hierarchy.models", "hierarchy.documents.site_tree"),
        ("hierarchy.services", "api.errors.Problem"),
        ("drivers.access", "drivers.serializers.TagSerializer"),
        ("hierarchy.documents", "drivers.documents.render_drivers"),
        ("chargers.serializers", "hierarchy.serializers.SiteSerializer"),
        ("chargers.models", "chargers.flat.FlatChargerSerializer"),
        ("bulk.plan", "chargers.bulk.TABLE"),
        ("bulk.plan", "api.errors.Problem"),
        ("bulk.plan", "chargers.models.Charger"),
        ("api.resources", "chargers.flat.FlatChargerSerializer"),
        ("api.resources", "bulk.plan.Plan"),
        ("api.errors", "drivers.models.Driver"),
        ("backoffice.entities", "operators.admin.OperatorAdmin"),
        ("backoffice.consequences", "drivers.what_if.grant"),
        ("backoffice.imports", "api.errors.Problem"),
        ("config.middleware", "operators.models.Operator"),
        ("hierarchy.services", "config.urls.api_patterns"),
        ("drivers.views", "config.admin.ChargetreeAdminSite"),
    ],
)
def test_what_breaks_the_layers_is_found(importer, imported):
    assert objection(importer, imported)


def test_nothing_imports_in_a_circle():
    """Of modules, imports inside functions included."""
    graph = {name: {module_of(one) for one in imports(module.tree)} - {name} for name, module in modules().items()}
    circles = [sorted(circle) for circle in strongly_connected(graph) if len(circle) > 1]
    assert not circles, "\n".join(" ↔ ".join(circle) for circle in circles)


def strongly_connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """Tarjan's algorithm."""
    found: list[set[str]] = []
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> None:
        index[node] = lowest[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], index[other])
        if lowest[node] == index[node]:
            circle = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            found.append(circle)

    for node in graph:
        if node not in index:
            visit(node)
    return found


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("from hierarchy.models import Site", {"hierarchy.models.Site"}),
        ("def f():\n    from hierarchy import tree", {"hierarchy.tree"}),
        ('apps.get_model("drivers", "Driver")', {"drivers.models"}),
        ('import_string("operators.keys.new_key")', {"operators.keys.new_key"}),
        ("if TYPE_CHECKING:\n    from hierarchy.models import Site", set()),
    ],
)
def test_every_way_to_import_is_seen(source, imported):
    assert imports(ast.parse(source)) == imported


def test_no_package_holds_too_much():
    lines: dict[str, int] = dict.fromkeys(PACKAGES, 0)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if not {"migrations", "demo"} & set(path.parts):
                lines[package] += len(path.read_text(encoding="utf-8").splitlines())
    whole = sum(lines.values())
    assert max(lines.values()) <= 0.3 * whole, lines


def test_models_stand_in_models():
    found = {
        f"{model.__module__}.{model.__name__}"
        for app in NOUNS
        for model in apps.get_app_config(app).get_models()
        if "models" not in model.__module__.split(".")
    }
    assert not found
    assert all(issubclass(model, Model) for model in apps.get_models())


def test_documented_keys_stand_in_serializers_alone():
    """Besides, as names of columns, in flat objects and bulk tables; and where a request names a parameter."""
    keys = {key for keys in OBJECTS.values() for key in keys if key != key.lower()}
    allowed = {"serializers", "columns", "flat", "bulk", "registers", "resources", "views"}
    found = [
        f"{module.name}, line {node.lineno}: {node.value!r}"
        for module in modules().values()
        if module.part not in allowed and module.name not in ("api.schema", "bulk.site_tree", "config.urls")
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
        for module in modules().values()
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
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("atomic", "set_autocommit", "savepoint")
    }
    assert found <= OPEN_TRANSACTIONS, (
        f"{sorted(found - OPEN_TRANSACTIONS)}: open a journal.recording() block, or a snapshot() to read."
    )


def test_every_model_has_a_page_in_the_admin():
    models = {model for app in NOUNS for model in apps.get_app_config(app).get_models()}
    shown = {model for model in models if admin.site.is_registered(model)}
    # Numbers on which the journal locks and by which tags are made; what waits for its answer on pages that only who
    # brought it finds; and what requests and webhooks remember from one time to the next.
    silent = {"Attempts", "ChangeCounter", "ImportPlan", "Mark", "IdempotentRequest", "ToldStatus"}
    assert {model.__name__ for model in models - shown} == silent


# Django looks for commands by this name.
SHARED_CLASS_NAMES = {"Command"}


def test_class_names_are_unique():
    """So that a name says which one: with and without an underscore."""
    places = defaultdict(list)
    for name, module in modules().items():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(name)
    shared = {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED_CLASS_NAMES}
    assert not shared, "\n".join(f"{name}: {', '.join(found)}" for name, found in sorted(shared.items()))


def test_nobody_reads_rows_of_everybody_by_a_private_name():
    """`unscoped` says aloud that no scope is applied."""
    found = [
        f"{name}, line {node.lineno}"
        for name, module in modules().items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "_base_manager"
    ]
    assert not found, found


def test_every_module_says_what_belongs_in_it():
    silent = [
        module.name
        for module in modules().values()
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
