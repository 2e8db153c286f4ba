"""Planner of discovery: names, merging, comparing."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Source, Summary
from shared.planning import discovery as plan

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ADMINS = Origin(kind="group", id="g1", name="Admins")
STAFF = Origin(kind="group", id="g2", name="Staff")
MODES = ("groups", "roles")


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


def source(origin: Origin, status: str = "complete") -> Source:
    return Source(kind=origin.kind, id=origin.id, name=origin.name, status=status, accounts=1)


class TestSearch:
    def test_defaults_to_the_first_mode_and_to_everything(self) -> None:
        assert plan.search({}, MODES) == plan.Search(configuration="", mode="groups", names=())

    def test_names_are_trimmed_and_named_once(self) -> None:
        asked = plan.search({"filter": [" Staff ", "Staff", "", "O'Brien's"]}, MODES)
        assert asked.names == ("Staff", "O'Brien's")

    def test_a_mode_that_the_product_lacks(self) -> None:
        with pytest.raises(NeedsHuman, match="roles") as refused:
            plan.search({"search_mode": "roles"}, ("groups",))
        assert refused.value.code == "INPUT_INVALID"


class TestSources:
    wanted = plan.Search(configuration="", mode="groups", names=("Staff", "Admins"))

    def test_one_for_each_name(self) -> None:
        read = plan.sources(self.wanted, {"Staff": [STAFF], "Admins": [ADMINS]})
        assert read == (ADMINS, STAFF)

    def test_a_group_named_twice_is_read_once(self) -> None:
        assert plan.sources(self.wanted, {"Staff": [STAFF], "Admins": [STAFF]}) == (STAFF,)

    def test_every_missing_name_is_told(self) -> None:
        with pytest.raises(NeedsHuman, match="'Staff', 'Admins'") as refused:
            plan.sources(self.wanted, {"Staff": []})
        assert refused.value.code == "FILTER_NOT_FOUND"

    def test_ambiguous_names_are_told_with_the_ids_to_choose_from(self) -> None:
        twin = replace(STAFF, id="g3")
        with pytest.raises(NeedsHuman, match="'Staff' is g2, g3") as refused:
            plan.sources(self.wanted, {"Staff": [STAFF, twin], "Admins": [ADMINS]})
        assert refused.value.code == "FILTER_AMBIGUOUS"


class TestMerged:
    def test_one_row_with_every_reason_whatever_the_order(self) -> None:
        one, other = account("ada", ADMINS), account("ada", STAFF)
        there = plan.merged(plan.merged(None, one), other)
        back = plan.merged(plan.merged(None, other), one)
        assert there == back
        assert there.origins == (ADMINS, STAFF)

    def test_the_same_page_twice_changes_nothing(self) -> None:
        once = plan.merged(None, account("ada", ADMINS))
        assert plan.merged(once, account("ada", ADMINS)) == once

    def test_eligible_only_as_long_as_nothing_is_active(self) -> None:
        may = account("ada", replace(ADMINS, via=plan.ELIGIBLE), eligible=True)
        does = account("ada", STAFF)
        assert plan.merged(None, may).eligible
        assert not plan.merged(may, does).eligible
        assert not plan.merged(does, may).eligible


class TestKept:
    failed = (source(ADMINS, "failed"),)

    def test_nothing_of_an_account_that_only_read_sources_vouched_for(self) -> None:
        assert plan.kept(account("ada", STAFF), None, self.failed) is None

    def test_an_unread_source_keeps_its_accounts_as_stale(self) -> None:
        kept = plan.kept(account("ada", ADMINS, STAFF), None, self.failed)
        assert kept == account("ada", ADMINS, state=plan.STALE)

    def test_an_account_seen_elsewhere_keeps_its_unread_reason(self) -> None:
        kept = plan.kept(account("ada", ADMINS), account("ada", STAFF), self.failed)
        assert kept == account("ada", ADMINS, STAFF)

    def test_active_in_an_unread_source_is_more_than_eligible_in_a_read_one(self) -> None:
        role = Origin(kind="role", id="r1", name="Reader", via=plan.ELIGIBLE)
        fresh = account("ada", role, eligible=True)
        kept = plan.kept(account("ada", ADMINS), fresh, self.failed)
        assert kept is not None
        assert not kept.eligible


class TestCompare:
    def test_every_kind_of_difference(self) -> None:
        before = [account("ada"), account("bo"), account("chen"), account("dana")]
        after = [
            account("ada"),
            account("bo", enabled=False),
            account("chen", ADMINS, STAFF),
            account("eli"),
        ]
        counts = plan.compare(before, after)
        assert counts == plan.Counts(added=1, changed=2, removed=1, unchanged=1)

    @pytest.mark.parametrize(
        "same",
        [
            account("ada", state=plan.STALE),
            account("ada", replace(STAFF, name="Everybody")),
        ],
        ids=["stale", "group renamed"],
    )
    def test_what_is_no_change(self, same: Account) -> None:
        assert plan.compare([account("ada")], [same]).changed == 0

    @pytest.mark.parametrize(
        "other",
        [
            account("ada", user_principal_name="ada@fabrikam.com"),
            account("ada", guest=True),
            account("ada", eligible=True),
            account("ada", replace(STAFF, via="Admins")),
        ],
        ids=["renamed", "guest", "eligible", "other way"],
    )
    def test_what_is_a_change(self, other: Account) -> None:
        assert plan.compare([account("ada")], [other]).changed == 1

    def test_nothing_before_and_nothing_after(self) -> None:
        assert plan.compare([], []) == plan.Counts(added=0, changed=0, removed=0, unchanged=0)


def test_tally_counts_rows_and_flags() -> None:
    running = Summary(operation="o", connection="c", state="running", mode="groups", started=NOW)
    rows = [account("ada", guest=True), account("bo", enabled=False), account("chen")]
    whole = plan.tallied(running, rows, [source(STAFF)], NOW)
    assert (whole.state, whole.accounts, whole.guests, whole.disabled) == ("succeeded", 3, 1, 1)
    part = plan.tallied(running, rows, [source(STAFF), source(ADMINS, "failed")], NOW)
    assert part.state == "partial"


def test_runs_are_spread_but_always_alike() -> None:
    day = timedelta(days=1)
    delays = {name: plan.next_run(name, NOW, day) - NOW for name in map(str, range(50))}
    assert all(day <= delay < day + timedelta(hours=1) for delay in delays.values())
    assert len(set(delays.values())) > 40
    assert plan.next_run("7", NOW, day) - NOW == delays["7"]
    assert plan.next_run("7", NOW, timedelta(hours=1)) < NOW + timedelta(minutes=66)
