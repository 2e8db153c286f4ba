"""What may be asked of us: an HTTP body or a queued order becomes a value, or a list of problems.

Pure, so that every entrance gives the same answer to the same bytes.
"""

from shared.requests.change import Change, changed, check_change
from shared.requests.imports import (
    Acknowledged,
    FetchRequest,
    ScheduleChange,
    check_acknowledged,
    check_fetch,
    check_import,
    check_login,
    check_roles,
    check_schedule,
)
from shared.requests.order import Order, check_message
from shared.requests.problem import MAX_BYTES, Problem
from shared.requests.request import Request, check_request
from shared.requests.rotation import Emergency, check_rotation
from shared.requests.side import (
    Acknowledgement,
    check_acknowledgement,
    check_approval,
    check_empty,
    check_offboarding,
)

__all__ = [
    "MAX_BYTES",
    "Acknowledged",
    "Acknowledgement",
    "Change",
    "Emergency",
    "FetchRequest",
    "Order",
    "Problem",
    "Request",
    "ScheduleChange",
    "changed",
    "check_acknowledged",
    "check_acknowledgement",
    "check_approval",
    "check_change",
    "check_empty",
    "check_fetch",
    "check_import",
    "check_login",
    "check_message",
    "check_offboarding",
    "check_request",
    "check_roles",
    "check_rotation",
    "check_schedule",
]
