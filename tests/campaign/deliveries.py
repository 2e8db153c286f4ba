"""What one delivery of a message may do, and deliveries of one connection beside each other."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.model.connection import Connection, Operation
from tests.campaign.processes import CURRENT
from tests.fakes.tenant import SecretRow


@dataclass(eq=False)
class Delivery:
    """A step's message in the hands of one process."""

    connection: str
    over: bool  # when it began, its operation had ended or was past this step
    added: list[str] = field(default_factory=list)  # key ids of the secrets that it has made
    listed: frozenset[str] = frozenset()  # key ids that it has read last
    wrote: float = 0.0  # the loop's time
    given_way: bool = False  # another one has written since


DELIVERY: ContextVar[Delivery | None] = ContextVar("delivery", default=None)
"""Of the running task; None for requests, sweeps and whoever watches."""


def delivery_of(
    step: str, name: str, connection: Connection | None, operation: Operation | None
) -> Delivery:
    """As the rows are at its start."""
    if connection is None or operation is None:
        return Delivery(name, over=False)  # a bug, which is told elsewhere
    here = operation.state == "running" and operation.step == step
    return Delivery(name, over=not (here and connection.operation == operation.id))


class Order:
    """Watches each write of a delivery."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._last: dict[str, Delivery] = {}  # by connection: who has written last

    def write(self, method: str, now: float) -> None:
        """To directory or vault: in nobody's turn but its own, and for a running operation."""
        delivery, process = DELIVERY.get(), CURRENT.get()
        if delivery is None or process is None:
            return
        self.note(method)
        frozen = process.frozen_until > 0 and process.frozen_at >= delivery.wrote
        if delivery.given_way and not frozen:
            self._report(f"{delivery.connection}: two deliveries write side by side ({method})")
        last = self._last.get(delivery.connection)
        if last is not None and last is not delivery:
            last.given_way = True
        delivery.wrote, delivery.given_way = now, False
        self._last[delivery.connection] = delivery

    def note(self, method: str) -> None:
        """To the ledger."""
        delivery = DELIVERY.get()
        if delivery is not None and delivery.over:
            self._report(f"{delivery.connection}: {method} for an operation that was over")

    def listed(self, key_ids: Iterable[str]) -> None:
        """What a delivery has read, perhaps of a replica that is behind."""
        delivery = DELIVERY.get()
        if delivery is not None:
            delivery.listed = frozenset(key_ids)

    def added(self, name: str, row: SecretRow, twins: Iterable[str], kept: Iterable[str]) -> None:
        """One is made in a delivery, and none beside a lost one of the same operation.

        *twins* are key ids of others of the same name, *kept* those whose value is in the vault.
        """
        delivery = DELIVERY.get()
        if delivery is None:
            return
        delivery.added.append(row.id)
        if len(delivery.added) > 1:
            self._report(f"{name}: one delivery made {len(delivery.added)} secrets")
        if (delivery.listed & set(twins)) - set(kept):
            self._report(f"{name}: made a secret though a lost one of its operation was listed")
