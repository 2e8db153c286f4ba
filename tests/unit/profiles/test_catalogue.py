"""The built-in profiles are read strictly, and say which steps of a guide they spare."""

from pathlib import Path

import pytest

from shared.profile import catalogue, parse
from shared.profile.document import ProfileInvalid, folder_base, read

SEEDS = (
    "devolutions-server",
    "netwrix-identity-manager",
    "pam360",
    "pandium",
    "password-manager-pro",
)


@pytest.mark.requirement("D-05")
def test_sixteen_products_are_known_by_the_names_of_their_files():
    profiles = catalogue()
    assert len(profiles) == 16
    assert set(SEEDS) <= set(profiles)
    assert all(profile.id == name for name, profile in profiles.items())
    assert "../profiles/pam360" not in profiles


@pytest.mark.parametrize("name", SEEDS)
def test_every_line_of_a_sheet_names_the_step_that_it_makes_needless(name):
    assert all(output.replaces for output in catalogue()[name].outputs)


def test_a_profile_that_extends_another_has_its_keys_and_its_own_go_before():
    base, own = catalogue()["pam360"], catalogue()["password-manager-pro"]
    assert own.permissions == base.permissions
    assert own.preconditions == base.preconditions
    assert own.registration.display_name == "Password Manager Pro"
    assert own.facts == "complete"
    assert own.outputs[1].label == "CLIENT ID"
    assert [*own.inputs] == [name for name in base.inputs if name != "redirect_uri"]


CHILD = "schema: connector-profile/v1\nid: {id}\ntitle: T\nextends: {base}\n"


def test_extending_goes_over_several_files(tmp_path: Path):
    (tmp_path / "one.yaml").write_text(CHILD.format(id="one", base="two") + "checks: [token]\n")
    two = "schema: connector-profile/v1\nid: two\ntitle: T\nchecks: []\nfacts: partial\n"
    (tmp_path / "two.yaml").write_text(two)
    found = read(CHILD.format(id="mine", base="one"), "mine.yaml", folder_base(tmp_path))
    assert found["id"] == "mine"
    assert found["checks"] == ["token"]
    assert found["facts"] == "partial"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "mine.yaml: line 3: key 'a' is given twice"),
        ("a: {b: 1, c: 2, b: 3}\n", "mine.yaml: line 1: key 'b' is given twice"),
        ("a: [1\n", "mine.yaml: line 2: "),
        ("- a\n", "mine.yaml: a profile is a mapping of keys"),
        ("a: !!python/object/apply:os.getcwd []\n", "mine.yaml: line 1: could not determine"),
        (CHILD.format(id="mine", base="nobody"), "mine.yaml: extends: there is no profile nobody"),
        (CHILD.format(id="mine", base="[a]"), "mine.yaml: extends: the id of one other profile"),
        (
            "schema: connector-profile/v1\nextends: pam360\n",
            "mine.yaml: id: a profile that",
        ),
        (
            CHILD.format(id="mine", base="pam360") + "credential: {lifetime: 3}\n",
            "mine.yaml: credential.lifetime: Expected `str`, got `int`",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_and_place(text, message):
    with pytest.raises(ProfileInvalid) as refusal:
        parse(text, "mine.yaml")
    assert str(refusal.value).startswith(message)


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path):
    for name, base in (("one", "two"), ("two", "one")):
        (tmp_path / f"{name}.yaml").write_text(CHILD.format(id=name, base=base))
    with pytest.raises(ProfileInvalid, match="two extends one extends two"):
        read((tmp_path / "one.yaml").read_text(), "one.yaml", folder_base(tmp_path))
