"""What an import does to a row: create, update or leave unchanged."""

import pytest

from bulk.compare import Action, compare


def test_it_works():
    assert compare(None, {"name": "A"}) == (Action.CREATE, {"name": "A"})
    assert compare({"name": "A", "city": "B"}, {"name": "A", "city": "C"}) == (Action.UPDATE, {"city": "C"})
    assert compare({"name": "A", "city": "B"}, {"name": "A"}) == (Action.UNCHANGED, {})


@pytest.mark.parametrize(
    ("existing", "entries", "expected"),
    [
        (None, {"a": "1", "b": None}, {"a": "1"}),
        ({"a": "1"}, {"a": "1"}, None),
        ({"a": "1", "b": "2"}, {"a": "3"}, {"a": "3", "b": "2"}),
        ({"a": "1", "b": "2"}, {"a": None}, {"b": "2"}),
        (None, {"a": None}, {}),
    ],
)
def test_single_entries_of_an_object(existing, entries, expected):
    before = None if existing is None else {"custom": existing}
    action, values = compare(before, {}, {"custom": entries})
    assert values == ({} if expected is None else {"custom": expected})
    assert action == (Action.CREATE if before is None else Action.UPDATE if values else Action.UNCHANGED)


def test_nothing_given_is_touched():
    given, entries = {"name": "B"}, {"custom": {"a": "1"}}
    compare({"name": "A", "custom": {}}, given, entries)
    assert (given, entries) == ({"name": "B"}, {"custom": {"a": "1"}})
