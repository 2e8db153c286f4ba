"""Rows and runs of the store's tests."""

import uuid
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Summary
from shared.model.entities import Entity, Findings, Link
from shared.ports import AccountStore
from tests.fakes.published import publish

START = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
STAFF = Origin(kind="group", id="g1", name="Staff")


def account(number: int, **changes: object) -> Account:
    plain = Account(
        id=f"id-{number:05d}",
        user_principal_name=f"Zoë.O'Neil{number}@contoso.com",
        display_name=f"Zoë {number}\n{uuid.uuid5(uuid.NAMESPACE_OID, str(number))}",
        enabled=True,
        guest=False,
        mail="",
        origins=(STAFF,),
    )
    return replace(plain, **changes)


def accounts(*numbers: int) -> list[Account]:
    return [account(number) for number in numbers]


def group(number: int) -> Entity:
    return Entity(kind="group", id=f"g-{number}", display_name=f"Group {number}")


def member(number: int, of: int = 1) -> Link:
    return Link(kind="members", of="group", source=f"g-{of}", target=account(number).id)


def running(operation: str, minute: int = 0, connection: str = "pam") -> Summary:
    return Summary(
        operation=operation,
        connection=connection,
        state="running",
        mode="groups",
        started=START + timedelta(minutes=minute),
    )


def finished(operation: str, minute: int = 0, connection: str = "pam") -> Summary:
    begun = running(operation, minute, connection)
    return replace(begun, state="succeeded", finished=begun.started + timedelta(seconds=30))


def failed(operation: str, minute: int = 0) -> Summary:
    return replace(running(operation, minute), state="failed")


async def save(store: AccountStore, summary: Summary, *numbers: int) -> Summary:
    """A snapshot of exactly these accounts."""
    return await publish(store, summary, {"user?": Findings(rows=tuple(accounts(*numbers)))})


async def read(store: AccountStore, connection: str = "pam") -> list[Account]:
    return [row async for row in store.accounts(connection)]
