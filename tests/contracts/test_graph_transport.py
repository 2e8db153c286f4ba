"""What every call has in common: waiting, retrying, refusing, and what errors tell."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from shared.adapters.graph_applications import GraphApplications
from shared.adapters.graph_client import Graph
from shared.adapters.graph_errors import retry_after
from shared.adapters.graph_rows import IdRow
from shared.adapters.identity import own_credential
from shared.errors import NeedsHuman, StepError
from tests.contracts.stage import PRINCIPAL, WANTED, Stage, needs_human, settings_of, try_later

READ = "GET /applications(uniqueName='{name}')"
UPSERT = "PATCH /applications(uniqueName='{name}')"


async def test_requests_at_the_same_time_do_not_mix_up_their_objects(stage: Stage):
    """The SDK keeps alternate keys in one dictionary, which requests read when they are sent:
    after the token has come, which a new identity waits for."""
    names = [f"keyturn-{number}" for number in range(4)]
    for name in names:
        await stage.applications.ensure(msgspec.structs.replace(WANTED, unique_name=name))
    async with own_credential(stage.settings) as credential:
        fresh = Graph(stage.settings, credential)
        applications = GraphApplications(fresh, stage.settings.pace)
        found = await asyncio.gather(*map(applications.find, names))
        await fresh.close()
    assert len({application.object_id for application in found if application}) == len(names)


class TestReads:
    @pytest.mark.parametrize("status", [429, 503, 504])
    async def test_a_short_disturbance_is_not_noticed(self, stage: Stage, status):
        made = await stage.application()
        await stage.fault("F13", call=READ, status=status, times=3)
        assert await stage.applications.find(WANTED.unique_name) == made
        assert await stage.hits() == 3

    @pytest.mark.parametrize(
        ("status", "code", "sent"),
        [
            (429, "THROTTLED", 4),
            (503, "GRAPH_UNAVAILABLE", 4),
            (504, "GRAPH_UNAVAILABLE", 4),
            (500, "GRAPH_UNAVAILABLE", 1),
            (502, "GRAPH_UNAVAILABLE", 1),
        ],
    )
    async def test_a_longer_one_is_a_reason_to_wait(self, stage: Stage, status, code, sent):
        await stage.fault("F13", call=READ, status=status)
        error = await try_later(stage.applications.find("keyturn-x"), code)
        assert await stage.hits() == sent
        assert "finding keyturn-x" in error.message
        assert str(status) in error.message

    @pytest.mark.parametrize(
        ("asked", "after", "sent"),
        [
            ("1", 1, 4),
            ("2.128", 2.128, 4),
            ("0", 0, 4),
            ("11", 11, 1),  # longer than a step may sleep: the message comes back instead
            ("179", 179, 1),
            ("86400", 600, 1),
            ("soon", 30, 4),
            ("-5", 0, 4),
        ],
    )
    async def test_retry_after_is_obeyed(self, stage: Stage, asked, after, sent):
        refusal = {"status": 429, "headers": {"Retry-After": asked}}
        await stage.fault(refusal, call=READ)
        error = await try_later(stage.applications.find("keyturn-x"), "THROTTLED")
        assert error.after == timedelta(seconds=after)
        assert error.limit == timedelta(hours=1)
        assert await stage.hits() == sent

    async def test_a_dropped_connection(self, stage: Stage):
        await stage.application()
        await stage.fault("drop", call=READ)
        call = stage.applications.find(WANTED.unique_name)
        error = await try_later(call, "GRAPH_UNREACHABLE")
        assert "finding keyturn-dvls" in error.message

    async def test_nobody_listens(self, stage: Stage):
        nowhere = settings_of(stage.running, graph="https://127.0.0.1:1/v1.0")
        graph = Graph(nowhere, stage.credential)
        info = graph.client.users.to_get_request_information()
        await try_later(graph.get(info, IdRow), "GRAPH_UNREACHABLE")
        await graph.close()

    @pytest.mark.parametrize("status", [503, 502, 403])
    async def test_an_error_that_is_not_graphs(self, stage: Stage, status):
        """A gateway in between answers with a page of its own."""
        refusal = {"status": status, "headers": {"Content-Type": "text/html"}}
        await stage.fault(refusal, call=READ)
        call = stage.applications.find("keyturn-x")
        if status == 403:
            await needs_human(call, "AUTOMATION_PRIVILEGE")
        else:
            await try_later(call, "GRAPH_UNAVAILABLE")

    async def test_an_answer_that_is_not_graphs(self, stage: Stage):
        await stage.application()
        await stage.fault({"status": 200, "code": "x", "message": "y"}, call=READ)
        call = stage.applications.find(WANTED.unique_name)
        error = await try_later(call, "GRAPH_UNREADABLE")
        assert "finding keyturn-dvls" in error.message


class TestWrites:
    @pytest.mark.parametrize("status", [429, 503, 504])
    async def test_a_write_that_may_be_repeated_is(self, stage: Stage, status):
        await stage.fault("F13", call=UPSERT, status=status, times=3)
        await stage.applications.ensure(WANTED)
        assert await stage.hits() == 3

    @pytest.mark.parametrize("status", [503, 504])
    async def test_a_lost_answer_makes_no_second_one(self, stage: Stage, status):
        await stage.fault("lost", call=UPSERT, status=status, times=2)
        await stage.applications.ensure(WANTED)
        assert await stage.hits() == 2
        applications = (await stage.state())["applications"]
        assert len([a for a in applications if a.get("uniqueName")]) == 1

    async def test_a_dropped_connection(self, stage: Stage):
        await stage.fault("drop", call=UPSERT, times=1)
        error = await try_later(stage.applications.ensure(WANTED), "GRAPH_UNREACHABLE")
        assert "registering keyturn-dvls" in error.message
        assert await stage.applications.find(WANTED.unique_name) is not None


class TestErrorTexts:
    @pytest.mark.parametrize("status", [400, 403, 409, 429, 500])
    async def test_they_name_the_request(self, stage: Stage, status):
        await stage.fault(
            {"status": status, "code": "Some_Code", "message": "Some text."}, call=UPSERT
        )
        with pytest.raises(StepError, match="registering keyturn-dvls") as raised:
            await stage.applications.ensure(WANTED)
        row = (await stage.traffic("PATCH", "keyturn-dvls"))[-1]
        text = str(raised.value)
        assert row["response_headers"]["request-id"] in text
        assert f"HTTP {status} Some_Code: Some text." in text

    async def test_they_name_the_detail(self, stage: Stage):
        made = await stage.application()
        await stage.fault("F2")
        call = stage.applications.ensure_principal(made.client_id, PRINCIPAL)
        assert "NoBackingApplicationObject" in (await try_later(call, "APP_REPLICATION")).message


class TestPages:
    async def test_a_list_is_read_to_its_end(self, stage: Stage):
        rows = await stage.graph.everything(
            stage.graph.client.users.to_get_request_information(), IdRow
        )
        assert len({row.id for row in rows}) == len(rows) == 120
        assert len(await stage.traffic("GET", "/users")) > 1

    async def test_a_link_to_another_host_is_not_followed(self, stage: Stage):
        """The tenant links to the address that it knows itself by."""
        elsewhere = stage.running.graph.replace("127.0.0.1", "localhost")
        graph = Graph(settings_of(stage.running, graph=elsewhere), stage.credential)
        info = graph.client.users.to_get_request_information()
        error = await needs_human(graph.everything(info, IdRow), "FOREIGN_LINK")
        assert f"127.0.0.1:{stage.running.port}" in error.message
        assert len(await stage.traffic("GET", "/users")) == 1
        await graph.close()

    async def test_a_plain_link_is_not_followed(self, stage: Stage):
        plain = stage.running.graph.replace("https:", "http:") + "/users"
        with pytest.raises(NeedsHuman) as refusal:
            stage.graph._following(plain)  # noqa: SLF001 - the emulator never links so
        assert refusal.value.code == "FOREIGN_LINK"

    async def test_the_token_is_not_sent_to_another_host(self, stage: Stage):
        """Even if a link were followed: the SDK keeps the token to itself."""
        elsewhere = stage.running.graph.replace("127.0.0.1", "localhost")
        graph = Graph(settings_of(stage.running, graph=elsewhere), stage.credential)
        info = graph.client.users.with_url(
            f"{stage.running.graph}/users"
        ).to_get_request_information()
        await needs_human(graph.get(info, IdRow), "AUTOMATION_IDENTITY")
        (row,) = await stage.traffic("GET", "/users")
        assert (row["status"], row["app_roles"]) == (401, [])
        await graph.close()


class TestOwnIdentity:
    async def test_a_wrong_secret_of_the_automation(self, stage: Stage, monkeypatch):
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "not-the-secret")
        credential = own_credential(stage.settings)
        graph = Graph(stage.settings, credential)
        info = graph.client.users.to_get_request_information()
        error = await needs_human(graph.get(info, IdRow), "AUTOMATION_IDENTITY")
        assert "AADSTS7000215" in error.message
        assert "not-the-secret" not in error.message
        await graph.close()
        await credential.close()

    async def test_the_token_endpoint_is_unavailable(self, stage: Stage):
        await stage.fault("F13", call="POST /token", status=503)
        call = stage.applications.find(WANTED.unique_name)
        await try_later(call, "TOKEN_UNREACHABLE")
        await stage.heal()
        assert await stage.applications.find(WANTED.unique_name) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("5", 5),
        ("2.5", 2.5),
        ("1e9", 600),
        ("inf", 600),
        ("nan", None),
        ("-1", 0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 600),
        ("Fri, 31 Dec 2999 23:59:59", None),  # says no time zone
        ("tomorrow", None),
    ],
)
def test_retry_after(text, seconds):
    headers = {} if text is None else {"retry-after": text}
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after(headers) == expected


def test_retry_after_a_date():
    soon = datetime.now(UTC) + timedelta(seconds=90)
    found = retry_after({"retry-after": format_datetime(soon, usegmt=True)})
    assert timedelta(seconds=60) < found <= timedelta(seconds=90)
