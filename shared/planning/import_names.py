"""Which user or group a name means: exactly one, or the reason why not."""

from collections.abc import Callable, Iterable, Sequence

from shared.model.accounts import Account, Origin
from shared.model.imports import ImportRow

USER_NOT_FOUND = "USER_NOT_FOUND"
GROUP_NOT_FOUND = "GROUP_NOT_FOUND"
AMBIGUOUS = "FILTER_AMBIGUOUS"

SHOWN = 5
"""Candidates that a message names."""

_READINGS: tuple[Callable[[Account], str], ...] = (
    lambda account: account.id,
    lambda account: account.user_principal_name,
    lambda account: account.mail,
    lambda account: account.display_name,
)
"""In this order: a name that is somebody's principal name means nobody else."""


def user_called(name: str, candidates: Sequence[Account]) -> Account | ImportRow:
    """The user of this name, or the failed row that says why there is none."""
    for reading in _READINGS:
        matching = {
            account.id: account
            for account in candidates
            if reading(account).casefold() == name.casefold()
        }
        if len(matching) == 1:
            return next(iter(matching.values()))
        if matching:
            known = [f"{a.user_principal_name} ({a.id})" for a in matching.values()]
            return _failed("user", name, AMBIGUOUS, _several("user", name, known))
    return _failed("user", name, USER_NOT_FOUND, f"the tenant has no user called {name}")


def group_called(name: str, candidates: Sequence[Origin]) -> Origin | ImportRow:
    """The group of this name or id, or the failed row that says why there is none."""
    matching = {group.id: group for group in candidates}
    if len(matching) == 1:
        return next(iter(matching.values()))
    if matching:
        message = _several("group", name, matching)
        return _failed("group", name, AMBIGUOUS, message)
    return _failed("group", name, GROUP_NOT_FOUND, f"the tenant has no group called {name}")


def account_missing(id_: str) -> ImportRow:
    """The row of a selected account that the latest discovery does not have."""
    message = f"the latest discovery has no account {id_}"
    return _failed("user", id_, USER_NOT_FOUND, message)


def unread(group: Origin, why: str) -> ImportRow:
    """The row of a group that could not be read."""
    return ImportRow(
        kind="group",
        state="failed",
        id=group.id,
        display_name=group.name,
        asked=group.name,
        reason=why.partition(":")[0],
        message=f"{group.name} could not be read: {why}",
    )


def _failed(kind: str, name: str, code: str, message: str) -> ImportRow:
    return ImportRow(
        kind=kind, state="failed", asked=name, reason=f"{code}:{name}", message=message
    )


def _several(kind: str, name: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return (
        f"more than one {kind} is called {name}: {', '.join(listed[:SHOWN])}{more}; "
        "give the id of the one that is meant"
    )
