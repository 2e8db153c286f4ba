"""The tenant's root site, and its policy of sign-in methods: enough for a harmless read."""

from collections.abc import Mapping

from emulators.graph.routing import Answer, Call, route

SITES = "Sites.Read.All|Sites.ReadWrite.All|Sites.Manage.All|Sites.FullControl.All"
METHODS = "Policy.Read.All|Policy.ReadWrite.AuthenticationMethod"


def _chosen(call: Call, body: Mapping[str, object], context: str) -> Answer:
    names = [name for name in call.query.get("$select", "").split(",") if name]
    shown = {name: body[name] for name in names if name in body} if names else body
    return Answer(200, {"@odata.context": call.context(context)} | dict(shown))


@route("GET", "/sites/root", SITES)
def root_site(call: Call) -> Answer:
    tenant = call.tenant
    host = f"{tenant.domain.partition('.')[0]}.sharepoint.com"
    body = {
        "id": f"{host},{tenant.id},{tenant.id}",
        "createdDateTime": "2024-01-10T08:00:00Z",
        "description": "",
        "displayName": "Communication site",
        "name": "",
        "root": {},
        "siteCollection": {"hostname": host},
        "webUrl": f"https://{host}",
    }
    return _chosen(call, body, "sites/$entity")


@route("GET", "/policies/authenticationMethodsPolicy", METHODS)
def sign_in_methods(call: Call) -> Answer:
    body = {
        "id": "authenticationMethodsPolicy",
        "displayName": "Authentication Methods Policy",
        "description": "The tenant-wide policy that controls which authentication methods are "
        "allowed in the tenant",
        "lastModifiedDateTime": "2024-01-10T08:00:00Z",
        "policyVersion": "1.5",
        "authenticationMethodConfigurations": [],
    }
    return _chosen(call, body, "policies/authenticationMethodsPolicy/$entity")
