"""The age of a secret as a state, and lives that were cut short."""

import pytest

from shared.model.connection import Credential
from shared.planning.lifetime import Policy, shortened, state
from tests.unit.planning.samples import DAY, HOUR, NOW

POLICY = Policy(lifetime=180 * DAY, renew_before=30 * DAY, overlap=7 * DAY)
CREDENTIAL = Credential(
    key_id="new",
    published=NOW,
    due=NOW + 120 * DAY,
    expires=NOW + 180 * DAY,
    vault_name="x",
    vault_version="v2",
    previous_key_id="old",
    overlap_until=NOW + 8 * DAY,
)


@pytest.mark.requirement("X-12")
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (0 * DAY, "ok"),
        (120 * DAY - HOUR, "ok"),
        (120 * DAY, "due"),
        (121 * DAY - HOUR, "due"),
        (121 * DAY, "overdue"),
        (180 * DAY - HOUR, "overdue"),
        (180 * DAY, "expired"),
    ],
)
def test_state(after, expected):
    assert state(CREDENTIAL, NOW + after) == expected


def test_a_life_as_asked_for_is_not_mentioned():
    assert shortened(POLICY, NOW, NOW + 180 * DAY - HOUR) == ""
    assert "at most 90" in shortened(POLICY, NOW, NOW + 90 * DAY - HOUR)
