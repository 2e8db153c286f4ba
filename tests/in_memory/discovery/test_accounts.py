"""Rows of accounts: merged from several sources, and kept when one fails."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared.model.accounts import Origin, Source
from shared.planning import accounts as rows
from tests.unit.planning.samples import STAFF, account

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ADMINS = Origin(kind="group", id="g1", name="Admins")
ROLE = Origin(kind="role", id="r1", name="Reader", scope="/")


def source(origin: Origin, status: str = "complete") -> Source:
    return Source(kind=origin.kind, id=origin.id, name=origin.name, status=status, accounts=1)


class TestMerged:
    def test_one_row_with_every_reason_whatever_the_order(self) -> None:
        one, other = account("ada", ADMINS), account("ada", STAFF)
        there = rows.merged((one, other))
        back = rows.merged((other, one))
        assert there == back
        assert there.origins == (ADMINS, STAFF)

    def test_the_same_page_twice_changes_nothing(self) -> None:
        once = rows.merged((account("ada", ADMINS),))
        assert rows.merged((once, account("ada", ADMINS))) == once

    def test_eligible_only_as_long_as_nothing_is_active(self) -> None:
        may = account("ada", replace(ADMINS, eligible=True), eligible=True)
        does = account("ada", STAFF)
        assert rows.merged((may,)).eligible
        assert not rows.merged((may, does)).eligible
        assert not rows.merged((does, may)).eligible

    def test_a_report_adds_to_a_row_and_makes_none(self) -> None:
        report, seen = rows.fact("ada", mfa="yes"), account("ada", ADMINS)
        there = rows.merged((report, seen))
        assert there == rows.merged((seen, report)) == replace(seen, mfa="yes")
        assert rows.is_vouched(there)
        assert not rows.is_vouched(rows.merged((report,)))


class TestDiffering:
    def test_each_column_and_attribute_by_its_name(self) -> None:
        before = account("ada", ADMINS, attributes={"jobTitle": "Pilot", "city": "Ulm"})
        after = account("ada", STAFF, enabled=False, mfa="no", attributes={"city": "Ulm"})
        assert rows.differing(before, after) == ("enabled", "mfa", "origins", "jobTitle")

    def test_neither_a_renamed_group_nor_our_own_state(self) -> None:
        before = account("ada", ADMINS)
        after = account("ada", replace(ADMINS, name="Administrators"), state=rows.STALE)
        assert rows.differing(before, after) == ()

    def test_a_longer_eligibility_is_a_change(self) -> None:
        may = replace(ROLE, eligible=True, until=NOW)
        later = replace(may, until=NOW + timedelta(days=1))
        assert rows.differing(account("ada", may), account("ada", later)) == ("origins",)
