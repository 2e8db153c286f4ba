"""Tenants of each search mode, and what happens in them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from msgspec.structs import replace

from shared.model.accounts import Account, Origin
from shared.model.entities import Entity, Link
from tests.fakes import FakeContext
from tests.fakes.accounts import People
from tests.in_memory.discovery.scans import connected

EVERYBODY = Origin(kind="tenant", id="users", name="All users")

INPUTS = {"removal_limit": 10**6, "removal_percent": 100}
"""Nothing is held: what a random history takes away is right."""


@dataclass(frozen=True)
class Mode:
    """A profile that scans so, and what its tenant consists of."""

    name: str
    connect: Callable[[FakeContext], Awaitable[FakeContext]]
    grow: Callable[[FakeContext, Random], None]
    change: Callable[[FakeContext, Random], None]
    truth: Callable[[FakeContext], dict[str, Any]]


# Whole kinds of entities.


async def _all(world: FakeContext) -> FakeContext:
    return await connected(
        world=world,
        profile="netwrix-identity-manager",
        features={"export": True},
        search_mode=None,
        **INPUTS,
    )


async def _untracked(world: FakeContext) -> FakeContext:
    return await connected(
        world=world, profile="pam360", features={"sync": True}, search_mode=None, **INPUTS
    )


async def _users(world: FakeContext) -> FakeContext:
    return await connected(
        world=world,
        profile="bitwarden-directory-connector",
        features={"sync": True},
        search_mode="users",
        **INPUTS,
    )


def _user(number: int, chance: Random) -> Account:
    return Account(
        id=f"user-{number:03}",
        user_principal_name=f"u{number}@contoso.onmicrosoft.com",
        display_name=f"u{number}",
        enabled=chance.random() < 0.8,
        guest=chance.random() < 0.2,
        mail="",
        origins=(EVERYBODY,),
    )


def _grow_directory(ctx: FakeContext, chance: Random) -> None:
    for _ in range(chance.randint(8, 14)):
        _change_directory(ctx, chance, "user")
    for kind in ("group", "group", "group", "directoryRole", "servicePrincipal"):
        _change_directory(ctx, chance, kind)
    for _ in range(chance.randint(5, 15)):
        _change_directory(ctx, chance, "link")


def _change_directory(ctx: FakeContext, chance: Random, what: str = "") -> None:
    known = ctx.entity_reader.directory
    kinds = ("user", "group", "directoryRole", "servicePrincipal")
    what = what or chance.choice([*kinds, "edit", "edit", "remove", "link", "link", "unlink"])
    match what:
        case "user":
            known.put(_user(chance.randint(0, 99), chance))
        case "group" | "directoryRole" | "servicePrincipal":
            number = chance.randint(0, 9)
            known.put(Entity(kind=what, id=f"{what}-{number}", display_name=f"{what}{number}"))
        case "edit":
            row = known.rows[chance.choice(sorted(known.rows))]
            known.put(replace(row, display_name=f"{row.display_name}{chance.randint(0, 9)}"))
        case "remove":
            users = [id_ for id_, row in known.rows.items() if isinstance(row, Account)]
            gone = chance.choice(sorted(known.rows))
            if gone not in users or len(users) > 2:
                known.remove(gone)
        case "link":
            _link(ctx, chance)
        case "unlink":
            if known.links:
                link = known.links[chance.choice(sorted(known.links))]
                known.unlink(link.kind, link.source, link.target)


def _link(ctx: FakeContext, chance: Random) -> None:
    known = ctx.entity_reader.directory
    ids = sorted(known.rows)
    sources = [id_ for id_ in ids if id_.startswith(("group-", "directoryRole-"))]
    if sources:
        source = chance.choice(sources)
        kind = chance.choice(("members", "owners")) if source.startswith("group") else "members"
        known.link(kind, source, chance.choice(ids))


def _directory_truth(
    kinds: tuple[str, ...], navigation: tuple[str, ...]
) -> Callable[[FakeContext], dict[str, Any]]:
    def truth(ctx: FakeContext) -> dict[str, Any]:
        known = ctx.entity_reader.directory
        rows = {id_: row for id_, row in known.rows.items() if _kind(row) in kinds}
        links = {
            id_: link
            for id_, link in known.links.items()
            if link.of in kinds and link.kind in navigation
        }
        return _sorted(rows, links)

    return truth


def _kind(row: Account | Entity) -> str:
    return "user" if isinstance(row, Account) else row.kind


def _sorted(rows: dict[str, Account | Entity], links: dict[str, Link]) -> dict[str, Any]:
    return {
        "accounts": {id_: row for id_, row in rows.items() if isinstance(row, Account)},
        "entities": {id_: row for id_, row in rows.items() if isinstance(row, Entity)},
        "links": links,
    }


# Chosen groups and roles.


async def _groups(world: FakeContext) -> FakeContext:
    return await connected(world=world, **INPUTS)


async def _roles(world: FakeContext) -> FakeContext:
    return await connected(world=world, search_mode="roles", **INPUTS)


def _grow_people(ctx: FakeContext, chance: Random) -> None:
    people = ctx.account_reader.people
    for number in range(12):
        people.add_user(f"u{number}", enabled=chance.random() < 0.8, guest=chance.random() < 0.2)
    for number in range(4):
        people.add_group(f"g{number}", chance.sample([*people.users], 4))
    for _ in range(8):
        _change_people(ctx, chance)


def _change_people(ctx: FakeContext, chance: Random) -> None:
    people = ctx.account_reader.people
    everybody = sorted([*people.users, *people.groups])
    roles = sorted(ctx.tenant.role_ids.values())[:3]
    match chance.choice(["user", "edit", "remove", "group", "member", "member", "leave", "role"]):
        case "user":
            people.add_user(f"n{chance.randint(0, 30)}", guest=chance.random() < 0.5)
        case "edit":
            one = people.users[chance.choice(sorted(people.users))]
            people.users[one.id] = replace(one, enabled=not one.enabled)
        case "remove":
            _remove(people, chance.choice(everybody))
        case "group":
            people.add_group(f"g{len(people.groups)}")
        case "member" if people.groups:
            inside = people.members[chance.choice(sorted(people.groups))]
            inside.append(chance.choice(everybody))
        case "leave" if people.groups:
            inside = people.members[chance.choice(sorted(people.groups))]
            if inside:
                inside.remove(chance.choice(inside))
        case "role":
            held = chance.choice([people.holders, people.eligible])
            held.setdefault(chance.choice(roles), []).append(chance.choice(everybody))


def _remove(people: People, id_: str) -> None:
    if id_ in people.users and len(people.users) < 3:
        return
    people.users.pop(id_, None)
    people.groups.pop(id_, None)
    people.members.pop(id_, None)
    for inside in (*people.members.values(), *people.holders.values(), *people.eligible.values()):
        inside[:] = [member for member in inside if member != id_]


def _people_truth(*, roles: bool) -> Callable[[FakeContext], dict[str, Any]]:
    def truth(ctx: FakeContext) -> dict[str, Any]:
        people = ctx.account_reader.people
        found: dict[str, list[Origin]] = {}
        if roles:
            named = {id_: name for name, id_ in ctx.tenant.role_ids.items()}
            for eligible, held in ((False, people.holders), (True, people.eligible)):
                for role, ids in held.items():
                    origin = Origin(kind="role", id=role, name=named[role], eligible=eligible)
                    _reach(people, origin, ids, found)
        else:
            for group, name in people.groups.items():
                _reach(
                    people, Origin(kind="group", id=group, name=name), people.members[group], found
                )
        rows: dict[str, Account | Entity] = {
            id_: replace(
                people.users[id_],
                origins=tuple(sorted(origins, key=lambda origin: origin.way)),
                eligible=all(origin.eligible for origin in origins),
            )
            for id_, origins in found.items()
        }
        return _sorted(rows, {})

    return truth


def _reach(people: People, origin: Origin, ids: list[str], found: dict[str, list[Origin]]) -> None:
    for user, chain in people.ways(ids, origin.id):
        found.setdefault(user, []).append(replace(origin, chain=chain))


KINDS = ("user", "group", "directoryRole", "servicePrincipal")

MODES = {
    mode.name: mode
    for mode in (
        Mode(
            "all",
            _all,
            _grow_directory,
            _change_directory,
            _directory_truth(KINDS, ("members", "owners")),
        ),
        Mode(
            "all, without delta",
            _untracked,
            _grow_directory,
            _change_directory,
            _directory_truth(("user", "group"), ("members",)),
        ),
        Mode("users", _users, _grow_directory, _change_directory, _directory_truth(("user",), ())),
        Mode("groups", _groups, _grow_people, _change_people, _people_truth(roles=False)),
        Mode("roles", _roles, _grow_people, _change_people, _people_truth(roles=True)),
    )
}
