"""The token endpoint, reached plainly and through azure-identity."""

import base64
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import CertificateCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

VAULT = "https://vault.azure.net/.default"


def claims_of(answer: httpx.Response) -> dict:
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


def assert_refused(answer: httpx.Response, status: int, error: str, code: int) -> None:
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body["error_uri"] == f"https://login.microsoftonline.com/error?code={code}"
    assert {"timestamp", "trace_id", "correlation_id"} <= body.keys()


async def test_roles_are_what_is_granted_now(admin, with_permissions):
    client = await with_permissions("User.Read.All")
    assert claims_of(await client.token())["roles"] == ["User.Read.All"]
    await admin.admin("grant", app=client.client_id, role="Group.Read.All")
    assert claims_of(await client.token())["roles"] == ["Group.Read.All", "User.Read.All"]
    await admin.admin("grant", app=client.client_id, role="User.Read.All", revoke=True)
    assert claims_of(await client.token())["roles"] == ["Group.Read.All"]


async def test_signature_verifies_with_the_published_keys(admin, graph):
    keys = (await admin.get(f"{graph.authority}/common/discovery/v2.0/keys")).json()
    token = (await admin.token()).json()["access_token"]
    key = jwt.PyJWK(keys["keys"][0])
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="https://graph.microsoft.com")
    assert claims["appid"] == graph.client_id
    assert claims["tid"] == graph.tenant_id


@pytest.mark.parametrize("tenant", ["common", "own"])
async def test_metadata(admin, graph, tenant):
    tenant = graph.tenant_id if tenant == "own" else tenant
    url = f"{graph.authority}/{tenant}/v2.0/.well-known/openid-configuration"
    body = (await admin.get(url)).json()
    assert body["token_endpoint"] == f"{graph.authority}/{tenant}/oauth2/v2.0/token"


async def test_basic_authorization(admin, graph):
    pair = base64.b64encode(f"{graph.client_id}:{graph.client_secret}".encode()).decode()
    answer = await admin.post(
        f"{graph.authority}/{graph.tenant_id}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": VAULT},
        headers={"Authorization": f"Basic {pair}"},
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (VAULT, "https://vault.azure.net"),
        ("https://servicebus.azure.net//.default", "https://servicebus.azure.net/"),
        ("https://storage.azure.com/.default", "https://storage.azure.com"),
        ("https://management.azure.com/.default", "https://management.azure.com"),
    ],
)
async def test_first_party_resources_need_no_grant(with_permissions, scope, audience):
    client = await with_permissions()
    claims = claims_of(await client.token(scope))
    assert claims["aud"] == audience
    assert "roles" not in claims


@pytest.mark.parametrize(
    ("change", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000216),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, 400, "unauthorized_client", 700016),
        ({"client_id": "nonsense"}, 400, "unauthorized_client", 700038),
        ({"client_id": ""}, 400, "invalid_request", 900144),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"scope": "https://unknown.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"client_assertion": "not-a-token"}, 401, "invalid_client", 700027),
    ],
)
async def test_refusals(admin, change, status, error, code):
    assert_refused(await admin.token(**change), status, error, code)


@pytest.mark.parametrize(
    ("tenant", "code"), [("nowhere", 900023), ("11111111-2222-4333-8444-555555555555", 90002)]
)
async def test_unknown_tenant(admin, graph, tenant, code):
    form = {"grant_type": "client_credentials", "client_id": graph.client_id, "scope": VAULT}
    answer = await admin.post(f"{graph.authority}/{tenant}/oauth2/v2.0/token", data=form)
    assert_refused(answer, 400, "invalid_request", code)


async def test_secret_expires_by_the_clock(admin, sign_in):
    application, _ = await admin.with_principal()
    end = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    secret = await admin.made(
        f"/applications/{application['id']}/addPassword",
        {"passwordCredential": {"endDateTime": end}},
        status=200,
    )
    client = await sign_in(application["appId"], secret["secretText"])
    await admin.admin("clock", advance_seconds=31 * 86400)
    assert_refused(await client.token(), 401, "invalid_client", 7000222)


async def test_secret_id_in_place_of_its_value(admin):
    application, _ = await admin.with_principal()
    secret = await admin.made(f"/applications/{application['id']}/addPassword", {}, status=200)
    answer = await admin.token(client_id=application["appId"], client_secret=secret["keyId"])
    assert_refused(answer, 401, "invalid_client", 7000215)


async def test_disabled_and_missing_principal(admin, with_permissions):
    client = await with_permissions()
    path = f"/servicePrincipals(appId='{client.client_id}')"
    assert (await admin.patch(path, json={"accountEnabled": False})).status_code == 204
    assert_refused(await client.token(), 400, "unauthorized_client", 7000112)
    principal = await admin.read(path)
    assert (await admin.delete(f"/servicePrincipals/{principal['id']}")).status_code == 204
    assert_refused(await client.token(), 401, "unauthorized_client", 7000229)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "Access token is empty."),
        ("Basic abc", "Access token is empty."),
        ("Bearer a.b.c", "Access token validation failure. Invalid signature."),
    ],
)
async def test_graph_without_a_good_token(admin, header, message):
    answer = await admin.get("/users", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.json()["error"]["message"] == message


async def test_graph_refuses_a_token_for_another_resource(admin):
    token = (await admin.token(VAULT)).json()["access_token"]
    answer = await admin.get("/users", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "audience" in answer.json()["error"]["message"]


async def test_expired_token_carries_a_claims_challenge(admin):
    await admin.admin("clock", advance_seconds=7200)
    answer = await admin.get("/users")
    assert answer.status_code == 401
    assert 'claims="' in answer.headers["www-authenticate"]
    await admin.sign_in()
    assert (await admin.get("/users")).status_code == 200


async def test_azure_identity_with_a_secret(graph):
    credential = ClientSecretCredential(
        graph.tenant_id,
        graph.client_id,
        graph.client_secret,
        authority=graph.authority,
        disable_instance_discovery=True,
        connection_verify=graph.ca_file,
    )
    async with credential:
        token = await credential.get_token("https://graph.microsoft.com/.default")
    assert jwt.decode(token.token, options={"verify_signature": False})["tid"] == graph.tenant_id


async def test_azure_identity_shows_the_code(graph):
    credential = ClientSecretCredential(
        graph.tenant_id,
        graph.client_id,
        "wrong",
        authority=graph.authority,
        disable_instance_discovery=True,
        connection_verify=graph.ca_file,
    )
    async with credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token("https://graph.microsoft.com/.default")


def new_certificate() -> tuple[bytes, bytes]:
    """PEM of key and certificate together, and the certificate alone in DER."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "connector")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = private + certificate.public_bytes(serialization.Encoding.PEM)
    return pem, certificate.public_bytes(serialization.Encoding.DER)


async def test_azure_identity_with_a_certificate(admin, graph):
    application, _ = await admin.with_principal()
    pem, der = new_certificate()
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(der).decode()}
    path = f"/applications/{application['id']}"
    assert (await admin.patch(path, json={"keyCredentials": [key]})).status_code == 204

    def credential(certificate: bytes) -> CertificateCredential:
        return CertificateCredential(
            graph.tenant_id,
            application["appId"],
            certificate_data=certificate,
            authority=graph.authority,
            disable_instance_discovery=True,
            connection_verify=graph.ca_file,
        )

    async with credential(pem) as good:
        token = await good.get_token("https://graph.microsoft.com/.default")
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert (claims["appid"], claims["appidacr"]) == (application["appId"], "2")
    async with credential(new_certificate()[0]) as other:
        with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
            await other.get_token("https://graph.microsoft.com/.default")
