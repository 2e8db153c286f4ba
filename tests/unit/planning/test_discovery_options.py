"""What a scan leaves out, and filters on names."""

import random

import pytest
from msgspec.structs import replace

from shared.model.accounts import SERVICE_PRINCIPAL, Account, Origin
from shared.model.entities import Entity, Findings
from shared.planning.accounts import fact
from shared.planning.discovery_options import (
    DISABLED,
    GUEST,
    OUTSIDE,
    PRINCIPAL,
    Options,
    admitted,
    matching,
    name_filter,
    options,
    parted,
)
from tests.unit.planning import samples

ROLE = Origin(kind="role", id="r1", name="Reader", scope="/")
NORTH = replace(ROLE, scope="a1", scope_name="North", eligible=True)


def account(id_: str, *origins: Origin, **changes: object) -> Account:
    """In scope by *origins*, a role where there are none."""
    return samples.account(id_, *(origins or (ROLE,)), **changes)


EVERYBODY = (
    account("ada"),
    account("gus", guest=True),
    account("dee", enabled=False),
    account("app", kind=SERVICE_PRINCIPAL),
    account("both", guest=True, enabled=False),
)


@pytest.mark.requirement("X-15")
@pytest.mark.parametrize(
    ("inputs", "left", "skipped"),
    [
        ({}, {"ada", "gus", "dee", "both"}, {PRINCIPAL: 1}),
        ({"include_guests": "no"}, {"ada", "dee"}, {GUEST: 2, PRINCIPAL: 1}),
        ({"include_disabled": "no"}, {"ada", "gus"}, {DISABLED: 2, PRINCIPAL: 1}),
        (
            {"include_service_principals": "yes", "include_guests": "yes"},
            {"ada", "gus", "dee", "app", "both"},
            {},
        ),
    ],
)
def test_what_is_left_out_is_counted_by_its_reason(
    inputs: dict[str, str], left: set[str], skipped: dict[str, int]
) -> None:
    found, reasons = admitted(Findings(rows=EVERYBODY, gone=("x",)), options(inputs))
    assert {row.id for row in found.rows} == left
    assert reasons == skipped
    assert found.gone == ("x",)


def test_of_a_tracked_reading_what_is_left_out_is_gone() -> None:
    found, _ = admitted(Findings(rows=EVERYBODY, gone=("x",)), Options(guests=False), tracked=True)
    assert set(found.gone) == {"x", "gus", "both", "app"}


def test_facts_and_other_kinds_pass() -> None:
    rows = (fact("gus", mfa="yes"), Entity(kind="group", id="g", display_name="G"))
    found, reasons = admitted(Findings(rows=rows), Options(guests=False, units=("a1",)))
    assert (found.rows, reasons) == (rows, {})


def test_with_units_only_the_roles_scoped_to_them() -> None:
    rows = (account("ada", ROLE, NORTH), account("bo", ROLE))
    found, reasons = admitted(Findings(rows=rows), Options(units=("a1",)))
    assert found.rows == (account("ada", NORTH, eligible=True),)
    assert reasons == {OUTSIDE: 1}


@pytest.mark.parametrize(
    ("written", "matched"),
    [
        ("startsWith(displayName,'PAM-')", {"PAM-Admins", "pam-test"}),
        ("startswith( displayName , 'pam-' )", {"PAM-Admins", "pam-test"}),
        ("endsWith(displayName,'admins')", {"PAM-Admins", "O'Hara admins"}),
        ("contains(displayName,'-')", {"PAM-Admins", "pam-test"}),
        ("displayName eq 'staff'", {"Staff"}),
        ("displayName ne 'staff' and not contains(displayName,'a')", {"Tools"}),
        ("contains(displayName,'O''Hara')", {"O'Hara admins"}),
        ("startsWith(displayName,'PAM') and not endsWith(displayName,'test')", {"PAM-Admins"}),
        ("startsWith(displayName,'nothing')", set()),
    ],
)
def test_filters_in_the_words_of_odata(written: str, matched: set[str]) -> None:
    names = ("PAM-Admins", "pam-test", "Staff", "O'Hara admins", "Tools")
    groups = [Origin(kind="group", id=f"id-{name}", name=name) for name in names]
    plain, filters = parted(["Staff", written])
    assert plain == ("Staff",)
    assert {origin.name for origin in matching(filters, groups)[written]} == matched


@pytest.mark.parametrize(
    "name",
    [
        "Staff",
        "startsWith",
        "startsWith(mail,'x')",
        "startsWith(displayName,'x') or displayName eq 'y'",
        "startsWith(displayName,'x'))",
        "startsWith(displayName,'it's')",
        "displayName eq 'x' and ",
        "",
    ],
)
def test_anything_else_is_a_name(name: str) -> None:
    assert name_filter(name) is None
    assert parted([name]) == ((name,), ())


@pytest.mark.parametrize("seed", range(50))
def test_a_filter_made_of_any_text_matches_that_text(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - test data, repeatable
    text = "".join(dice.choice("aZ' (),ßé-*") for _ in range(dice.randint(1, 9)))
    quoted = text.replace("'", "''")
    for written in (
        f"displayName eq '{quoted}'",
        f"startsWith(displayName,'{quoted}')",
        f"contains(displayName,'{quoted}') and endsWith(displayName,'{quoted}')",
    ):
        known = name_filter(written)
        assert known is not None
        assert known.matches(text)
        assert not known.matches("nothing of it")
