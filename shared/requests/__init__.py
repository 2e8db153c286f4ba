"""What may be asked of us: an HTTP body or a queued order becomes a value, or a list of problems.

Pure, so that every entrance gives the same answer to the same bytes.
"""

from shared.requests.order import Order, check_message
from shared.requests.problem import MAX_BYTES, Problem
from shared.requests.request import Request, check_request
from shared.requests.side import (
    Acknowledgement,
    check_acknowledgement,
    check_approval,
    check_empty,
    check_rotation,
)

__all__ = [
    "MAX_BYTES",
    "Acknowledgement",
    "Order",
    "Problem",
    "Request",
    "check_acknowledgement",
    "check_approval",
    "check_empty",
    "check_message",
    "check_request",
    "check_rotation",
]
