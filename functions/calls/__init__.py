"""The table of the API's calls, in the order of its description."""

from functions.calls import about, connections, discovery, handover, imports
from functions.http.call import Call

CALLS: tuple[Call, ...] = (
    *about.CALLS,
    *connections.CALLS,
    *handover.CALLS,
    *discovery.CALLS,
    *imports.CALLS,
)
