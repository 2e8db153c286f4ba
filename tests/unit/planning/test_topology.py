"""Queues, the emulator's configuration and the table of steps, all from the steps themselves."""

import json

import pytest

from functions import declare_steps
from shared.messages import CHAIN
from shared.step import STEPS, Step, step
from shared.topology import EVENTS, REFUSED, in_order, queues, render, table

ENTRANCES = {"provisioning", "vault-events"}


@pytest.fixture
def steps() -> list[Step]:
    declare_steps()
    return list(STEPS.values())


def test_every_step_of_a_chain_is_declared(steps):
    assert {name for chain in CHAIN.values() for name in chain} <= {s.name for s in steps}


def test_a_queue_for_each_step_and_one_for_what_was_refused(steps):
    made = {queue.name: queue for queue in queues(steps)}
    assert set(made) == {s.name for s in steps} | {REFUSED}
    for s in steps:
        queue, open_to_others = made[s.name], s.name in ENTRANCES
        assert queue.session is not open_to_others
        assert queue.duplicate_detection
        assert queue.duplicate_detection_window is not None
        assert queue.dead_letter_on_expiration
    assert not made[REFUSED].session
    assert not made[REFUSED].dead_letter_on_expiration


def test_entrances_come_first_then_the_chain(steps):
    found = [s.name for s in in_order(steps)]
    assert set(found[:2]) == ENTRANCES
    assert tuple(found[2 : 2 + len(CHAIN["onboard"])]) == CHAIN["onboard"]


def test_the_order_does_not_depend_on_imports(steps):
    assert in_order(reversed(steps)) == in_order(steps)
    assert render(reversed(steps), {}) == render(steps, {})


def test_the_emulator_declares_the_same_queues(steps):
    rendered = {path.name: text for path, text in render(steps, {}).items()}
    bicep = json.loads(rendered["queues.json"])
    (namespace,) = json.loads(rendered["servicebus-emulator.json"])["UserConfig"]["Namespaces"]
    properties = {queue["Name"]: queue["Properties"] for queue in namespace["Queues"]}
    assert set(properties) == {queue["name"] for queue in bicep["queues"]}
    for queue in bicep["queues"]:
        assert properties[queue["name"]]["RequiresSession"] == queue["session"]
        assert properties[queue["name"]]["LockDuration"] == queue["lockDuration"]
        assert properties[queue["name"]]["MaxDeliveryCount"] == queue["maxDeliveryCount"]
    assert [topic["Name"] for topic in namespace["Topics"]] == [EVENTS]


def test_every_step_has_its_line(steps):
    page = table(steps)
    for s in steps:
        assert f"| `{s.name}` |" in page
        assert s.about in page


def test_two_steps_of_one_name_are_refused(steps):
    async def registration(work):
        """Do it again."""

    before = dict(STEPS)
    with pytest.raises(ValueError, match="two steps are called registration"):
        step()(registration)
    assert before == STEPS
