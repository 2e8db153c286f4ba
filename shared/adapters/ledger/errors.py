"""Table storage's errors in our words. Source: "Table service error codes"."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from shared.errors import NeedsHuman, TryLater

DOWN = timedelta(seconds=10)


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Raise `TryLater` or `NeedsHuman` instead of the SDK's errors.

    "Not there", "there already" and "changed meanwhile" are no errors: callers decide.
    """
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ResourceExistsError,
        ResourceModifiedError,
        ResourceNotFoundError,
    )

    try:
        yield
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
        raise
    except ClientAuthenticationError as error:
        raise _refused(doing, error.status_code or 401) from error
    except HttpResponseError as error:
        status = error.status_code or 0
        if status == 403:
            raise _refused(doing, status) from error
        if status in (0, 408, 429) or status >= 500:
            raise _down(doing, f"HTTP {status}") from error
        raise
    except AzureError as error:
        raise _down(doing, type(error).__name__) from error


def _down(doing: str, why: str) -> TryLater:
    return TryLater("LEDGER_DOWN", f"{doing}: table storage answered {why}", after=DOWN)


def _refused(doing: str, status: int) -> NeedsHuman:
    return NeedsHuman(
        "AUTOMATION_PRIVILEGE",
        f"{doing}: table storage refuses the automation's identity (HTTP {status}).",
        "Give the app's identity the role Storage Table Data Contributor on the ledger's storage "
        "account, then send the same request again.",
    )
