"""What an import makes of what it found: a row for everything asked, and the product's new users.

Sources: guides of PAM360 and Password Manager Pro, sections 2.1 and 2.2.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from shared.model.accounts import Account
from shared.model.connection import Value
from shared.model.imports import ImportedUser, ImportRow, UserStore, Warned, as_row
from shared.model.profile import ImportPolicy
from shared.planning.import_people import MFA_BLOCKED, administrators, no_administrator
from shared.planning.import_structure import Found, structure, structured
from shared.planning.import_summary import MFA_SKIPPED, mfa_warnings, role_warnings

DUPLICATE = "DUPLICATE"

LEAST, SHARE = 10, 0.5
"""A synchronisation that would mark so many users removed, and more than this share, marks none."""


class Outcome(Value, frozen=True):
    rows: tuple[ImportRow, ...]
    store: UserStore
    warnings: tuple[Warned, ...]


def decide(
    found: Found,
    known: UserStore,
    roles: Mapping[str, str],
    *,
    policy: ImportPolicy,
    mfa: str,
    scheduled: bool,
    now: datetime,
) -> Outcome:
    """Judge every user found; *mfa* is what the profile does with users who registered it."""
    before = {user.id: user for user in known.users}
    wanted = {name.casefold(): role for name, role in roles.items()}
    after, rows = dict(before), list(found.failed)
    seen: set[str] = set()
    for account in _everybody(found):
        here = before.get(account.id)
        if account.id in seen:
            rows.append(as_row(after[account.id], state="duplicate", reason=DUPLICATE,
                               message="asked for twice") if account.id in after
                        else _skipped(account))  # fmt: skip
            continue
        seen.add(account.id)
        registered = account.id in found.mfa
        if registered and mfa == "skip":
            rows.append(_skipped(account))
            continue
        user = _imported(account, here, now, mfa=registered, synced=scheduled)
        role = wanted.get(account.user_principal_name.casefold(), policy.default_role)
        user = user if here is not None else replace(user, role=role)
        after[user.id] = user
        rows.append(_row(user, here, warn=registered and mfa == "warn"))
    removed, doubt = _removed(found, after, seen, scheduled=scheduled)
    for user in removed:
        after[user.id] = replace(user, state="removed", since=now)
        rows.append(as_row(after[user.id], reason="REMOVED", message="no longer in the source"))
    store = structured(found, known, after)
    return Outcome(
        rows=(*rows, *structure(store, found)),
        store=store,
        warnings=(
            *role_warnings(wanted, store),
            *mfa_warnings(store, mfa, rows),
            *doubt,
            *no_administrator(policy, administrators(policy, store.users)),
        ),
    )


def _everybody(found: Found) -> Iterable[Account]:
    """Named users as often as they were named, then each other user once, however often met."""
    yield from found.users
    named = {account.id for account in found.users}
    once = dict.fromkeys(user for group in found.groups for user in found.members.get(group.id, ()))
    grouped = [found.people[id_] for id_ in once if id_ not in named]
    yield from sorted(grouped, key=lambda a: (a.user_principal_name.casefold(), a.id))


def _imported(
    account: Account, here: ImportedUser | None, now: datetime, *, mfa: bool, synced: bool
) -> ImportedUser:
    """The user with today's facts; role and date are those of the first import."""
    there = here is not None and here.state == "imported"
    return ImportedUser(
        id=account.id,
        user_principal_name=account.user_principal_name,
        display_name=account.display_name,
        mail=account.mail,
        enabled=account.enabled,
        guest=account.guest,
        role=here.role if here else "",
        since=here.since if here and there else now,
        mfa=mfa,
        synced=synced or bool(here and here.synced),
    )


def _row(user: ImportedUser, here: ImportedUser | None, *, warn: bool) -> ImportRow:
    blocked = "registered MFA: a password sign-in to the product cannot satisfy it"
    if here is not None and here.state == "imported":
        return as_row(user, state="duplicate", reason=DUPLICATE, message="imported before")
    if warn:
        return as_row(user, reason=MFA_BLOCKED, message=blocked)
    return as_row(user)


def _skipped(account: Account) -> ImportRow:
    return ImportRow(
        kind="user",
        state="skipped",
        id=account.id,
        user_principal_name=account.user_principal_name,
        display_name=account.display_name,
        mail=account.mail,
        enabled=account.enabled,
        guest=account.guest,
        reason=MFA_SKIPPED,
        message="mfa: the product takes only users without MFA",
    )


def _removed(
    found: Found, after: Mapping[str, ImportedUser], seen: set[str], *, scheduled: bool
) -> tuple[list[ImportedUser], tuple[Warned, ...]]:
    """Users that are gone, as far as this can be told: not while anything could not be read."""
    if not scheduled:
        return [], ()
    missing = [u for u in after.values() if u.state == "imported" and u.id not in seen]
    whole = not found.failed
    gone = [user for user in missing if user.id in found.gone or (whole and user.synced)]
    present = sum(user.state == "imported" for user in after.values())
    if len(gone) < LEAST or len(gone) <= present * SHARE:
        return gone, ()
    doubt = Warned(
        code="MASS_REMOVAL",
        message=f"{len(gone)} of {present} users are not in the source any more; none was marked",
        next_step="See that the groups still have their members; then import without a schedule, "
        "or remove the users in the product.",
    )
    return [], (doubt,)
