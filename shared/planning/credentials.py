"""The next thing to do to have a working, published client secret or certificate.

The ladder: intent, add, stage, let it become known, verify, publish; a crash anywhere is
resumed from what directory and vault show, without the help of any row of ours.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.model.connection import Stray, Value
from shared.model.credential import HeldSecret, StoredSecret
from shared.model.shape import Shape
from shared.planning.lifetime import Policy, due_at

PREFIX = "managed:"
"""Display names of secrets that are ours; nothing without it is ever removed."""

SETTLE = timedelta(hours=1)
MOST_OF_OURS = 3
"""Live secrets of ours on one application: served, its successor, one waiting for retirement."""

NAME_LIMIT = 120
CERTIFICATE_NAME_LIMIT = 90  # Graph cuts longer ones, and would show another name than ours

HEALED_BY_ROTATION = frozenset({"SECRET_ID_NOT_VALUE", "SECRET_MISSING", "SECRET_EXPIRED"})
"""What a verification may find of the served secret that a new one puts right."""


class Facts(Value, frozen=True):
    """What directory and vault show. `held` is None while the application is not visible."""

    held: tuple[HeldSecret, ...] | None
    served: StoredSecret | None
    staged: StoredSecret | None
    verified: bool = False  # this delivery has just proven the staged secret
    leftovers: frozenset[str] = frozenset()  # key ids that other operations of ours left here
    strays: tuple[Stray, ...] = ()  # secrets that are none of ours
    refused: bool = False  # a verification found that the served one cannot be used
    noted: str = ""  # key id of the secret published last, as the ledger has it
    noted_previous: str = ""  # and of the one before, until it is retired


class Add(Value, frozen=True):
    name: str
    ends: datetime
    why: str


class Discard(Value, frozen=True):
    """Remove a secret of this operation whose value was lost."""

    key_id: str
    why: str = "value-lost"


class Verify(Value, frozen=True):
    """Prove the staged secret against the token endpoint."""


class Publish(Value, frozen=True):
    previous_key_id: str


class Keep(Value, frozen=True):
    """The served secret is good; nothing is due."""

    why: str


class Published(Value, frozen=True):
    """This operation's secret is served: note its dates, put the staging copy away."""


class Wait(Value, frozen=True):
    code: str
    message: str
    limit: timedelta = timedelta(minutes=15)


class Ask(Value, frozen=True):
    code: str
    message: str
    remedy: str


Action = Add | Discard | Verify | Publish | Keep | Published | Wait | Ask


def credential_name(
    profile: str, operation: str, tail: str, shape: Shape = Shape.CLIENT_SECRET
) -> str:
    """Display name in the directory: our mark, the operation, and the guide's readable name."""
    limit = CERTIFICATE_NAME_LIMIT if shape.certificate else NAME_LIMIT
    return f"{PREFIX}{profile}/{operation} {tail}"[:limit].rstrip()


def operation_of(name: str) -> str:
    """The operation that made a secret of this display name; empty when its name has none."""
    return name.partition("/")[2].partition(" ")[0]


def staging_name(vault_name: str) -> str:
    return f"{vault_name}--next"


def plan_credential(
    policy: Policy,
    facts: Facts,
    *,
    name: str,
    operation: str,
    rotate: bool,
    registered: datetime,
    now: datetime,
) -> Action:
    """Decide the next action of this operation; *rotate* asks for a new secret in any case."""
    if facts.held is None:
        return _invisible(registered, now)
    served = facts.served
    mine = [secret for secret in facts.held if secret.name == name]
    if served is not None and served.operation == operation:
        # A secret whose answer was lost may be listed only now.
        late = [secret.key_id for secret in mine if secret.key_id != served.key_id]
        return Discard(late[0]) if late else Published()
    staged = facts.staged
    if staged is not None and staged.operation == operation:
        again = Add(name=name, ends=now + policy.lifetime, why="staged-is-gone")
        return _resume(staged, mine, facts, again, now)
    if mine:
        return Discard(mine[0].key_id)
    if policy.external and (served is not None or facts.noted):
        return Keep("external")
    if stray := _stray(facts, now):
        return Discard(stray, why="left-behind")
    why = "asked" if rotate else _why_new(policy, facts, now)
    if why is None:
        return Keep("fresh")
    if len(_ours(facts.held, now)) >= MOST_OF_OURS:
        return Ask(
            "TOO_MANY_SECRETS",
            f"The application already has {MOST_OF_OURS} live secrets of ours.",
            "Wait until the overlap of the last rotation is over, or an hour after attempts that "
            "failed, or retire a secret by hand.",
        )
    return Add(name=name, ends=now + policy.lifetime, why=why)


def _invisible(registered: datetime, now: datetime) -> Action:
    if now < registered + SETTLE:
        return Wait("APP_REPLICATION", "The new application is not visible everywhere yet.")
    return Ask(
        "APP_DELETED",
        "The application is gone.",
        "Restore it within 30 days (Entra ID, App registrations, Deleted applications) instead of "
        "making a new one, then send the request again.",
    )


def _resume(
    staged: StoredSecret,
    mine: Sequence[HeldSecret],
    facts: Facts,
    again: Add,
    now: datetime,
) -> Action:
    """Go on with what this operation has staged; copies whose value was lost go first."""
    served = facts.served
    if served is not None and served.operation and served.created > staged.created:
        # Another run has published since: ours is not needed any more.
        return Discard(mine[0].key_id, why="overtaken") if mine else Keep("overtaken")
    lost = [secret.key_id for secret in mine if secret.key_id != staged.key_id]
    if lost:
        return Discard(lost[0])
    if not mine:
        # Lists lag behind writes: believe the loss only once it is old enough.
        if now < staged.created + SETTLE:
            limit = SETTLE + timedelta(minutes=15)  # then it is believed, and another one is made
            return Wait("SECRET_NOT_LISTED", "The staged secret is not listed yet.", limit)
        return again
    if not facts.verified:
        return Verify()
    # Should the vault have lost its version, people may still use that secret.
    return Publish(previous_key_id=(served.key_id if served else "") or facts.noted)


def _stray(facts: Facts, now: datetime) -> str:
    """A secret of a failed attempt: newer than the published one, and never published itself."""
    held, published = facts.held or (), facts.served.key_id if facts.served else facts.noted
    current = next((secret for secret in held if secret.key_id == published), None)
    if published and current is None:
        return ""
    spared = {published, facts.noted, facts.noted_previous}
    spared.add(facts.served.previous_key_id if facts.served else "")
    for secret in held:
        newer = current is None or secret.starts > current.starts
        old_enough = now >= secret.starts + SETTLE
        if secret.key_id in facts.leftovers - spared and newer and old_enough:
            return secret.key_id
    return ""


def _why_new(policy: Policy, facts: Facts, now: datetime) -> str | None:
    served = facts.served
    if served is None:
        return "none-served"
    if facts.refused:
        return "served-is-refused"
    if served.shape is not policy.shape:
        return "kind-changed"
    current = next((secret for secret in facts.held or () if secret.key_id == served.key_id), None)
    if current is None:
        # Lists lag behind writes: believe the loss only once it is old enough.
        return "served-is-gone" if now >= served.created + SETTLE else None
    return "due" if now >= due_at(policy, current.starts, current.ends) else None


def _ours(held: Sequence[HeldSecret], now: datetime) -> list[HeldSecret]:
    return [secret for secret in held if secret.name.startswith(PREFIX) and secret.ends > now]
