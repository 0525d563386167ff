"""Every model of the product has all that belongs to one: flat object, table for files, page, rows in the demo."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import checks
from django.core.management import call_command

import config.urls  # noqa: F401  (webhooks have their flat object beside their resources)
from bulk.tables import tables
from hierarchy.changes import kinds
from hierarchy.entity import Entity
from hierarchy.rules import Rules

ROOT = Path(__file__).resolve().parent.parent
MODELS = sorted((model for model in apps.get_models() if issubclass(model, Entity)), key=lambda model: model.__name__)

# What is missing on purpose, and why.
EXCEPTIONS = {
    ("Customer", "flat"): "API keys belong to one customer, who is at /me.",
    ("Customer", "table"): "A file is one customer's.",
    ("Import", "flat"): "Imports have documents of their own.",
    ("Import", "table"): "Records of imports are not imported.",
    ("Import", "demo"): "Nothing is imported in the demo.",
    ("ApiKey", "flat"): "API keys are not managed with API keys.",
    ("ApiKey", "table"): "Secrets are in no file.",
    ("Webhook", "table"): "Secrets are in no file.",
    ("Webhook", "demo"): "The demo sends nothing anywhere.",
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_nothing_is_missing(model):
    found = {
        "flat": model._meta.model_name in kinds(),
        "table": any(table.model is model for table in tables().values()),
        "page": admin.site.is_registered(model),
    }
    missing = {what for what, is_there in found.items() if not is_there}
    excepted = {what for name, what in EXCEPTIONS if name == model.__name__} - {"demo"}
    assert missing == excepted, f"{model.__name__}: add {sorted(missing - excepted)}, see docs/development.md"


def test_the_demo_has_rows_of_every_model(db, monkeypatch):
    monkeypatch.setenv("DEMO_API_KEY", "ctk_" + "D" * 32)
    for name in ("DEMO_STAFF_PASSWORD", "DEMO_ADMIN_PASSWORD", "DEMO_OPERATOR_PASSWORD"):
        monkeypatch.setenv(name, "a password of the demo")
    call_command("seed_demo", verbosity=0)
    empty = {model.__name__ for model in MODELS if not model.unscoped.exists()}
    assert empty == {name for name, what in EXCEPTIONS if what == "demo"}


@pytest.mark.parametrize(
    ("rules", "unknown"),
    [
        (Rules(place_fields={"site"}), []),
        (Rules(place_fields={"place"}), ["place: chargers.Charger has no field place"]),
        (Rules(sites=("site__above",)), ["site__above: hierarchy.Site has no field above"]),
        (Rules(secret_fields={"pin"}), ["pin: chargers.Charger has no field pin"]),
    ],
)
def test_rules_name_what_there_is(rules, unknown, monkeypatch):
    charger = apps.get_model("chargers", "Charger")
    assert list(rules.unknown_names(charger)) == unknown
    monkeypatch.setattr(charger, "rules", rules)
    errors = [one for one in charger.check() if isinstance(one, checks.Error) and one.id == "chargetree.E001"]
    assert [one.msg for one in errors] == unknown


def test_every_registry_is_listed():
    """What registers itself has its row in the docs."""
    page = (ROOT / "docs" / "development.md").read_text("utf-8")
    found = set()
    for package in ("api", "bulk", "backoffice", "hierarchy"):
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            names = re.findall(r"^def (register\w*)\(", path.read_text("utf-8"), re.MULTILINE)
            found |= {f"`{module}.{name}`" for name in names}
    assert len(found) >= 4
    assert not [name for name in found if name not in page]
