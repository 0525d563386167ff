"""Starting with wrong settings or without a database: one line that says what to mend, and no traceback."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "x" * 60
SOUND = {
    "CHARGETREE_ENVIRONMENT": "test",
    "SECRET_KEY": SECRET,
    "API_KEY_PEPPER": SECRET,
    "DATABASE_URL": "sqlite://:memory:",
    "LOG_LEVEL": "ERROR",
}


def manage(command, **values):
    environment = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"} | SOUND | values
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *command], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHARGETREE_ENVIRONMENT", "staging"),
        ("SECRET_KEY", "short"),
        ("API_KEY_PEPPER", ""),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://u:p@h/n"),
        ("LOG_LEVEL", "NOPE"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "many"),
        ("IMPORT_MAX_MEGABYTES", "0"),
        ("MAP_TILE_URL", "https://x/1.png"),
        ("WEBHOOK_PRIVATE_NETWORKS", "10.0.0.0/99"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(name, value):
    with mock.patch.dict(os.environ, SOUND | {name: value}, clear=True), pytest.raises(ImproperlyConfigured) as refusal:
        runpy.run_path(str(ROOT / "config" / "settings.py"))
    assert name in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_it_is_all_that_is_said():
    result = manage(["check"], SECRET_KEY="short")
    assert result.returncode == 1
    assert result.stderr.startswith("SECRET_KEY ")
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_sound_settings_pass():
    result = manage(["check"])
    assert (result.returncode, result.stderr) == (0, "")


def test_an_empty_database_is_told_in_two_lines():
    result = manage(["create_customer", "Early"])
    assert result.returncode == 1
    assert "manage.py migrate" in result.stderr
    assert "Traceback" not in result.stderr
