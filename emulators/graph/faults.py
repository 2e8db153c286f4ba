"""Faults on demand: which call goes wrong, how, how often, and for how long.

F1 to F17 are the faults of Microsoft Graph that are known from reports; each has the wire form
that was seen there. Everything is deterministic: by count, by pattern, by the emulated clock, or
by a seeded chance.
"""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from emulators.clock import Clock
from emulators.graph import errors, sts_errors
from emulators.graph.errors import GraphError, bad_request
from emulators.graph.ids import Ids
from emulators.graph.routing import plain_path
from emulators.graph.sts_errors import TokenError

APPLICATION = [
    "GET /applications/{id}",
    "PATCH /applications/{id}",
    "POST /applications/{id}/addPassword",
]
SECRETS = ["POST /applications/{id}/addPassword", "POST /applications/{id}/removePassword"]
PRINCIPAL = ["POST /servicePrincipals", "PATCH /servicePrincipals/{key}"]
ROLE = ["POST /roleManagement/directory/roleAssignments"]
GRANTS = [
    "POST /servicePrincipals/{id}/appRoleAssignedTo",
    "POST /servicePrincipals/{id}/appRoleAssignments",
    "POST /oauth2PermissionGrants",
]
TOKEN = ["POST /token"]
DELTA = ["GET /users/delta", "GET /groups/delta"]
CALLS = {
    "F1": APPLICATION,
    "F2": PRINCIPAL,
    "F3": PRINCIPAL,
    "F4": GRANTS,
    "F5": ROLE,
    "F6": ["PATCH /applications/{id}"],
    "F7": SECRETS,
    "F8": TOKEN,
    "F9": TOKEN,
    "F10": ["GET /applications/{id}"],
    "F11": TOKEN,
    "F12": [*GRANTS, *ROLE],
    "F13": ["* *"],
    "F14": DELTA,
    "F15": SECRETS[:1],
    "F16": SECRETS[:1],
    "F17": TOKEN,
}
"""Where each fault strikes when the request names no call."""
STATUS_CODES = {
    400: "Request_BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound",
    409: "Request_Conflict",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceNotAvailable",
    504: "GatewayTimeout",
}
NO_MSA_APPLICATION = "The corresponding MSA application does not exist."
TOO_LONG = (
    "Credential lifetime exceeds the max value allowed as per assigned policy "
    "'00000000-0000-0000-0000-000000000000'."
)
EFFECTS = ("lost", "drop", "F10", "F11", "replay")


@dataclass
class Rule:
    """One injected fault."""

    id: str
    calls: list[re.Pattern[str]]
    wanted: dict[str, Any]
    until: float | None
    pattern: list[str]
    chance: random.Random
    seen: int = 0
    hits: int = 0

    @property
    def fault(self) -> Any:
        return self.wanted.get("fault")

    def view(self) -> dict[str, Any]:
        return {"id": self.id, "hits": self.hits, "seen": self.seen} | self.wanted


@dataclass
class Strike:
    """What a rule does to one call."""

    rule: Rule
    status: int | None = None
    effect: str = ""


@dataclass
class Faults:
    clock: Clock
    ids: Ids
    rules: dict[str, Rule] = field(default_factory=dict)

    def add(self, wanted: dict[str, Any]) -> Rule:
        fault = wanted.get("fault")
        names = wanted.get("call") or CALLS.get(str(fault))
        if names is None or (fault is None and "pattern" not in wanted):
            raise bad_request("A fault needs 'call' and 'fault' (or a 'pattern' of statuses).")
        if isinstance(fault, str) and fault not in CALLS and fault not in EFFECTS:
            raise bad_request(f"Unknown fault '{fault}': F1 to F17, lost, drop, replay.")
        pattern = wanted.get("pattern", [])
        if isinstance(pattern, str):
            pattern = pattern.split(",")
        seconds = wanted.get("seconds")
        rule = Rule(
            id=self.ids.guid(),
            calls=[_call_pattern(name) for name in ([names] if isinstance(names, str) else names)],
            wanted=wanted,
            until=None if seconds is None else self.clock.time() + seconds,
            pattern=[str(int(p)) if isinstance(p, bool) else str(p).strip() for p in pattern],
            chance=random.Random(wanted.get("seed", 0)),  # noqa: S311  # reproducible on purpose
        )
        self.rules[rule.id] = rule
        return rule

    def strike(self, method: str, path: str, text: str) -> Strike | None:
        """The first rule that hits this call; every rule that matches it counts it."""
        call = f"{method} {path}"
        first: Strike | None = None
        for rule in list(self.rules.values()):
            if not any(pattern.fullmatch(call) for pattern in rule.calls):
                continue
            wanted_object = rule.wanted.get("object")
            if wanted_object and wanted_object.lower() not in (path + text).lower():
                continue
            if first is None and (hit := self._hit(rule)) is not None:
                first = hit
        return first

    def _hit(self, rule: Rule) -> Strike | None:
        at, rule.seen = rule.seen, rule.seen + 1
        times = rule.wanted.get("times")
        if times is not None and rule.hits >= times:
            return None
        if rule.until is not None and self.clock.time() > rule.until:
            return None
        status = rule.wanted.get("status")
        if rule.pattern:
            if at >= len(rule.pattern) and not rule.wanted.get("repeat"):
                return None
            mark = rule.pattern[at % len(rule.pattern)]
            if mark in ("0", "ok"):
                return None
            status = int(mark) if len(mark) == 3 and mark.isdigit() else status
        if rule.chance.random() >= rule.wanted.get("probability", 1.0):
            return None
        rule.hits += 1
        effect = rule.fault if rule.fault in EFFECTS else ""
        return Strike(rule, status, effect)


def _call_pattern(call: str) -> re.Pattern[str]:
    """Match "POST /applications/{id}/addPassword", one object's own path, "GET *", or "*"."""
    method, _, path = call.strip().partition(" ")
    if not path and method.startswith("/"):
        method, path = "*", method
    if path.endswith("/token"):
        path = "/token"
    verb = r"\w+" if method == "*" else re.escape(method.upper())
    if path in ("", "*"):
        return re.compile(f"{verb} .*")
    plain = plain_path(path.removeprefix("/v1.0"))
    route = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(plain)).replace(r"\*", ".*")
    return re.compile(f"{verb} {route}", re.IGNORECASE)


def graph_error(strike: Strike, path: str, body: Any) -> GraphError:
    """The refusal that a fault gives at Graph."""
    fault, wanted = strike.rule.fault, strike.rule.wanted
    if isinstance(fault, dict):
        return GraphError(
            fault.get("status", 503),
            fault.get("code") or STATUS_CODES.get(fault.get("status", 503), "UnknownError"),
            fault.get("message", "Injected fault."),
            headers={name: str(value) for name, value in fault.get("headers", {}).items()},
        )
    retry = wanted.get("retry_after")
    if strike.status is not None and fault in (None, "F13", "lost"):
        return _by_status(strike.status, path, retry)
    app_id = str(body.get("appId", "")) if isinstance(body, dict) else ""
    app_id = app_id or path.rpartition("=")[2]
    return _named(str(fault), path, app_id, retry)


def _named(fault: str, path: str, app_id: str, retry: Any) -> GraphError:
    grant = "approle" in path.lower()
    missing = bad_request(errors.MISSING.format(id=_last_id(path)))
    known = {
        "F2": errors.no_backing_application(app_id),
        "F3": errors.backing_application_elsewhere(),
        "F4": bad_request("Not a valid reference update.") if grant else missing,
        "F6": GraphError(409, "Error_MsaAppDoesNotExist", NO_MSA_APPLICATION),
        "F7": errors.concurrent(),
        "F12": _duplicate(path),
        "F13": errors.throttled(str(retry or 1)),
        "F15": GraphError(400, "CredentialInvalidLifetimeAsPerAppPolicy", TOO_LONG),
        "F16": too_large(),
        "lost": _by_status(504, path, None),
    }
    return known.get(fault) or errors.not_found(_last_id(path))  # F1, F5 and bare patterns


def too_large() -> GraphError:
    return GraphError(
        400,
        "Directory_ResourceSizeExceeded",
        "The size of the object has exceeded its limit. Please reduce the number of values and "
        "retry your request.",
    )


def _duplicate(path: str) -> GraphError:
    if path.lower() == "/oauth2permissiongrants":
        return errors.conflict("Permission entry already exists.")
    if "approle" in path.lower():
        return bad_request("Permission being assigned already exists on the object")
    return bad_request(errors.CONFLICT)


def _by_status(status: int, path: str, retry: Any) -> GraphError:
    if status == 404:
        return errors.not_found(_last_id(path))
    if status == 429:
        return errors.throttled(str(retry or 1))
    if status == 409:
        return errors.concurrent()
    headers = {"Retry-After": str(retry)} if retry else {}
    code = STATUS_CODES.get(status, "UnknownError")
    return GraphError(status, code, "The service is temporarily unavailable.", headers=headers)


def _last_id(path: str) -> str:
    parts = [part for part in path.split("/") if len(part) > 30 or "=" in part]
    return parts[-1].rpartition("=")[2] if parts else path.strip("/")


def token_error(strike: Strike, client_id: str, resource: str, tenant: str) -> TokenError:
    """The refusal that a fault gives at the token endpoint."""
    fault = strike.rule.fault
    if fault == "F8":
        return sts_errors.wrong_secret(client_id)
    if fault == "F9":
        return sts_errors.unknown_application(client_id, tenant)
    if fault == "F17":
        if strike.rule.wanted.get("code") == 500011:
            return sts_errors.unknown_resource(resource, tenant)
        return sts_errors.expired_secret(client_id)
    if isinstance(fault, dict):
        code = int(re.sub(r"\D", "", str(fault.get("code", ""))) or 90033)
        status = fault.get("status", 503)
        error = "invalid_client" if status == 401 else "invalid_request"
        error = "temporarily_unavailable" if status >= 500 or status == 429 else error
        text = fault.get("message", "A transient error has occurred. Please try again.")
        return TokenError(status, fault.get("error", error), code, text)
    status = strike.status or 503
    return TokenError(
        status,
        "temporarily_unavailable",
        90033,
        "A transient error has occurred. Please try again.",
    )
