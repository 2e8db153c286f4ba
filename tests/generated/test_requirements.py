"""Tests name requirements and diagnoses that exist."""

from tests.requirements import collect
from tests.requirements.report import unknown


def test_every_mark_names_a_requirement_or_a_code_of_the_lists():
    assert unknown(collect()) == [], "see tests/requirements/ids.yaml and codes.yaml"
