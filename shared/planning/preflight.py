"""What must hold before anything is written: one complete list of what does not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from shared.errors import NeedsHuman
from shared.model.connection import Spec, Value
from shared.model.credential import SecretRules
from shared.model.directory import KnownId, Resource, Tenant
from shared.model.profile import Profile
from shared.planning.access import Access, api_name, resolve
from shared.planning.import_people import check_domain
from shared.planning.lifetime import policy_of
from shared.planning.need import Need, unmet
from shared.planning.registration_problems import absent

DOMAIN = "domain"
"""The input that names a domain of the tenant."""

SECRETS_BLOCKED = NeedsHuman(
    "SECRET_TYPE_BLOCKED",
    "Client secrets are blocked in this tenant by its app management policy.",
    "Use a profile with a certificate or a federated credential, or have an exception written "
    "into the policy.",
)


class Finding(Value, frozen=True, omit_defaults=False):
    """Something that a person must put right first, or should know."""

    code: str
    message: str
    remedy: str
    blocking: bool = True


class Gathered(Value, frozen=True):
    """What was looked up; None where it could not be, or need not."""

    own: frozenset[str] | None = None  # permissions in the automation's own token
    tenant: Tenant | None = None
    rules: SecretRules | None = None
    resources: Mapping[str, Resource] = {}  # APIs that the tenant has, by application id
    absent: tuple[str, ...] = ()  # those that it lacks
    adopts: str = ""  # client id of the application to adopt
    adopted: bool = True  # whether it is there
    known: KnownId | None = None  # what the id given for it really is
    refused: tuple[Finding, ...] = ()  # answers that were no


def findings(
    profile: Profile, spec: Spec, access: Access, needs: Iterable[Need], seen: Gathered
) -> tuple[Finding, ...]:
    """All of it, what stops first; empty when nothing is in the way."""
    found = [finding for finding in seen.refused if finding.code != "AUTOMATION_PRIVILEGE"]
    lacking = unmet(needs, seen.own) if seen.own is not None else ()
    found += [_lacks(need) for need in lacking]
    if not lacking:
        found += [finding for finding in seen.refused if finding.code == "AUTOMATION_PRIVILEGE"]
    found += [
        Finding(
            code="RESOURCE_MISSING",
            message=f"The API {api_name(app_id)} has no service principal in this tenant.",
            remedy=f"Have an administrator add it (az ad sp create --id {app_id}).",
        )
        for app_id in seen.absent
    ]
    found += _unresolved(access, seen.resources)
    found += _credential(profile, spec, seen.rules)
    if seen.tenant is not None:
        found += _domain(spec, seen.tenant)
    if seen.adopts and not seen.adopted:
        found.append(told(absent(seen.adopts, seen.known)))
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: not finding.blocking))


def stop(found: Sequence[Finding]) -> NeedsHuman | None:
    """One problem that names everything that stops; its code is the gravest."""
    blocking = [finding for finding in found if finding.blocking]
    if not blocking:
        return None
    codes = [finding.code for finding in blocking]
    privilege = "AUTOMATION_PRIVILEGE"
    code = privilege if privilege in codes else codes[0]
    if len(blocking) == 1:
        return NeedsHuman(code, blocking[0].message, blocking[0].remedy)
    told = " ".join(f"({n}) {f.code}: {f.message}" for n, f in enumerate(blocking, 1))
    remedies = " ".join(f"({n}) {f.remedy}" for n, f in enumerate(blocking, 1))
    return NeedsHuman(
        code,
        f"Nothing was written. {len(blocking)} things are in the way: {told}",
        f"{remedies} Then send the same request again.",
    )


def told(problem: NeedsHuman, *, blocking: bool = True) -> Finding:
    return Finding(
        code=problem.code, message=problem.message, remedy=problem.remedy, blocking=blocking
    )


def _lacks(need: Need) -> Finding:
    other = f" (or {' or '.join(need.instead)})" if need.instead else ""
    return Finding(
        code="AUTOMATION_PRIVILEGE",
        message=f"The automation's identity lacks {need.permission}{other}, needed to {need.why}.",
        remedy=f"Have a Privileged Role Administrator or Global Administrator grant "
        f"{need.permission} to the automation's identity (docs/deployment.md); an Application "
        "Administrator cannot.",
        blocking=need.required,
    )


def _unresolved(access: Access, resources: Mapping[str, Resource]) -> list[Finding]:
    found = []
    for app_id, resource in resources.items():
        try:
            resolve([p for p in access.permissions if p.resource == app_id], resource)
        except NeedsHuman as problem:
            found.append(told(problem))
    return found


def _credential(profile: Profile, spec: Spec, rules: SecretRules | None) -> list[Finding]:
    if rules is None or not profile.credential.kept:
        return []
    if not rules.allowed:
        return [told(SECRETS_BLOCKED)]
    asked, word = policy_of(profile, spec).lifetime, profile.credential.shape.word
    longest = timedelta(days=rules.longest) if rules.longest is not None else asked
    if longest >= asked:
        return []
    return [
        Finding(
            code="SECRET_LIFETIME_OVER_POLICY",
            message=f"The tenant allows {word}s {rules.longest:g} days; {asked.days} were asked "
            f"for, {rules.longest:g} will be used.",
            remedy=f"Nothing need be done: the {word} is made shorter and rotated more often.",
            blocking=False,
        )
    ]


def _domain(spec: Spec, tenant: Tenant) -> list[Finding]:
    try:
        check_domain(str(spec.inputs.get(DOMAIN) or ""), tenant.domains)
    except NeedsHuman as problem:
        return [told(problem)]
    return []
