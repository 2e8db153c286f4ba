"""One word for how far a rotation is."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from shared.model.connection import Connection, Credential, Operation
from shared.planning.rungs import Name, Rung
from shared.planning.stages import ACTIVATION, Stage, newest, reminders, stage_of
from tests.unit.planning.samples import DAY, NOW, spec

SECOND = timedelta(seconds=1)
ROTATION = Operation(
    id="op-2",
    kind="rotate",
    connection="dvls",
    state="running",
    step="credentials",
    started=NOW,
    changed=NOW,
)
CREDENTIAL = Credential(
    key_id="a",
    published=NOW - DAY,
    due=NOW + 100 * DAY,
    expires=NOW + 150 * DAY,
    vault_name="dvls",
    vault_version="v1",
    operation="op-1",
)
CONNECTION = Connection(spec=spec(), created=NOW, credential=CREDENTIAL)
BESIDE = replace(
    CONNECTION,
    credential=replace(CREDENTIAL, operation="op-2", previous_key_id="0", overlap_until=NOW + DAY),
)
SETTLED = replace(CONNECTION, credential=replace(CREDENTIAL, operation="op-2"))


def rung(name: Name, at: datetime = NOW, operation: str = "op-2") -> Rung:
    return Rung(name=name, at=at, key_id="b", operation=operation, why="", detail="")


INTENDED, ADDED, STAGED = rung(Name.INTENDED), rung(Name.ADDED), rung(Name.STAGED)
VERIFIED, PUBLISHED = rung(Name.VERIFIED), rung(Name.PUBLISHED)
FORMER = rung(Name.PUBLISHED, NOW - DAY, "op-1")

RUNNING = {
    "nothing yet": ((), Stage.INTENDED),
    "only the former one": ((FORMER,), Stage.INTENDED),
    "asked for in an emergency": ((rung(Name.REQUESTED),), Stage.INTENDED),
    "intended": ((FORMER, INTENDED), Stage.INTENDED),
    "made": ((INTENDED, ADDED), Stage.STAGED),
    "staged": ((INTENDED, ADDED, STAGED), Stage.STAGED),
    "tried": ((INTENDED, rung(Name.STAGED, NOW - ACTIVATION)), Stage.VERIFYING),
    "intended again, its value was lost": ((INTENDED, STAGED, INTENDED), Stage.INTENDED),
    "verified": ((INTENDED, STAGED, VERIFIED), Stage.VERIFIED),
    "published, not noted": ((INTENDED, STAGED, VERIFIED, PUBLISHED), Stage.PUBLISHED),
}


@pytest.mark.parametrize("name", RUNNING)
def test_a_rotation_that_is_under_way(name: str):
    timeline, stage = RUNNING[name]
    assert stage_of(CONNECTION, ROTATION, timeline, NOW) == stage


def test_what_was_published_is_in_its_overlap_and_then_settles():
    for state in ("running", "succeeded", "needs-attention"):
        ended = replace(ROTATION, state=state)
        assert stage_of(BESIDE, ended, (INTENDED, PUBLISHED), NOW) == Stage.OVERLAP
        assert stage_of(SETTLED, ended, (INTENDED, PUBLISHED), NOW) == Stage.SETTLED


def test_a_rotation_that_failed_is_told():
    stopped = replace(ROTATION, state="needs-attention")
    assert stage_of(CONNECTION, stopped, (INTENDED, STAGED), NOW) == Stage.STOPPED
    assert stage_of(CONNECTION, stopped, (INTENDED, PUBLISHED), NOW) == Stage.SETTLED


def test_where_no_operation_is_known():
    assert stage_of(CONNECTION, None, (), NOW) == Stage.SETTLED
    assert stage_of(replace(CONNECTION, credential=None), None, (), NOW) == Stage.NONE


def test_the_newest_is_the_last_that_began():
    later = rung(Name.INTENDED, NOW + SECOND, "op-3")
    retired = rung(Name.RETIRED, NOW + DAY, "op-4")
    assert newest((FORMER, INTENDED, later, retired)) == "op-3"
    assert newest((FORMER, retired)) == ""


def test_reminders_of_one_version():
    def row(what: str, version: str, percent: int) -> dict[str, object]:
        return {"what": what, "version": version, "percent": percent, "at": NOW.isoformat()}

    told = [
        row("handover.reminded", "v1", 50),
        row("handover.reminded", "v2", 50),
        row("handover.acknowledged", "v2", 0),
        row("handover.reminded", "v2", 80),
    ]
    assert reminders(told, "v2") == [(50, NOW), (80, NOW)]
