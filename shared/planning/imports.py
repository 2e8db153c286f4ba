"""What an import makes of what it found: a row for everything asked, and the product's new users.

Sources: guides of PAM360 and Password Manager Pro, sections 2.1 and 2.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.model.accounts import Account, Origin
from shared.model.connection import Value
from shared.model.imports import (
    Edge,
    ImportedGroup,
    ImportedUser,
    ImportRow,
    ImportSummary,
    Membership,
    UserStore,
    Warned,
    as_row,
)
from shared.model.profile import DiscoveryPolicy, ImportPolicy
from shared.planning.import_people import (
    MFA_BLOCKED,
    administrators,
    mfa_blocked,
    no_administrator,
    some,
)

MFA_SKIPPED = "MFA_USER_SKIPPED"
DUPLICATE = "DUPLICATE"

LEAST, SHARE = 10, 0.5
"""A synchronisation that would mark so many users removed, and more than this share, marks none."""


class Found(Value, frozen=True):
    """What was read for one import, in the order of the request; failed names are rows already."""

    users: tuple[Account, ...] = ()  # named or selected ones, as often as they were
    roots: tuple[Origin, ...] = ()  # groups that were asked for
    groups: tuple[Origin, ...] = ()  # these and all within them
    children: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict
    )  # group: groups directly in it
    members: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict
    )  # group: users directly in it
    people: dict[str, Account] = msgspec.field(default_factory=dict)  # everybody met, by id
    gone: frozenset[str] = frozenset()  # known users that the tenant has no more
    failed: tuple[ImportRow, ...] = ()
    mfa: frozenset[str] = frozenset()  # ids of users who registered MFA


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
    store = _structured(found, known, after)
    return Outcome(
        rows=(*rows, *_structure(store, found)),
        store=store,
        warnings=(
            *_role_warnings(wanted, store),
            *_mfa_warnings(store, mfa, rows),
            *doubt,
            *no_administrator(policy, administrators(policy, store.users)),
        ),
    )


def tallied(running: ImportSummary, outcome: Outcome, now: datetime) -> ImportSummary:
    """The summary of an import that is over."""
    counted = [row for row in outcome.rows if row.counted]
    states = [row.state for row in counted]
    reasons: dict[str, int] = {}
    for row in outcome.rows:
        if row.reason:
            code = row.reason.partition(":")[0]
            reasons[code] = reasons.get(code, 0) + 1
    kinds = [row.kind for row in outcome.rows if row.state == "imported"]
    return replace(
        running,
        state="partial" if "failed" in states else "succeeded",
        finished=now,
        input=len(counted),
        imported=states.count("imported"),
        failed=states.count("failed"),
        skipped=states.count("skipped"),
        duplicate=states.count("duplicate"),
        removed=sum(row.state == "removed" for row in outcome.rows),
        groups=kinds.count("group"),
        edges=kinds.count("edge"),
        memberships=kinds.count("membership"),
        reasons=dict(sorted(reasons.items())),
        warnings=outcome.warnings,
    )


def mfa_policy(discovery: DiscoveryPolicy | None) -> str:
    """``skip``, ``warn`` or ``ignore``: what a profile does with users who registered MFA."""
    rules = discovery.skip if discovery else ()
    return next((rule.policy for rule in rules if rule.fact == "mfa_registered"), "ignore")


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


def _structured(found: Found, known: UserStore, users: Mapping[str, ImportedUser]) -> UserStore:
    """What was read replaces what was known of these groups; other groups stay as they were."""
    read = {group.id for group in found.groups if group.id in found.members}
    groups = {group.id: group for group in known.groups}
    groups |= {g.id: ImportedGroup(id=g.id, name=g.name) for g in found.groups if g.id in read}
    edges = [edge for edge in known.edges if edge.parent not in read]
    edges += [
        Edge(parent=parent, child=child)
        for parent in sorted(read)
        for child in found.children.get(parent, ())
    ]
    links = [link for link in known.memberships if link.group not in read]
    links += [
        Membership(group=group, user=user)
        for group in sorted(read)
        for user in found.members[group]
        if user in users
    ]
    return UserStore(
        users=tuple(sorted(users.values(), key=lambda u: (u.user_principal_name.casefold(), u.id))),
        groups=tuple(sorted(groups.values(), key=lambda g: (g.name.casefold(), g.id))),
        edges=tuple(edges),
        memberships=tuple(links),
    )


def _structure(store: UserStore, found: Found) -> Iterable[ImportRow]:
    read = {group.id for group in found.groups if group.id in found.members}
    for group in store.groups:
        if group.id in read:
            yield ImportRow(kind="group", state="imported", id=group.id, display_name=group.name)
    for edge in store.edges:
        if edge.parent in read:
            yield ImportRow(kind="edge", state="imported", id=edge.child, group=edge.parent)
    for link in store.memberships:
        if link.group in read:
            yield ImportRow(kind="membership", state="imported", id=link.user, group=link.group)


def _role_warnings(wanted: Mapping[str, str], store: UserStore) -> Iterable[Warned]:
    known = {user.user_principal_name.casefold() for user in store.present()}
    strangers = sorted(set(wanted) - known)
    if strangers:
        yield Warned(
            code="USER_NOT_FOUND",
            message=f"Roles were given for users who were not imported: {some(strangers)}.",
            next_step="Correct the names, or import these users.",
        )


def _mfa_warnings(store: UserStore, mfa: str, rows: Sequence[ImportRow]) -> Iterable[Warned]:
    skipped = sum(row.reason == MFA_SKIPPED for row in rows)
    if skipped:
        yield Warned(
            code=MFA_SKIPPED,
            message=f"{skipped} users skipped: MFA.",
            next_step="None, unless the product shall have them: it takes only users without MFA.",
        )
    blocked = [user.user_principal_name for user in store.present() if user.mfa]
    if blocked and mfa == "warn":
        yield mfa_blocked(blocked)
