"""Which membership a profile wants, and what is wrong with one."""

from collections.abc import Mapping

from shared.errors import NeedsHuman
from shared.model.connection import Facts, Membership, Value
from shared.model.membership import Member
from shared.model.profile import ExternalGrant, Profile, fill, holds, references

DEVOPS = "azure-devops"

LICENCE = (
    "DEVOPS_LICENCE: the service principal takes a licence in each organisation that it is added "
    "to; group licensing rules do not reach it."
)
"""Information, for the plan too. Source: Azure DevOps, "Use service principals"."""


class WantedMember(Value, frozen=True):
    """A membership with its templates filled."""

    org: str
    member: Member
    org_input: str  # the input that names the organisation


def wanted_members(
    profile: Profile, features: Mapping[str, bool], values: Mapping[str, str]
) -> tuple[WantedMember, ...]:
    return tuple(
        _wanted(grant, values) for grant in profile.external_grants if holds(grant.when, features)
    )


def _wanted(grant: ExternalGrant, values: Mapping[str, str]) -> WantedMember:
    projects = (part.strip() for part in fill(grant.projects, values).split(","))
    asked = [r.partition(".")[2] for r in references(grant.org) if r.startswith("inputs.")]
    return WantedMember(
        org=fill(grant.org, values),
        member=Member(
            object_id=fill(grant.object_id, values),
            licence=fill(grant.license, values),
            projects=tuple(sorted(project for project in projects if project)),
        ),
        org_input=asked[0] if asked else "org",
    )


def require_tenant(wanted: WantedMember, connected: str | None, tenant: str) -> None:
    """Raise `NeedsHuman` unless the organisation exists and belongs to the tenant."""
    if connected is None:
        raise NeedsHuman(
            f"INPUT_INVALID:{wanted.org_input}",
            f"There is no Azure DevOps organisation {wanted.org}.",
            f"Correct {wanted.org_input}, then send the request again.",
        )
    if connected != tenant:
        raise NeedsHuman(
            "DEVOPS_TENANT",
            f"The organisation {wanted.org} is connected to {connected or 'no tenant'}, not to "
            f"{tenant}: a service principal of this tenant cannot be added.",
            "Choose an organisation of this tenant, or have its owner connect it (Organization "
            "settings, Microsoft Entra).",
        )


def suffices(member: Member | None, wanted: Member) -> bool:
    """Projects that somebody else gave are left alone."""
    return (
        member is not None
        and member.object_id == wanted.object_id
        and member.licence == wanted.licence
        and set(wanted.projects) <= set(member.projects)
    )


def wrong_id(object_id: str, facts: Facts) -> str:
    """What *object_id* is where the service principal's is wanted; empty when it is right."""
    kinds = {
        facts.object_id: "the application's object id",
        facts.client_id: "the application (client) id",
    }
    return kinds.get(object_id, "") if object_id != facts.principal_id else ""


def not_member(membership: Membership | None, wanted: WantedMember) -> NeedsHuman:
    member = wanted.member
    asked = membership is not None and not membership.joined
    return NeedsHuman(
        "DEVOPS_NOT_MEMBER",
        f"Azure DevOps does not let the service principal into {wanted.org} (TF400813).",
        f"Add the service principal (object id {member.object_id}) to {wanted.org} with access "
        f"level {member.licence} as a Project Collection Administrator"
        + (", as the hand-over sheet says" if asked else "")
        + ", then verify the connection again.",
    )
