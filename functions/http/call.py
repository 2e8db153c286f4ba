"""One call of the API: its route, its handler, and what its description needs."""

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func
import msgspec

from functions.http import asking, refused
from functions.http.answers import Fault, fault
from shared.context import Context
from shared.errors import Conflict, NeedsHuman, TryLater
from shared.model.caller import Role
from shared.onboarding import Rejected
from shared.settings import SettingsError

Connect = Callable[[], Awaitable[Context]]
"""Gives the outside, opening it on first use: calls that do not need it work without."""

Handler = Callable[[func.HttpRequest, Connect], Awaitable[func.HttpResponse]]

STATUS = {"CONNECTION_UNKNOWN": 404, "SELF_APPROVAL": 403}
"""Of rejections; the others are conflicts with the connection's state."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A route and method; the table of them registers and describes the API alike."""

    name: str  # of the function, unique in the app
    method: str
    path: str  # below /api/
    handle: Handler
    about: str
    tag: str
    accepts: str = ""  # schema of the body
    body_required: bool = False
    query: dict[str, dict[str, Any]] = {}  # parameter: JSON schema
    answers: dict[int, str] = {}  # status: schema of a JSON answer
    other_forms: tuple[str, ...] = ()  # media types of a 200 besides JSON
    faults: tuple[int, ...] = ()
    role: Role | None = None  # of callers; by default what the method suggests

    @property
    def needs(self) -> Role:
        """The app role that a caller must have."""
        return self.role or (Role.READER if self.method == "GET" else Role.OPERATOR)


def late(name: str) -> Handler:
    """The handler ``module.function`` of this package, imported on its first call.

    The host indexes every function at each cold start, but calls few of them soon.
    """
    module, _, function = name.partition(".")

    async def handle(req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
        found: Handler = getattr(importlib.import_module(f"functions.http.{module}"), function)
        return await found(req, connect)

    return handle


async def serve(call: Call, req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    """Answer a call; whatever is known to go wrong becomes a problem, a bug stays a 500."""
    try:
        return await _answer(call, req, connect)
    except TryLater as reason:
        seconds = str(max(1, round(reason.after.total_seconds())))
        return _unavailable(reason.code, reason.message, "send it again later", seconds)
    except Conflict:
        message = "somebody else changed the same connection at the same time"
        return _unavailable("CHANGED_MEANWHILE", message, "send it again", "1")
    except NeedsHuman as problem:
        return fault(503, problem.code, problem.message, problem.remedy).answer()
    except SettingsError as error:
        return fault(503, "SETTINGS", str(error), "correct the application's settings").answer()


async def _answer(call: Call, req: func.HttpRequest, connect: Connect) -> func.HttpResponse:
    """Refuse callers without the call's role, run the handler, and keep what was refused."""
    try:
        caller = asking.who(req)
    except Fault as unknown:
        return unknown.answer()
    try:
        asking.require(caller, call.needs, f"{call.method} /api/{call.path}")
        return await call.handle(req, connect)
    except Fault as known:
        refusal = known
    except Rejected as rejected:
        status = STATUS.get(rejected.problem.code, 409)
        refusal = Fault(status, [rejected.problem], operation=rejected.operation)
    # Before the answer: a refusal that could not be recorded is answered as trouble.
    if refusal.status == 403 or (refusal.status == 422 and call.method != "GET"):
        await refused.note(await connect(), call.name, req, caller, refusal.problems)
    return refusal.answer()


def _unavailable(code: str, message: str, hint: str, seconds: str) -> func.HttpResponse:
    known = fault(503, code, message, hint)
    known.headers["Retry-After"] = seconds
    return known.answer()
