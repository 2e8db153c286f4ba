"""The timeline of a rotation, as the history has it."""

from shared.planning.rungs import Name, rungs

HISTORY = [
    {"at": "2026-03-01T12:00:00Z", "what": "secret.published", "operation": "op-1", "key_id": "a"},
    {"at": "2026-03-02T12:00:00Z", "what": "consent.granted", "operation": "op-2"},
    {"at": "2026-03-02T12:00:01Z", "what": "secret.intended", "operation": "op-2", "why": "due"},
    {"at": "2026-03-02T12:00:02Z", "what": "secret.added", "operation": "op-2", "key_id": "b"},
    {"at": "2026-03-02T12:00:03Z", "what": "secret.staged", "operation": "op-2", "key_id": "b"},
    {
        "at": "2026-03-02T12:02:00Z",
        "what": "secret.published",
        "operation": "op-2",
        "key_id": "b",
        "previous": "a",
        "version": "v2",
    },
    {"at": "2026-03-03T12:00:00Z", "what": "handover.acknowledged", "version": "v2", "by": "ana"},
    {"at": "2026-03-09T12:00:00Z", "what": "secret.retired", "operation": "op-3", "key_id": "a"},
    {"at": "2026-03-10T12:00:00Z", "what": "secret.added", "operation": "op-4", "key_id": "c"},
]


def names(operation: str = "") -> list[str]:
    return [rung.name for rung in rungs(HISTORY, operation)]


def test_an_operation_with_what_became_of_its_secrets():
    assert names("op-2") == [
        Name.PUBLISHED,  # of the one that it replaced
        Name.INTENDED,
        Name.ADDED,
        Name.STAGED,
        Name.PUBLISHED,
        Name.ACKNOWLEDGED,
        Name.RETIRED,
    ]


def test_all_of_them_and_none():
    assert len(names()) == 8
    assert names("nobody") == []
    assert rungs([]) == ()


def test_what_a_rung_tells():
    intended, added = rungs(HISTORY, "op-2")[1:3]
    assert (intended.why, intended.key_id, intended.operation) == ("due", "", "op-2")
    assert (added.key_id, added.at.isoformat()) == ("b", "2026-03-02T12:00:02+00:00")
    acknowledged = rungs(HISTORY, "op-2")[5]
    assert acknowledged.detail == "version v2, by ana"


def test_rows_come_in_the_order_of_their_time():
    assert rungs(reversed(HISTORY)) == rungs(HISTORY)
