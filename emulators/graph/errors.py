"""Refusals in the form Graph gives them."""

from typing import Any

CONFLICT = (
    "A conflicting object with one or more of the specified property values is present "
    "in the directory."
)
MISSING = (
    "Resource '{id}' does not exist or one of its queried reference-property objects "
    "are not present."
)
INSUFFICIENT = "Insufficient privileges to complete the operation."


class GraphError(Exception):
    """One refusal; the server turns it into an OData error body."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        details: list[dict[str, Any]] | None = None,
        bare: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}
        self.details = details
        self._bare = bare

    def body(self, date: str, request_id: str, client_request_id: str) -> dict[str, Any] | None:
        """None for one that says nothing, as some of those that come from in front of Graph."""
        if self._bare:
            return None
        inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.status == 429:  # the one body that repeats status and text inside
            inner |= {"code": "429", "message": "Please retry after", "status": "429"}
        if self.details:
            error["details"] = self.details
        error["innerError"] = inner
        return {"error": error}


def not_found(identity: str) -> GraphError:
    return GraphError(404, "Request_ResourceNotFound", MISSING.format(id=identity))


def bad_request(message: str, code: str = "Request_BadRequest") -> GraphError:
    return GraphError(400, code, message)


def denied(message: str = INSUFFICIENT) -> GraphError:
    return GraphError(403, "Authorization_RequestDenied", message)


def unsupported_query(message: str) -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def conflict(message: str) -> GraphError:
    return GraphError(409, "Request_MultipleObjectsWithSameKeyValue", message)


def concurrent() -> GraphError:
    return GraphError(
        409,
        "Directory_ConcurrencyViolation",
        "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
    )


def no_backing_application(app_id: str) -> GraphError:
    return GraphError(
        400,
        "Request_BadRequest",
        f"The appId '{app_id}' of the service principal does not reference a valid "
        "application object.",
        details=[
            {
                "code": "NoBackingApplicationObject",
                "message": "The appId does not reference a valid application object.",
                "target": "appId",
            }
        ],
    )


def backing_application_elsewhere() -> GraphError:
    # The missing "be" is Microsoft's.
    return denied(
        "When using this permission, the backing application of the service principal being "
        "created must in the local tenant"
    )


def throttled(
    retry_after: str = "1", information: str = "", headers: dict[str, str] | None = None
) -> GraphError:
    extra = {"Retry-After": retry_after} | (headers or {})
    if information:
        extra["x-ms-throttle-information"] = information
    return GraphError(429, "TooManyRequests", "Please retry again later.", headers=extra)


def too_large() -> GraphError:
    return GraphError(
        400,
        "Directory_ResourceSizeExceeded",
        "The size of the object has exceeded its limit. Please reduce the number of values and "
        "retry your request.",
    )
