"""A connection whose last scan found so little that its removals wait for a person."""

from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Summary
from shared.model.entities import Findings
from shared.model.scan import Progress, SourceProgress
from tests.fakes import FakeContext

STAFF = Origin(kind="group", id="g1", name="Staff")


def account(number: int) -> Account:
    return Account(
        id=f"id-{number}",
        user_principal_name=f"user{number}@contoso.com",
        display_name=f"=User {number}",
        enabled=True,
        guest=False,
        mail="",
        origins=(STAFF,),
    )


async def scanned(
    ctx: FakeContext, name: str, operation: str, numbers: range, *, hold: bool = False
) -> Summary:
    """A run of one source that names these accounts, published."""
    store, now = ctx.account_store, ctx.clock.advance(minutes=1) or ctx.clock.now()
    source = SourceProgress(
        key="group/g1", kind="group", id="g1", name="Staff", state="complete", rows=len(numbers)
    )
    staging = await store.staging(name, operation)
    await staging.stage(source.key, Findings(rows=tuple(account(n) for n in numbers)))
    progress = Progress(operation=operation, connection=name, started=now, sources=(source,))
    await staging.checkpoint(progress)
    running = Summary(
        operation=operation, connection=name, state="running", mode="groups", started=now
    )
    over = replace(running, state="succeeded", finished=now)
    return await store.publish(over, removals="hold" if hold else "apply")


async def ids(ctx: FakeContext, name: str) -> set[str]:
    return {row.id async for row in ctx.account_store.accounts(name)}
