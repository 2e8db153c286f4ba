"""What the fakes over one tenant share."""

from typing import TypeVar

from shared.errors import TryLater
from tests.fakes.faults import Faults
from tests.fakes.tenant import FakeTenant

T = TypeVar("T")


class Part:
    """Base of the fakes that share a tenant and its faults."""

    def __init__(self, tenant: FakeTenant) -> None:
        self._tenant = tenant

    @property
    def faults(self) -> Faults:
        return self._tenant.faults


def written(row: T | None, id_: str) -> T:
    """The object that a write names; Graph answers 404 while it does not know it."""
    if row is None:
        raise TryLater("GRAPH_UNAVAILABLE", f"HTTP 404 Request_ResourceNotFound: {id_}")
    return row
