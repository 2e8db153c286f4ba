"""The emulator through Microsoft's own Python SDK, as the product calls it."""

import json
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import RetryHandlerOption
from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody,
)
from msgraph.generated.models.application import Application
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

ERRORS = {"4XX": ODataError, "5XX": ODataError}


@pytest.fixture
async def sdk(graph) -> AsyncIterator[GraphServiceClient]:
    credential = ClientSecretCredential(
        graph.tenant_id,
        graph.client_id,
        graph.client_secret,
        authority=graph.authority,
        disable_instance_discovery=True,
        connection_verify=graph.ca_file,
    )
    context = ssl.create_default_context(cafile=graph.ca_file)
    # The SDK's own transport does not close the one it wraps.
    inner = httpx.AsyncHTTPTransport(verify=context)
    async with credential, inner, httpx.AsyncClient(transport=inner) as http:
        provider = AzureIdentityAuthenticationProvider(
            credential,
            scopes=["https://graph.microsoft.com/.default"],
            allowed_hosts=["127.0.0.1", f"127.0.0.1:{graph.port}"],
        )
        client = GraphClientFactory.create_with_default_middleware(client=http)
        adapter = GraphRequestAdapter(provider, client)
        adapter.base_url = graph.graph
        yield GraphServiceClient(request_adapter=adapter)


async def fetch(sdk, info):
    data = await sdk.request_adapter.send_primitive_async(info, "bytes", ERRORS)
    return None if data is None else json.loads(data)


async def test_pages_of_users(sdk, users):
    parameters = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        select=["id", "displayName"], top=50, count=True, filter="accountEnabled ne false"
    )
    config = RequestConfiguration(query_parameters=parameters)
    config.headers.add("ConsistencyLevel", "eventual")
    page = await fetch(sdk, sdk.users.to_get_request_information(config))
    found = page["value"]
    while "@odata.nextLink" in page:
        builder = sdk.users.with_url(page["@odata.nextLink"])
        page = await fetch(sdk, builder.to_get_request_information(config))
        found += page["value"]
    assert page["@odata.count"] == len({user["id"] for user in found}) == users - users // 12


async def test_upsert_secret_and_error(sdk):
    config = RequestConfiguration()
    config.headers.add("Prefer", "create-if-missing")
    body = Application(display_name="Connector", sign_in_audience="AzureADMyOrg")
    builder = sdk.applications_with_unique_name("conn-1")
    made = await fetch(sdk, builder.to_patch_request_information(body, config))
    assert await fetch(sdk, builder.to_patch_request_information(body, config)) is None
    once = RequestConfiguration(options=[RetryHandlerOption(max_retries=0)])
    one = sdk.applications.by_application_id(made["id"])
    secret = await one.add_password.post(
        AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="x")), once
    )
    assert secret.secret_text.startswith(secret.hint)
    await one.delete()
    with pytest.raises(ODataError) as refusal:
        await fetch(sdk, one.to_get_request_information())
    assert refusal.value.response_status_code == 404
    assert refusal.value.error.code == "Request_ResourceNotFound"
    deleted = sdk.directory.deleted_items.graph_application.to_get_request_information()
    assert [item["id"] for item in (await fetch(sdk, deleted))["value"]] == [made["id"]]


async def test_sdk_retries_throttling_by_itself(sdk, admin):
    await admin.admin("faults", fault="F13", call="GET /organization", times=1, retry_after=1)
    found = await fetch(sdk, sdk.organization.to_get_request_information())
    assert len(found["value"]) == 1


async def test_sdk_follows_the_claims_challenge(sdk, admin):
    await fetch(sdk, sdk.organization.to_get_request_information())
    await admin.admin("clock", advance_seconds=86400)  # the token in the SDK's cache is old now
    assert await fetch(sdk, sdk.organization.to_get_request_information())


async def test_delta_and_transitive_members(sdk, admin):
    page = await fetch(sdk, sdk.users.delta.to_get_request_information())
    link = page["@odata.deltaLink"]
    stored = sdk.users.delta.with_url(link).to_get_request_information()
    assert (await fetch(sdk, stored))["value"] == []
    params = {"$filter": "displayName eq 'Tier 0 Admins'"}
    group = (await admin.read("/groups", params=params))["value"][0]["id"]
    builder = sdk.groups.by_group_id(group).transitive_members.graph_user
    assert len((await fetch(sdk, builder.to_get_request_information()))["value"]) == 6
    await admin.admin("clock", advance_seconds=8 * 86400)
    with pytest.raises(ODataError) as reset:
        await fetch(sdk, stored)
    assert reset.value.response_status_code == 410
    assert "deltatoken=" in reset.value.response_headers["location"]
