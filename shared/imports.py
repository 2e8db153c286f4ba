"""Reading what an import asks for, and making the first one due."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from shared import telemetry
from shared.context import Context
from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin
from shared.model.imports import ImportRequest, ImportRow, ImportSchedule, UserStore
from shared.planning import import_names as names
from shared.planning import import_requests as requests
from shared.planning.import_structure import Found
from shared.step import Work

DUE = "import"
"""Kind of operation, and name of its due index."""

READERS = 6
"""Requests at the same time: more would only run into Graph's throttling."""

A = TypeVar("A")
B = TypeVar("B")


async def schedule_first(work: Work) -> None:
    """Make the first import due when an onboarding ends; once, however often that happens.

    It becomes a schedule if the connection is to be kept in step.
    """
    name, spec = work.connection.spec.name, work.connection.spec
    discovery = work.profile.discovery
    if work.message.kind != "onboard" or work.profile.import_ is None:
        return
    if discovery is None or discovery.result_state != "import":
        return
    wanted = requests.from_inputs(spec.inputs)
    if not wanted.names_anybody() or work.connection.import_schedule is not None:
        return
    if await work.ctx.import_store.summaries(name):
        return
    every = requests.interval(spec)
    if every:
        kept = requests.standing(wanted)
        schedule = ImportSchedule(every=every, request=kept, made=work.now, by=spec.owner)
        await work.ctx.ledger.amend(name, import_schedule=schedule)
    await work.ctx.ledger.set_due(DUE, name, work.now)


async def gather(
    ctx: Context, connection: str, request: ImportRequest, known: UserStore, *, scheduled: bool
) -> Found:
    """Read everybody whom *request* means; a name or group that cannot be read is a failed row."""
    failed: list[ImportRow] = []
    users = [
        *await _named(ctx, request, failed),
        *await _selected(ctx, connection, request, failed),
    ]
    roots = await _groups(ctx, request, failed)
    walk = _Walk(ctx)
    await walk.down(roots)
    people = walk.people | {user.id: user for user in users}
    if request.everyone:
        async for page in ctx.directory_reader.everyone():
            users += [user for user in page if user.id not in people]
            people |= {user.id: user for user in page}
    missing = [u.id for u in known.present() if u.id not in people] if scheduled else []
    there = await ctx.directory_reader.existing(missing) if missing else frozenset()
    return Found(
        users=tuple(users),
        roots=tuple(roots),
        groups=tuple(walk.groups.values()),
        children=walk.children,
        members=walk.members,
        people=people,
        gone=frozenset(missing) - there,
        failed=(*failed, *walk.failed),
    )


class _Walk:
    """Groups and all groups within them, each read once, however they are nested."""

    def __init__(self, ctx: Context) -> None:
        self._reader = ctx.directory_reader
        self.groups: dict[str, Origin] = {}
        self.children: dict[str, tuple[str, ...]] = {}
        self.members: dict[str, tuple[str, ...]] = {}
        self.people: dict[str, Account] = {}
        self.failed: list[ImportRow] = []

    async def down(self, roots: Sequence[Origin]) -> None:
        level = {group.id: group for group in roots}
        while level:
            self.groups |= level
            nested = await side_by_side(self._read, level.values())
            found = {group.id: group for groups in nested for group in groups}
            level = {id_: group for id_, group in found.items() if id_ not in self.groups}

    async def _read(self, group: Origin) -> list[Origin]:
        try:
            children = await self._reader.groups_in(group)
            people = [row async for page in self._reader.users_in(group) for row in page]
        except NeedsHuman as problem:
            why = f"{problem.code}: {problem.message}"
            telemetry.event("group.unread", id=group.id, reason=why)
            self.failed.append(names.unread(group, why))
            return []
        self.children[group.id] = tuple(sorted({child.id for child in children}))
        self.members[group.id] = tuple(dict.fromkeys(user.id for user in people))
        self.people |= {user.id: user for user in people}
        return children


async def side_by_side(work: Callable[[A], Awaitable[B]], items: Iterable[A]) -> list[B]:
    """The results in order; a few at a time, and the first error after its companions ended."""
    waiting, done = list(items), list[B]()
    for start in range(0, len(waiting), READERS):
        part = waiting[start : start + READERS]
        ended = await asyncio.gather(*map(work, part), return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome
            done.append(outcome)
    return done


async def _named(ctx: Context, request: ImportRequest, failed: list[ImportRow]) -> list[Account]:
    found: list[Account] = []
    candidates = await side_by_side(ctx.directory_reader.users_called, request.users)
    for name, called in zip(request.users, candidates, strict=True):
        outcome = names.user_called(name, called)
        if isinstance(outcome, ImportRow):
            failed.append(outcome)
        else:
            found.append(outcome)
    return found


async def _selected(
    ctx: Context, connection: str, request: ImportRequest, failed: list[ImportRow]
) -> list[Account]:
    """Discovered accounts that were selected: a scan itself imports nothing."""
    wanted = dict.fromkeys(request.account_ids)
    if not wanted:
        return []
    met: dict[str, Account] = {}
    async for account in ctx.account_store.accounts(connection):
        if account.id in wanted:
            met[account.id] = account
    failed += [names.account_missing(id_) for id_ in wanted if id_ not in met]
    return [met[id_] for id_ in wanted if id_ in met]


async def _groups(ctx: Context, request: ImportRequest, failed: list[ImportRow]) -> list[Origin]:
    asked = [*request.groups, *request.group_ids]
    found: dict[str, Origin] = {}
    candidates = await side_by_side(ctx.directory_reader.groups_called, asked)
    for name, called in zip(asked, candidates, strict=True):
        outcome = names.group_called(name, called)
        if isinstance(outcome, ImportRow):
            failed.append(outcome)
        else:
            found[outcome.id] = outcome
    return list(found.values())
