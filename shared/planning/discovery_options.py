"""What a scan leaves out, and names that stand for several groups."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from shared.model.accounts import SERVICE_PRINCIPAL, Account, Origin
from shared.model.connection import Value
from shared.model.entities import Findings

GUEST = "guest"
DISABLED = "disabled"
PRINCIPAL = "service principal"
OUTSIDE = "outside the administrative units"
"""Reasons why an account is left out, as the summary counts them."""


class Options(Value, frozen=True):
    """What the request says of a scan besides its mode and its names."""

    guests: bool = True
    disabled: bool = True
    service_principals: bool = False  # of groups and roles; as kinds of their own by the profile
    mfa: bool = True  # read the registration report
    roles: bool = True  # read who has which roles, whatever is searched
    units: tuple[str, ...] = ()  # of roles: only what is scoped to one of these, ids or names


def options(inputs: Mapping[str, Any]) -> Options:
    def said(name: str, *, default: bool) -> bool:
        return default if inputs.get(name) is None else inputs[name] == "yes"

    return Options(
        guests=said("include_guests", default=True),
        disabled=said("include_disabled", default=True),
        service_principals=said("include_service_principals", default=False),
        mfa=said("read_mfa", default=True),
        roles=said("read_roles", default=True),
        units=tuple(dict.fromkeys(str(unit) for unit in inputs.get("units") or ())),
    )


def admitted(
    found: Findings, wanted: Options, *, tracked: bool = False
) -> tuple[Findings, dict[str, int]]:
    """A page without what the scan leaves out, and how many rows that are for which reason.

    Of a *tracked* reading what is left out is gone: it may have been let in before it changed.
    `units` of *wanted* are ids here.
    """
    rows: list[Any] = []
    out: list[str] = []
    reasons: Counter[str] = Counter()
    for row in found.rows:
        kept = _within(row, wanted.units) if isinstance(row, Account) else row
        why = _left_out(kept, wanted) if isinstance(kept, Account) else ""
        if kept is None:
            why = OUTSIDE
        if why:
            reasons[why] += 1
            out.append(row.id)
        else:
            rows.append(kept)
    gone = (*found.gone, *out) if tracked else found.gone
    return replace(found, rows=tuple(rows), gone=gone), dict(reasons)


def _left_out(account: Account, wanted: Options) -> str:
    """Why an account is left out; facts of a report vouch for nobody and pass."""
    if account.kind == SERVICE_PRINCIPAL and not wanted.service_principals:
        return PRINCIPAL
    if account.guest and not wanted.guests:
        return GUEST
    if not account.enabled and not wanted.disabled:
        return DISABLED
    return ""


def _within(account: Account, units: Sequence[str]) -> Account | None:
    """The account with those of its roles that are scoped to *units*; None when none is."""
    if not units or not account.origins:
        return account
    origins = tuple(o for o in account.origins if o.kind != "role" or o.scope in units)
    if not origins:
        return None
    return replace(account, origins=origins, eligible=all(o.eligible for o in origins))


_CALL = re.compile(
    r"(?P<not>not\s+)?(?P<test>startswith|endswith|contains)"
    r"\s*\(\s*displayname\s*,\s*'(?P<text>(?:[^']|'')*)'\s*\)",
    re.IGNORECASE,
)
_EQUAL = re.compile(
    r"(?P<not>not\s+)?displayname\s+(?P<test>eq|ne)\s+'(?P<text>(?:[^']|'')*)'", re.IGNORECASE
)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)


class NameFilter(Value, frozen=True):
    """A filter on display names, in the words of OData; names are compared without regard to case.

    All of its tests hold of a name that it matches.
    """

    written: str
    tests: tuple[tuple[str, str, bool], ...]  # word, text, whether it must not hold

    def matches(self, name: str) -> bool:
        return all(_holds(test, text, name) != negated for test, text, negated in self.tests)


def name_filter(written: str) -> NameFilter | None:
    """The filter that *written* is; None when it is a name.

    ``startsWith(displayName,'PAM-') and not endsWith(displayName,'-test')``; also ``contains``,
    ``displayName eq`` and ``ne``. A quote within text is doubled.
    """
    tests: list[tuple[str, str, bool]] = []
    place = 0
    text = written.strip()
    while True:
        match = _CALL.match(text, place) or _EQUAL.match(text, place)
        if match is None:
            return None
        tests.append(
            (match["test"].lower(), match["text"].replace("''", "'").casefold(), bool(match["not"]))
        )
        place = match.end()
        if place == len(text):
            return NameFilter(written=written, tests=tuple(tests))
        joint = _AND.match(text, place)
        if joint is None:
            return None
        place = joint.end()


def parted(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[NameFilter, ...]]:
    """Plain names, and filters."""
    plain: list[str] = []
    filters: list[NameFilter] = []
    for name in names:
        known = name_filter(name)
        if known is None:
            plain.append(name)
        else:
            filters.append(known)
    return tuple(plain), tuple(filters)


def matching(filters: Iterable[NameFilter], known: Iterable[Origin]) -> dict[str, list[Origin]]:
    """What each of the filters stands for, by the filter as written."""
    found = {wanted.written: wanted for wanted in filters}
    listed = list(known)
    return {
        written: [origin for origin in listed if wanted.matches(origin.name)]
        for written, wanted in found.items()
    }


def _holds(test: str, text: str, name: str) -> bool:
    folded = name.casefold()
    match test:
        case "startswith":
            return folded.startswith(text)
        case "endswith":
            return folded.endswith(text)
        case "contains":
            return text in folded
        case "ne":
            return folded != text
        case _:
            return folded == text
