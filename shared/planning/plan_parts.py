"""What a plan consists of."""

from msgspec.structs import replace

from shared.model.connection import Value
from shared.model.profile import Profile
from shared.planning.preflight import Finding
from shared.planning.risk import Tier


class PlannedApplication(Value, frozen=True, omit_defaults=False):
    """The registration; `adopts` is the client id of one that is there already."""

    display_name: str
    unique_name: str
    audience: str
    platform: str
    redirect_uris: tuple[str, ...]
    public_client_flows: bool
    adopts: str


class PlannedPermission(Value, frozen=True, omit_defaults=False):
    name: str
    api: str
    kind: str
    risk: Tier
    approval: bool  # it waits for an approver
    instead_of: str  # the vendor's permission that it replaces


class PlannedSwap(Value, frozen=True, omit_defaults=False):
    """A narrower permission than the vendor's; the vendor's is used unless the request takes it."""

    instead_of: str
    use: str
    reason: str
    taken: bool
    risk: Tier
    risk_then: Tier


class PlannedRole(Value, frozen=True, omit_defaults=False):
    """A directory role, and what accounts of administrators among the targets would need."""

    name: str
    privileged: bool
    risk: Tier
    approval: bool
    may_become: dict[str, Tier]
    proposed: str  # by the last look at the accounts in scope; empty before the first
    because: tuple[str, ...]  # what they hold, and some of the accounts


class PlannedAzureRole(Value, frozen=True, omit_defaults=False):
    """A person assigns it."""

    role: str
    scope: str
    risk: Tier


class PlannedMembership(Value, frozen=True, omit_defaults=False):
    """The service principal as a user of an Azure DevOps organisation."""

    organisation: str
    licence: str
    projects: tuple[str, ...]
    note: str


class PlannedCredential(Value, frozen=True, omit_defaults=False):
    """How the product signs in; spans are days."""

    kind: str
    days_asked: float = 0
    days: float = 0  # as the tenant's policy allows
    rotated_after: float = 0
    overlap: float = 0
    elsewhere: str = ""  # why Keyturn does not rotate it


class ScanRight(Value, frozen=True, omit_defaults=False):
    """A permission that a source of the scans needs."""

    source: str
    permission: str  # the least that does
    instead: tuple[str, ...]  # others that do, too
    why: str
    required: bool  # without the others a fact stays unknown, nothing fails
    granted: bool | None  # None where it could not be seen


class PlannedDiscovery(Value, frozen=True, omit_defaults=False):
    modes: tuple[str, ...]
    entities: tuple[str, ...]
    every_hours: float | None
    then: str
    permissions: tuple[ScanRight, ...] = ()
    missing: tuple[str, ...] = ()  # permissions that are not granted, as far as it could be seen


class PlannedNeed(Value, frozen=True, omit_defaults=False):
    """A permission that the automation itself needs."""

    permission: str
    why: str
    required: bool
    held: bool | None  # None where this app's identity is not the one that would write
    global_administrator: bool  # equal to it in effect


class Plan(Value, frozen=True, omit_defaults=False):
    """What an onboarding would do; nothing of it is stored or begun."""

    connection: str
    profile: str
    title: str
    facts: str  # "partial": the vendor's guide leaves gaps
    tenant: str
    tenant_name: str
    features: dict[str, bool]
    application: PlannedApplication
    permissions: tuple[PlannedPermission, ...]
    advised: tuple[str, ...]  # permissions that the vendor names and that are not asked for
    swaps: tuple[PlannedSwap, ...]
    roles: tuple[PlannedRole, ...]
    azure_roles: tuple[PlannedAzureRole, ...]
    memberships: tuple[PlannedMembership, ...]
    credential: PlannedCredential
    discovery: PlannedDiscovery | None
    handover: tuple[str, ...]  # fields of the product that will have a value
    preconditions: tuple[str, ...]
    notes: tuple[str, ...]
    approval_needed: tuple[str, ...]
    automation: tuple[PlannedNeed, ...]
    findings: tuple[Finding, ...]
    would_stop: bool  # one of the findings stops it before the first write
    for_people: tuple[str, ...] = ()

    def with_work(self, profile: Profile) -> "Plan":
        """The same, with what is left to people, in the order of doing it."""
        work = [finding.remedy for finding in self.findings if finding.blocking]
        if self.approval_needed:
            items = ", ".join(self.approval_needed)
            work.append(f"Somebody with the app role Keyturn.Approver approves: {items}.")
        work += [f"{about} (acknowledge it)" for about in self._manual(profile)]
        work += [
            f"Assign the Azure role {role.role} at {role.scope} to the service principal."
            for role in self.azure_roles
        ]
        work += [
            f"A Project Collection Administrator of {member.organisation} adds the service "
            "principal, where the automation may not."
            for member in self.memberships
        ]
        if self.handover:
            fields = ", ".join(self.handover)
            work.append(f"Enter the hand-over sheet into the product: {fields}.")
        return replace(self, for_people=tuple(work))

    def _manual(self, profile: Profile) -> list[str]:
        manual = {entry.about for entry in profile.preconditions if entry.kind == "manual"}
        return [about for about in self.preconditions if about in manual]
