"""The tenant itself, and directory objects by id."""

from typing import Any

from emulators.graph.errors import bad_request, not_found
from emulators.graph.objects import typed
from emulators.graph.permissions import OBJECT_READ, ORGANIZATION
from emulators.graph.routing import Answer, Call, route
from emulators.graph.state import Tenant

MOST_IDS = 1000
DOMAIN_READ = "Domain.Read.All|Domain.ReadWrite.All|Directory.Read.All|Directory.ReadWrite.All"


def organization(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": "CH",
        "createdDateTime": "2021-03-01T09:00:00Z",
        "defaultUsageLocation": None,
        "displayName": tenant.display_name,
        "onPremisesSyncEnabled": True,
        "partnerTenantType": None,
        "preferredLanguage": "en",
        "technicalNotificationMails": [],
        "tenantType": "AAD",
        "assignedPlans": [
            {
                "assignedDateTime": "2024-01-10T00:00:00Z",
                "capabilityStatus": "Enabled",
                "service": "AADPremiumService",
                "servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
            }
        ],
        "provisionedPlans": [],
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": name == tenant.domain,
                "isInitial": name == tenant.domain,
                "name": name,
                "type": kind,
            }
            for name, kind in tenant.domains.items()
        ],
    }


@route("GET", "/organization", ORGANIZATION)
def list_organizations(call: Call) -> Answer:
    items = [organization(call.tenant)]
    return call.listing("organization", items, lambda item: item, resource="organization")


@route("GET", "/organization/{id}", ORGANIZATION)
def read_organization(call: Call) -> Answer:
    if call.params["id"].lower() != call.tenant.id:
        raise not_found(call.params["id"])
    return call.single("organization", organization(call.tenant), resource="organization")


def _domain(tenant: Tenant, name: str) -> dict[str, Any]:
    initial = name == tenant.domain
    return {
        "id": name,
        "authenticationType": tenant.domains[name],
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": initial,
        "isInitial": initial,
        "isRoot": True,
        "isVerified": True,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        "passwordValidityPeriodInDays": 2147483647,
        "passwordNotificationWindowInDays": 14,
        "state": None,
    }


@route("GET", "/domains", DOMAIN_READ)
def list_domains(call: Call) -> Answer:
    items = [_domain(call.tenant, name) for name in call.tenant.domains]
    return call.listing("domain", items, lambda item: item, resource="domains")


@route("GET", "/domains/{domain}", DOMAIN_READ)
def read_domain(call: Call) -> Answer:
    name = call.params["domain"].lower()
    if name not in call.tenant.domains:
        raise not_found(name)
    return call.single("domain", _domain(call.tenant, name), resource="domains")


@route("GET", "/directoryObjects/{id}", OBJECT_READ)
def read_object(call: Call) -> Answer:
    found = typed(call.params["id"], call.tenant)
    if found is None:
        raise not_found(call.params["id"])
    found.pop("@all", None)
    return call.single("anything", found, resource="directoryObjects")


@route("POST", "/directoryObjects/getByIds", OBJECT_READ)
def get_by_ids(call: Call) -> Answer:
    body = call.body if isinstance(call.body, dict) else {}
    ids, types = body.get("ids"), body.get("types") or []
    if not isinstance(ids, list) or not ids:
        raise bad_request("A non-empty 'ids' collection is required.")
    if len(ids) > MOST_IDS:
        raise bad_request("The 'ids' collection holds more than 1000 items.")
    wanted = {f"#microsoft.graph.{each}".lower() for each in types}
    found = []
    for identity in ids:
        item = typed(str(identity), call.tenant)
        if item is None or (wanted and item["@odata.type"].lower() not in wanted):
            continue
        item.pop("@all", None)
        found.append(item)
    return Answer(200, {"@odata.context": call.context("directoryObjects"), "value": found})
