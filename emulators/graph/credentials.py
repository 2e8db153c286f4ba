"""Client secrets of applications and service principals."""

from datetime import UTC, datetime, timedelta
from typing import Any

from emulators.graph.auditing import audited
from emulators.graph.errors import GraphError, bad_request, too_large
from emulators.graph.objects import PERSONAL, by_key
from emulators.graph.permissions import APP_CREDENTIAL
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.state import Entity, Secret, date_text

WRITE_ALL = ("Application.ReadWrite.All", "Directory.ReadWrite.All")
KINDS = {"applications": "application", "serviceprincipals": "servicePrincipal"}
DEFAULT_LIFETIME = timedelta(days=730)


def credential_owner(call: Call) -> Entity:
    """The object whose credentials are changed."""
    kind = KINDS[call.path.split("/")[1].lower()]
    entity = by_key(call, kind, call.target)
    call.caller.must_own(entity, *WRITE_ALL)
    if kind == "servicePrincipal":
        _check_lock(call, entity)
    return entity


def _check_lock(call: Call, principal: Entity) -> None:
    """servicePrincipalLockConfiguration of the application keeps credentials off it."""
    application = call.tenant.application_of(principal.body["appId"])
    lock = application.body["servicePrincipalLockConfiguration"] if application else None
    if (
        lock
        and lock.get("isEnabled")
        and (lock.get("allProperties") or lock.get("credentialsWithUsageVerify"))
    ):
        raise GraphError(
            400,
            "CannotUpdateLockedServicePrincipalProperty",
            "Update to this property is not allowed because it is locked by the "
            "servicePrincipalLockConfiguration of the application.",
        )


def action_body(call: Call, *allowed: str) -> dict[str, Any]:
    body = {} if call.body is None else call.body
    if not isinstance(body, dict):
        raise bad_request("Empty Payload. JSON content expected.")
    for name in body:
        if name not in allowed and not name.startswith("@"):
            raise bad_request(f"Invalid property '{name}'.")
    return body


def add_secret(call: Call, entity: Entity, wanted: dict[str, Any]) -> Secret:
    tenant = call.tenant
    now = tenant.clock.now()
    start = datetime.fromisoformat(wanted.get("startDateTime") or now.isoformat())
    end_text = wanted.get("endDateTime")
    end = datetime.fromisoformat(end_text) if end_text else start + DEFAULT_LIFETIME
    if end <= start or end <= now:
        raise bad_request("The end date of the password credential must be after its start date.")
    application = entity if entity.kind == "application" else None
    if application is not None:
        tenant.policies.check_secret(application.body, end - start)
    live = [secret for secret in entity.secrets if secret.gone is None]
    limit = tenant.policies.max_secrets
    if entity.body["signInAudience"] in PERSONAL:
        limit = min(2, limit or 2)
    if limit is not None and len(live) >= limit:
        raise too_large()
    secret = Secret(
        key_id=tenant.ids.guid(),
        display_name=wanted.get("displayName"),
        start=date_text(start.astimezone(UTC), fraction=not wanted.get("startDateTime")),
        end=date_text(end.astimezone(UTC), fraction=not end_text),
        text=tenant.ids.secret(),
        born=tenant.lag.now(),
    )
    entity.secrets.append(secret)
    tenant.issued_secrets.append(secret.text)
    return secret


@route("POST", "/applications/{app}/addPassword", APP_CREDENTIAL)
@route("POST", "/servicePrincipals/{sp}/addPassword", APP_CREDENTIAL)
def add_password(call: Call) -> Answer:
    body = action_body(call, "passwordCredential")
    wanted = validated("passwordCredential", body.get("passwordCredential") or {})
    if wanted.get("secretText"):
        raise bad_request("Property 'secretText' is read-only and cannot be set.")
    entity = credential_owner(call)
    secret = add_secret(call, entity, wanted)
    note_change(call, entity)
    context = call.context("microsoft.graph.passwordCredential")
    return Answer(200, {"@odata.context": context} | secret.view() | {"secretText": secret.text})


@route("POST", "/applications/{app}/removePassword", APP_CREDENTIAL)
@route("POST", "/servicePrincipals/{sp}/removePassword", APP_CREDENTIAL)
def remove_password(call: Call) -> Answer:
    key_id = str(action_body(call, "keyId").get("keyId") or "")
    entity = credential_owner(call)
    for secret in entity.secrets:
        if secret.key_id == key_id.lower() and secret.gone is None:
            secret.gone = call.tenant.lag.now()
            note_change(call, entity)
            return Answer(204)
    raise bad_request(f"No password credential found with keyId {key_id}.")


def note_change(call: Call, entity: Entity) -> None:
    call.tenant.changes.note(entity.kind, entity.id)
    audited(call, "Update application - Certificates and secrets management", "Update", entity)
