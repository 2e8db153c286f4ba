"""Creating connections and starting their operations: one way, for HTTP and queue alike."""

from shared.onboarding.approvals import APPROVAL_PENDING, approve, waits_for_approval
from shared.onboarding.rejected import Rejected, find
from shared.onboarding.requested import onboard
from shared.onboarding.starting import Onboarding, run

__all__ = [
    "APPROVAL_PENDING",
    "Onboarding",
    "Rejected",
    "approve",
    "find",
    "onboard",
    "run",
    "waits_for_approval",
]
