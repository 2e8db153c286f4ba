"""One call of the API: its route, its handler, and what its description needs."""

import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func
import msgspec

from shared.model.caller import Role

if TYPE_CHECKING:
    from shared.context import Context

Connect = Callable[[], Awaitable["Context"]]
"""Gives the outside, opening it on first use: calls that do not need it work without."""

Handler = Callable[[func.HttpRequest, Connect], Awaitable[func.HttpResponse]]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A route and method; the table of them registers and describes the API alike."""

    name: str  # of the function, unique in the app
    method: str
    path: str  # below /api/
    role: Role  # that a caller must have; without one a call cannot be declared
    handle: Handler
    about: str
    tag: str
    accepts: str = ""  # schema of the body
    body_required: bool = False
    query: dict[str, dict[str, Any]] = {}  # parameter: JSON schema
    answers: dict[int, str] = {}  # status: schema of a JSON answer
    other_forms: tuple[str, ...] = ()  # media types of a 200 besides JSON
    faults: tuple[int, ...] = ()
    rated: bool = False  # what one caller may ask in an hour is limited

    @property
    def largest(self) -> int:
        """Bytes that a body may have."""
        from shared.requests.problem import MAX_BYTES  # with all checks, which indexing needs not

        return MAX_BYTES if self.accepts else 0


def late(name: str) -> Handler:
    """The handler ``module.function`` of this package, imported on its first call.

    The host indexes every function at each cold start, but calls few of them soon.
    """
    module, _, function = name.partition(".")

    async def handle(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
        found: Handler = getattr(importlib.import_module(f"functions.http.{module}"), function)
        return await found(req, connect)

    return handle
