"""Challenge first, then a verified token."""

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.keyvault.server import serving
from tests.emulators.keyvault.bench import Bench, credential_of


async def test_real_credential_gets_in_after_one_challenge(bench: Bench) -> None:
    client = await bench.client()
    await client.set_secret("first", "value")
    first, second = await bench.admin("GET", "/traffic")
    assert (first["status"], first.get("caller")) == (401, None)
    assert (second["status"], second["caller"]) == (200, bench.issuer.client_id)
    assert first["url"] == second["url"]


@pytest.mark.parametrize("path", ["/secrets/bad_name", "/secrets", "/elsewhere"])
async def test_challenge_comes_before_any_check(bench: Bench, path: str) -> None:
    answer = await bench.request("PUT", bench.vault.url + path, b"no json")
    assert answer.status == 401
    assert answer.body == {
        "error": {
            "code": "Unauthorized",
            "message": "AKV10000: Request is missing a Bearer or PoP token.",
        }
    }
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{bench.issuer.url}/{bench.issuer.tenant}", '
        'resource="https://vault.azure.net"'
    )


async def test_headers_are_the_services(bench: Bench) -> None:
    answer = await bench.send("GET", "/secrets")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["x-ms-keyvault-region"]
    assert answer.headers["x-ms-keyvault-service-version"]


async def test_graph_token_is_refused(bench: Bench) -> None:
    token = bench.issuer.token(audience="https://graph.microsoft.com")
    answer = await bench.send("GET", "/secrets", token=token)
    assert answer.status == 401
    assert "AKV10022" in answer.error["message"]
    assert "WWW-Authenticate" in answer.headers


async def test_token_of_another_tenant_is_refused(bench: Bench) -> None:
    answer = await bench.send("GET", "/secrets", token=bench.issuer.token(tid="another"))
    assert answer.status == 401
    assert "AKV10032" in answer.error["message"]


async def test_token_with_a_foreign_signature_is_refused(bench: Bench) -> None:
    said = jwt.decode(bench.issuer.token(), options={"verify_signature": False})
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for kid in ("one", "two"):
        token = jwt.encode(said, foreign, algorithm="RS256", headers={"kid": kid})
        answer = await bench.send("GET", "/secrets", token=token)
        assert answer.status == 401


async def test_unsigned_token_is_refused(bench: Bench) -> None:
    said = jwt.decode(bench.issuer.token(), options={"verify_signature": False})
    token = jwt.encode(said, None, algorithm="none", headers={"kid": "one"})
    assert (await bench.send("GET", "/secrets", token=token)).status == 401


async def test_expired_token_is_replaced_when_the_emulated_clock_jumps(bench: Bench) -> None:
    """The cached token is still good by the machine's clock; claims make the client renew it."""
    client = await bench.client()
    await client.set_secret("name", "value")
    issued = bench.issuer.issued
    bench.issuer.clock.advance(timedelta(days=31))
    assert (await client.get_secret("name")).value == "value"
    assert bench.issuer.issued == issued + 1


async def test_tokens_of_a_key_rolled_over_are_kept_or_replaced(bench: Bench) -> None:
    """Kept by a vault that knows the old key; replaced by one that started after the rollover."""
    issuer = bench.issuer
    credential = await bench.stack.enter_async_context(credential_of(issuer))
    client = await bench.client(credential=credential)
    await client.set_secret("name", "v")
    issuer.key, issuer.kid = rsa.generate_private_key(65537, 2048), "two"
    newer = await bench.client("another")
    await newer.get_secret("name")
    issued = issuer.issued
    await client.get_secret("name")
    assert issuer.issued == issued
    async with serving(replace(bench.vault.settings, port=0)) as later:
        moved = await bench.client(credential=credential, url=later.url)
        await moved.set_secret("name", "v")
    assert issuer.issued == issued + 1


async def test_token_not_yet_valid_is_refused(bench: Bench) -> None:
    token = bench.issuer.token(nbf=int(bench.issuer.clock.time()) + 3600)
    assert (await bench.send("GET", "/secrets", token=token)).status == 401


async def test_challenge_for_another_tenant_is_not_followed(bench: Bench) -> None:
    await bench.admin("POST", "/faults", {"fault": "other-tenant", "times": 1})
    client = await bench.client()
    with pytest.raises(ClientAuthenticationError, match="not configured to acquire tokens"):
        await client.get_secret("name")


async def test_unreachable_issuer_is_no_refusal_of_the_token(bench: Bench) -> None:
    bench.vault.gate._tokens._url = f"{bench.issuer.url}/nowhere"  # noqa: SLF001  # a dead end
    client = await bench.client()
    with pytest.raises(HttpResponseError) as caught:
        await client.get_secret("name")
    assert caught.value.status_code == 503


@pytest.mark.parametrize(
    "version",
    ["2026-04-01", "2025-07-01", "7.6", "7.5", "7.4", "7.3", "7.2", "7.1", "7.0", "2016-10-01"],
)
async def test_every_api_version_of_the_client_is_served(bench: Bench, version: str) -> None:
    client = await bench.client(api_version=version)
    made = await client.set_secret("name", "value")
    assert (await client.get_secret("name")).properties.version == made.properties.version


@pytest.mark.parametrize("version", [None, "1.0"])
async def test_api_version_is_required(bench: Bench, version: str | None) -> None:
    answer = await bench.send("GET", "/secrets", api=version)
    assert (answer.status, answer.error["code"]) == (400, "BadParameter")
