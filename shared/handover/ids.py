"""Ids are told apart before a person pastes one into the wrong field."""

import re

from shared.errors import NeedsHuman
from shared.model.connection import Connection
from shared.model.directory import Tenant
from shared.model.profile import Profile, references

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def require_ids(profile: Profile, connection: Connection, tenant: Tenant) -> None:
    """Raise `NeedsHuman` WRONG_ID_KIND unless client id and tenant id are two ids of their kind."""
    shown = {name for output in profile.outputs for name in references(output.value)}
    facts = connection.facts
    if "app.client_id" in shown:
        others = {
            facts.object_id: "the application's object id",
            facts.principal_id: "the service principal's object id",
            tenant.id: "the tenant's id",
        }
        wrong = others.get(facts.client_id) or _no_id(facts.client_id)
        _refuse("the application (client) id", facts.client_id, wrong)
    if "tenant.id" in shown:
        _refuse("the directory (tenant) id", tenant.id, _no_id(tenant.id))


def _no_id(text: str) -> str:
    return "" if GUID.fullmatch(text) else "no id at all"


def _refuse(wanted: str, found: str, wrong: str) -> None:
    if wrong:
        raise NeedsHuman(
            "WRONG_ID_KIND",
            f"The product wants {wanted}, but {found} is {wrong}.",
            "Send the same request again: registration reads the ids anew. If it stays, report "
            "it with this message.",
        )
