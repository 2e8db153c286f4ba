"""Every code of the product is in a list that says what it means and what to do."""

import pytest

from tests.requirements import Entry, entries
from tests.requirements.raised import raised

pytestmark = pytest.mark.requirement("X-21")

LISTED = [*entries("codes.yaml"), *entries("own_codes.yaml")]


@pytest.mark.parametrize(("code", "places"), sorted(raised().items()))
def test_what_the_product_says_is_listed(code: str, places: set[str]):
    known = {entry.name for entry in LISTED}
    assert code in known, f"{sorted(places)}: add {code} to tests/requirements/own_codes.yaml"


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry.name)
def test_each_has_a_level_a_sentence_and_a_next_step(entry: Entry):
    level, meaning, remedy = entry.texts
    assert level in ("error", "warning", "info")
    assert len(meaning.split()) > 2
    assert remedy
    if level == "error" and remedy.startswith("none"):
        assert remedy.startswith("none; "), f"{entry.name}: say what happens by itself"


def test_none_is_listed_twice_and_none_of_ours_in_vain():
    names = [entry.name for entry in LISTED]
    assert len(names) == len(set(names))
    ours = {entry.name for entry in entries("own_codes.yaml")}
    assert ours - set(raised()) == set()


def test_the_collection_finds_every_form():
    found = raised()
    for code in ("BUSY", "THROTTLED", "FORBIDDEN", "INPUT_INVALID", "NO_ADMINISTRATOR"):
        assert found.get(code), code
    assert not any(code.startswith("KEYTURN_") for code in found)
