"""Signs in to the functions' API as one of the emulated tenant's callers."""

import ssl
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
        # A local cloud without callers asks for function keys only.
        self._request = sign_in(state, caller) if state["callers"] else None
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        if self._request is None:
            yield request
            return
        if not self._token:
            self._token = _token((yield self._request))
        request.headers["authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = _token((yield self._request))
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request


def sign_in(state: Mapping[str, Any], caller: str) -> httpx.Request:
    """The request that gets *caller* a token for the functions' API."""
    form = {
        "grant_type": "client_credentials",
        "scope": f"api://{state['api_audience']}/.default",
        **state["callers"][caller],
    }
    url = f"{state['authority']}/{state['tenant_id']}/oauth2/v2.0/token"
    return httpx.Request("POST", url, data=form)


def access_token(state: Mapping[str, Any], caller: str) -> str:
    """An access token of *caller* for the functions' API."""
    trust = ssl.create_default_context(cafile=state["ca_file"])
    with httpx.Client(verify=trust, trust_env=False) as http:
        return _token(http.send(sign_in(state, caller)))


def _token(answer: httpx.Response) -> str:
    answer.raise_for_status()
    return str(answer.json()["access_token"])
