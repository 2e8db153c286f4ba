"""What an error's text may quote does not leave with the telemetry."""

import logging
from collections.abc import Iterator

import pytest

from shared import telemetry
from shared.telemetry.scrubbing import LONGEST, scrubbed
from tests.fakes.telemetry import Recorded, recorded


@pytest.fixture
def seen() -> Iterator[Recorded]:
    with recorded() as made:
        yield made


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no user ana@contoso.com, or gone", "no user <address>, or gone"),
        ("User 'ana@contoso.com' (bo_x#EXT#@c.onmicrosoft.com)", "User '<address>' (<address>)"),
        ("@odata.nextLink is missing", "@odata.nextLink is missing"),
        ("plain", "plain"),
        ("x" * 2000, "x" * LONGEST),
    ],
)
def test_names_of_people_are_left_out(text: str, kept: str) -> None:
    assert scrubbed(text) == kept


def test_an_event_keeps_its_listed_fields_alone(seen: Recorded) -> None:
    with telemetry.bound(connection="dvls", operation="op-1"):
        telemetry.event(
            "step.postponed", reason="BUSY", why="waits for ana@contoso.com", account="ana"
        )
    (told,) = seen.events("step.postponed")
    assert told == {
        "event": "step.postponed",
        "connection": "dvls",
        "operation": "op-1",
        "reason": "BUSY",
        "why": "waits for <address>",
    }


@pytest.mark.unlisted_events
def test_an_event_that_is_not_listed_says_only_that(seen: Recorded) -> None:
    telemetry.event("nobody.knows", key="value")
    assert seen.events("nobody.knows") == []
    (told,) = seen.events("event.unlisted")
    assert told == {"event": "event.unlisted", "name": "nobody.knows"}


def test_of_an_error_the_class_and_the_place_are_told(seen: Recorded) -> None:
    secret = "s3cr3t"
    try:
        int(secret)  # its error quotes what it was given
    except ValueError as error:
        telemetry.event("sweep.failed", level=logging.ERROR, kind="rotate", raised=error)
    (told,) = seen.events("sweep.failed")
    assert told["error"] == "ValueError" and "test_scrubbing" in told["where"]
    assert secret not in seen.everything()


def test_a_span_keeps_its_listed_attributes_alone(seen: Recorded) -> None:
    with telemetry.asked(
        "graph", "GET /users/{id}", {"url": "/users/ana", "request_id": ""}
    ) as asked:
        telemetry.present().set({"request_id": "r-1", "body": "x"})
        asked.note("refused", "HTTP 403")
    (span,) = seen.named("graph")
    assert dict(span.attributes or {}) == {"request_id": "r-1", "outcome": "refused"}
    assert span.status.description == "HTTP 403" and span.events == ()


def test_nothing_is_recorded_without_a_recorder() -> None:
    with telemetry.asked("graph", "GET", {"http.request.method": "GET"}) as asked:
        asked.note("ok")
        telemetry.present().set({"request_id": "r-1"})
        assert telemetry.present().trace == "" and telemetry.carried() == ""
    telemetry.add("keyturn.dead_letters", queue="consent", reason="x")
    telemetry.show("keyturn.connections", [])
