"""What may go wrong with each call, as the adapters tell it to the steps."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from shared.errors import NeedsHuman, StepError, TryLater

Make = Callable[[Random], StepError]


def later(code: str, shortest: float = 2, longest: float = 60) -> Make:
    """An outcome that passes; the service says how long to wait."""

    def make(chance: Random) -> StepError:
        wait = timedelta(seconds=chance.uniform(shortest, longest))
        return TryLater(code, f"injected: {code}", after=wait)

    return make


def refused(code: str) -> Make:
    """An outcome for a person."""
    return lambda _: NeedsHuman(code, f"injected: {code}", "Send the request again.")


Kind = tuple[str, Make, bool, int]
"""Name for the counts, the error, whether the effect took place, and its weight."""

READ: tuple[Kind, ...] = (
    ("throttled (429)", later("THROTTLED", 1, 150), False, 3),
    ("service error (5xx)", later("GRAPH_UNAVAILABLE"), False, 3),
    ("connection dropped", later("GRAPH_UNREACHABLE", 5, 30), False, 2),
    ("own token not to be had", later("TOKEN_UNREACHABLE"), False, 1),
)
WRITE: tuple[Kind, ...] = (
    *READ,
    ("concurrency violation (409/503/400)", later("CONCURRENT_WRITE", 4, 4), False, 3),
    ("not replicated yet (404)", later("APP_REPLICATION", 5, 5), False, 3),
    ("5xx with the write done", later("GRAPH_UNAVAILABLE"), True, 3),
    ("answer of a write lost", later("GRAPH_UNREACHABLE", 5, 30), True, 3),
    ("refused (403)", refused("AUTOMATION_PRIVILEGE"), False, 1),
)
ADD: tuple[Kind, ...] = (
    ("throttled (429)", later("THROTTLED", 1, 150), False, 2),
    ("concurrency violation (409/503/400)", later("CONCURRENT_WRITE", 4, 4), False, 2),
    ("addPassword: no answer, not made", later("ANSWER_LOST", 5, 30), False, 3),
    ("addPassword: answer lost, made", later("ANSWER_LOST", 5, 30), True, 5),
)
MISLEADING: tuple[Kind, ...] = (
    *WRITE,
    ("misleading 403", later("APP_REPLICATION_403", 5, 5), False, 6),
)
BAD_REFERENCE: tuple[Kind, ...] = (
    *WRITE,
    ("not a valid reference update (400)", later("APPROLE_BAD_REF", 5, 5), False, 4),
)
TOKENS: tuple[Kind, ...] = (
    ("token endpoint down", later("TOKEN_UNREACHABLE"), False, 1),
    ("throttled (429)", later("THROTTLED", 1, 150), False, 1),
)
VAULT: tuple[Kind, ...] = (
    ("vault down", later("VAULT_UNAVAILABLE"), False, 3),
    ("vault role not there yet (403)", later("VAULT_FORBIDDEN", 30, 30), False, 1),
    ("vault unreachable", later("VAULT_UNREACHABLE", 30, 30), False, 1),
)
VAULT_WRITE: tuple[Kind, ...] = (
    *VAULT,
    ("vault write done, answer lost", later("VAULT_UNAVAILABLE"), True, 4),
)
VAULT_PUT: tuple[Kind, ...] = (
    *VAULT_WRITE,
    ("vault read back shows another version", later("VAULT_RACE"), True, 1),
)
LEDGER: tuple[Kind, ...] = (
    ("ledger down", later("LEDGER_DOWN", 10, 10), False, 1),
    ("ledger refuses (403)", refused("AUTOMATION_PRIVILEGE"), False, 0),
)
LEDGER_WRITE: tuple[Kind, ...] = (
    *LEDGER,
    ("ledger write done, answer lost", later("LEDGER_DOWN", 10, 10), True, 2),
)
TURN: tuple[Kind, ...] = (
    *LEDGER,
    ("lease taken by another (conflict)", later("BUSY", 2, 2), False, 2),
)
OUTBOX: tuple[Kind, ...] = (
    ("queue unreachable", later("QUEUE_UNREACHABLE", 30, 30), False, 2),
    ("message queued, answer lost", later("QUEUE_UNREACHABLE", 30, 30), True, 3),
)

SPECIAL: dict[str, tuple[Kind, ...]] = {
    "credentials.add": ADD,
    "applications.ensure_principal": MISLEADING,
    "consents.grant": BAD_REFERENCE,
    "ledger.turn": TURN,
    "vault.put": VAULT_PUT,
    "vault.keep": VAULT_PUT,
}

READS = frozenset(
    f"{part}.{name}"
    for part, names in {
        "directory": "tenant own_roles own_principal resource hybrid user_id",
        "applications": "find of_client namesakes identify deleted owners principal settled "
        "settled_principal principal_owners",
        "consents": "granted delegated",
        "roles": "role_id names assigned settled_assignment",
        "credentials": "held longest_lifetime rules",
        "federation": "trusted",
        "vault": "current reveal all_versions",
        "ledger": "connection connections operation operations history refusals due due_times",
    }.items()
    for name in names.split()
)


def kinds_of(method: str) -> tuple[Kind, ...]:
    """What may happen to a call of this method."""
    if method in SPECIAL:
        return SPECIAL[method]
    part = method.partition(".")[0]
    reading = method in READS
    match part:
        case "vault":
            return VAULT if reading else VAULT_WRITE
        case "ledger" | "account_store" | "import_store":
            return LEDGER if reading else LEDGER_WRITE
        case "outbox":
            return OUTBOX
        case "tokens" | "reset_trial":
            return TOKENS
        case "applications" | "consents" | "roles" | "credentials" | "federation" | "certificates":
            return READ if reading else WRITE
    return READ


SERVICES = {
    "graph": ("GRAPH_UNAVAILABLE", ("directory", "applications", "consents", "roles")),
    "secrets": ("GRAPH_UNAVAILABLE", ("credentials", "federation", "certificates")),
    "tokens": ("TOKEN_UNREACHABLE", ("tokens", "reset_trial")),
    "vault": ("VAULT_UNAVAILABLE", ("vault",)),
    "ledger": ("LEDGER_DOWN", ("ledger",)),
    "queues": ("QUEUE_UNREACHABLE", ("outbox",)),
}
"""What may be down for hours as a whole: the error, and the parts that it strikes."""
