"""The walk from groups down to everybody in them, against a plain search over all paths."""

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest
from msgspec.structs import replace

from shared.adapters.graph_account_rows import GROUP, USER, HolderRow
from shared.adapters.graph_client import Page
from shared.adapters.graph_nested import Found, Visit, Walk, deeper
from shared.model.accounts import Account, Origin, Through
from shared.planning.accounts import merged

MAY = Origin(kind="role", id="r1", name="Reader", scope="a1", eligible=True)


class World:
    """A random tenant: some groups contain each other, or themselves; users are anywhere."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - test data, repeatable
        self.groups = [f"g{n}" for n in range(self.dice.randint(1, 6))]
        self.users = [f"u{n}" for n in range(self.dice.randint(1, 6))]
        density = self.dice.choice((0.1, 0.3, 0.6))
        self.nested = {
            outer: [inner for inner in self.groups if self.dice.random() < density]
            for outer in self.groups
        }
        self.members = {
            group: [user for user in self.users if self.dice.random() < 0.3]
            for group in self.groups
        }

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

    def is_way(self, root: str, chain: tuple[Through, ...]) -> bool:
        steps = (root, *(step.id for step in chain))
        return all(b in self.nested[a] for a, b in pairwise(steps))

    def page(self, visit: Visit) -> Page[HolderRow]:
        """Some of the members of a group, from where its link stands."""
        rows = [
            *(HolderRow(id=id_, type=USER) for id_ in self.members[visit.id]),
            *(
                HolderRow(id=id_, type=GROUP, display_name=id_.upper())
                for id_ in self.nested[visit.id]
            ),
        ]
        start = int(visit.link or 0)
        end = start + self.dice.randint(0, 3)  # a page may be empty
        return Page(value=rows[start:end], next_link=str(end) if end < len(rows) else None)

    def walked(self, *visits: Visit) -> dict[str, Account]:
        """Rows by user; after each page the walk goes on in another process."""
        rows: dict[str, Account] = {}
        walk = Walk(level=visits, seen=tuple(visit.key for visit in visits))
        while not walk.over:
            walk, found, at_once = Walk.parsed(walk.link()), Found(), self.dice.randint(1, 3)
            for visit in walk.level[:at_once]:
                found.take(visit, self.page(visit))
            for row in found.rows:
                rows[row.id] = merged((rows[row.id], row)) if row.id in rows else row
            level, below = (*found.begun, *walk.level[at_once:]), (*walk.below, *found.inner)
            left = replace(walk, level=level, below=below)
            walk = left if left.level else deeper(left)
        return rows


@pytest.mark.requirement("D-30", "X-15")
@pytest.mark.parametrize("seed", range(200))
def test_each_group_that_somebody_is_in_is_told_with_the_shortest_way(seed: int) -> None:
    world = World(seed)
    root = world.dice.choice(world.groups)
    origin = Origin(kind="group", id=root, name="Chosen")
    rows = world.walked(Visit(root, origin, root=root))
    for account in world.users:
        expected = world.ways(root, account)
        row = rows.get(account)
        assert (row is not None) == bool(expected)
        for o in row.origins if row else ():
            assert world.is_way(root, o.chain)
            assert all(step.name == step.id.upper() for step in o.chain)
        shown = (
            {o.chain[-1].id if o.chain else root: len(o.chain) for o in row.origins} if row else {}
        )
        assert shown == expected
        assert row is None or len(row.origins) == len(expected)


@pytest.mark.requirement("D-23", "D-30")
@pytest.mark.parametrize("seed", range(100))
def test_several_roles_of_several_groups_are_kept_apart(seed: int) -> None:
    world = World(seed)
    held = {
        (role, world.dice.choice(world.groups)): world.dice.random() < 0.5
        for role in ("r1", "r2", "r3")
    }
    visits = [
        Visit(
            group,
            replace(
                MAY, id=role, eligible=eligible, chain=(Through(id=group, name=group.upper()),)
            ),
            root=f"{role}{group}",
        )
        for (role, group), eligible in held.items()
    ]
    rows = world.walked(*visits)
    for account in world.users:
        expected = defaultdict(set)
        for role, group in held:
            expected[role] |= set(world.ways(group, account))
        row = rows.get(account)
        shown = defaultdict(set)
        for o in row.origins if row else ():
            shown[o.id].add(o.chain[-1].id)
            assert world.is_way(o.chain[0].id, o.chain[1:])
            assert o.eligible == held[o.id, o.chain[0].id]
            assert o.scope == "a1"
        assert shown == {role: groups for role, groups in expected.items() if groups}
        if row is not None:
            assert row.eligible == all(o.eligible for o in row.origins)


def test_groups_that_contain_each_other_end_in_no_loop() -> None:
    world = World(0)
    world.nested = {"a": ["b"], "b": ["c", "a"], "c": ["a", "c"]}
    world.members = {"a": [], "b": [], "c": ["ada"]}
    rows = world.walked(Visit("a", Origin(kind="group", id="a", name="A"), root="a"))
    (origin,) = rows["ada"].origins
    assert [step.id for step in origin.chain] == ["b", "c"]
