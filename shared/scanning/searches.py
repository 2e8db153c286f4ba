"""Who is in the chosen groups or holds the chosen roles."""

from collections.abc import Sequence

from shared import telemetry
from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Source, Summary
from shared.planning import accounts as rows
from shared.planning import discovery as plan
from shared.planning import discovery_guard as guard
from shared.planning.changes import exactly
from shared.scanning.finished import Finished, none_failed_alone
from shared.scanning.together import together
from shared.step import Work


async def run(work: Work, wanted: plan.Search, running: Summary) -> Finished:
    store = work.ctx.account_store
    accounts: dict[str, Account] = {}
    read = await _read_all(work, await _sources(work, wanted), accounts)
    read = guard.doubted(read, await store.summaries(running.connection))
    none_failed_alone(read, wanted.mode)
    failed = [source for source in read if source.status == "failed"]
    if failed:
        async for before in store.accounts(running.connection):
            account = rows.kept(before, accounts.get(before.id), failed)
            if account is not None:
                accounts[before.id] = account
    ordered = sorted(
        accounts.values(), key=lambda row: (row.user_principal_name.casefold(), row.id)
    )
    summary = rows.closed(running, read, work.ctx.clock.now())
    return Finished(summary=summary, patch=exactly(ordered), cookies={})


async def _sources(work: Work, wanted: plan.Search) -> tuple[Origin, ...]:
    reader = work.ctx.account_reader
    if wanted.mode == "groups":
        if not wanted.names:
            return plan.distinct(await reader.all_groups())
        return plan.sources(wanted, await reader.resolve_groups(wanted.names))
    if not wanted.names:
        return plan.distinct(await reader.all_roles())
    return plan.sources(wanted, await reader.resolve_roles(wanted.names))


async def _read_all(
    work: Work, origins: Sequence[Origin], accounts: dict[str, Account]
) -> list[Source]:
    read: dict[str, Source] = {}
    await together(_read(work, origin, accounts, read) for origin in origins)
    return [read[origin.id] for origin in origins]


async def _read(
    work: Work, origin: Origin, accounts: dict[str, Account], read: dict[str, Source]
) -> None:
    reader = work.ctx.account_reader
    pages = reader.members(origin) if origin.kind == "group" else reader.holders(origin)
    seen: set[str] = set()
    status, reason = "complete", ""
    try:
        async for page in pages:
            for account in page:
                seen.add(account.id)
                accounts[account.id] = rows.merged(accounts.get(account.id), account)
    except NeedsHuman as problem:
        status, reason = "failed", f"{problem.code}: {problem.message}"
        telemetry.event("source.failed", source=origin.name, id=origin.id, reason=reason)
    read[origin.id] = Source(
        kind=origin.kind,
        id=origin.id,
        name=origin.name,
        status=status,
        accounts=len(seen),
        reason=reason,
    )
