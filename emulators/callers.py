"""Signs in to the functions' API as one of the emulated tenant's callers."""

from collections.abc import Generator, Mapping
from typing import Any

import httpx


class Bearer(httpx.Auth):
    """Fetches a token when it has none, and another one when a token is not taken any more.

    The emulated clock may jump, so a refusal tells better than the token's own end. The client
    that uses it must trust the emulators' authority (``ca_file``).
    """

    requires_response_body = True

    def __init__(self, state: Mapping[str, Any], caller: str) -> None:
        """*caller* is ``reader``, ``operator`` or ``approver``; *state* that of the local cloud."""
        named = state["callers"].get(caller)
        self._form = named and {
            "grant_type": "client_credentials",
            "scope": f"api://{state['api_audience']}/.default",
            **named,
        }
        self._url = f"{state['authority']}/{state['tenant_id']}/oauth2/v2.0/token"
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        if not self._form:  # this local cloud asks for function keys only
            yield request
            return
        if not self._token:
            yield from self._sign_in()
        request.headers["authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._sign_in()
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request

    def _sign_in(self) -> Generator[httpx.Request, httpx.Response]:
        answer = yield httpx.Request("POST", self._url, data=self._form)
        answer.raise_for_status()
        self._token = str(answer.json()["access_token"])
