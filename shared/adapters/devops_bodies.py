"""What is sent to Azure DevOps, and what its refusals mean."""

from typing import Any

from shared.errors import NeedsHuman
from shared.model.membership import Member

READER = "projectReader"

RIGHT_ID = (
    "Azure DevOps wants the object id of the service principal (Enterprise applications), not of "
    "the application."
)


def refusal_of(wanted: Member, said: str) -> NeedsHuman:
    """What a failure means is in its words only; its numbers are not documented."""
    lowered = said.lower()
    if "licen" in lowered:
        return NeedsHuman(
            "DEVOPS_LICENCE",
            f"Azure DevOps has no licence left for access level {wanted.licence}: {said}.",
            "Buy one, or choose the access level stakeholder, then send the request again.",
        )
    if any(word in lowered for word in ("permission", "not authorized", "administrator")):
        return NeedsHuman(
            "DEVOPS_NEEDS_PCA",
            f"The automation may not add members: {said}.",
            "Have a Project Collection Administrator add the service principal.",
        )
    text = f"Azure DevOps does not take {wanted.object_id}: {said}."
    return NeedsHuman("DEVOPS_WRONG_ID", text, RIGHT_ID)


def entitlement(wanted: Member) -> dict[str, Any]:
    return {
        "accessLevel": level(wanted.licence),
        "projectEntitlements": [project(id_) for id_ in wanted.projects],
        "servicePrincipal": {
            "origin": "aad",
            "originId": wanted.object_id,
            "subjectKind": "servicePrincipal",
        },
    }


def level(licence: str) -> dict[str, str]:
    return {"accountLicenseType": licence, "licensingSource": "account"}


def project(id_: str) -> dict[str, Any]:
    return {"group": {"groupType": READER}, "projectRef": {"id": id_}}
