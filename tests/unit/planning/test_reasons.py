"""Reasons of accounts, joined from whole lists: against a plain search over all paths."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Through
from shared.planning.nesting import within
from shared.planning.reasons import Holding, Names, Reasons, of_groups, of_roles, rows

UNTIL = datetime(2027, 1, 1, tzinfo=UTC)


def user(id_: str, **changes: object) -> Account:
    plain = Account(
        id=id_,
        user_principal_name=f"{id_}@contoso.com",
        display_name=id_,
        enabled=True,
        guest=False,
        mail="",
        origins=(),
    )
    return replace(plain, **changes)


def group(id_: str) -> Origin:
    return Origin(kind="group", id=id_, name=id_.upper())


class World:
    """A random tenant: some groups contain each other, users are anywhere."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311 - test data, repeatable
        self.groups = [f"g{n}" for n in range(dice.randint(1, 6))]
        self.users = [f"u{n}" for n in range(dice.randint(1, 6))]
        density = dice.choice((0.1, 0.3, 0.6))
        self.nested = {
            outer: [inner for inner in self.groups if dice.random() < density]  # itself, too
            for outer in self.groups
        }
        self.members = {
            group: [user for user in self.users if dice.random() < 0.3] for group in self.groups
        }
        self.chosen = [id_ for id_ in self.groups if dice.random() < 0.5]
        scopes = ("/", "/administrativeUnits/a1", "/administrativeUnits/a2")
        self.held = [
            Holding(
                principal=dice.choice([*self.groups, *self.users, "sp1"]),
                role=dice.choice(("r1", "r2")),
                scope=dice.choice(scopes),
                eligible=dice.random() < 0.4,
                until=UNTIL,
            )
            for _ in range(dice.randint(0, 6))
        ]
        self.names = Names(
            roles={"r1": "Reader"},
            units={"a1": "North", "a2": "South"},
            groups={id_: id_.upper() for id_ in self.groups},
        )

    def ways(self, root: str, account: str) -> dict[str, int]:
        """The groups within *root* that the account is directly in, and how far in each is."""
        found: dict[str, int] = {}
        for path in self._simple(root, (root,)):
            if account in self.members[path[-1]]:
                found[path[-1]] = min(found.get(path[-1], 99), len(path) - 1)
        return found

    def _simple(self, at: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for inner in self.nested[at]:
            if inner not in path:
                yield from self._simple(inner, (*path, inner))

    def found(self, reasons: Reasons) -> dict[str, Account]:
        users = [user(id_) for id_ in self.users]
        return {row.id: row for row in rows(users, reasons, self.members)}

    def is_way(self, root: str, chain: tuple[Through, ...]) -> bool:
        steps = (root, *(step.id for step in chain))
        return all(b in self.nested[a] for a, b in pairwise(steps))


@pytest.mark.requirement("D-30", "X-15")
@pytest.mark.parametrize("seed", range(150))
def test_of_chosen_groups_everybody_within_with_the_shortest_ways(seed: int) -> None:
    world = World(seed)
    found = world.found(of_groups([group(id_) for id_ in world.chosen], world.nested, world.names))
    for account in world.users:
        expected = {
            (root, inner): far
            for root in world.chosen
            for inner, far in world.ways(root, account).items()
        }
        row = found.get(account)
        assert (row is not None) == bool(expected)
        if row is None:
            continue
        shown = {(o.id, o.chain[-1].id if o.chain else o.id): len(o.chain) for o in row.origins}
        assert shown == expected
        assert len(row.origins) == len(expected)
        assert all(world.is_way(o.id, o.chain) for o in row.origins)
        assert all(step.name == step.id.upper() for o in row.origins for step in o.chain)


@pytest.mark.requirement("D-23", "D-30")
@pytest.mark.parametrize("seed", range(150))
def test_of_roles_every_assignment_and_eligibility_down_to_the_members(seed: int) -> None:
    world = World(seed)
    found = world.found(of_roles(world.held, world.nested, world.names))
    for account in world.users:
        expected = set()
        for held in world.held:
            scope = held.scope.rpartition("/")[2] or "/"
            if held.principal == account:
                expected.add((held.role, scope, held.eligible, ""))
            elif held.principal in world.groups:
                for inner in world.ways(held.principal, account):
                    expected.add((held.role, scope, held.eligible, f"{held.principal}>{inner}"))
        row = found.get(account)
        shown = set()
        for o in row.origins if row else ():
            way = f"{o.chain[0].id}>{o.chain[-1].id}" if o.chain else ""
            shown.add((o.id, o.scope, o.eligible, way))
            assert o.until == UNTIL
            assert not o.chain or world.is_way(o.chain[0].id, o.chain[1:])
            assert o.scope_name == {"/": "", "a1": "North", "a2": "South"}[o.scope]
        assert shown == expected
        if row is not None:
            assert row.eligible == all(eligible for _, _, eligible, _ in expected)


@pytest.mark.parametrize("seed", range(40))
def test_the_order_in_which_lists_come_changes_nothing(seed: int) -> None:
    world, dice = World(seed), random.Random(seed)  # noqa: S311 - test data, repeatable
    chosen = [group(id_) for id_ in world.chosen]

    def joined() -> dict[str, Account]:
        both = of_groups(chosen, world.nested, world.names).joined(
            of_roles(world.held, world.nested, world.names)
        )
        return world.found(both)

    before = joined()
    for listed in (chosen, world.held, *world.nested.values(), *world.members.values()):
        dice.shuffle(listed)
    assert joined() == before


@pytest.mark.parametrize("seed", range(40))
def test_with_units_only_what_is_scoped_to_them(seed: int) -> None:
    world = World(seed)
    narrow = world.found(of_roles(world.held, world.nested, world.names, units={"a1"}))
    whole = world.found(of_roles(world.held, world.nested, world.names))
    expected = {id_: {o for o in row.origins if o.scope == "a1"} for id_, row in whole.items()}
    assert {id_: set(row.origins) for id_, row in narrow.items()} == {
        id_: origins for id_, origins in expected.items() if origins
    }


@pytest.mark.requirement("X-15")
def test_groups_that_contain_each_other_end_in_no_loop() -> None:
    nested = {"a": ["b"], "b": ["c", "a"], "c": ["a", "c"]}
    assert within("a", nested) == {"a": (), "b": ("b",), "c": ("b", "c")}
    [row] = rows([user("ada")], of_groups([group("a")], nested, Names()), {"c": ["ada"]})
    [origin] = row.origins
    assert [step.id for step in origin.chain] == ["b", "c"]


def test_a_long_chain_of_groups_is_no_recursion() -> None:
    nested = {f"g{n}": [f"g{n + 1}"] for n in range(3000)}
    assert len(within("g0", nested)["g3000"]) == 3000


@pytest.mark.requirement("M-29")
def test_mfa_is_unknown_where_nobody_said() -> None:
    people = [user(name) for name in ("ada", "bo", "chen")]
    held = [Holding(principal=name, role="r1") for name in ("ada", "bo", "chen")]
    reasons = of_roles(held, {}, Names())
    told = {row.id: row.mfa for row in rows(people, reasons, {}, {"ada": True, "bo": False})}
    assert told == {"ada": "yes", "bo": "no", "chen": "unknown"}
    assert {row.mfa for row in rows(people, reasons, {})} == {"unknown"}


def test_a_scope_that_is_no_unit_is_told_by_its_id() -> None:
    held = [Holding(principal="ada", role="r9", scope="/0f1e", since=UNTIL)]
    [row] = rows([user("ada")], of_roles(held, {}, Names()), {})
    assert [(o.name, o.scope, o.scope_name, o.since) for o in row.origins] == [
        ("r9", "0f1e", "", UNTIL)
    ]
