"""Certificates of applications and service principals.

Source: Graph v1.0 "keyCredential resource type", "Add a certificate to an app using Microsoft
Graph" (PATCH replaces the collection), "application: addKey"; refusals as Graph words them.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography import x509

from emulators.graph.credentials import action_body, credential_owner, note_change
from emulators.graph.errors import GraphError, bad_request, denied, too_large
from emulators.graph.permissions import APP_CREDENTIAL
from emulators.graph.routing import Answer, Call, route
from emulators.graph.schema import validated
from emulators.graph.state import Entity, Key, date_text

CERTIFICATE, VERIFY = "AsymmetricX509Cert", "Verify"
LONGEST_NAME = 90  # longer ones are accepted, and cut
FIXED = ("customKeyIdentifier", "type", "usage", "startDateTime", "endDateTime")
"""What an entry that is already there must repeat, as it was read; `key` may be left out."""


def set_keys(call: Call, entity: Entity, wanted: list[dict[str, Any]]) -> None:
    """A PATCH replaces all of them: an entry that is not repeated is gone."""
    live = {key.key_id: key for key in entity.keys if key.gone is None}
    repeated, made = set(), []
    for each in wanted:
        _check_purpose(each)
        known = live.get(str(each.get("keyId") or "").lower())
        if known is None:
            made.append(_key(call, entity, each))
        else:
            _check_unchanged(known, each)
            repeated.add(known.key_id)
    limit = call.tenant.policies.max_secrets
    if made and limit is not None and len(repeated) + len(made) > limit:
        raise too_large()
    for key in live.values():
        if key.key_id not in repeated:
            key.gone = call.tenant.lag.now()
    entity.keys += made


def _check_purpose(wanted: dict[str, Any]) -> None:
    for name, allowed in (("type", (CERTIFICATE,)), ("usage", ("Sign", VERIFY))):
        if wanted.get(name) not in allowed:
            raise bad_request(
                f'The value for the property "{name}" in one of your credentials is invalid. '
                f"Acceptable values are {', '.join(allowed)}."
            )


def _check_unchanged(known: Key, wanted: dict[str, Any]) -> None:
    same = all(_value(wanted.get(name)) == _value(known.body[name]) for name in FIXED)
    if not same or wanted.get("key") not in (None, known.body["key"]):
        raise bad_request(
            f"Update to existing credential with KeyId '{known.key_id}' is not allowed."
        )


def _value(text: Any) -> Any:
    """Times are compared as times, however many digits they are written with."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return text


def _key(call: Call, entity: Entity, wanted: dict[str, Any]) -> Key:
    raw, certificate = _certificate(str(wanted.get("key") or ""))
    start, end = _life(call, wanted, certificate)
    if entity.kind == "application":
        call.tenant.policies.check_key(entity.body, end - start)
    digest = hashlib.sha1(raw, usedforsecurity=False).digest()  # thumbprints are SHA-1
    name = wanted.get("displayName") or certificate.subject.rfc4514_string()
    body = {
        "customKeyIdentifier": wanted.get("customKeyIdentifier")
        or base64.b64encode(digest).decode(),
        "displayName": name[:LONGEST_NAME],
        "endDateTime": date_text(end),
        "key": base64.b64encode(raw).decode(),
        "keyId": str(wanted.get("keyId") or call.tenant.ids.guid()).lower(),
        "startDateTime": date_text(start),
        "type": CERTIFICATE,
        "usage": wanted["usage"],
    }
    return Key(body, born=call.tenant.lag.now())


def _certificate(text: str) -> tuple[bytes, x509.Certificate]:
    try:
        raw = base64.b64decode(text)
        if raw.startswith(b"-----"):  # Graph takes the base64 of a PEM text as well
            raw = base64.b64decode(re.sub(rb"-----[A-Z ]+-----|\s", b"", raw))
        return raw, x509.load_der_x509_certificate(raw)
    except ValueError as wrong:
        raise GraphError(
            400, "KeyCredentialsInvalid", "Key value is invalid certificate."
        ) from wrong


def _life(
    call: Call, wanted: dict[str, Any], certificate: x509.Certificate
) -> tuple[datetime, datetime]:
    """Within the life of the certificate, and not over."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    start = datetime.fromisoformat(wanted.get("startDateTime") or first.isoformat())
    end = datetime.fromisoformat(wanted.get("endDateTime") or last.isoformat())
    if not first <= start <= last:
        raise GraphError(
            400, "KeyCredentialsInvalidStartDate", "Key credential start date is invalid."
        )
    if end > last or end <= start or end <= call.tenant.clock.now():
        raise GraphError(400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
    return start.astimezone(UTC), end.astimezone(UTC)


def _check_proof(keys: Sequence[Key], proof: str) -> None:
    """The proof is a token signed with a certificate that the object already has."""
    for key in keys:
        certificate = x509.load_der_x509_certificate(base64.b64decode(key.body["key"]))
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
    body = action_body(call, "keyCredential", "passwordCredential", "proof")
    wanted = validated("keyCredential", body.get("keyCredential"))
    entity = credential_owner(call)
    _check_proof([key for key in entity.keys if key.gone is None], str(body.get("proof") or ""))
    _check_purpose(wanted)
    key = _key(call, entity, wanted)
    entity.keys.append(key)
    note_change(call, entity)
    context = call.context("microsoft.graph.keyCredential")
    return Answer(200, {"@odata.context": context} | key.body | {"key": None})


@route("POST", "/applications/{app}/removeKey", APP_CREDENTIAL)
@route("POST", "/servicePrincipals/{sp}/removeKey", APP_CREDENTIAL)
def remove_key(call: Call) -> Answer:
    body = action_body(call, "keyId", "proof")
    entity = credential_owner(call)
    live = [key for key in entity.keys if key.gone is None]
    _check_proof(live, str(body.get("proof") or ""))
    gone = next((key for key in live if key.key_id == str(body.get("keyId")).lower()), None)
    if gone is None:
        raise bad_request(f"No key credential found with keyId {body.get('keyId')}.")
    gone.gone = call.tenant.lag.now()
    note_change(call, entity)
    return Answer(204)
