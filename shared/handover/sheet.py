"""Fills a profile's outputs for one connection."""

from collections.abc import Callable, Mapping

import msgspec

from shared.errors import NeedsHuman
from shared.handover.ids import require_ids
from shared.handover.merging import merged
from shared.handover.model import Line, Sheet, TakingOver, VaultReference
from shared.handover.outside import notes, preconditions, steps, swaps
from shared.model.connection import Connection
from shared.model.directory import Tenant
from shared.model.profile import Output, Profile, fill, holds, references
from shared.model.shape import Shape
from shared.planning.broker import token_values
from shared.planning.overlap import overlap_of, word_of
from shared.planning.templates import profile_inputs, template_values
from shared.planning.vault_entries import vault_name

FORMS = {Shape.CLIENT_SECRET: "", Shape.PEM: "PEM", Shape.PFX: "PFX, in Base64, no password"}

Reference = Callable[[str, str], str]
"""URL of a name and version in the vault."""


def sheet(
    profile: Profile, connection: Connection, tenant: Tenant, vault_reference: Reference
) -> Sheet:
    """The sheet as it is now.

    Raises `NeedsHuman` OUTPUT_EMPTY naming all that must not be empty, WRONG_ID_KIND when an id
    is none, or that of something else.
    """
    values = _values(profile, connection, tenant)
    lines: list[Line] = []
    empty: list[str] = []
    for output in profile.outputs:
        if not holds(output.when, connection.spec.features):
            continue
        line = _line(output, values, connection, vault_reference)
        if line is not None:
            lines.append(line)
        elif not output.optional:
            empty.append(output.name)
    if empty:
        raise NeedsHuman(
            "OUTPUT_EMPTY",
            f"The hand-over sheet has no value for {', '.join(empty)}.",
            "Wait until onboarding has succeeded; if it has ended otherwise, follow the remedy of "
            "its condition first.",
        )
    require_ids(profile, connection, tenant)
    return Sheet(
        connection=connection.spec.name,
        profile=profile.id,
        title=profile.title,
        lines=tuple(lines),
        steps=steps(profile, connection, values),
        preconditions=preconditions(profile, connection),
        notes=notes(profile, connection),
        swaps=swaps(profile, connection),
        taking_over=_taking_over(connection),
        facts=profile.facts,
    )


def _taking_over(connection: Connection) -> TakingOver | None:
    if connection.credential is None:
        return None
    word, overlap = word_of(connection), overlap_of(connection)
    return TakingOver(
        url=f"/api/connections/{connection.spec.name}/handover/acknowledgement",
        version=connection.credential.vault_version,
        by=word.by if word else "",
        former_until=overlap.ends if overlap else None,
    )


def _line(
    output: Output, values: Mapping[str, str], connection: Connection, reference: Reference
) -> Line | None:
    """None when there is nothing to enter."""
    line = Line(
        name=output.name,
        label=output.label or output.env or output.name,
        env=output.env,
        replaces=output.replaces,
    )
    if output.file:
        fragment = merged(output.merge, values)
        return _with(line, file=output.file, merge=fragment) if fragment else None
    stored = _stored(output, values, connection, reference)
    if output.secret:
        return _with(line, secret=stored) if stored else None
    value = fill(output.value, values).strip()
    return _with(line, value=value, stored=stored) if value else None


def _with(line: Line, **more: object) -> Line:
    return msgspec.structs.replace(line, **more)


def _stored(
    output: Output, values: Mapping[str, str], connection: Connection, reference: Reference
) -> VaultReference | None:
    """Where the value is in the vault: under the product's own name, or the connection's."""
    held = references(output.value)
    credential = connection.credential if "secret.value" in held else None
    name = vault_name(output, values) if output.vault_name else ""
    if name in ("", connection.spec.name):
        if credential is None:
            return None
        name, version = credential.vault_name, credential.vault_version
    else:
        version = connection.handed.get(name, "")
    if not version:
        return None
    token = connection.brokered if "token.access_token" in held else None
    return VaultReference(
        vault=reference(name, version),
        name=name,
        version=version,
        key_id=credential.key_id if credential else "",
        hint=credential.hint if credential else "",
        form=FORMS[credential.shape] if credential else "",
        thumbprint=credential.thumbprint if credential else "",
        expires=credential.expires if credential else token.expires if token else None,
    )


def _values(profile: Profile, connection: Connection, tenant: Tenant) -> dict[str, str]:
    """Inputs that were not given are empty; a sheet has no date, it is made anew when asked."""
    credential = connection.credential
    return {
        **profile_inputs(profile, connection.spec),
        **template_values(connection.spec, tenant, connection.facts, today=""),
        **token_values(connection.brokered),
        "secret.key_id": credential.key_id if credential else "",
        "secret.thumbprint": credential.thumbprint if credential else "",
    }
