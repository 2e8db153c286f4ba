"""The schema for editors agrees with what the loader takes; every key is described."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.profile import FOLDER, catalogue
from shared.profile.reference import json_schema, undescribed
from shared.profile.reference.page import page

SCHEMA = json.loads(json_schema())


def problems(document: dict[str, Any]) -> list[str]:
    found = Draft202012Validator(SCHEMA).iter_errors(document)
    return [f"{'/'.join(map(str, problem.absolute_path))}: {problem.message}" for problem in found]


def test_every_key_is_described_once():
    assert undescribed() == [], "say in shared/profile/reference/keys.yaml what these mean"


@pytest.mark.slow
def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", catalogue())
def test_built_in_profiles_keep_to_it_and_point_to_it(name):
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    assert problems(yaml.safe_load(text)) == []
    assert text.startswith("# yaml-language-server: $schema=../../docs/profile.schema.json\n")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"colour": "red"}, ""),
        ({"checks": ["tokens"]}, "checks/0"),
        ({"credential": {"kind": "password"}}, "credential/kind"),
        ({"outputs": None}, "outputs"),
    ],
)
def test_what_the_loader_refuses_it_refuses(change, where):
    document = yaml.safe_load((FOLDER / "pandium.yaml").read_text("utf-8"))
    assert [found.split(":")[0] for found in problems({**document, **change})] == [where]


def test_a_profile_that_extends_none_needs_more():
    plain = {"schema": "connector-profile/v1", "id": "a", "title": "A"}
    assert problems({**plain, "extends": "pandium"}) == []
    assert len(problems(plain)) == 1


def test_a_page_without_a_place_for_a_table_is_refused():
    with pytest.raises(ValueError, match="no place for keys"):
        page("# Profiles\n")
