"""Values that the tests store."""

from datetime import datetime, timedelta
from typing import Any

from shared.model.connection import (
    Approval,
    Aspect,
    Blocker,
    Condition,
    Connection,
    Credential,
    Facts,
    Operation,
    RoleAdvice,
    Spec,
    Status,
)
from tests.fakes import START


def connection(name: str = "dvls", **fields: Any) -> Connection:
    spec = Spec(
        name=name,
        profile="devolutions-server",
        features={"discovery": True},
        inputs={"provider_name": "Ünïcode ✓ 😀", "filter": ["a", "b"], "count": 3},
        owner="someone@contoso.example",
        accept_swaps=("RoleManagement.ReadWrite.Directory",),
    )
    return Connection(spec=spec, created=START, **fields)


def full(name: str = "dvls") -> Connection:
    """A connection with every field set."""
    return connection(
        name,
        facts=Facts(object_id="o", client_id="c", principal_id="p", registered=START),
        approval=Approval(by="boss", reason="needed", at=START),
        conditions=tuple(condition(aspect) for aspect in Aspect),
        credential=credential(),
        operation="op-1",
        granted=("User.Read.All",),
        roles=("Helpdesk Administrator",),
        given=("role/729827e3-9c14-49f7-bb1b-9608f156bbb8",),
        advice=advice(),
        hybrid=True,
    )


def advice() -> RoleAdvice:
    return RoleAdvice(
        role="Helpdesk Administrator",
        proposed="Privileged Authentication Administrator",
        least="User Administrator",
        sufficient=("User Administrator", "Privileged Authentication Administrator"),
        blockers=(Blocker(held="Groups Administrator", accounts=("ada@x",), count=1),),
        blocked=1,
        holders=1,
        accounts=7,
        at=START,
        unknown=("eligible roles",),
    )


def condition(aspect: Aspect, message: str = "fine") -> Condition:
    return Condition(
        type=aspect, status=Status.TRUE, reason="DONE", message=message, since=START, remedy="none"
    )


def credential() -> Credential:
    return Credential(
        key_id="k",
        expires=START + timedelta(days=180),
        published=START,
        due=START + timedelta(days=150),
        vault_name="dvls",
        vault_version="v1",
        hint="abc",
        previous_key_id="j",
        previous_expires=START + timedelta(days=20),
        overlap_until=START + timedelta(days=7),
        operation="op-1",
    )


def operation(id_: str = "op-1", name: str = "dvls", **fields: Any) -> Operation:
    known: dict[str, Any] = {
        "kind": "onboard",
        "state": "running",
        "step": "registration",
        "started": START,
        "changed": START,
        "asked_by": "someone",
        "reason": "requested",
    }
    return Operation(id=id_, connection=name, **{**known, **fields})


def minutes(count: float) -> datetime:
    """A moment so many minutes after the start of the fake clock."""
    return START + timedelta(minutes=count)
