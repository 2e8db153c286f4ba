"""Organisations of Azure DevOps in memory, over one `FakeTenant`."""

import uuid
from dataclasses import dataclass, field

import msgspec

from shared.errors import NeedsHuman
from shared.model.credential import Masked
from shared.model.membership import Member
from tests.fakes.faults import fallible
from tests.fakes.part import Part


@dataclass
class Organisation:
    """`administered`: the automation is a Project Collection Administrator."""

    tenant: str
    administered: bool = True
    members: dict[str, Member] = field(default_factory=dict)  # by their id


class FakeOrganisations(Part):
    """Implements ``ports.Organisations``; `tenant.organisations` are those that there are."""

    @fallible("organisations.connected_tenant")
    async def connected_tenant(self, org: str) -> str | None:
        found = self._tenant.organisations.get(org)
        return found.tenant if found else None

    @fallible("organisations.member")
    async def member(self, org: str, member_id: str) -> Member | None:
        return self._administered(org).members.get(member_id)

    @fallible("organisations.add")
    async def add(self, org: str, wanted: Member) -> Member:
        found = self._administered(org)
        if self._tenant.principal(wanted.object_id) is None:
            raise NeedsHuman("DEVOPS_WRONG_ID", f"no principal {wanted.object_id}", "Correct it.")
        known = next((m for m in found.members.values() if m.object_id == wanted.object_id), None)
        made = msgspec.structs.replace(wanted, id=known.id if known else str(uuid.uuid4()))
        found.members[made.id] = made
        return made

    @fallible("organisations.change")
    async def change(self, org: str, known: Member, wanted: Member) -> Member:
        projects = tuple(sorted({*known.projects, *wanted.projects}))
        made = msgspec.structs.replace(known, licence=wanted.licence, projects=projects)
        self._administered(org).members[known.id] = made
        return made

    @fallible("organisations.remove")
    async def remove(self, org: str, member_id: str) -> None:
        self._administered(org).members.pop(member_id, None)

    @fallible("organisations.admits")
    async def admits(self, org: str, token: Masked) -> bool:
        client_id = self._tenant.tokens.get(token.reveal(), "")
        principal = self._tenant.principals.get(client_id)
        found = self._tenant.organisations.get(org)
        ids = {member.object_id for member in found.members.values()} if found else set()
        return principal is not None and principal.id in ids

    def _administered(self, org: str) -> Organisation:
        found = self._tenant.organisations[org]
        if not found.administered:
            raise NeedsHuman("DEVOPS_NEEDS_PCA", "The automation may not.", "Have a PCA do it.")
        return found
