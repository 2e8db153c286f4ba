"""Sources of a run: where each begins, and what becomes of it page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Summary
from shared.model.entities import MEMBERSHIP, REGISTRATION, Findings, Page, Reading, Unread
from shared.model.scan import Progress, SourceProgress
from shared.planning import discovery_runs as runs
from shared.planning.discovery_cookies import Cookie, cookie_of, parsed
from shared.planning.discovery_sources import (
    RESTARTS,
    Definition,
    given_up,
    gone,
    of_origins,
    of_readings,
    refused,
    took,
)

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USERS = Reading(kind="user", attributes=("jobTitle",), tracked=True)
REPORT = Reading(kind=REGISTRATION)


def cookie(
    days: float = 1, full: float = 1, scope: str = "s", link: str = "https://x/d?a b"
) -> str:
    made, read = NOW - timedelta(days=days), NOW - timedelta(days=full)
    return str(Cookie(link=link, made=made, full=read, scope=scope))


def by(text: str = "", key: str = USERS.key, **changes: Any) -> Definition:
    parts: dict[str, Any] = {"cookies": {key: text} if text else {}, "scope": "s", "now": NOW}
    return Definition(**(parts | changes))


def first(reading: Reading, definition: Definition) -> SourceProgress:
    (source,) = of_readings([reading], definition)
    return source


def page(link: str = "", delta: str = "", **parts: Any) -> Page:
    return Page(findings=Findings(**parts), next_link=link, delta_link=delta)


def refusal(code: str) -> NeedsHuman:
    return NeedsHuman(code, "HTTP 4xx", "Nothing.")


class TestCookie:
    def test_is_read_as_it_was_written_whatever_its_link(self) -> None:
        assert str(parsed(cookie())) == cookie()
        known = parsed(cookie(link=""))
        assert known is not None
        assert known.link == ""

    @pytest.mark.parametrize("text", ["", "https://graph/delta", "a b c d", "2026-01-05T09:00:00"])
    def test_what_is_none_of_ours(self, text: str) -> None:
        assert parsed(text) is None
        assert cookie_of(text, "s", NOW)[0] is None

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (cookie(days=5.9, full=6.9), ""),
            (cookie(days=6), "the delta link is 6 days old"),
            (cookie(days=0, full=7), "everything is read again every 7 days"),
            (cookie(scope="other"), "something else is searched now"),
        ],
    )
    def test_when_it_is_good(self, text: str, why: str) -> None:
        known, told = cookie_of(text, "s", NOW)
        assert told == why
        assert (known is None) == bool(why)


class TestBeginning:
    def test_changes_are_read_from_where_the_last_run_ended(self) -> None:
        source = first(USERS, by(cookie(link="https://x/d")))
        assert (source.full, source.link, source.why) == (False, "https://x/d", "")

    def test_a_full_run_that_was_asked_for(self) -> None:
        source = first(USERS, by(cookie(), forced=True))
        assert (source.full, source.link, source.why) == (True, "", "a full run was asked for")

    def test_what_is_not_tracked_is_read_in_full_without_a_word(self) -> None:
        source = first(replace(USERS, tracked=False), by(cookie()))
        assert (source.full, source.why) == (True, "")

    @pytest.mark.parametrize(
        ("hours", "forced", "state"),
        [(23, False, "complete"), (24, False, "waiting"), (1, True, "waiting")],
    )
    def test_a_report_is_read_once_a_day(self, hours: int, state: str, *, forced: bool) -> None:
        text = cookie(days=hours / 24, link="")
        source = first(REPORT, by(text, key=REPORT.key, forced=forced))
        assert source.state == state
        assert source.cookie == (text if state == "complete" else "")
        assert source.full == (state == "waiting")  # silence of one not read takes nothing away

    def test_a_role_is_read_twice(self) -> None:
        role = Origin(kind="role", id="r", name="R")
        found = of_origins([role, Origin(kind="group", id="g", name="G")])
        assert [(source.key, source.kind) for source in found] == [
            ("role/r", "role"),
            ("role/r/eligible", "eligibility"),
            ("group/g", "group"),
        ]
        assert len({source.voucher for source in found}) == 3


class TestPages:
    user = Account(
        id="u",
        user_principal_name="u",
        display_name="u",
        enabled=True,
        guest=False,
        mail="",
        origins=(),
    )

    def test_page_by_page(self) -> None:
        source = first(USERS, by())
        source = took(source, page("next", "delta", rows=(self.user,)), {"guest": 2}, by())
        assert (source.state, source.link, source.pages, source.rows) == ("reading", "next", 1, 1)
        source = took(source, page(rows=(self.user, self.user)), {"guest": 1}, by())
        assert (source.state, source.link, source.pages, source.rows) == ("complete", "", 2, 3)
        assert source.skipped == {"guest": 3}
        known = parsed(source.cookie)
        assert known == Cookie(link="delta", made=NOW, full=NOW, scope="s")

    def test_the_time_of_the_last_full_reading_is_handed_on(self) -> None:
        definition = by(cookie(days=2, full=5))
        source = took(first(USERS, definition), page("", "delta"), {}, definition)
        known = parsed(source.cookie)
        assert known is not None
        assert (NOW - known.made, NOW - known.full) == (timedelta(0), timedelta(days=5))

    def test_what_of_it_could_not_be_read_is_in_no_later_change(self) -> None:
        source = first(USERS, by())
        missed = Unread(id="g-1", reason="GRAPH_REFUSED: HTTP 500")
        source = took(source, page("next", "delta", unread=(missed,)), {}, by())
        source = took(source, page(), {}, by())
        assert (source.state, source.cookie) == ("complete", "")
        assert source.reason == "GRAPH_REFUSED: HTTP 500 (g-1)"

    def test_a_dead_link_begins_the_source_anew_so_often(self) -> None:
        source = first(USERS, by())
        for number in range(RESTARTS):
            source = took(source, page("next", rows=(self.user,)), {}, by())
            source = refused(source, refusal("PAGE_TOKEN_EXPIRED"), by())
            assert (source.state, source.restarts) == ("reading", number + 1)
            assert (source.link, source.pages, source.rows) == ("", 0, 0)
        source = refused(source, refusal("PAGE_TOKEN_EXPIRED"), by())
        assert (source.state, source.reason) == ("failed", "PAGE_TOKEN_EXPIRED: HTTP 4xx")

    def test_changes_are_begun_anew_from_where_they_began(self) -> None:
        definition = by(cookie(link="https://x/d"))
        source = took(first(USERS, definition), page("next"), {}, definition)
        source = refused(source, refusal("PAGE_TOKEN_EXPIRED"), definition)
        assert (source.full, source.link) == (False, "https://x/d")
        source = refused(source, refusal("DELTA_EXPIRED"), definition)
        assert (source.full, source.link, source.state) == (True, "", "reading")
        assert "DELTA_EXPIRED" in source.why

    def test_a_refusal_names_what_is_missing(self) -> None:
        source = refused(first(USERS, by()), refusal("AUTOMATION_PRIVILEGE"), by())
        assert (source.state, source.missing) == ("failed", "User.Read.All")
        source = refused(first(USERS, by()), refusal("GRAPH_REFUSED"), by())
        assert (source.state, source.missing) == ("failed", "")


class TestEnd:
    running = Summary(operation="o", connection="c", state="running", mode="all", started=NOW)

    def closed(self, *sources: SourceProgress, held: str = "") -> Summary:
        read = Progress(operation="o", connection="c", started=NOW, sources=sources)
        assert runs.why_none(read) is None
        return runs.closed(self.running, read, NOW, scope="s", held=held)

    def complete(self, kind: str = "user") -> SourceProgress:
        return took(first(Reading(kind=kind), by()), page(), {}, by())

    def test_succeeded_only_when_every_source_was_read(self) -> None:
        failed = given_up(first(Reading(kind="group"), by()), "THROTTLED", "HTTP 429")
        assert self.closed(self.complete()).state == "succeeded"
        assert self.closed(self.complete(), failed).state == "partial"
        assert self.closed(self.complete(), held="much").state == "partial"
        assert self.closed(self.complete(), held="much").why == "REMOVALS_HELD: much"

    def test_a_part_that_could_not_be_read_is_told(self) -> None:
        missed = Unread(id="g-1", reason="GRAPH_REFUSED: HTTP 500")
        part = took(first(Reading(kind=MEMBERSHIP), by()), page(unread=(missed,)), {}, by())
        summary = self.closed(self.complete(), part)
        assert (summary.state, summary.sources[1].status) == ("partial", "failed")

    @pytest.mark.parametrize("code", ["NOT_LICENSED", "AUTOMATION_PRIVILEGE"])
    def test_a_report_is_extra(self, code: str) -> None:
        report = refused(first(REPORT, by()), refusal(code), by())
        summary = self.closed(self.complete(), report)
        assert (summary.state, summary.sources[1].status) == ("succeeded", "failed")
        alone = Progress(operation="o", connection="c", started=NOW, sources=(report,))
        assert runs.why_none(alone) is None

    def test_a_group_that_is_gone_was_read(self) -> None:
        (source,) = of_origins([Origin(kind="group", id="g", name="G")])
        summary = self.closed(gone(source, refusal("SOURCE_GONE")))
        assert (summary.state, summary.sources[0].status) == ("succeeded", "complete")

    def test_changes_stay_changes_beside_a_report(self) -> None:
        changes = replace(self.complete(), full=False)
        assert self.closed(changes, self.complete(REGISTRATION)).read == "changes"
        assert self.closed(changes, self.complete("group")).read == "full"

    def test_when_all_failed_a_person_is_told_of_the_first(self) -> None:
        failed = given_up(first(USERS, by()), "THROTTLED", "HTTP 429")
        read = Progress(operation="o", connection="c", started=NOW, sources=(failed,))
        problem = runs.why_none(read)
        assert problem is not None
        assert (problem.code, "user: THROTTLED" in problem.message) == ("DISCOVERY_FAILED", True)

    def test_a_run_is_stuck_only_when_it_comes_no_further(self) -> None:
        later = NOW + timedelta(hours=9)
        assert "no further" in runs.why_stuck(self.running, later)
        moving = replace(self.running, moved=later - timedelta(hours=3))
        assert runs.why_stuck(moving, later) == ""
