"""The catalogue of connector profiles."""

from typing import Any, get_args

import azure.functions as func

from functions.http import answers
from functions.http.call import Connect
from functions.http.profile_views import (
    AzureRoleView,
    FeatureView,
    InputView,
    PermissionView,
    ProfileLine,
    ProfileList,
    ProfileView,
    RoleView,
)
from shared.model.profile import RESOURCES, PermissionSet, Profile
from shared.planning.risk import Tier, azure_role_tier, is_privileged, role_tier, tier
from shared.profile import catalogue
from shared.profile.scan_inputs import inputs_of
from shared.requests.problem import one_of
from shared.requests.text import shown


async def list_profiles(_req: func.HttpRequest, _connect: Connect) -> func.HttpResponse:
    lines = tuple(ProfileLine(**_common(profile)) for profile in catalogue().values())
    return answers.ok(ProfileList(profiles=lines))


async def show_profile(req: func.HttpRequest, _connect: Connect) -> func.HttpResponse:
    asked = req.route_params.get("profile") or ""
    profile = catalogue().get(asked)
    if profile is None:
        message = f"there is no profile {shown(asked, 60)}"
        hint = one_of(catalogue())
        raise answers.fault(404, "PROFILE_UNKNOWN", message, hint, field="profile")
    return answers.ok(
        ProfileView(
            **_common(profile),
            inputs=_inputs(profile),
            outputs=tuple(output.label or output.env or output.name for output in profile.outputs),
            sources=profile.sources,
        )
    )


def _common(profile: Profile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "title": profile.title,
        "features": tuple(
            FeatureView(name=name, default=feature.default, about=feature.about)
            for name, feature in profile.features.items()
        ),
        "permissions": _permissions(profile),
        "directory_roles": tuple(
            RoleView(
                name=entry.role,
                privileged=is_privileged(entry.role),
                risk=role_tier(entry.role),
                approval=role_tier(entry.role) != "normal",
                when=entry.when,
                escalates_to=entry.escalate_to,
                escalation_risk={role: role_tier(role) for role in entry.escalate_to},
            )
            for entry in profile.directory_roles
        ),
        "azure_roles": tuple(
            AzureRoleView(
                name=entry.role,
                scope=entry.scope,
                risk=azure_role_tier(entry.role, entry.scope),
                when=entry.when,
            )
            for entry in profile.azure_roles
        ),
    }


def _permissions(profile: Profile) -> tuple[PermissionView, ...]:
    swaps = {(swap.kind, swap.instead_of): swap.use for swap in profile.least_privilege}
    return tuple(
        PermissionView(
            name=name,
            resource=entry.resource,
            kind=entry.kind.value,
            risk=_worst(name, entry),
            approval=_worst(name, entry) != "normal" and not entry.advisory,
            when=entry.when,
            advisory=entry.advisory,
            chosen_by=entry.names_from,
            swap=swaps.get((entry.kind, name), ""),
        )
        for entry in profile.permissions
        for name in (*entry.names, *_choices(profile, entry))
    )


def _choices(profile: Profile, entry: PermissionSet) -> tuple[str, ...]:
    """The permissions that an input may choose among."""
    declared = profile.inputs.get(entry.names_from.removeprefix("inputs."))
    return (declared.values or ()) if declared else ()


def _worst(name: str, entry: PermissionSet) -> Tier:
    """The tier on its API; the worst of all where a request chooses the API."""
    chosen = RESOURCES.get(entry.resource)
    found = {tier(name, app_id) for app_id in ([chosen] if chosen else RESOURCES.values())}
    worst: Tier = next(each for each in get_args(Tier) if each in found)
    return worst


def _inputs(profile: Profile) -> tuple[InputView, ...]:
    return tuple(
        InputView(
            name=name,
            type=declared.type,
            required=declared.required,
            required_when=declared.required_when,
            default=declared.default,
            values=declared.values or (),
            min=declared.min,
            max=declared.max,
            about=declared.about,
        )
        for name, declared in inputs_of(profile).items()
    )
