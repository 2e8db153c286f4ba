"""What counts as a change of a row, and the counts that follow from the rows that differ."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from shared.model.accounts import Account, Source, Summary, Through
from shared.model.entities import Entity, Link
from shared.planning.counting import Count, changed
from tests.unit.planning.samples import STAFF, account

BEGUN = datetime(2026, 1, 5, tzinfo=UTC)


GROUP = Entity(kind="group", id="g", display_name="G")
MEMBER = Link(kind="members", of="group", source="g", target="ada", target_kind="user")
RUN = Summary(
    operation="o1",
    connection="pam",
    state="succeeded",
    mode="all",
    started=BEGUN,
    sources=(Source(kind="entity", id="user", name="user", status="complete", accounts=0),),
)


class TestChanged:
    @pytest.mark.parametrize(
        "same",
        [account(), account(state="stale"), account("ada", replace(STAFF, name="Everybody"))],
        ids=["equal", "stale", "group renamed"],
    )
    def test_what_is_no_change(self, same: Account) -> None:
        assert changed(account(), same) is None

    @pytest.mark.parametrize(
        "other",
        [
            account(user_principal_name="ada@fabrikam.com"),
            account(guest=True),
            account(eligible=True),
            account("ada", replace(STAFF, chain=(Through(id="g9", name="Admins"),))),
            account(attributes={"jobTitle": "Pilot"}),
        ],
        ids=["renamed", "guest", "eligible", "other way", "attribute"],
    )
    def test_what_is_a_change(self, other: Account) -> None:
        change = changed(account(), other)
        assert change is not None
        assert (change.command, change.kind, change.id) == ("update", "user", "ada")

    def test_what_comes_and_goes(self) -> None:
        assert changed(None, None) is None
        for row, kind in ((account(), "user"), (GROUP, "group"), (MEMBER, "members")):
            come, gone = changed(None, row), changed(row, None)
            assert come is not None
            assert gone is not None
            assert (come.command, come.kind, come.id) == ("insert", kind, row.id)
            assert (gone.command, gone.kind, gone.id) == ("delete", kind, row.id)


@pytest.mark.requirement("D-34")
class TestCount:
    def test_it_follows_the_rows_that_differ(self) -> None:
        count = Count(None)
        for row in (account("a", guest=True), account("b", enabled=False), GROUP, MEMBER):
            count.differ(None, row)
        first = count.counted(RUN, "x")
        assert (first.accounts, first.added, first.guests, first.disabled) == (2, 2, 1, 1)
        assert (first.entities, first.links, first.changes) == ({"group": 1, "user": 2}, 1, 4)
        assert first.sources[0].accounts == 2

        later = Count(first)
        later.differ(account("a", guest=True), account("a", mail="a@b.c", attributes={"x": 1}))
        later.differ(account("b", enabled=False), None)
        later.differ(GROUP, None)
        second = later.counted(replace(RUN, operation="o2"), "y")
        assert (second.accounts, second.changed, second.removed, second.added) == (1, 1, 1, 0)
        assert (second.guests, second.disabled, second.entities) == (0, 0, {"user": 1})
        assert second.changed_attributes == {"guest": 1, "mail": 1, "x": 1}

    def test_many_at_once_are_counted_alike(self) -> None:
        one, many = Count(None), Count(None)
        for number in range(3):
            one.differ(None, account(str(number), guest=number == 0))
        one.differ(None, MEMBER)
        many.inserted({"user": 3}, accounts=3, guests=1)
        many.linked(1)
        assert one.counted(RUN, "x") == many.counted(RUN, "x")
