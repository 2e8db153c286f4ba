"""Graph's errors in our words.

The text decides, never the status alone: the same text arrives with different statuses, and
several answers that look like refusals (400, 403, 404) only mean "not replicated yet".
Source: Microsoft's guidance on eventual consistency in Entra, and the error handling of tools
that have run against it for years.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from shared.adapters.identity import sign_in_error
from shared.errors import NeedsHuman, StepError, TryLater

REPLICATION = {
    "does not reference a valid application object": "APP_REPLICATION",
    "NoBackingApplicationObject": "APP_REPLICATION",
    "backing application of the service principal being created must in the local tenant": (
        "APP_REPLICATION_403"
    ),
    "Not a valid reference update": "APPROLE_BAD_REF",
    "Permission being assigned was not found on application": "APPROLE_BAD_REF",
    "queried reference-property objects are not present": "APP_REPLICATION",
    "Error_MsaAppDoesNotExist": "APP_REPLICATION",
}
"""Texts that pass when the directory has caught up."""

CONCURRENCY = ("Directory_ConcurrencyViolation", "due to concurrent requests")

TOO_MANY_SECRETS = "Directory_ResourceSizeExceeded"
LIFETIME_POLICY = "CredentialInvalidLifetimeAsPerAppPolicy"
TYPE_POLICY = "CredentialTypeNotAllowedAsPerAppPolicy"

RESET = ("syncStateNotFound", "resyncRequired")
"""Texts that say that a delta link is too old; so does the status 410."""

LONGEST_WAIT = timedelta(minutes=10)
"""Nobody is served by a longer one, whatever an answer says."""


class Outcome:
    """What became of a call that raised no error of ours."""

    missing = False
    done_already = False


@contextmanager
def graph_errors(
    doing: str, *, writing: bool = False, already: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Raise `TryLater` or `NeedsHuman` instead of the SDK's errors.

    *already* are texts that mean the write was done before. A 404 on a read is no error.
    """
    import httpx
    from azure.core.exceptions import AzureError, ClientAuthenticationError
    from kiota_abstractions.api_error import APIError

    outcome = Outcome()
    try:
        yield outcome
    except httpx.HTTPError as error:
        raise TryLater("GRAPH_UNREACHABLE", f"{doing}: {error!r}") from error
    except ClientAuthenticationError as error:
        raise sign_in_error(doing, error) from error
    except AzureError as error:
        raise TryLater("TOKEN_UNREACHABLE", f"{doing}: {error!r}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TryLater(
            "GRAPH_UNREADABLE", f"{doing}: the answer is not Graph's: {error}"
        ) from error
    except APIError as error:
        text = describe(error)
        if any(done in text for done in already):
            outcome.done_already = True
        elif error.response_status_code == HTTPStatus.NOT_FOUND and not writing:
            outcome.missing = True
        else:
            raise translate(doing, text, error) from error


def describe(error: Any) -> str:
    """``HTTP 403 Authorization_RequestDenied: ... (request-id ...)`` of an SDK error."""
    main = getattr(error, "error", None)
    code, message = getattr(main, "code", ""), getattr(main, "message", "") or str(error)
    details = [getattr(d, "code", "") or "" for d in getattr(main, "details", None) or []]
    inner = getattr(main, "inner_error", None)
    headers = getattr(error, "response_headers", None) or {}
    request = getattr(inner, "request_id", None) or headers.get("request-id")
    more = f" [{', '.join(filter(None, details))}]" if any(details) else ""
    trace = f" (request-id {request})" if request else ""
    return f"HTTP {error.response_status_code} {code}: {message}{more}{trace}"


def translate(doing: str, text: str, error: Any) -> StepError:
    status = error.response_status_code or 0
    why = f"{doing}: {text}"
    for mark, code in REPLICATION.items():
        if mark in text:
            return TryLater(code, why, after=timedelta(seconds=5))
    if any(mark in text for mark in CONCURRENCY):
        return TryLater("CONCURRENT_WRITE", why, after=timedelta(seconds=4))
    if status == HTTPStatus.GONE or any(mark.lower() in text.lower() for mark in RESET):
        return NeedsHuman(
            "DELTA_EXPIRED",
            why,
            "Nothing: the next scan reads everything and gets a new delta link.",
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TryLater("THROTTLED", why, after=_wait(error), limit=timedelta(hours=1))
    if status in (0, HTTPStatus.NOT_FOUND) or status >= 500:
        return TryLater("GRAPH_UNAVAILABLE", why, after=_wait(error))
    if status == HTTPStatus.UNAUTHORIZED:
        return NeedsHuman(
            "AUTOMATION_IDENTITY",
            why,
            "Check that the identity of this app belongs to the tenant, and Graph's address.",
        )
    if status == HTTPStatus.FORBIDDEN:
        answer = getattr(error, "error", None)
        said = answer is None or bool(getattr(answer, "message", ""))
        return NeedsHuman(
            "AUTOMATION_PRIVILEGE" if said else "EMPTY_403",
            why if said else f"{doing}: denied without a word ({text}).",
            "Grant the automation's identity the permission that this call needs (see "
            "docs/deployment.md), then send the same request again.",
        )
    return NeedsHuman("GRAPH_REFUSED", why, "Correct what Graph names, then send it again.")


def retry_after(headers: Any) -> timedelta | None:
    """How long an answer asks to wait: seconds, fractions too, or a date (RFC 9110)."""
    text = (headers or {}).get("retry-after")
    if not text:
        return None
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    if wait != wait:  # noqa: PLR0124 - not a number, which no comparison below would notice
        return None
    return timedelta(seconds=min(max(wait, 0), LONGEST_WAIT.total_seconds()))


def _wait(error: Any) -> timedelta:
    asked = retry_after(getattr(error, "response_headers", None))
    return timedelta(seconds=30) if asked is None else asked
