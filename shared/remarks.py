"""What people should know of a registration, and nobody need do anything about."""

from shared.model.directory import Application, PermissionKey
from shared.model.profile import RETIRED
from shared.planning import registration_problems as problems
from shared.planning.access import api_name, respelt
from shared.planning.application import spare
from shared.step import Work
from shared.wanted import Wanted


async def remarks(work: Work, wants: Wanted, app: Application) -> tuple[str, ...]:
    """Sentences that begin with the code of what they tell."""
    others = await work.ctx.applications.namesakes(app.display_name) - {app.client_id}
    spelling = respelt(wants.access.permissions, wants.permissions)
    extra = spare(wants.application, app)
    retired = any(key.resource == RETIRED for key in extra)
    notes = (
        problems.namesakes(app.display_name, others),
        f"PERM_CASE: {'; '.join(spelling)}." if spelling else "",
        f"EXTRA_PERMISSION: also configured, and left alone: {_named(wants, extra)}."
        if extra
        else "",
        "RETIRED_API: some of it is on Azure AD Graph, which Microsoft has retired."
        if retired
        else "",
        f"AUDIENCE_TOO_WIDE: its audience is {app.audience}, the profile's "
        f"{wants.application.audience}; it is left as it is."
        if app.audience != wants.application.audience
        else "",
    )
    return tuple(filter(None, notes))


def _named(wants: Wanted, keys: frozenset[PermissionKey]) -> str:
    names = {p.key: p.name for resource in wants.resources for p in resource.permissions}
    return ", ".join(
        sorted(f"{names.get(k, k.id)} ({k.kind}, {api_name(k.resource)})" for k in keys)
    )
