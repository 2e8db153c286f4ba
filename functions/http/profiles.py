"""The catalogue of connector profiles."""

from typing import Any

import azure.functions as func

from functions.http import answers
from functions.http.call import Connect
from shared.model.connection import Value
from shared.model.profile import Profile
from shared.planning.risk import PRIVILEGED_ROLES, tier
from shared.profile import catalogue
from shared.requests.problem import one_of
from shared.requests.text import shown


class FeatureView(Value, frozen=True, omit_defaults=False):
    """A feature; `auto` defaults are found out in the tenant, and off until then."""

    name: str
    default: bool | str
    about: str


class PermissionView(Value, frozen=True, omit_defaults=False):
    name: str
    resource: str
    kind: str
    risk: str  # direct | indirect | normal: the way to Global Administrator
    when: tuple[str, ...]
    advisory: bool
    swap: str = ""  # the narrower permission that a request may accept instead


class RoleView(Value, frozen=True, omit_defaults=False):
    name: str
    privileged: bool
    when: tuple[str, ...]
    escalates_to: tuple[str, ...]


class InputView(Value, frozen=True, omit_defaults=False):
    name: str
    type: str
    required: bool
    required_when: tuple[str, ...]
    default: Any
    values: tuple[str, ...]
    min: int | str | None
    max: int | str | None
    about: str


class ProfileLine(Value, frozen=True, omit_defaults=False):
    """A profile in the catalogue."""

    id: str
    title: str
    features: tuple[FeatureView, ...]
    permissions: tuple[PermissionView, ...]
    directory_roles: tuple[RoleView, ...]


class ProfileView(ProfileLine, frozen=True, kw_only=True, omit_defaults=False):
    """Everything that a request needs to know."""

    inputs: tuple[InputView, ...]
    outputs: tuple[str, ...]  # labels of the hand-over sheet, or the names that the product reads
    sources: tuple[str, ...]


class ProfileList(Value, frozen=True, omit_defaults=False):
    profiles: tuple[ProfileLine, ...]


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
                privileged=entry.role in PRIVILEGED_ROLES,
                when=entry.when,
                escalates_to=entry.escalate_to,
            )
            for entry in profile.directory_roles
        ),
    }


def _permissions(profile: Profile) -> tuple[PermissionView, ...]:
    swaps = {(swap.kind, swap.instead_of): swap.use for swap in profile.least_privilege}
    return tuple(
        PermissionView(
            name=name,
            resource=entry.resource,
            kind=entry.kind.value,
            risk=tier(name),
            when=entry.when,
            advisory=entry.advisory,
            swap=swaps.get((entry.kind, name), ""),
        )
        for entry in profile.permissions
        for name in entry.names
    )


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
        for name, declared in profile.inputs.items()
    )
