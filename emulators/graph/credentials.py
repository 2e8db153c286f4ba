"""Client secrets and keys of applications and service principals."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509

from emulators.graph.auditing import audited
from emulators.graph.errors import GraphError, bad_request, denied, too_large
from emulators.graph.objects import PERSONAL, by_key
from emulators.graph.permissions import APP_CREDENTIAL
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.state import Entity, Secret, date_text

WRITE_ALL = ("Application.ReadWrite.All", "Directory.ReadWrite.All")
KINDS = {"applications": "application", "serviceprincipals": "servicePrincipal"}
DEFAULT_LIFETIME = timedelta(days=730)


def _owner(call: Call) -> Entity:
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


def _body(call: Call, *allowed: str) -> dict[str, Any]:
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
    body = _body(call, "passwordCredential")
    wanted = validated("passwordCredential", body.get("passwordCredential") or {})
    if wanted.get("secretText"):
        raise bad_request("Property 'secretText' is read-only and cannot be set.")
    entity = _owner(call)
    secret = add_secret(call, entity, wanted)
    _noted(call, entity)
    context = call.context("microsoft.graph.passwordCredential")
    return Answer(200, {"@odata.context": context} | secret.view() | {"secretText": secret.text})


@route("POST", "/applications/{app}/removePassword", APP_CREDENTIAL)
@route("POST", "/servicePrincipals/{sp}/removePassword", APP_CREDENTIAL)
def remove_password(call: Call) -> Answer:
    key_id = str(_body(call, "keyId").get("keyId") or "")
    entity = _owner(call)
    for secret in entity.secrets:
        if secret.key_id == key_id.lower() and secret.gone is None:
            secret.gone = call.tenant.lag.now()
            _noted(call, entity)
            return Answer(204)
    raise bad_request(f"No password credential found with keyId {key_id}.")


def set_keys(call: Call, entity: Entity, wanted: list[dict[str, Any]]) -> None:
    """PATCH of keyCredentials replaces them; a known keyId without key stays as it is."""
    known = {key["keyId"]: key for key in entity.keys}
    entity.keys = [
        known[key["keyId"]] if not key.get("key") and key.get("keyId") in known else _key(call, key)
        for key in wanted
    ]


def _key(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    try:
        raw = base64.b64decode(str(wanted.get("key") or ""))
        if raw.startswith(b"-----"):  # Graph takes the base64 of a PEM text as well
            raw = base64.b64decode(re.sub(rb"-----[A-Z ]+-----|\s", b"", raw))
        certificate = x509.load_der_x509_certificate(raw)
    except ValueError as wrong:
        raise GraphError(
            400, "KeyCredentialsInvalid", "Key value is invalid certificate."
        ) from wrong
    digest = hashlib.sha1(raw, usedforsecurity=False).digest()  # thumbprints are SHA-1
    return {
        "customKeyIdentifier": base64.b64encode(digest).decode(),
        "displayName": wanted.get("displayName") or certificate.subject.rfc4514_string(),
        "endDateTime": wanted.get("endDateTime") or date_text(certificate.not_valid_after_utc),
        "key": base64.b64encode(raw).decode(),
        "keyId": wanted.get("keyId") or call.tenant.ids.guid(),
        "startDateTime": wanted.get("startDateTime") or date_text(certificate.not_valid_before_utc),
        "type": wanted.get("type") or "AsymmetricX509Cert",
        "usage": wanted.get("usage") or "Verify",
    }


def _check_proof(entity: Entity, proof: str) -> None:
    """The proof is a token signed with a certificate that the object already has."""
    for key in entity.keys:
        certificate = x509.load_der_x509_certificate(base64.b64decode(key["key"]))
        try:
            jwt.decode(
                proof,
                certificate.public_key(),  # type: ignore[arg-type]  # RSA is all Entra takes
                algorithms=["RS256", "PS256"],
                options={"verify_aud": False},
            )
        except jwt.InvalidTokenError:
            continue
        return
    raise denied("Access denied: the proof is not signed with a valid key of this object.")


@route("POST", "/applications/{app}/addKey", APP_CREDENTIAL)
@route("POST", "/servicePrincipals/{sp}/addKey", APP_CREDENTIAL)
def add_key(call: Call) -> Answer:
    body = _body(call, "keyCredential", "passwordCredential", "proof")
    wanted = validated("keyCredential", body.get("keyCredential"))
    entity = _owner(call)
    _check_proof(entity, str(body.get("proof") or ""))
    key = _key(call, wanted)
    entity.keys.append(key)
    _noted(call, entity)
    context = call.context("microsoft.graph.keyCredential")
    return Answer(200, {"@odata.context": context} | key | {"key": None})


@route("POST", "/applications/{app}/removeKey", APP_CREDENTIAL)
@route("POST", "/servicePrincipals/{sp}/removeKey", APP_CREDENTIAL)
def remove_key(call: Call) -> Answer:
    body = _body(call, "keyId", "proof")
    entity = _owner(call)
    _check_proof(entity, str(body.get("proof") or ""))
    left = [key for key in entity.keys if key["keyId"] != body.get("keyId")]
    if len(left) == len(entity.keys):
        raise bad_request(f"No key credential found with keyId {body.get('keyId')}.")
    entity.keys = left
    _noted(call, entity)
    return Answer(204)


def _noted(call: Call, entity: Entity) -> None:
    call.tenant.changes.note(entity.kind, entity.id)
    audited(call, "Update application - Certificates and secrets management", "Update", entity)
