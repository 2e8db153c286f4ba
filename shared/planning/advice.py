"""The least directory role that can reset the passwords of the accounts in scope.

Source: Microsoft Entra, "Privileged roles and permissions", table "Who can reset passwords",
roles assigned for the whole directory.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.errors import NeedsHuman
from shared.model.connection import Blocker, RoleAdvice
from shared.model.privilege import ROLE, Held

P = "Password Administrator"
H = "Helpdesk Administrator"
A = "Authentication Administrator"
U = "User Administrator"
PA = "Privileged Authentication Administrator"
G = "Global Administrator"

RESETTERS = (P, H, A, U, PA, G)
"""Roles that reset passwords, the least first; no total order: A and U cover different accounts."""

ANYBODY = frozenset(RESETTERS)
TOP = frozenset({PA, G})

MATRIX: dict[str, frozenset[str]] = {
    "Directory Readers": ANYBODY,
    "Guest Inviter": ANYBODY,
    P: ANYBODY,
    "Message Center Reader": ANYBODY - {P},
    "Reports Reader": ANYBODY - {P},
    "Usage Summary Reports Reader": ANYBODY - {P},
    "User Experience Success Manager": ANYBODY - {P},
    H: frozenset({H, U, PA, G}),
    A: frozenset({A, PA, G}),
    "Groups Administrator": frozenset({U, PA, G}),
    U: frozenset({U, PA, G}),
}
"""What a target holds: who can reset its password. Anything else that is held leaves `TOP`."""

NAMED = 3
"""Accounts named for each thing that is in the way; the rest is counted."""

BLOCKERS = 10
"""Things in the way that are told, those of most accounts first."""


def able(held: Sequence[Held]) -> frozenset[str]:
    """Roles that can reset the password of an account that holds all of this."""
    roles = ANYBODY
    for thing in held:
        roles &= _able_despite(thing)
    return roles


def advise(
    roles: Sequence[str],
    escalate_to: Sequence[str],
    targets: Mapping[str, Sequence[Held]],
    *,
    accounts: int,
    now: datetime,
    unknown: Sequence[str] = (),
    before: RoleAdvice | None = None,
) -> RoleAdvice:
    """Advice for the profile's *roles*; *targets* are those of *accounts* that hold something.

    While part of the facts is *unknown*, what the advice *before* has found stays in force:
    nobody is given a lesser role because a read was refused.
    """
    sufficient = ANYBODY
    for held in targets.values():
        sufficient &= able(held)
    if unknown and before is not None:
        sufficient &= frozenset(before.sufficient)
    role = next((name for name in roles if name in sufficient), roles[0])
    blockers = _blockers(role, targets)
    if unknown and before is not None:
        seen = {blocker.held for blocker in blockers}
        blockers += tuple(b for b in before.blockers if b.held not in seen and before.role == role)
    return RoleAdvice(
        role=role,
        proposed=next((name for name in (role, *escalate_to) if name in sufficient), ""),
        least=next(name for name in RESETTERS if name in sufficient),
        sufficient=tuple(name for name in RESETTERS if name in sufficient),
        blockers=blockers[:BLOCKERS],
        blocked=sum(role not in able(held) for held in targets.values()),
        holders=len(targets),
        accounts=accounts,
        at=now,
        unknown=tuple(unknown),
    )


def too_low(advice: RoleAdvice, roles: Sequence[str], connection: str) -> NeedsHuman | None:
    """ROLE_TOO_LOW with the accounts that caused it; None when one of *roles* suffices."""
    if set(roles) & set(advice.sufficient):
        return None
    given = next((name for name in roles if name in ANYBODY), advice.role)
    why = "; ".join(_told(blocker) for blocker in advice.blockers)
    return NeedsHuman(
        "ROLE_TOO_LOW",
        f"{given} cannot reset every account in scope, because of what these hold: {why}. "
        f"The least role that can is {advice.least}.",
        _remedy(advice, connection),
    )


def sentence(advice: RoleAdvice) -> str:
    """The advice for people; what is unknown is said, never passed over."""
    if not advice.accounts:
        told = "No accounts are known yet; each discovery computes which role they need."
    elif advice.proposed == advice.role:
        told = f"{advice.role} can reset all {advice.accounts} accounts in scope"
        if advice.holders:
            told += (
                f", also the {advice.holders} that hold roles: Microsoft's matrix allows it "
                "where a vendor's guide may ask for a higher role"
            )
        told += "."
    else:
        told = (
            f"{advice.role} cannot reset {advice.blocked} of the {advice.accounts} accounts in "
            f"scope; the least role that can reset all of them is {advice.least}."
        )
    if advice.unknown:
        told += f" Not counted, as it could not be read: {'; '.join(advice.unknown)}."
    return told


def _able_despite(held: Held) -> frozenset[str]:
    return MATRIX.get(held.name, TOP) if held.kind == ROLE else TOP


def _blockers(role: str, targets: Mapping[str, Sequence[Held]]) -> tuple[Blocker, ...]:
    """What takes *role* out of the set, and the accounts that hold it."""
    counts: Counter[str] = Counter()
    first: dict[str, list[str]] = {}
    for account in sorted(targets):
        things = (held for held in targets[account] if role not in _able_despite(held))
        for thing in dict.fromkeys(map(str, things)):
            counts[thing] += 1
            named = first.setdefault(thing, [])
            if len(named) < NAMED:
                named.append(account)
    return tuple(
        Blocker(held=thing, accounts=tuple(first[thing]), count=count)
        for thing, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    )


def _told(blocker: Blocker) -> str:
    named = ", ".join(blocker.accounts)
    more = blocker.count - len(blocker.accounts)
    return f"{blocker.held}: {named}{f' and {more} more' if more else ''}"


def _remedy(advice: RoleAdvice, connection: str) -> str:
    path = f"/api/connections/{connection}"
    if advice.proposed:
        return (
            f"Send PATCH {path} with the feature admin_targets on and have somebody with the "
            f"approver role approve {advice.proposed}, or take these accounts out of scope."
        )
    return (
        f"Take these accounts out of scope: no role of the profile covers them. {advice.least} "
        "would, if its owner adds it to the profile."
    )
