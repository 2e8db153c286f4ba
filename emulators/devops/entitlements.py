"""The Service Principal Entitlements API: reads, writes, and what each is answered."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from emulators.devops.errors import Refusal, denied
from emulators.devops.shapes import TITLES, entitlement, outcome
from emulators.devops.state import Member, Organisation, State

GROUPS = {"projectReader", "projectContributor", "projectAdministrator", "projectStakeholder"}
UNLIMITED = 10**6


@dataclass(frozen=True)
class Principal:
    """A service principal as the directory has it."""

    object_id: str
    app_id: str
    name: str


class Entitlements:
    """Of one organisation, for one caller."""

    def __init__(self, state: State, organisation: Organisation, caller: str) -> None:
        self._state, self._organisation, self._caller = state, organisation, caller

    def add(self, body: Any, principal: Principal | None) -> dict[str, Any]:
        """The answer to POST; failures are answered with status 200 as well."""
        organisation = self._organisation
        self._may_add(body)
        if principal is None:
            text = "The service principal was not found in the directory."
            if self._state.refuse_ids_with == 400:
                raise Refusal(400, text)
            return self._failed(5000, text)
        level = _level(body)
        known = organisation.of(principal.object_id)
        if problem := self._no_licence(level, known):
            return self._failed(5037, problem)
        projects, unknown = self._projects(body.get("projectEntitlements") or [])
        if unknown:
            return self._failed(5020, f"The project {unknown} does not exist.")
        member = known or Member(principal.object_id, level, principal.app_id, principal.name)
        self._take(level, known)
        member.licence = level
        member.projects |= projects
        organisation.members[member.id] = member
        shown = entitlement(organisation, member)
        return {
            "operationResult": outcome(member.id, shown),
            "isSuccess": True,
            "servicePrincipalEntitlement": shown,
        }

    def read(self, id_: str) -> dict[str, Any]:
        self._must_administer()
        return entitlement(self._organisation, self._member(id_))

    def patch(self, id_: str, operations: Any) -> dict[str, Any]:
        self._must_administer()
        member = self._member(id_)
        if not isinstance(operations, list):
            raise Refusal(400, "You must pass a valid patch document in the body of the request.")
        results = [self._apply(member, operation) for operation in operations]
        return {
            "operationResults": results,
            "isSuccess": all(result["isSuccess"] for result in results),
            "servicePrincipalEntitlement": entitlement(self._organisation, member),
        }

    def remove(self, id_: str) -> None:
        self._must_administer()
        self._member(id_)
        del self._organisation.members[id_]

    def _apply(self, member: Member, operation: dict[str, Any]) -> dict[str, Any]:
        path, value = str(operation.get("path", "")), operation.get("value") or {}
        if operation.get("op") == "replace" and path == "/accessLevel":
            level = str(value.get("accountLicenseType", ""))
            if problem := self._no_licence(level, member):
                return outcome(member.id, None, [{"key": 5037, "value": problem}])
            self._take(level, member)
            member.licence = level
        elif operation.get("op") == "add" and path == "/projectEntitlements":
            projects, unknown = self._projects([value])
            if unknown:
                text = f"The project {unknown} does not exist."
                return outcome(member.id, None, [{"key": 5020, "value": text}])
            member.projects |= projects
        elif operation.get("op") == "remove" and path.startswith("/projectEntitlements/"):
            member.projects.pop(path.rpartition("/")[2], None)
        else:
            raise Refusal(400, f"Not supported: {operation.get('op')} {path}.")
        return outcome(member.id, entitlement(self._organisation, member))

    def _may_add(self, body: Any) -> None:
        """Those who may invite can neither choose the level nor the projects (unconfirmed text)."""
        organisation = self._organisation
        if organisation.administered_by(self._caller):
            return
        if not (self._caller in organisation.inviters and organisation.invite_policy):
            raise denied(self._caller)
        if body.get("projectEntitlements") or _level(body) != "stakeholder":
            raise Refusal(403, "Only an administrator can assign access levels and projects.")

    def _must_administer(self) -> None:
        if not self._organisation.administered_by(self._caller):
            raise denied(self._caller)

    def _member(self, id_: str) -> Member:
        if id_ not in self._organisation.members:
            raise Refusal(404, f"The service principal {id_} was not found.")
        return self._organisation.members[id_]

    def _no_licence(self, level: str, known: Member | None) -> str:
        if level not in TITLES:
            raise Refusal(400, f"'{level}' is no account license type.")
        left = self._organisation.licences.get(level, UNLIMITED)
        if left > 0 or (known is not None and known.licence == level):
            return ""
        return f"There are no {TITLES[level]} licenses available."

    def _take(self, level: str, known: Member | None) -> None:
        """A licence for each organisation; changing the level gives the old one back."""
        licences = self._organisation.licences
        if known is not None and known.licence == level:
            return
        if known is not None and known.licence in licences:
            licences[known.licence] += 1
        if level in licences:
            licences[level] -= 1

    def _projects(self, asked: list[Any]) -> tuple[dict[str, str], str]:
        """Project ids and groups; the first that there is not."""
        found: dict[str, str] = {}
        for entry in asked:
            id_ = str((entry.get("projectRef") or {}).get("id", ""))
            group = str((entry.get("group") or {}).get("groupType", ""))
            if group not in GROUPS:
                raise Refusal(400, f"'{group}' is no group type.")
            if id_ not in self._organisation.projects:
                return {}, id_ or "(none)"
            found[id_] = group
        return found, ""

    def _failed(self, number: int, text: str) -> dict[str, Any]:
        nobody = str(uuid.UUID(int=0))
        return {
            "operationResult": outcome(nobody, None, [{"key": number, "value": text}]),
            "isSuccess": False,
            "servicePrincipalEntitlement": None,
        }


def asked_id(body: Any) -> str:
    """The object id that a POST names; 400 when it names none."""
    subject = body.get("servicePrincipal") if isinstance(body, dict) else None
    if not isinstance(subject, dict) or subject.get("origin") != "aad":
        raise Refusal(400, "The service principal's origin and originId must be set.")
    id_ = str(subject.get("originId", ""))
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", id_):
        raise Refusal(400, "The service principal's originId must be a GUID.")
    return id_.lower()


def _level(body: Any) -> str:
    level = body.get("accessLevel") if isinstance(body, dict) else None
    return str((level or {}).get("accountLicenseType", ""))
