"""What an injected fault answers, in the wire form that was seen at Microsoft."""

import re
from typing import Any

from emulators.graph import discovery_faults, errors, sts_errors
from emulators.graph.errors import GraphError, bad_request
from emulators.graph.faults import Strike
from emulators.graph.sts_errors import TokenError

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


def graph_error(strike: Strike, path: str, body: Any) -> GraphError:
    """The refusal that a fault gives at Graph."""
    fault, wanted = strike.rule.fault, strike.rule.wanted
    if strike.effect in discovery_faults.REFUSING:
        return discovery_faults.refusal(strike.effect)
    if isinstance(fault, dict):
        return GraphError(
            fault.get("status", 503),
            fault.get("code") or STATUS_CODES.get(fault.get("status", 503), "UnknownError"),
            fault.get("message", "Injected fault."),
            headers={name: str(value) for name, value in fault.get("headers", {}).items()},
            bare="body" in fault,
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
        "F16": errors.too_large(),
        "lost": _by_status(504, path, None),
    }
    return known.get(fault) or errors.not_found(_last_id(path))  # F1, F5 and bare patterns


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
