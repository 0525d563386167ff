"""The local demo's secrets: made once, kept, and readable for their owner only."""

import os
import socket
import stat

import environ
import pytest

from config import local
from operators import keys


@pytest.fixture
def state_dir(tmp_path):
    """A folder that is not there yet, on a machine that shares every new file."""
    before = os.umask(0)
    yield tmp_path / "state"
    os.umask(before)


def values(state_dir):
    found = {}
    environ.Env.read_env(state_dir / "local.env", overwrite=True)
    for name in local.VARIABLES:
        found[name] = os.environ[name]
    return found


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in local.VARIABLES:
        monkeypatch.setenv(name, "")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_works(state_dir):
    local.write_secrets(state_dir)
    found = values(state_dir)
    assert found["CHARGETREE_ENVIRONMENT"] == "demo"
    assert len(found["SECRET_KEY"]) >= 50
    assert len(found["API_KEY_PEPPER"]) >= 50
    assert keys.is_key(found["DEMO_API_KEY"])
    assert len(set(found.values())) == len(found)
    assert not list(state_dir.glob("*.new"))


def test_only_the_owner_reads_them(state_dir, monkeypatch):
    modes = []
    replace = local.Path.replace
    monkeypatch.setattr(local.Path, "replace", lambda path, to: (modes.append(mode(path)), replace(path, to)))
    local.write_secrets(state_dir)
    assert modes == [0o600]
    assert mode(state_dir / "local.env") == 0o600
    assert mode(state_dir) == 0o700


def test_the_second_time_changes_nothing_but_a_careless_mode(state_dir):
    local.write_secrets(state_dir)
    path = state_dir / "local.env"
    text = path.read_text()
    path.chmod(0o644)
    local.write_secrets(state_dir)
    assert path.read_text() == text
    assert mode(path) == 0o600


def test_what_is_missing_or_empty_is_added_and_the_rest_kept(state_dir):
    state_dir.mkdir()
    (state_dir / "local.env.new").write_text("left behind")
    path = state_dir / "local.env"
    path.write_text("# mine\nLOG_LEVEL=DEBUG\nSECRET_KEY=\nDEMO_ADMIN_PASSWORD=chosen")
    local.write_secrets(state_dir)
    found = values(state_dir)
    assert found["DEMO_ADMIN_PASSWORD"] == "chosen"
    assert all(found.values())
    assert path.read_text().startswith("# mine\nLOG_LEVEL=DEBUG\nDEMO_ADMIN_PASSWORD=chosen\n")
    assert mode(path) == 0o600


def test_secrets_differ_between_installations(tmp_path):
    for name in ("one", "other"):
        local.write_secrets(tmp_path / name)
    one, other = values(tmp_path / "one"), values(tmp_path / "other")
    assert {name for name in one if one[name] == other[name]} == {"CHARGETREE_ENVIRONMENT"}


def test_a_busy_port_is_named(capsys):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = str(server.getsockname()[1])
        with pytest.raises(SystemExit, match=f"Cannot listen on 127.0.0.1 port {port} .*make run PORT=8001"):
            local.check_port("127.0.0.1", port)
    local.check_port("127.0.0.1", port)


@pytest.mark.parametrize("port", ["", "x", "0", "65536", "-1", "8000 ", "8_000", "１２３４", "9" * 30])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(SystemExit, match="it must be a number from 1 to 65535"):
        local.check_port("127.0.0.1", port)
