"""Patches of snapshots: what stays, what goes, and what is said of it."""

import random
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Through
from shared.model.entities import KINDS, Change, Entity, Findings, Link, Row
from shared.planning.changes import Patch, Section, Tally, exactly

STAFF = Origin(kind="group", id="g2", name="Staff")
ADMINS = Origin(kind="group", id="g1", name="Admins")


def account(id_: str, *origins: Origin, **changes: object) -> Account:
    plain = Account(
        id=id_,
        user_principal_name=f"{id_}@contoso.com",
        display_name=id_,
        enabled=True,
        guest=False,
        mail="",
        origins=origins or (STAFF,),
    )
    return replace(plain, **changes)


def group(id_: str, name: str = "G") -> Entity:
    return Entity(kind="group", id=id_, display_name=name)


def member(source: str, target: str) -> Link:
    return Link(kind="members", of="group", source=source, target=target, target_kind="user")


def applied(patch: Patch, before: Iterable[Row], section: str) -> tuple[list[Row], list[Change]]:
    part = Section(patch, getattr(patch, section))
    found = [part.see(row) for row in before] + list(part.rest())
    rows = [row for row, _ in found if row is not None]
    return rows, [change for _, change in found if change is not None]


def said(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    return sorted((change.command, change.kind, change.id) for change in changes)


def compared(before: list[Account], after: list[Account]) -> list[tuple[str, str, str]]:
    return said(applied(exactly(after), before, "accounts")[1])


class TestComparison:
    def test_every_kind_of_difference(self) -> None:
        before = [account("ada"), account("bo"), account("chen"), account("dana")]
        after = [
            account("ada"),
            account("bo", enabled=False),
            account("chen", ADMINS, STAFF),
            account("eli"),
        ]
        assert compared(before, after) == [
            ("delete", "user", "dana"),
            ("insert", "user", "eli"),
            ("update", "user", "bo"),
            ("update", "user", "chen"),
        ]
        rows, _ = applied(exactly(after), before, "accounts")
        assert rows == after

    @pytest.mark.parametrize(
        "same",
        [account("ada", state="stale"), account("ada", replace(STAFF, name="Everybody"))],
        ids=["stale", "group renamed"],
    )
    def test_what_is_no_change(self, same: Account) -> None:
        assert compared([account("ada")], [same]) == []

    @pytest.mark.parametrize(
        "other",
        [
            account("ada", user_principal_name="ada@fabrikam.com"),
            account("ada", guest=True),
            account("ada", eligible=True),
            account("ada", replace(STAFF, chain=(Through(id="g9", name="Admins"),))),
            account("ada", attributes={"jobTitle": "Pilot"}),
        ],
        ids=["renamed", "guest", "eligible", "other way", "attribute"],
    )
    def test_what_is_a_change(self, other: Account) -> None:
        assert compared([account("ada")], [other]) == [("update", "user", "ada")]


@pytest.mark.requirement("N-21")
class TestPatch:
    def test_untouched_rows_stay_as_they_are(self) -> None:
        patch = Patch()
        patch.take(Findings(rows=(account("bo", enabled=False),), gone=("chen", "unknown")))
        before = [account("ada"), account("bo"), account("chen")]
        rows, changes = applied(patch, before, "accounts")
        assert rows == [account("ada"), account("bo", enabled=False)]
        assert said(changes) == [("delete", "user", "chen"), ("update", "user", "bo")]

    def test_replayed_items_change_nothing(self) -> None:
        patch = Patch()
        for _ in range(3):
            patch.take(Findings(rows=(group("g"),), links=(member("g", "ada"),)))
        assert applied(patch, [group("g")], "entities")[1] == []
        assert applied(patch, [member("g", "ada")], "links")[1] == []

    def test_what_comes_back_after_it_went(self) -> None:
        patch = Patch()
        patch.take(Findings(gone=("g",), unlinked=(member("g", "bo"),)))
        patch.take(Findings(rows=(group("g", "New"),), links=(member("g", "bo"),)))
        assert said(applied(patch, [group("g")], "entities")[1]) == [("update", "group", "g")]
        assert applied(patch, [member("g", "bo")], "links")[1] == []

    def test_links_go_with_either_end(self) -> None:
        patch = Patch()
        patch.take(Findings(gone=("ada", "g2"), links=(member("g", "ada"),)))
        before = [member("g", "ada"), member("g", "bo"), member("g2", "bo")]
        rows, changes = applied(patch, before, "links")
        assert rows == [member("g", "bo")]
        assert [change.command for change in changes] == ["delete", "delete"]

    def test_links_go_with_users_that_a_full_read_no_longer_has(self) -> None:
        patch = Patch(accounts={"ada": account("ada")}, whole={"user"})
        applied(patch, [account("ada"), account("bo")], "accounts")
        rows, _ = applied(patch, [member("g", "ada"), member("g", "bo")], "links")
        assert rows == [member("g", "ada")]

    def test_a_whole_kind_leaves_the_others_alone(self) -> None:
        patch = Patch(entities={"g": group("g")}, whole={"group"})
        role = Entity(kind="directoryRole", id="r", display_name="R")
        rows, changes = applied(patch, [group("old"), role], "entities")
        assert {row.id for row in rows} == {"g", "r"}
        assert said(changes) == [("delete", "group", "old"), ("insert", "group", "g")]

    def test_doubted_removals_take_nothing_away(self) -> None:
        patch = Patch(accounts={"new": account("new")}, gone={"ada"}, whole=set(KINDS))
        rows, changes = applied(patch.additions(), [account("ada")], "accounts")
        assert {row.id for row in rows} == {"ada", "new"}
        assert said(changes) == [("insert", "user", "new")]

    @pytest.mark.parametrize("seed", range(20))
    def test_pages_of_one_state_give_it_in_any_order_and_number(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a shuffle
        before = {f"u{n}": account(f"u{n}") for n in range(30)}
        after = {
            id_: replace(row, enabled=chance.random() < 0.5)
            for id_, row in before.items()
            if chance.random() < 0.7
        } | {f"n{n}": account(f"n{n}") for n in range(5)}
        items = [Findings(rows=(row,)) for row in after.values()]
        items += [Findings(gone=(id_,)) for id_ in before.keys() - after.keys()]
        items += chance.choices(items, k=10)
        chance.shuffle(items)
        patch = Patch()
        for item in items:
            patch.take(item)
        rows, changes = applied(patch, before.values(), "accounts")
        assert {row.id: row for row in rows} == after
        assert len(changes) == len(
            [i for i in before.keys() | after if before.get(i) != after.get(i)]
        )


@pytest.mark.requirement("D-34")
def test_the_counts_are_of_the_rows() -> None:
    tally = Tally()
    for row in (
        account("a", guest=True),
        account("b", enabled=False),
        group("g"),
        member("g", "a"),
    ):
        tally.keep(row)
    assert tally.rows == {"user": 2, "group": 1}
    assert (tally.guests, tally.disabled, tally.links) == (1, 1, 1)
