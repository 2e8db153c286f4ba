"""Creating connections and starting their operations: one way, for HTTP and queue alike."""

from shared.onboarding.acknowledging import acknowledge
from shared.onboarding.approvals import APPROVAL_PENDING, approve, waits_for_approval
from shared.onboarding.changes import Changed, change, differing
from shared.onboarding.deciding import Decided, decide
from shared.onboarding.ending import offboard
from shared.onboarding.rejected import Rejected, find, require_active
from shared.onboarding.releasing import held_by, release
from shared.onboarding.requested import onboard
from shared.onboarding.starting import Onboarding, run
from shared.onboarding.urgent import Urgent, replace_now

__all__ = [
    "APPROVAL_PENDING",
    "Changed",
    "Decided",
    "Onboarding",
    "Rejected",
    "Urgent",
    "acknowledge",
    "approve",
    "change",
    "decide",
    "differing",
    "find",
    "held_by",
    "offboard",
    "onboard",
    "release",
    "replace_now",
    "require_active",
    "run",
    "waits_for_approval",
]
