"""Values that a profile's templates may refer to."""

from datetime import datetime

from shared.model.connection import Facts, Spec
from shared.model.directory import Tenant


def template_values(spec: Spec, tenant: Tenant, facts: Facts, now: datetime) -> dict[str, str]:
    """``${root.member}`` references and their values; the secret's value is never among them."""
    inputs = {f"inputs.{name}": _text(value) for name, value in spec.inputs.items()}
    return {
        **inputs,
        "connection": spec.name,
        "tenant.id": tenant.id,
        "tenant.initial_domain": tenant.initial_domain,
        "app.client_id": facts.client_id,
        "app.object_id": facts.object_id,
        "sp.object_id": facts.principal_id,
        "today": now.date().isoformat(),
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
