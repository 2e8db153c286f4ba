"""Rows of accounts: merged from several sources, and kept when one fails."""

from datetime import UTC, datetime

from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Source, Summary
from shared.planning import accounts as rows

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ADMINS = Origin(kind="group", id="g1", name="Admins")
STAFF = Origin(kind="group", id="g2", name="Staff")


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


class TestMerged:
    def test_one_row_with_every_reason_whatever_the_order(self) -> None:
        one, other = account("ada", ADMINS), account("ada", STAFF)
        there = rows.merged(rows.merged(None, one), other)
        back = rows.merged(rows.merged(None, other), one)
        assert there == back
        assert there.origins == (ADMINS, STAFF)

    def test_the_same_page_twice_changes_nothing(self) -> None:
        once = rows.merged(None, account("ada", ADMINS))
        assert rows.merged(once, account("ada", ADMINS)) == once

    def test_eligible_only_as_long_as_nothing_is_active(self) -> None:
        may = account("ada", replace(ADMINS, eligible=True), eligible=True)
        does = account("ada", STAFF)
        assert rows.merged(None, may).eligible
        assert not rows.merged(may, does).eligible
        assert not rows.merged(does, may).eligible


class TestKept:
    failed = (source(ADMINS, "failed"),)

    def test_nothing_of_an_account_that_only_read_sources_vouched_for(self) -> None:
        assert rows.kept(account("ada", STAFF), None, self.failed) is None

    def test_an_unread_source_keeps_its_accounts_as_stale(self) -> None:
        kept = rows.kept(account("ada", ADMINS, STAFF), None, self.failed)
        assert kept == account("ada", ADMINS, state=rows.STALE)

    def test_an_account_seen_elsewhere_keeps_its_unread_reason(self) -> None:
        kept = rows.kept(account("ada", ADMINS), account("ada", STAFF), self.failed)
        assert kept == account("ada", ADMINS, STAFF)

    def test_active_in_an_unread_source_is_more_than_eligible_in_a_read_one(self) -> None:
        role = Origin(kind="role", id="r1", name="Reader", eligible=True)
        fresh = account("ada", role, eligible=True)
        kept = rows.kept(account("ada", ADMINS), fresh, self.failed)
        assert kept is not None
        assert not kept.eligible


def test_a_run_is_partial_when_a_source_failed() -> None:
    running = Summary(operation="o", connection="c", state="running", mode="groups", started=NOW)
    assert rows.closed(running, [source(STAFF)], NOW).state == "succeeded"
    assert rows.closed(running, [source(STAFF), source(ADMINS, "failed")], NOW).state == "partial"
