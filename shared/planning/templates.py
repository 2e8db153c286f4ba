"""Values that a profile's templates may refer to."""

from shared.model.connection import Facts, Spec
from shared.model.directory import Tenant
from shared.model.profile import Profile


def input_values(spec: Spec) -> dict[str, str]:
    """``${inputs.name}`` references and their values as text; nothing for an absent one."""
    return {f"inputs.{name}": _text(value) for name, value in spec.inputs.items()}


def profile_inputs(profile: Profile, spec: Spec) -> dict[str, str]:
    """The same for every input that the profile has: one that was not given is empty."""
    return {f"inputs.{name}": "" for name in profile.inputs} | input_values(spec)


def template_values(spec: Spec, tenant: Tenant, facts: Facts, today: str) -> dict[str, str]:
    """``${root.member}`` references and their values; the secret's value is never among them."""
    return {
        **input_values(spec),
        "connection": spec.name,
        "tenant.id": tenant.id,
        "tenant.initial_domain": tenant.initial_domain,
        "app.client_id": facts.client_id,
        "app.object_id": facts.object_id,
        "sp.object_id": facts.principal_id,
        "today": today,
    }


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case list() | tuple():
            return ", ".join(str(part) for part in value)
        case dict():
            return ", ".join(f"{name}={part}" for name, part in value.items())
        case _:
            return str(value)
