"""Membership outside Entra ID: the service principal as a user of an Azure DevOps organisation."""

from shared.errors import NeedsHuman
from shared.mirror import values
from shared.model.connection import Membership
from shared.model.membership import Member
from shared.model.profile import RESOURCES
from shared.planning.membership import (
    DEVOPS,
    LICENCE,
    WantedMember,
    not_member,
    require_tenant,
    suffices,
    wanted_members,
    wrong_id,
)
from shared.planning.sign_in import NOT_YET_ACTIVE
from shared.step import Work


async def join(work: Work) -> str:
    """Add the service principal where the profile wants it; a sentence on what became of that.

    Safe to repeat. Where the automation lacks the rights, the hand-over sheet gets a step for a
    person (DEVOPS_NEEDS_PCA) and the work goes on. Raises `NeedsHuman` DEVOPS_TENANT.
    """
    told = []
    tenant = await work.ctx.directory.tenant()
    for wanted in await _wanted(work):
        require_tenant(wanted, await work.ctx.organisations.connected_tenant(wanted.org), tenant.id)
        try:
            member = await _ensure(work, wanted)
        except NeedsHuman as problem:
            if problem.code != "DEVOPS_NEEDS_PCA":
                raise
            await _note(work, wanted, None, joined=False)
            await work.record("devops.asked", org=wanted.org, code=problem.code)
            told.append(f" {problem.message} The hand-over sheet says what to do.")
        else:
            await _note(work, wanted, member, joined=True)
            told.append(f" Member of {wanted.org}, access level {member.licence}. {LICENCE}")
    return "".join(told)


async def membership(work: Work) -> NeedsHuman | None:
    """The check ``devops_membership``: the published secret opens the organisation.

    While onboarding waits for a person to add it, nothing is wrong; later it is.
    """
    for wanted in await _wanted(work):
        if await _admitted(work, wanted):
            await _note(work, wanted, await _known_member(work, wanted), joined=True)
            continue
        noted = work.connection.membership
        if (
            noted is None
            or noted.joined
            or work.message.kind not in ("onboard", "rotate", "emergency")
        ):
            return not_member(noted, wanted)
    return None


async def _wanted(work: Work) -> tuple[WantedMember, ...]:
    if not work.profile.external_grants:
        return ()
    return wanted_members(work.profile, work.connection.spec.features, await values(work))


async def _ensure(work: Work, wanted: WantedMember) -> Member:
    """Add or complete, and read back; an id of another kind is replaced by the right one."""
    principal_id = work.connection.facts.principal_id
    known = await _known_member(work, wanted)
    if known is not None and suffices(known, wanted.member):
        return known
    try:
        made = await _write(work, wanted.org, known, wanted.member)
    except NeedsHuman as refusal:
        kind = wrong_id(wanted.member.object_id, work.connection.facts)
        if refusal.code != "DEVOPS_WRONG_ID":
            raise
        if not kind:
            # The right id: Azure DevOps may not have seen the new service principal yet.
            raise work.doubt(refusal) from refusal
        await work.record("devops.resent", code="DEVOPS_WRONG_ID", was=kind, id=principal_id)
        right = Member(
            object_id=principal_id, licence=wanted.member.licence, projects=wanted.member.projects
        )
        made = await _write(work, wanted.org, known, right)
    await work.record("devops.joined", org=wanted.org, member=made.id, licence=made.licence)
    read = await work.ctx.organisations.member(wanted.org, made.id)
    if read is None:
        raise work.wait(
            "DEVOPS_NOT_MEMBER", f"The new member is not yet listed in {wanted.org}.", seconds=10
        )
    return read


async def _write(work: Work, org: str, known: Member | None, wanted: Member) -> Member:
    if known is None:
        return await work.ctx.organisations.add(org, wanted)
    return await work.ctx.organisations.change(org, known, wanted)


async def _known_member(work: Work, wanted: WantedMember) -> Member | None:
    """By the id that Azure DevOps gave: there is no asking by object id."""
    noted = work.connection.membership
    if noted is None or not noted.member_id or noted.org != wanted.org:
        return None
    try:
        return await work.ctx.organisations.member(wanted.org, noted.member_id)
    except NeedsHuman as refusal:
        if refusal.code != "DEVOPS_NEEDS_PCA":
            raise
        return None  # added by somebody else: we may not even look


async def _admitted(work: Work, wanted: WantedMember) -> bool:
    served = await work.ctx.vault.current(work.connection.spec.name)
    secret = await work.ctx.vault.reveal(served) if served else None
    if secret is None:
        raise work.wait("SECRET_MISSING", "The vault serves no secret.", seconds=10, minutes=5)
    client_id = work.connection.facts.client_id
    issued = await work.ctx.tokens.issue(client_id, secret, RESOURCES[DEVOPS])
    if issued is None:
        raise work.wait(NOT_YET_ACTIVE, "The secret is not active everywhere.", seconds=10)
    return await work.ctx.organisations.admits(wanted.org, issued.token)


async def _note(work: Work, wanted: WantedMember, member: Member | None, *, joined: bool) -> None:
    noted = work.connection.membership
    kept = noted if noted is not None and noted.org == wanted.org else None
    fresh = Membership(
        org=wanted.org,
        object_id=work.connection.facts.principal_id,
        licence=member.licence if member else wanted.member.licence,
        projects=member.projects if member else wanted.member.projects,
        # Refused now says nothing of what was done before.
        joined=joined or (kept is not None and kept.joined),
        member_id=member.id if member else kept.member_id if kept else "",
    )
    if fresh != noted:
        await work.ctx.ledger.amend(work.connection.spec.name, membership=fresh)
