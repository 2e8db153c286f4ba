"""What stops a registration, in words for people."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.model.directory import KnownId

RESTORABLE = timedelta(days=30)
"""How long Entra ID keeps a deleted application."""


def deleted(when: datetime | None) -> NeedsHuman:
    """*when* is None where it is not among the deleted applications."""
    if when is None:
        return NeedsHuman(
            "APP_DELETED",
            "The registration was deleted longer than 30 days ago, or for good.",
            "It cannot be restored: onboard the product under another name, and enter the new "
            "values into it.",
        )
    return NeedsHuman(
        "APP_DELETED",
        f"The registration was deleted on {when:%Y-%m-%d}.",
        "Restore it within 30 days instead of making a new one, which the product would not know: "
        f"Entra ID, App registrations, Deleted applications, by {when + RESTORABLE:%Y-%m-%d}. "
        "Then send the request again.",
    )


def foreign(unique_name: str) -> NeedsHuman:
    return NeedsHuman(
        "APP_NAME_CLASH",
        f"An application that Keyturn did not make has the unique name {unique_name}.",
        "Onboard the product under another name, or remove that application.",
    )


def namesakes(display_name: str, clients: Iterable[str]) -> str:
    """Not a stop: display names need not be unique."""
    others = sorted(clients)
    if not others:
        return ""
    return (
        f"APP_NAME_CLASH: {len(others)} more applications are called {display_name!r} "
        f"({', '.join(others[:5])}); tell them apart by the client id."
    )


def absent(client_id: str, known: KnownId | None) -> NeedsHuman:
    """The application to adopt was not found; *known* says what its id really is."""
    if known is not None:
        return NeedsHuman(
            "WRONG_ID_KIND",
            f"{client_id} is {known.what}; Keyturn wants the client id, which is "
            f"{known.client_id}.",
            f"Onboard with the application (client) id {known.client_id}.",
        )
    return NeedsHuman(
        "APP_NOT_FOUND",
        f"No application of this tenant has the client id {client_id}.",
        "Copy the application (client) id from its overview page in Entra ID, or leave it out to "
        "have a new application made.",
    )


def not_owned(client_id: str, own: str) -> NeedsHuman:
    return NeedsHuman(
        "AUTOMATION_NOT_OWNER",
        f"The automation does not own the application {client_id}; nothing of it was changed.",
        f"Have one of its owners add the automation's service principal ({own}) as an owner, then "
        "send the request again.",
    )


def unknown_owner(name: str, field: str) -> NeedsHuman:
    return NeedsHuman(
        f"INPUT_INVALID:{field}",
        f"No user of this tenant is called {name}, who is to own the application.",
        "Change the input to the user principal name or the object id of a user of this tenant.",
    )


def create_failed(refusal: NeedsHuman) -> NeedsHuman:
    return NeedsHuman(
        "APP_CREATE_FAILED",
        f"The application could not be created: {refusal.message}",
        "Correct what Graph names, or have an administrator lift the tenant's limit on app "
        "registrations; then send the request again.",
    )
