"""Every requirement and every diagnosis has a test, and the pages that list them are fresh."""

from tests.requirements import collect
from tests.requirements.report import missing, stale, unknown


def test_every_mark_names_a_requirement_or_a_code_of_the_lists():
    assert unknown(collect()) == [], "see tests/requirements/ids.yaml and codes.yaml"


def test_every_requirement_and_every_code_has_a_test():
    assert missing(collect()) == {"requirement": [], "diagnosis": []}


def test_the_pages_are_fresh():
    assert stale() == [], "run: make generate"
