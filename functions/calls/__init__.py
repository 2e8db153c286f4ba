"""The table of the API's calls, in the order of its description."""

from functions.calls import about, audit, connections, discovery, findings, handover, imports
from functions.http.call import Call

CALLS: tuple[Call, ...] = (
    *about.CALLS,
    *connections.CALLS,
    *findings.CALLS,
    *audit.CALLS,
    *handover.CALLS,
    *discovery.CALLS,
    *imports.CALLS,
)
