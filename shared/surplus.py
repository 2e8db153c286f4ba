"""Takes away what an approver wants away: exactly that, and only while nobody wants it.

A timer never decides this; it only carries out what a person has approved by fingerprint.
"""

from collections.abc import Awaitable, Callable, Iterable

from shared.granting import note_given, read_grants
from shared.model.directory import Kind, PermissionKey
from shared.model.finding import Finding, What
from shared.planning.access import ROLE_MARK
from shared.planning.consent import grant_of, key_text, scopes_without
from shared.planning.findings import named, to_remove
from shared.step import Work
from shared.wanted import Wanted, registered

REMOVAL = "FINDING_REMOVAL"


async def remove_approved(work: Work, wants: Wanted, findings: Iterable[Finding]) -> None:
    """Raise `TryLater` after something was taken away, to read it back; return if nothing was.

    *findings* are those of a complete look, after what is missing was put back: more is granted
    before anything is taken away.
    """
    doomed = [f for f in to_remove(findings, work.ctx.clock.now()) if _is_spare(wants, f)]
    for finding in doomed:
        await _REMOVERS[finding.item.what](work, wants, finding)
        given = finding.decision
        await work.record(
            "finding.removed",
            fingerprint=finding.fingerprint,
            name=finding.name,
            approved_by=given.by if given else "",
            reason=given.reason if given else "",
        )
    if doomed:
        raise work.wait(REMOVAL, f"Taken away: {named(doomed)}; reading back.", seconds=10)


def _is_spare(wants: Wanted, finding: Finding) -> bool:
    """Whether nobody wants it at this very moment; the profile may have grown since."""
    item = finding.item
    wanted = {(p.key.resource, p.key.kind, p.key.id) for p in wants.permissions}
    match item.what:
        case What.APPLICATION:
            return (item.api, Kind.APPLICATION, item.id) not in wanted
        case What.DELEGATED:
            return (item.api, Kind.DELEGATED, item.id) not in wanted
        case What.CONFIGURED:
            return (item.api, item.scope, item.id) not in wanted
        case _:
            return item.scope != "/" or finding.name not in wants.access.roles


async def _grant(work: Work, wants: Wanted, finding: Finding) -> None:
    granted, _ = await read_grants(work)
    apis = {r.principal_id for r in wants.resources if r.app_id == finding.item.api}
    for grant in granted:
        if grant.permission_id == finding.item.id and grant.resource_id in apis:
            await work.ctx.consents.revoke(grant)
    await _forget(work, finding, Kind.APPLICATION)


async def _scopes(work: Work, wants: Wanted, finding: Finding) -> None:
    """One scope of the one grant for everybody; the others in it stay."""
    _, delegated = await read_grants(work)
    item = finding.item
    for resource in wants.resources:
        there = grant_of(delegated, resource)
        if resource.app_id != item.api or there is None:
            continue
        name = next((p.name for p in resource.permissions if p.key.id == item.id
                     and p.key.kind == Kind.DELEGATED), item.id)  # fmt: skip
        left = scopes_without(there, [name])
        if left != there.scopes:
            await work.ctx.consents.set_scopes(there, left)
    await _forget(work, finding, Kind.DELEGATED)


async def _role(work: Work, _wants: Wanted, finding: Finding) -> None:
    item = finding.item
    for assignment in await work.ctx.roles.assigned(work.connection.facts.principal_id):
        if (assignment.role_id, assignment.scope) == (item.id, item.scope):
            await work.ctx.roles.unassign(assignment)
    await note_given(work, drop={ROLE_MARK + item.id} if item.scope == "/" else ())


async def _configured(work: Work, wants: Wanted, finding: Finding) -> None:
    item = finding.item
    key = PermissionKey(resource=item.api, kind=Kind(item.scope), id=item.id)
    application = await registered(work, wants.application)
    if application is None or key not in application.configured:
        return
    work.turn.before_write()
    await work.ctx.applications.configure(application.object_id, application.configured - {key})
    work.turn.after_write()


async def _forget(work: Work, finding: Finding, kind: Kind) -> None:
    key = PermissionKey(resource=finding.item.api, kind=kind, id=finding.item.id)
    await note_given(work, drop={key_text(key)})


Remover = Callable[[Work, Wanted, Finding], Awaitable[None]]

_REMOVERS: dict[What, Remover] = {
    What.APPLICATION: _grant,
    What.DELEGATED: _scopes,
    What.CONFIGURED: _configured,
    What.ROLE: _role,
}
