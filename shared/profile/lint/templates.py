"""References of templates: known ones only, and secrets only where an output is marked so."""

import re
from collections.abc import Iterator
from typing import Any

from shared.model.profile import Profile, references
from shared.profile.lint.finding import Finding, error
from shared.profile.lint.names import nearest

SECRETS = ("secret.value", "token.access_token")
_TOKEN = ("token_type", "expires_at", "expires_in", "ext_expires_in", "access_token", "scope")
MADE = {
    "client_secret": ("secret.value", "secret.key_id"),
    "certificate": ("secret.value", "secret.key_id", "secret.thumbprint"),
}
_ALWAYS = ("connection", "today", "tenant.id", "tenant.initial_domain")
_IDS = ("app.client_id", "app.object_id", "sp.object_id")


def check_templates(profile: Profile) -> Iterator[Finding]:
    inputs = tuple(f"inputs.{name}" for name in profile.inputs)
    before = (*_ALWAYS, *inputs)
    after = (*before, *_IDS)
    made = MADE.get(profile.credential.kind, ())
    tokens = tuple(f"token.{name}" for name in _TOKEN) if profile.token_broker else ()
    for path, template in _of_registration(profile):
        yield from _known(path, template, before)
    for path, template in _of_grants(profile):
        yield from _known(path, template, after)
    for place, output in enumerate(profile.outputs):
        path = f"outputs[{place}]"
        yield from _known(f"{path}.vault_name", output.vault_name, after)
        texts = [(f"{path}.value", output.value), *_texts(output.merge, f"{path}.merge")]
        for where, template in texts:
            yield from _known(where, template, (*after, *made, *tokens))
            yield from _exposed(where, template, secret=output.secret and not output.file)


def _of_registration(profile: Profile) -> Iterator[tuple[str, str]]:
    registration = profile.registration
    yield "registration.display_name", registration.display_name
    yield "registration.existing", registration.existing
    for key, templates in (
        ("redirect_uris", registration.redirect_uris),
        ("owners", registration.owners),
    ):
        for place, template in enumerate(templates):
            yield f"registration.{key}[{place}]", template
    for place, role in enumerate(profile.azure_roles):
        yield f"azure_roles[{place}].scope", role.scope
    for place, entry in enumerate(profile.permissions):
        yield f"permissions[{place}].resource", entry.resource
    if profile.token_broker:
        yield "token_broker.scope", profile.token_broker.scope


def _of_grants(profile: Profile) -> Iterator[tuple[str, str]]:
    for place, grant in enumerate(profile.external_grants):
        for key in ("org", "object_id", "license", "projects"):
            yield f"external_grants[{place}].{key}", getattr(grant, key)
    for key in ("display_name", "lifetime", "issuer", "subject", "name", "description"):
        yield f"credential.{key}", getattr(profile.credential, key)
    for place, note in enumerate(profile.notes):
        yield f"notes[{place}].about", note.about


def _texts(fragment: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a fragment of a file, keys as well as values."""
    if isinstance(fragment, str):
        yield path, fragment
    elif isinstance(fragment, dict):
        for key, value in fragment.items():
            yield path, str(key)
            yield from _texts(value, f"{path}.{key}")
    elif isinstance(fragment, list):
        for place, value in enumerate(fragment):
            yield from _texts(value, f"{path}[{place}]")


def _known(path: str, template: str, known: tuple[str, ...]) -> Iterator[Finding]:
    used = references(template)
    for reference in used:
        if reference not in known:
            message = f"${{{reference}}} refers to nothing that is known here"
            yield error("REFERENCE_UNKNOWN", path, message, nearest(reference, known))
    if template.count("${") > len(used):
        odd = re.search(r"\$\{[^}]*\}?", _without(template, used))
        message = f"{odd.group() if odd else '${'} is no reference of the form ${{root.member}}"
        yield error("REFERENCE_UNKNOWN", path, message)


def _without(template: str, used: tuple[str, ...]) -> str:
    for reference in used:
        template = template.replace(f"${{{reference}}}", "")
    return template


def _exposed(path: str, template: str, *, secret: bool) -> Iterator[Finding]:
    for reference in references(template):
        if reference in SECRETS and not secret:
            message = f"${{{reference}}} may stand only in the value of an output with secret: true"
            yield error("SECRET_EXPOSED", path, message)
