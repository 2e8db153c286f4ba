"""JSON as Azure DevOps writes it: absent values are null, dates without a value are year 1."""

import base64
from typing import Any

from emulators.devops.state import Member, Organisation

NEVER = "0001-01-01T00:00:00Z"
TITLES = {"stakeholder": "Stakeholder", "express": "Basic", "advanced": "Basic + Test Plans"}


def descriptor(member: Member) -> str:
    return "aadsp." + base64.b64encode(member.id.encode()).decode().rstrip("=")


def entitlement(organisation: Organisation, member: Member) -> dict[str, Any]:
    home = f"https://vssps.dev.azure.com/{organisation.name}/_apis/Graph"
    name = descriptor(member)
    return {
        "servicePrincipal": {
            "subjectKind": "servicePrincipal",
            "applicationId": member.app_id,
            "metaType": "application",
            "directoryAlias": member.object_id,
            "domain": organisation.tenant,
            "principalName": member.object_id,
            "mailAddress": None,
            "origin": "aad",
            "originId": member.object_id,
            "displayName": member.name,
            "url": f"{home}/ServicePrincipals/{name}",
            "descriptor": name,
        },
        "id": member.id,
        "accessLevel": {
            "licensingSource": "account",
            "accountLicenseType": member.licence,
            "msdnLicenseType": "none",
            "licenseDisplayName": TITLES.get(member.licence, member.licence),
            "status": "pending",
            "statusMessage": "",
            "assignmentSource": "unknown",
        },
        "lastAccessedDate": NEVER,
        "dateCreated": NEVER,
        "projectEntitlements": [
            {
                "projectRef": {"id": id_, "name": organisation.projects.get(id_)},
                "group": {"groupType": group},
                "projectPermissionInherited": "notInherited",
                "teamRefs": [],
            }
            for id_, group in sorted(member.projects.items())
        ],
        "groupAssignments": [],
    }


def outcome(
    id_: str, result: dict[str, Any] | None, errors: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "servicePrincipalId": id_,
        "isSuccess": not errors,
        "errors": errors or [],
        "result": result,
    }
