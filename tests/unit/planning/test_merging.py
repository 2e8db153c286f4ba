"""What becomes of one row when what was staged is merged with the snapshot before."""

from collections.abc import Collection, Mapping

import pytest

from shared.model.scan import Removals
from shared.planning.merging import Coverage, settle

READ = Coverage(
    whole=frozenset({"user", "group/a", "group/b"}),
    changes=frozenset({"delta"}),
    unread=frozenset({"failed"}),
    gaps={"g-1": frozenset({"user"})},
)

pytestmark = pytest.mark.requirement("X-15")


def after(
    before: Mapping[str, int],
    staged: Mapping[str, int | None],
    *,
    removals: Removals = "apply",
    held: Collection[str] = (),
) -> tuple[dict[str, int], set[str], set[str]]:
    found = settle(before, staged, READ, removals=removals, held=held)
    return found.after, set(found.lost), set(found.held)


class TestSettle:
    @pytest.mark.parametrize("voucher", ["user", "delta", "failed"])
    def test_what_is_said_is_taken(self, voucher: str) -> None:
        assert after({voucher: 1}, {voucher: 2}) == ({voucher: 2}, set(), set())
        assert after({}, {voucher: 2}) == ({voucher: 2}, set(), set())

    def test_what_a_whole_source_does_not_name_goes(self) -> None:
        assert after({"user": 1}, {}) == ({}, {"user"}, set())

    @pytest.mark.parametrize("voucher", ["delta", "failed"])
    def test_silence_of_others_means_nothing(self, voucher: str) -> None:
        assert after({voucher: 1}, {}) == ({voucher: 1}, set(), set())

    def test_what_is_said_to_be_gone_goes(self) -> None:
        assert after({"delta": 1}, {"delta": None}) == ({}, {"delta"}, set())

    def test_a_source_that_failed_takes_nothing_away(self) -> None:
        """Its changes come again with the next run."""
        assert after({"failed": 1}, {"failed": None}) == ({"failed": 1}, set(), set())

    def test_what_was_never_there_cannot_go(self) -> None:
        assert after({}, {"delta": None}) == ({}, set(), set())

    def test_what_is_read_no_longer_goes(self) -> None:
        assert after({"group/old": 1}, {}) == ({}, {"group/old"}, set())

    def test_it_stays_while_anybody_vouches_for_it(self) -> None:
        said = {"group/a": 1, "failed": 2}
        assert after(said, {}) == ({"failed": 2}, {"group/a"}, set())
        assert after({"group/a": 1, "group/b": 2}, {"group/b": 3}) == (
            {"group/b": 3},
            {"group/a"},
            set(),
        )

    def test_links_of_an_object_that_could_not_be_read_stay(self) -> None:
        found = settle({"user": 1}, {}, READ.at("g-1"))
        assert (found.after, found.lost) == ({"user": 1}, frozenset())
        assert settle({"user": 1}, {}, READ.at("g-2")).lost == {"user"}


class TestHeld:
    def test_nothing_goes_while_removals_are_held(self) -> None:
        kept = after({"user": 1, "delta": 2}, {"delta": None}, removals="hold")
        assert kept == ({"user": 1, "delta": 2}, set(), {"user", "delta"})

    @pytest.mark.parametrize("voucher", ["delta", "failed"])
    def test_what_was_parked_waits_on(self, voucher: str) -> None:
        assert after({voucher: 1}, {}, held={voucher}) == ({voucher: 1}, set(), {voucher})

    @pytest.mark.parametrize("voucher", ["user", "delta", "failed"])
    def test_what_is_back_waits_no_more(self, voucher: str) -> None:
        assert after({voucher: 1}, {voucher: 1}, held={voucher}) == ({voucher: 1}, set(), set())

    def test_a_whole_reading_decides_anew(self) -> None:
        assert after({"user": 1}, {}, held={"user"}) == ({}, {"user"}, set())
