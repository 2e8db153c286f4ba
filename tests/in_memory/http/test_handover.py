"""The hand-over sheet: the product's own labels, and never a secret's value."""

from datetime import timedelta

import msgspec
import pytest

from shared.errors import NeedsHuman
from shared.handover import markdown, sheet
from shared.model.connection import BrokeredToken, Connection, Credential, Spec, Takeover
from shared.model.directory import Tenant
from shared.profile import catalogue
from tests.bad_input.http_bodies import GOOD
from tests.fakes import START
from tests.in_memory.http.client import FACTS, Client

URL = "/api/connections/dvls-prod/handover"
TENANT = Tenant(
    id="7e4a47aa-0000-4000-8000-000000000001",
    name="Contoso",
    initial_domain="contoso.onmicrosoft.com",
)


def connection(*, credential: bool = True, provider: str = "DVLS PAM") -> Connection:
    return Connection(
        spec=Spec(
            name="dvls-prod",
            profile="devolutions-server",
            features={},
            inputs={"provider_name": provider},
        ),
        created=START,
        facts=FACTS,
        credential=Credential(
            key_id="key-1",
            expires=START,
            published=START,
            due=START,
            vault_name="dvls-prod",
            vault_version="v1",
        )
        if credential
        else None,
    )


def reference(name: str, version: str) -> str:
    return f"https://vault.example/secrets/{name}/{version}"


@pytest.mark.requirement("D-07", "D-08", "D-11", "X-16")
def test_the_sheet_has_the_form_of_the_product():
    made = sheet(catalogue()["devolutions-server"], connection(), TENANT, reference)
    assert [(line.label, line.value) for line in made.lines] == [
        ("Name", "DVLS PAM"),
        ("Tenant ID", TENANT.id),
        ("Client ID", FACTS.client_id),
        ("Secret key", None),
    ]
    secret = made.lines[-1].secret
    assert secret is not None
    assert secret.vault == "https://vault.example/secrets/dvls-prod/v1"
    assert (secret.name, secret.version, secret.key_id) == ("dvls-prod", "v1", "key-1")
    assert made.lines[1].replaces == "steps 10 and 11"


def test_an_empty_output_is_named():
    with pytest.raises(NeedsHuman, match="secret_key") as caught:
        sheet(catalogue()["devolutions-server"], connection(credential=False), TENANT, reference)
    assert caught.value.code == "OUTPUT_EMPTY"


def test_markdown_keeps_values_verbatim():
    odd = connection(provider="a|b `c` *d* <e>")
    written = markdown(sheet(catalogue()["devolutions-server"], odd, TENANT, reference))
    assert "| Name | ``a\\|b `c` *d* <e>`` | step 9 |" in written
    table = [line for line in written.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 4
    assert all(line.replace("\\|", "").count("|") == 4 for line in table)


def test_the_sheet_says_how_long_the_former_secret_works_and_whom_to_tell():
    known = connection()
    assert known.credential is not None
    until = START + timedelta(days=7)
    beside = msgspec.structs.replace(known.credential, previous_key_id="key-0", overlap_until=until)
    known = msgspec.structs.replace(known, credential=beside)
    made = sheet(catalogue()["devolutions-server"], known, TENANT, reference)
    assert made.taking_over is not None and made.taking_over.former_until == until
    written = markdown(made)
    assert f"works until {until:%Y-%m-%d %H:%M} UTC" in written
    assert f'`POST {URL}/acknowledgement` with `{{"version": "v1"}}`' in written
    word = Takeover(version="v1", at=START + timedelta(days=2), by="ana")
    said = msgspec.structs.replace(known, takeover=word)
    written = markdown(sheet(catalogue()["devolutions-server"], said, TENANT, reference))
    assert f"works until {word.at:%Y-%m-%d %H:%M} UTC" in written
    assert "ana has said that the product uses this one" in written
    assert "POST" not in written.partition("## When it is done")[2].partition("##")[0]


async def test_json_is_the_default(client: Client):
    await client.onboarded()
    answer = await client.get(URL)
    assert (answer.status, answer.type) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    secret = answer.json["lines"][-1]
    assert secret["secret"]["vault"] == "https://vault.example/secrets/dvls-prod/version-1"
    assert "value" not in secret


@pytest.mark.parametrize(
    ("url", "accept", "type_"),
    [
        (URL, "text/markdown", "text/markdown"),
        (URL, "text/*", "text/markdown"),
        (URL, "application/json;q=0.5, text/markdown", "text/markdown"),
        (URL, "application/json, text/markdown;q=0.5", "application/json"),
        (URL, "*/*", "application/json"),
        (URL, "text/html, */*;q=0.1", "application/json"),
        (URL, "text/markdown;q=oops", "text/markdown"),
        (f"{URL}?format=markdown", "application/json", "text/markdown"),
    ],
)
async def test_the_form_that_is_accepted(client: Client, url: str, accept: str, type_: str):
    await client.onboarded()
    answer = await client.get(url, accept=accept)
    assert (answer.status, answer.type.partition(";")[0]) == (200, type_)


async def test_forms_that_are_not_offered(client: Client):
    await client.onboarded()
    refused = await client.get(URL, accept="image/png")
    assert (refused.status, refused.problems) == (406, [("accept", "NOT_ACCEPTABLE")])
    excluded = await client.get(URL, accept="application/json;q=0, text/markdown;q=0")
    assert excluded.status == 406
    unknown = await client.get(f"{URL}?format=pdf")
    assert (unknown.status, unknown.problems) == (400, [("format", "INPUT_INVALID")])


async def test_there_is_no_sheet_before_the_secret(client: Client):
    await client.post("/api/connections", GOOD)
    answer = await client.get(URL)
    assert (answer.status, answer.problems) == (409, [("", "OUTPUT_EMPTY")])


async def test_an_acknowledgement_is_kept(client: Client):
    await client.onboarded()
    answer = await client.post(f"{URL}/acknowledgement", {"by": "ana", "note": "done at noon"})
    assert answer.status == 200
    assert (answer.json["type"], answer.json["reason"]) == ("HandedOver", "ACKNOWLEDGED")
    shown = (await client.get("/api/connections/dvls-prod")).json
    assert shown["conditions"] == [answer.json]
    last = (await client.ctx.ledger.history("dvls-prod"))[-1]
    assert last["what"] == "handover.acknowledged"
    assert (last["by"], last["version"]) == ("ana", "version-1")


async def test_an_acknowledgement_makes_the_retirement_due(client: Client):
    await client.onboarded()
    ledger, now = client.ctx.ledger, client.ctx.clock.now()
    found = await ledger.connection("dvls-prod")
    assert found is not None and found.credential is not None
    beside = msgspec.structs.replace(
        found.credential,
        previous_key_id="key-0",
        overlap_until=now + timedelta(days=7),
        operation="rotate-1",
    )
    await ledger.amend("dvls-prod", credential=beside)
    client.ctx.clock.advance(days=1)
    said = {"version": "version-1", "operation": "rotate-1"}
    first = await client.post(f"{URL}/acknowledgement", said)
    again = await client.post(f"{URL}/acknowledgement", said)
    assert first.json == again.json
    assert "removed after 2026-01-06" in first.json["message"]
    assert await ledger.due_times("dvls-prod") == {"retire": now + timedelta(days=1)}
    what = [row["what"] for row in await ledger.history("dvls-prod")]
    assert what.count("handover.acknowledged") == 1


@pytest.mark.parametrize("field", ["version", "operation"])
async def test_what_is_not_served_cannot_be_acknowledged(client: Client, field: str):
    await client.onboarded()
    before = await client.ctx.ledger.connection("dvls-prod")
    answer = await client.post(f"{URL}/acknowledgement", {field: "version-0"})
    assert (answer.status, answer.problems) == (409, [(field, "VERSION_NOT_SERVED")])
    assert "enter version version-1 into the product" in answer.json["problems"][0]["hint"]
    assert await client.ctx.ledger.connection("dvls-prod") == before


async def test_nothing_can_be_acknowledged_before_the_secret(client: Client):
    await client.post("/api/connections", GOOD)
    answer = await client.post(f"{URL}/acknowledgement")
    assert (answer.status, answer.problems) == (409, [("", "NOT_HANDED_OVER")])


@pytest.mark.requirement("N-09")
async def test_the_products_own_file(client: Client):
    await client.onboarded()
    spec = Spec(
        name="dvls-prod",
        profile="netwrix-identity-manager",
        features={"export": True},
        inputs={"connection_id": "Entra1", "graph_api": "https://graph.microsoft.com/v1.0/"},
    )
    names = ("ApplicationId", "ApplicationKey", "TenantId")
    handed = {f"Connections--Entra1--{name}": "1" for name in names}
    await client.ctx.ledger.amend("dvls-prod", spec=spec, handed=handed)
    answer = await client.get(f"{URL}?format=appsettings.agent.json")
    assert (answer.status, answer.type) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="appsettings.agent.json"'
    settings = answer.json["Connections"]["Entra1"]
    assert settings["ApplicationId"] == FACTS.client_id
    assert "ApplicationKey" not in settings
    refused = await client.get(f"{URL}?format=env")
    assert (refused.status, refused.problems) == (400, [("format", "INPUT_INVALID")])


@pytest.mark.requirement("A-08")
async def test_environment_variables_as_references(client: Client):
    await client.onboarded()
    now = client.ctx.clock.now()
    spec = Spec(name="dvls-prod", profile="pandium", features={}, inputs={"scope": "azure-sql"})
    prefix = "dvls-prod--PAN-SEC-MICROSOFT-ENTRA-"
    names = ("TENANT-ID", "TOKEN-TYPE", "EXPIRES-AT", "EXPIRES-IN", "EXT-EXPIRES-IN")
    token = BrokeredToken(
        obtained=now,
        expires=now,
        scope="x/.default",
        token_type="Bearer",
        expires_in=3599,
        ext_expires_in=3599,
    )
    handed = {prefix + name: "1" for name in (*names, "ACCESS-TOKEN")}
    await client.ctx.ledger.amend("dvls-prod", spec=spec, handed=handed, brokered=token)
    answer = await client.get(f"{URL}?format=env")
    assert (answer.status, answer.type) == (200, "text/plain")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="dvls-prod.env"'
    reference = (
        f"@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/{prefix}ACCESS-TOKEN/)"
    )
    assert f"PAN_SEC_MICROSOFT_ENTRA_ACCESS_TOKEN={reference}" in answer.content.decode()
