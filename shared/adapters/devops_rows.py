"""Answers of Azure DevOps, as they come over the wire; what is not used is not read."""

from typing import Any, TypeVar

import msgspec

from shared.errors import TryLater
from shared.model.membership import Member

T = TypeVar("T")


class Row(msgspec.Struct, frozen=True, rename="camel"):
    """Base: keys as Azure DevOps spells them."""


class Level(Row, frozen=True):
    account_license_type: str = ""


class ProjectRef(Row, frozen=True):
    id: str


class ProjectEntitlement(Row, frozen=True):
    project_ref: ProjectRef


class Subject(Row, frozen=True):
    origin_id: str


class Entitlement(Row, frozen=True):
    id: str
    service_principal: Subject
    access_level: Level
    project_entitlements: tuple[ProjectEntitlement, ...] | None = None

    def member(self) -> Member:
        projects = (entry.project_ref.id for entry in self.project_entitlements or ())
        return Member(
            id=self.id,
            object_id=self.service_principal.origin_id,
            licence=self.access_level.account_license_type,
            projects=tuple(sorted(projects)),
        )


class Outcome(Row, frozen=True):
    """Of one operation; `errors` are pairs of a number and a text."""

    is_success: bool = False
    errors: tuple[dict[str, Any], ...] | None = ()

    def told(self) -> str:
        return "; ".join(str(error.get("value", error)) for error in self.errors or ())


class Answer(Row, frozen=True, rename={"entitlement": "servicePrincipalEntitlement"}):
    """What adding and changing answer alike."""

    is_success: bool = msgspec.field(name="isSuccess", default=False)
    entitlement: Entitlement | None = None


class Posted(Answer, frozen=True):
    operation_result: Outcome = msgspec.field(name="operationResult", default=Outcome())

    def refusal(self) -> str:
        """Empty when it was done."""
        done = self.is_success and self.operation_result.is_success
        if done and not self.operation_result.errors:
            return ""
        return self.operation_result.told() or "no reason was given"


class Changed(Answer, frozen=True):
    operation_results: tuple[Outcome, ...] = msgspec.field(name="operationResults", default=())

    def refusal(self) -> str:
        failed = [o for o in self.operation_results if not o.is_success or o.errors]
        if self.is_success and not failed:
            return ""
        return "; ".join(o.told() for o in failed) or "no reason was given"


class Refusal(Row, frozen=True):
    message: str = ""


def read(content: bytes, kind: type[T]) -> T:
    """Decode an answer; a page of HTML in place of JSON is an outage that passes."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        raise TryLater("DEVOPS_UNAVAILABLE", "Azure DevOps answered something else") from None
