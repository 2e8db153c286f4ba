"""Accounts as a caller asks for them: filters, and the columns of a file."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from functions.http import asking
from shared.model.accounts import EVERYWHERE, SERVICE_PRINCIPAL, USER, Account, Origin

REASONS = ("role", "eligible", "group", "user", "tenant")
"""Kinds of reasons: a role held, a role that may be activated, a chosen group, ..."""

FILTERS = (
    "enabled",
    "guest",
    "synced",
    "mfa",
    "kind",
    "reason",
    "nested",
    "role",
    "group",
    "unit",
    "origin",
    "text",
)

COLUMNS = (
    "id",
    "user_principal_name",
    "display_name",
    "kind",
    "enabled",
    "guest",
    "synced",
    "mfa",
    "mail",
    "eligible",
    "state",
    "origins",
)

Test = Callable[[Account], bool]


def wanted(given: Mapping[str, str]) -> Test:
    """Whether an account is asked for; raises `Fault` 400 for values that cannot be.

    What is said of reasons holds of one and the same reason.
    """
    tests = [*_flags(given), *_words(given), *_texts(given)]
    reasons = _reasons(given)
    if reasons:
        tests.append(lambda row: any(all(test(o) for test in reasons) for o in row.origins))
    return lambda row: all(test(row) for test in tests)


def _flags(given: Mapping[str, str]) -> list[Test]:
    asked = {name: asking.flag(given, name) for name in ("enabled", "guest", "synced")}

    def test(name: str, value: bool) -> Test:  # noqa: FBT001 - what the query says
        return lambda row: getattr(row, name) == value

    return [test(name, value) for name, value in asked.items() if value is not None]


def _words(given: Mapping[str, str]) -> list[Test]:
    mfa = asking.choice(given, "mfa", ("yes", "no", "unknown"))
    kind = asking.choice(given, "kind", (USER, SERVICE_PRINCIPAL))
    found: list[Test] = []
    if mfa:
        found.append(lambda row: row.mfa == mfa)
    if kind:
        found.append(lambda row: row.kind == kind)
    return found


def _texts(given: Mapping[str, str]) -> list[Test]:
    text = given.get("text", "").casefold()
    if not text:
        return []
    names = ("user_principal_name", "display_name", "mail", "id")
    return [lambda row: any(text in getattr(row, name).casefold() for name in names)]


def _reasons(given: Mapping[str, str]) -> list[Callable[[Origin], bool]]:
    reason = asking.choice(given, "reason", REASONS)
    nested = asking.flag(given, "nested")
    role, group, unit, origin = (
        given.get(name, "").casefold() for name in ("role", "group", "unit", "origin")
    )
    found: list[Callable[[Origin], bool]] = []
    if reason:
        found.append(lambda o: _reason(o) == reason)
    if nested is not None:
        found.append(lambda o: bool(o.chain) == nested)
    if origin:
        found.append(lambda o: _called(origin, o.id, o.name))
    if role:
        found.append(lambda o: o.kind == "role" and _called(role, o.id, o.name))
    if group:
        found.append(lambda o: _passes(o, group))
    if unit:
        found.append(lambda o: _called(unit, o.scope, o.scope_name))
    return found


def _reason(origin: Origin) -> str:
    return "eligible" if origin.kind == "role" and origin.eligible else origin.kind


def _passes(origin: Origin, group: str) -> bool:
    """Whether the group was searched, or is on the way."""
    searched = origin.kind == "group" and _called(group, origin.id, origin.name)
    return searched or any(_called(group, step.id, step.name) for step in origin.chain)


def _called(written: str, id_: str, name: str) -> bool:
    return written in (id_.casefold(), name.casefold())


def columns(account: Account) -> dict[str, Any]:
    """The account as a line of a file; its selected attributes have columns of their own."""
    known = msgspec.structs.asdict(account)
    told = "; ".join(map(_told, account.origins))
    return {**account.attributes, **known, "origins": told}


def _told(origin: Origin) -> str:
    """A reason in words: ``role:Reader via Team > Inner in North, eligible until 2027-01-31``."""
    parts = [f"{origin.kind}:{origin.name}"]
    if origin.chain:
        parts.append(f"via {' > '.join(step.name for step in origin.chain)}")
    if origin.scope not in ("", EVERYWHERE):
        parts.append(f"in {origin.scope_name or origin.scope}")
    told = " ".join(parts)
    if not origin.eligible:
        return told
    return f"{told}, eligible" + (f" until {origin.until:%Y-%m-%d}" if origin.until else "")
