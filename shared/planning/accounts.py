"""Rows of accounts: merged from several sources, compared."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar

from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Registered, Through

STALE = "stale"
"""State of an account whose source could not be read this time: last known facts."""

FACT = "fact"
"""State of a row that says something of an account and does not vouch for it: see `fact`."""

Row = TypeVar("Row")


def fact(id_: str, *, mfa: Registered = "unknown", origins: tuple[Origin, ...] = ()) -> Account:
    """What a report says of an account that other sources may name, or may not.

    Merged with their rows it adds to them; alone it makes no row (`is_vouched`).
    """
    return Account(
        id=id_,
        user_principal_name="",
        display_name="",
        enabled=True,
        guest=False,
        mail="",
        origins=origins,
        state=FACT,
        mfa=mfa,
    )


def is_vouched(row: Account) -> bool:
    """Whether some source named the account itself."""
    return row.state != FACT


def merged(rows: Sequence[Account]) -> Account:
    """One row an account, with every reason why it is in scope (D-30).

    Of what vouches for it the last row counts; of two with the same reason, too. Reasons may come
    in any order: the outcome is the same.
    """
    base = next((row for row in reversed(rows) if is_vouched(row)), rows[-1])
    origins = _ordered(chain.from_iterable(row.origins for row in rows))
    mfa = rows[0].mfa
    for row in rows[1:]:
        mfa = _told(mfa, row.mfa)
    return replace(base, origins=origins, eligible=_only_eligible(origins), mfa=mfa)


def facts(row: Row) -> Row:
    """What counts as a change: of an account neither our state, nor that a group was renamed."""
    if not isinstance(row, Account):
        return row
    origins = tuple(_nameless(origin) for origin in _ordered(row.origins))
    return replace(row, origins=origins, state="")


COMPARED = (
    "user_principal_name",
    "display_name",
    "enabled",
    "guest",
    "mail",
    "eligible",
    "synced",
    "mfa",
)
"""Columns of a row that a change of it may concern; besides, its reasons and its attributes."""


def differing(before: Account, after: Account) -> tuple[str, ...]:
    """The columns in which two rows differ, `origins`, and selected attributes by Graph's names."""
    found = [name for name in COMPARED if getattr(before, name) != getattr(after, name)]
    if facts(before).origins != facts(after).origins:
        found.append("origins")
    names = {*before.attributes, *after.attributes}
    found += [
        name for name in sorted(names) if before.attributes.get(name) != after.attributes.get(name)
    ]
    return tuple(found)


def _told(before: Registered, now: Registered) -> Registered:
    """What is known; unknown says nothing."""
    return before if now == "unknown" else now


def _only_eligible(origins: Iterable[Origin]) -> bool:
    found = tuple(origins)
    return bool(found) and all(origin.eligible for origin in found)


def _nameless(origin: Origin) -> Origin:
    chain = tuple(Through(id=step.id, name="") for step in origin.chain)
    return replace(origin, name="", scope_name="", chain=chain)


def _ordered(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    once = {origin.way: origin for origin in origins}
    return tuple(once[way] for way in sorted(once))
