"""The ``$cbs`` node: clients put a token there before they attach to an entity."""

import base64
import hashlib
import hmac
from urllib.parse import unquote

from emulators.clock import Clock
from emulators.servicebus.amqp.connection import Connection
from emulators.servicebus.requests import Request, Response

KEY_NAME = "RootManageSharedAccessKey"
KEY = "SAS_KEY_VALUE"
_SAS_PREFIX = "SharedAccessSignature "


class Tokens:
    """Accepts every token; in strict mode a shared access signature must be valid."""

    def __init__(self, clock: Clock, *, strict: bool) -> None:
        self.strict = strict
        self._clock = clock

    def answer(self, connection: Connection, request: Request) -> Response:
        if request.properties.get("operation") != "put-token" or not isinstance(request.body, str):
            return _response(400, "put-token with a token is expected")
        # Python sends type jwt even for a signature, so the token itself decides.
        if self.strict and request.body.startswith(_SAS_PREFIX):
            refusal = self.check(request.body[len(_SAS_PREFIX) :])
            if refusal:
                return _response(401, f"InvalidSignature: {refusal}")
        connection.authorized = True
        return _response(202, "Accepted")

    def check(self, token: str) -> str:
        """Answer why the signature is refused, or nothing."""
        pairs = dict(pair.split("=", 1) for pair in token.split("&") if "=" in pair)
        try:
            resource, expiry = pairs["sr"], pairs["se"]
            signature, key_name = unquote(pairs["sig"]), unquote(pairs["skn"])
        except KeyError as missing:
            return f"the token has no {missing}"
        if key_name != KEY_NAME:
            return "the key name is unknown"
        signed = f"{resource}\n{expiry}".encode()
        wanted = base64.b64encode(hmac.digest(KEY.encode(), signed, hashlib.sha256))
        if not hmac.compare_digest(wanted, signature.encode()):
            return "the signature does not match"
        if not expiry.isdecimal() or int(expiry) <= self._clock.time():
            return "the token has expired"
        return ""


def _response(status: int, description: str) -> Response:
    return Response({"status-code": status, "status-description": description})
