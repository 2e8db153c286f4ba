"""Publishes rows at once, as a run that staged them would."""

from collections.abc import Mapping

from shared.model.accounts import Summary
from shared.model.entities import Findings
from shared.model.scan import Progress, Removals, SourceProgress
from shared.ports import AccountStore


def source(
    key: str, *, full: bool = True, state: str = "complete", cookie: str = ""
) -> SourceProgress:
    kind = key.partition("?")[0]
    return SourceProgress(
        key=key, kind="entity", id=kind, name=kind, state=state, full=full, cookie=cookie
    )


async def publish(
    store: AccountStore,
    summary: Summary,
    pages: Mapping[str, Findings],
    *sources: SourceProgress,
    removals: Removals = "apply",
) -> Summary:
    """*pages* by the keys of their sources; *sources* unless all of them were read in full."""
    read = sources or tuple(source(key) for key in pages)
    staging = await store.staging(summary.connection, summary.operation)
    for key, page in pages.items():
        await staging.stage(key, page)
    await staging.checkpoint(
        Progress(
            operation=summary.operation,
            connection=summary.connection,
            started=summary.started,
            sources=read,
        )
    )
    return await store.publish(summary, removals=removals)
