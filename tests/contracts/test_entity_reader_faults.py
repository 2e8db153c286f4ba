"""What readers of other tools fail at, and what `ports.EntityReader` does: DF-01 to DF-16, DF-30.

The numbers are those of the cases that `emulators.graph.discovery_faults` knows by name.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from types import SimpleNamespace

import msgspec
import pytest

from shared.adapters import graph_sending
from shared.adapters.graph_account_rows import HolderRow
from shared.adapters.graph_client import Graph, Page
from shared.adapters.graph_entities import GraphEntities
from shared.adapters.graph_limiter import Limiter
from shared.adapters.graph_paging import Listing, Reader
from shared.adapters.graph_query import query
from shared.adapters.graph_sending import Sender
from shared.errors import NeedsHuman, TryLater
from shared.model.entities import MEMBERSHIP, Reading
from tests.contracts.reading import Found, Read, restarted, whole
from tests.contracts.stage import Stage, needs_human, settings_of, try_later

USERS = Reading(kind="user")
MEMBERS = "GET /groups/{id}/members"


def reading(graph: Graph, wanted: Reading = USERS, *, size: int = 0) -> Read:
    """With pages of *size* users, where there are to be several of them."""
    if size:
        graph.sizes["user"] = (size, inf)
    return lambda link: GraphEntities(graph).pages(wanted, link)


@asynccontextmanager
async def at_pace(stage: Stage, pace: float) -> AsyncIterator[Graph]:
    """A client that really waits."""
    graph = Graph(settings_of(stage.running, pace=pace), stage.credential)
    try:
        yield graph
    finally:
        await graph.close()


async def everybody(stage: Stage) -> set[str]:
    users = stage.running.server.tenant.users
    return set(users)


async def groups(stage: Stage, count: int) -> list[str]:
    """Each with one of the users."""
    made = await stage.control(
        "tenant", groups=[{"displayName": f"G{n}", "members": [f"#{n}"]} for n in range(count)]
    )
    return list(made["groups"])


class TestThrottling:
    @pytest.mark.requirement("X-15")
    @pytest.mark.parametrize("wait", [1, 2.128])
    async def test_df_01_and_03_nobody_comes_back_before_the_time(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, wait: float
    ) -> None:
        now, slept = [1000.0], list[float]()

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            now[0] += seconds

        monkeypatch.setattr(graph_sending, "asyncio", SimpleNamespace(sleep=sleep))
        stage.graph.limiter = Limiter(1.0, lambda: now[0])
        await stage.fault("F13", call="GET /users", retry_after=wait, times=1)
        found = await whole(reading(stage.graph, size=30))
        assert found.accounts.keys() == await everybody(stage)
        assert found.refused == 1
        assert sum(slept) == pytest.approx(wait)

    async def test_df_01_every_25th_request(self, stage: Stage) -> None:
        await stage.fault("DF-01")
        found = await whole(reading(stage.graph, size=3))
        assert found.accounts.keys() == await everybody(stage)
        assert (found.pages, found.requests, found.refused) == (40, 41, 1)

    async def test_df_02_without_a_time_it_is_asked_less_and_less_often(self, stage: Stage) -> None:
        await stage.fault("DF-02", call="GET /users")
        found = await whole(reading(stage.graph))
        assert found.accounts.keys() == await everybody(stage)
        assert found.refused == 3

    @pytest.mark.diagnosis("THROTTLED")
    async def test_df_03_a_long_wait_is_nobodys_sleep_and_everybodys_wait(
        self, stage: Stage
    ) -> None:
        await stage.fault("F13", call="GET /users", retry_after=300, times=1)
        async with at_pace(stage, 1.0) as graph:
            first = await try_later(whole(reading(graph)), "THROTTLED")
            assert first.after.total_seconds() == 300
            other = await try_later(whole(reading(graph, Reading(kind=MEMBERSHIP))), "THROTTLED")
        assert 200 < other.after.total_seconds() <= 300
        assert await stage.traffic("GET", "/groups") == []

    async def test_df_04_a_group_that_is_throttled_alone_is_told_and_never_short(
        self, stage: Stage
    ) -> None:
        made = await groups(stage, 30)
        await stage.fault("DF-04", object=made[3])
        read = reading(stage.graph, Reading(kind=MEMBERSHIP))
        found, later = await patiently(read)
        assert later == 3
        assert [one.id for one in found.unread] == [made[3]]
        assert found.unread[0].reason.startswith("THROTTLED: ")
        assert found.members(made[3]) == set()
        assert all(len(found.members(id_)) == 1 for id_ in made if id_ != made[3])

    async def test_df_04_it_is_whole_when_it_answers_again(self, stage: Stage) -> None:
        made = await groups(stage, 30)
        await stage.fault("DF-04", object=made[3], times=5)
        found, later = await patiently(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        assert (later, found.unread) == (1, [])
        assert all(len(found.members(id_)) == 1 for id_ in made)

    async def test_df_05_only_the_refused_parts_of_a_batch_are_asked_again(
        self, stage: Stage
    ) -> None:
        made = await groups(stage, 40)
        await stage.fault("DF-05")
        found = await whole(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        assert all(len(found.members(id_)) == 1 for id_ in made)
        asked = [
            [part["url"] for part in msgspec.json.decode(row["request_body"])["requests"]]
            for row in await stage.traffic("POST", "/$batch")
        ]
        assert min(map(len, asked)) == 2
        assert sum(map(len, asked)) == len({url for urls in asked for url in urls}) + 2
        assert found.refused == 2


class TestTransport:
    @pytest.mark.parametrize("status", [503, 504, 502, 500])
    async def test_df_06_a_page_that_fails_is_asked_for_again(
        self, stage: Stage, status: int
    ) -> None:
        fault = {"status": status}
        await stage.fault(fault, call="GET /users", continuation=True, times=2)
        found = await whole(reading(stage.graph, size=30))
        assert found.accounts.keys() == await everybody(stage)

    @pytest.mark.parametrize("effect", ["partial", "drop", "hang"])
    async def test_df_06_so_is_one_whose_connection_breaks(self, stage: Stage, effect: str) -> None:
        await stage.fault(effect, call="GET /users", continuation=True, times=2, hold=0.01)
        found = await whole(reading(stage.graph, size=30))
        assert found.accounts.keys() == await everybody(stage)
        assert await stage.hits() == 2

    @pytest.mark.diagnosis("GRAPH_UNAVAILABLE")
    async def test_df_08_a_page_that_fails_for_good_ends_nothing_well(self, stage: Stage) -> None:
        await stage.fault("DF-08", pattern="ok,500", last=True)
        found = Found()
        problem = await try_later(
            whole(reading(stage.graph, size=30), into=found), "GRAPH_UNAVAILABLE"
        )
        assert "HTTP 500" in problem.message
        assert len(found.accounts) == 60
        assert found.next_link

    async def test_df_30_an_error_without_a_body_says_where_to_look(self, stage: Stage) -> None:
        await stage.fault({"status": 500, "body": None}, call="GET /users")
        problem = await try_later(whole(reading(stage.graph)), "GRAPH_UNAVAILABLE")
        assert "reading user: HTTP 500" in problem.message
        assert "request-id" in problem.message

    async def test_df_30_so_does_a_group_of_a_batch(self, stage: Stage) -> None:
        made = await groups(stage, 30)
        await stage.fault({"status": 500, "body": None}, call=MEMBERS, object=made[3])
        found, _ = await patiently(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        (unread,) = found.unread
        assert unread.id == made[3]
        assert "HTTP 500" in unread.reason
        assert all(len(found.members(id_)) == 1 for id_ in made if id_ != made[3])


class TestPages:
    @pytest.mark.diagnosis("PAGE_TOKEN_EXPIRED")
    async def test_df_09_an_expired_token_says_so_and_the_second_time_is_whole(
        self, stage: Stage
    ) -> None:
        await stage.fault("DF-09")
        found, restarts = await restarted(reading(stage.graph, size=30))
        assert restarts == 1
        assert found.accounts.keys() == await everybody(stage)
        assert len(found.accounts) == 120

    async def test_df_10_one_that_always_expires_says_so_each_time(self, stage: Stage) -> None:
        await stage.fault("DF-10")
        for _ in range(2):
            found = Found()
            await needs_human(
                whole(reading(stage.graph, size=30), into=found), "PAGE_TOKEN_EXPIRED"
            )
            assert len(found.accounts) == 30

    async def test_df_11_a_dead_link_is_tried_once(self, stage: Stage) -> None:
        await stage.control("paging", lifetime_seconds=3600)
        read, found = reading(stage.graph, size=30), Found()
        pages = read("")
        found.take(await anext(pages))
        await pages.aclose()  # type: ignore[attr-defined] # they are generators
        await stage.control("paging", expire=True)
        before = len(await stage.traffic("GET", "/users?"))
        await needs_human(whole(read, found.next_link), "PAGE_TOKEN_EXPIRED")
        assert len(await stage.traffic("GET", "/users?")) == before + 1

    @pytest.mark.parametrize("fault", ["DF-12", "short"])
    async def test_df_12_only_a_missing_link_ends_a_list(self, stage: Stage, fault: str) -> None:
        await stage.fault(fault, call="GET /users")
        found = await whole(reading(stage.graph, size=30))
        assert found.accounts.keys() == await everybody(stage)

    async def test_df_12_where_changes_are_asked_for(self, stage: Stage) -> None:
        await stage.fault("DF-12", call=["GET /users", "GET /users/delta"])
        found = await whole(reading(stage.graph, Reading(kind="user", tracked=True)))
        assert found.accounts.keys() == await everybody(stage)
        assert found.cookie

    async def test_df_13_a_smaller_page_is_learnt_and_remembered(self, stage: Stage) -> None:
        await stage.control("tenant", generate_users=300)
        await stage.fault("DF-13")
        for requests in (5, 4):  # the second time it is known
            found = await whole(reading(stage.graph))
            assert len(found.accounts) == 420
            assert found.requests == requests

    async def test_df_13_members_too(self, stage: Stage) -> None:
        made = await groups(stage, 30)
        await stage.fault("DF-13", call=MEMBERS, largest=50)
        found = await whole(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        assert found.unread == []
        assert all(len(found.members(id_)) == 1 for id_ in made)

    async def test_df_13_in_the_middle_the_list_begins_anew(self, stage: Stage) -> None:
        await stage.control("tenant", generate_users=2000)
        await stage.fault("DF-13", pattern="ok,400", last=True)
        found, restarts = await restarted(reading(stage.graph))
        assert restarts == 1
        assert len(found.accounts) == 2120

    async def test_df_14_sign_in_activity_has_pages_of_500(self, stage: Stage) -> None:
        await stage.control("tenant", generate_users=600)
        wanted = Reading(kind="user", attributes=("signInActivity",))
        found = await whole(reading(stage.graph, wanted))
        assert len(found.accounts) == 720
        assert [row["status"] for row in await stage.traffic("GET", "/users?")] == [200, 200]

    async def test_df_16_a_further_page_of_an_advanced_query_has_its_header(
        self, stage: Stage
    ) -> None:
        made = await stage.control("tenant", generate_users=60)
        (id_,) = (
            await stage.control("tenant", groups=[{"displayName": "G", "members": made["users"]}])
        )["groups"]
        builder = stage.graph.client.groups.by_group_id(id_).transitive_members.graph_user

        listing = Listing(
            lambda size: builder.to_get_request_information(
                query(builder, select=["id"], top=size, count=True)
            ),
            msgspec.json.Decoder(Page[HolderRow]),
            "reading",
            source="some",
            largest=25,
            advanced=True,
        )
        rows = [
            row.id
            async for page in Reader(Sender(stage.graph)).pages(listing)
            for row in page.value
        ]
        assert set(rows) == set(made["users"])
        asked = await stage.traffic("GET", "/transitiveMembers")
        assert [row["request_headers"]["consistencylevel"] for row in asked] == ["eventual"] * 3

    async def test_a_place_that_nobody_can_read_starts_anew(self, stage: Stage) -> None:
        read = reading(stage.graph, Reading(kind=MEMBERSHIP))
        await needs_human(whole(read, "{}}"), "PAGE_TOKEN_EXPIRED")

    async def test_a_link_to_another_host_is_not_followed(self, stage: Stage) -> None:
        read = reading(stage.graph)
        await needs_human(
            whole(read, "https://evil.example/v1.0/users?$skiptoken=x"), "FOREIGN_LINK"
        )


class TestGroups:
    async def test_df_28_a_group_that_is_gone_meanwhile_is_counted(self, stage: Stage) -> None:
        made = await groups(stage, 30)
        await stage.fault("DF-28", object=made[3])
        await stage.fault({"status": 410}, call=MEMBERS, object=made[4])
        found = await whole(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        assert (sorted(found.vanished), found.unread) == (sorted(made[3:5]), [])
        assert all(len(found.members(id_)) == 1 for id_ in made[5:])

    async def test_df_28_one_that_refuses_is_told_with_its_reason(self, stage: Stage) -> None:
        made = await groups(stage, 30)
        await stage.fault({"status": 403}, call=MEMBERS, object=made[3])
        found = await whole(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        (unread,) = found.unread
        assert unread.id == made[3]
        assert unread.reason.startswith(
            "GRAPH_REFUSED: reading the members of each group: HTTP 403"
        )
        assert "request-id" in unread.reason
        assert found.vanished == []

    async def test_df_28_in_the_middle_of_a_long_list(self, stage: Stage) -> None:
        ids = (await stage.control("tenant", generate_users=1100))["users"]
        made = await stage.control("tenant", groups=[{"displayName": "G", "members": ids}])
        await stage.fault("F1", call=MEMBERS, object=made["groups"][0], pattern="ok,404", last=True)
        found, _ = await patiently(reading(stage.graph, Reading(kind=MEMBERSHIP)))
        assert (found.vanished, found.unread) == (made["groups"], [])

    @pytest.mark.parametrize("stage", [10_000], indirect=True, ids=["large"])
    async def test_df_15_a_long_list_of_members_is_never_held_as_a_whole(
        self, stage: Stage
    ) -> None:
        made = await stage.control("tenant", groups=[{"displayName": "All", "first_users": 10_000}])
        longest, members = 0, set[str]()
        async for page in reading(stage.graph, Reading(kind=MEMBERSHIP))(""):
            longest = max(longest, len(page.findings.links))
            members |= {v.target for v in page.findings.links if v.source == made["groups"][0]}
        assert len(members) == 10_000
        assert longest < 10 * 999  # what is in hand does not grow with a group
        assert len(await stage.traffic("GET", f"/groups/{made['groups'][0]}/members")) == 10


async def patiently(read: Read) -> tuple[Found, int]:
    """As the step does: gone on from the same place after each wait; and how often it waited."""
    found, link = Found(), ""
    for waited in range(20):
        try:
            return await whole(read, link, into=found), waited
        except TryLater:
            link = found.next_link
        except NeedsHuman as problem:
            raise AssertionError(problem.message) from problem
    raise AssertionError("it never ends")
