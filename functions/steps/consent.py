"""Grants admin consent: guide step 25 of Devolutions Server, and its like."""

from shared.errors import NeedsHuman
from shared.model.connection import Aspect
from shared.model.directory import GRAPH_APP_ID, Permission, Resource
from shared.planning.consent import missing
from shared.planning.risk import require_approval
from shared.step import Done, Work, step
from shared.wanted import wanted

NEEDED = ("AppRoleAssignment.ReadWrite.All",)


@step(Aspect.CONSENTED)
async def consent(work: Work) -> Done:
    """Grant the application permissions that are wanted and missing, one after the other."""
    wants = await wanted(work)
    require_approval(wants.access, work.connection.approval)
    principal_id = work.connection.facts.principal_id
    granted = await work.ctx.consents.granted(principal_id)
    to_grant = [
        (resource, permission)
        for resource in wants.resources
        for permission in missing(wants.permissions, resource, granted)
    ]
    if to_grant:
        await _require_own_right(work)
    for resource, permission in to_grant:
        await _grant(work, principal_id, resource, permission)
    if to_grant:
        await _confirm(work, wants.permissions, wants.resources, principal_id)
    names = ", ".join(sorted(p.name for p in wants.permissions)) or "none"
    return Done("GRANTED", f"Granted and confirmed: {names}.")


async def _require_own_right(work: Work) -> None:
    """Say what is missing before the first write, instead of failing half-way."""
    lacking = [name for name in NEEDED if name not in await work.ctx.directory.own_roles()]
    if lacking:
        raise NeedsHuman(
            "AUTOMATION_PRIVILEGE",
            f"The automation's identity lacks {', '.join(lacking)}, which granting consent needs.",
            "Grant it (docs/deployment.md), or have an administrator grant the consent in the "
            "portal; then send the request again.",
        )


async def _grant(work: Work, principal_id: str, resource: Resource, permission: Permission) -> None:
    await work.ctx.consents.grant(principal_id, resource.principal_id, permission.key.id)
    await work.record(
        "consent.granted",
        permission=permission.name,
        on="Microsoft Graph" if resource.app_id == GRAPH_APP_ID else resource.app_id,
        principal=principal_id,
    )


async def _confirm(
    work: Work,
    permissions: tuple[Permission, ...],
    resources: tuple[Resource, ...],
    principal_id: str,
) -> None:
    """Read back: lists lag behind grants by up to a minute."""
    granted = await work.ctx.consents.granted(principal_id)
    still = [p.name for r in resources for p in missing(permissions, r, granted)]
    if still:
        raise work.wait(
            "CONSENT_REPLICATION", f"Granted, not yet listed: {', '.join(still)}.", seconds=10
        )
