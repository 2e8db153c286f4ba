"""What a discovery run searches, and what it makes of what it found."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Source, Summary
from shared.model.connection import Value

STALE = "stale"
"""State of an account whose source could not be read this time: last known facts."""

ELIGIBLE = "eligible"
"""`Origin.via` of a role that is only eligible through PIM."""

LARGEST_JITTER = timedelta(hours=1)


class Search(Value, frozen=True):
    """What a request asks to search; no names mean everything of that kind."""

    configuration: str
    mode: str  # groups | roles
    names: tuple[str, ...]


class Counts(Value, frozen=True):
    """How a snapshot differs from the one before."""

    added: int
    changed: int
    removed: int
    unchanged: int


def search(inputs: Mapping[str, Any], modes: Sequence[str]) -> Search:
    mode = str(inputs.get("search_mode") or modes[0])
    if mode not in modes:
        raise NeedsHuman(
            "INPUT_INVALID",
            f"search_mode is {mode!r}; this product can search by {' or '.join(modes)}.",
            "Send the request again with one of these values of search_mode.",
        )
    names = (str(name).strip() for name in inputs.get("filter") or ())
    return Search(
        configuration=str(inputs.get("config_name") or ""),
        mode=mode,
        names=tuple(dict.fromkeys(name for name in names if name)),
    )


def sources(wanted: Search, found: Mapping[str, Sequence[Origin]]) -> tuple[Origin, ...]:
    """The groups or roles to read: each name must mean exactly one (D-29)."""
    kind = wanted.mode.removesuffix("s")
    missing = [name for name in wanted.names if not found.get(name)]
    if missing:
        raise NeedsHuman(
            "FILTER_NOT_FOUND",
            f"The tenant has no {kind} called {_listed(missing)}.",
            f"Correct the names in the input filter, or give the {kind} ids instead.",
        )
    several = [name for name in wanted.names if len(found[name]) > 1]
    if several:
        choices = "; ".join(
            f"{name!r} is {', '.join(origin.id for origin in found[name])}" for name in several
        )
        raise NeedsHuman(
            "FILTER_AMBIGUOUS",
            f"More than one {kind} has the same name: {choices}.",
            "Replace the name in the input filter by the id of the one that is meant.",
        )
    return distinct(found[name][0] for name in wanted.names)


def distinct(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Each group or role once, however often it was named, in an order that does not vary."""
    once = {(origin.kind, origin.id): origin for origin in origins}
    return tuple(sorted(once.values(), key=lambda origin: (origin.name.casefold(), origin.id)))


def merged(known: Account | None, seen: Account) -> Account:
    """One row an account, with every reason why it is in scope (D-30)."""
    if known is None:
        return replace(seen, origins=_ordered(seen.origins))
    return replace(
        seen,
        origins=_ordered((*known.origins, *seen.origins)),
        eligible=known.eligible and seen.eligible,
    )


def kept(before: Account, seen: Account | None, failed: Iterable[Source]) -> Account | None:
    """The account with what an unread source said of it last time; None when it said nothing.

    Nothing disappears because a source could not be read: an account goes only when every
    source that vouched for it was read whole and no longer names it.
    """
    unread = {(source.kind, source.id) for source in failed}
    vouched = tuple(origin for origin in before.origins if (origin.kind, origin.id) in unread)
    if not vouched:
        return None
    if seen is None:
        return replace(before, origins=vouched, eligible=_only_eligible(vouched), state=STALE)
    return replace(
        seen,
        origins=_ordered((*vouched, *seen.origins)),
        eligible=seen.eligible and _only_eligible(vouched),
    )


def tallied(
    summary: Summary, accounts: Sequence[Account], read: Sequence[Source], now: datetime
) -> Summary:
    """The summary of a run that is over, but for the comparison with the one before."""
    failed = any(source.status == "failed" for source in read)
    state = "partial" if failed else "succeeded"
    return replace(
        summary,
        state=state,
        finished=now,
        accounts=len(accounts),
        guests=sum(account.guest for account in accounts),
        disabled=sum(not account.enabled for account in accounts),
        sources=tuple(read),
    )


class Comparison:
    """Compares a snapshot with the one before, which may come one account at a time."""

    def __init__(self, fresh: Iterable[Account]) -> None:
        self._fresh = {account.id: account for account in fresh}
        self._matched = self._changed = self._removed = 0

    def see(self, before: Account) -> None:
        after = self._fresh.get(before.id)
        if after is None:
            self._removed += 1
            return
        self._matched += 1
        self._changed += facts(before) != facts(after)

    def counts(self) -> Counts:
        return Counts(
            added=len(self._fresh) - self._matched,
            changed=self._changed,
            removed=self._removed,
            unchanged=self._matched - self._changed,
        )


def compare(before: Iterable[Account], after: Iterable[Account]) -> Counts:
    comparison = Comparison(after)
    for account in before:
        comparison.see(account)
    return comparison.counts()


def facts(account: Account) -> Account:
    """What counts as a change: neither our own state, nor that a group was renamed."""
    ways = {(origin.kind, origin.id, origin.via): origin for origin in account.origins}
    origins = tuple(replace(ways[way], name="") for way in sorted(ways))
    return replace(account, origins=origins, state="")


def next_run(connection: str, now: datetime, every: timedelta) -> datetime:
    """Spread over up to an hour, so that connections made together are not scanned together."""
    share = int.from_bytes(sha256(connection.encode()).digest()[:4]) / 2**32
    return now + every + min(every / 10, LARGEST_JITTER) * share


def _only_eligible(origins: Iterable[Origin]) -> bool:
    return all(origin.via == ELIGIBLE for origin in origins)


def _ordered(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    once = {(origin.kind, origin.id, origin.via): origin for origin in origins}
    return tuple(once[way] for way in sorted(once))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
