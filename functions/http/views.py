"""What the API shows of connections: everything but secret values, which it never holds."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from functions.http.credential_views import CredentialView, StrayView, listed, shown, warned
from shared.messages import RESUME
from shared.model.connection import (
    Approval,
    BrokeredToken,
    Condition,
    Connection,
    Facts,
    Membership,
    Offboarding,
    Operation,
    RoleAdvice,
    Spec,
    Status,
    Value,
)
from shared.model.schedule import Login
from shared.planning.expiry import Level
from shared.planning.features import features_of
from shared.planning.findings import decided, state_of
from shared.planning.lifetime import State, state
from shared.planning.takeover import waits_for_word
from shared.profile import catalogue

NEWEST = 20
"""Operations shown."""


class Accepted(Value, frozen=True, omit_defaults=False):
    """An operation that was started, or is going on already."""

    name: str
    operation: str
    state: str
    status_url: str


class ConnectionLine(Value, frozen=True, omit_defaults=False):
    """A connection in the list."""

    name: str
    profile: str
    owner: str
    created: datetime
    conditions: dict[str, str]  # condition: status
    attention: tuple[str, ...]  # reasons of the conditions that are false
    credential_expires: datetime | None
    credential_state: State | None
    credential_warning: Level | None
    handover_open: bool  # a secret was replaced, and nobody has said that the new one is in use
    offboarded: datetime | None  # when everything that Keyturn made was gone
    status_url: str


class ConnectionList(Value, frozen=True, omit_defaults=False):
    connections: tuple[ConnectionLine, ...]
    next: str | None = None


class ConnectionView(Value, frozen=True, omit_defaults=False):
    """A connection: what was asked for, and what became of it."""

    name: str
    profile: str
    owner: str
    created: datetime
    features: dict[str, bool]
    inputs: dict[str, Any]
    accept_swaps: tuple[str, ...]
    approval: Approval | None
    application: Facts
    conditions: tuple[Condition, ...]
    credential: CredentialView | None
    findings: dict[str, int]  # how many in each state; GET .../findings lists them
    strays: tuple[StrayView, ...]  # secrets on the application that Keyturn did not make
    verified: datetime | None  # the last verification that found everything in order
    due: dict[str, datetime]  # kind of work: when it is due
    granted: tuple[str, ...]
    roles: tuple[str, ...]
    advice: RoleAdvice | None  # which directory role the accounts in scope need
    brokered: BrokeredToken | None
    membership: Membership | None
    acknowledged: dict[str, str]  # preconditions that hold outside: who said so
    login: Login | None  # whether the product's sign-in is switched to the tenant's
    offboarding: Offboarding | None  # who ended it and why, and what is left to remove
    operations: tuple[Operation, ...]


def tag(spec: Spec) -> str:
    """The ETag of what was asked for: a change may say which version it is of."""
    ordered = msgspec.json.encode(spec, order="deterministic")
    return f'"{hashlib.sha256(ordered).hexdigest()[:32]}"'


def linked(following: str | None) -> dict[str, str]:
    """The header that names the following page (RFC 8288)."""
    return {"Link": f'<{following}>; rel="next"'} if following else {}


def url(name: str) -> str:
    return f"/api/connections/{name}"


def accepted(operation: Operation) -> Accepted:
    return Accepted(
        name=operation.connection,
        operation=operation.id,
        state=operation.state,
        status_url=url(operation.connection),
    )


def line(connection: Connection, now: datetime) -> ConnectionLine:
    spec, credential = connection.spec, connection.credential
    ended = connection.offboarding.finished if connection.offboarding else None
    profile = catalogue().get(spec.profile)
    wrong = [] if ended else [c.reason for c in connection.conditions if c.status == Status.FALSE]
    return ConnectionLine(
        name=spec.name,
        profile=spec.profile,
        owner=spec.owner,
        created=connection.created,
        conditions={c.type.value: c.status.value for c in connection.conditions},
        attention=tuple(wrong),
        credential_expires=credential.expires if credential else None,
        credential_state=state(credential, now) if credential else None,
        credential_warning=None if ended else warned(connection, now),
        handover_open=not ended and profile is not None and waits_for_word(profile, connection),
        offboarded=ended,
        status_url=url(spec.name),
    )


def view(
    connection: Connection,
    operations: Iterable[Operation],
    due: Mapping[str, datetime],
    now: datetime,
) -> ConnectionView:
    spec = connection.spec
    profile = catalogue().get(spec.profile)
    newest = sorted(operations, key=lambda operation: operation.started, reverse=True)
    return ConnectionView(
        name=spec.name,
        profile=spec.profile,
        owner=spec.owner,
        created=connection.created,
        features=features_of(profile, connection) if profile else spec.features,
        inputs=spec.inputs,
        accept_swaps=spec.accept_swaps,
        approval=connection.approval,
        application=connection.facts,
        conditions=connection.conditions,
        credential=shown(connection, now),
        findings=dict(counted(connection, now)),
        strays=tuple(listed(stray, now) for stray in connection.strays),
        verified=connection.verified,
        # The watch over an operation in flight is no work of its own, and ends a moment after it.
        due={kind: at for kind, at in due.items() if kind != RESUME},
        granted=connection.granted,
        roles=connection.roles,
        advice=connection.advice,
        acknowledged=connection.acknowledged,
        login=connection.login,
        brokered=connection.brokered,
        membership=connection.membership,
        offboarding=connection.offboarding,
        operations=tuple(_told(newest)[:NEWEST]),
    )


def counted(connection: Connection, now: datetime) -> Counter[str]:
    """How many findings are in each state."""
    findings = (decided(finding, connection.decisions) for finding in connection.findings)
    return Counter(state_of(finding, now) for finding in findings)


def _told(newest: list[Operation]) -> list[Operation]:
    """Of the refreshes of an access token, one an hour, only the newest one that succeeded."""
    routine = [o for o in newest if o.kind == "token" and o.state == "succeeded"][1:]
    return [operation for operation in newest if operation not in routine]
