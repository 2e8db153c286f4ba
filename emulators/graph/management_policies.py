"""App management policies as Graph shows them."""

from emulators.graph.errors import not_found
from emulators.graph.objects import shown
from emulators.graph.permissions import POLICY_READ
from emulators.graph.routing import Answer, Call, route

BASE = "/policies/appManagementPolicies"


@route("GET", "/policies/defaultAppManagementPolicy", POLICY_READ)
def read_default(call: Call) -> Answer:
    context = call.context("policies/defaultAppManagementPolicy/$entity")
    return Answer(200, {"@odata.context": context} | call.tenant.policies.default)


@route("GET", BASE, POLICY_READ)
def list_all(call: Call) -> Answer:
    context = call.context("policies/appManagementPolicies")
    found = list(call.tenant.policies.targeted.values())
    return Answer(200, {"@odata.context": context, "value": found})


@route("GET", BASE + "/{policy}", POLICY_READ)
def read(call: Call) -> Answer:
    found = call.tenant.policies.targeted.get(call.params["policy"])
    if found is None:
        raise not_found(call.params["policy"])
    context = call.context("policies/appManagementPolicies/$entity")
    return Answer(200, {"@odata.context": context} | found)


@route("GET", BASE + "/{policy}/appliesTo", POLICY_READ)
def applies_to(call: Call) -> Answer:
    tenant, policy = call.tenant, call.params["policy"]
    if policy not in tenant.policies.targeted:
        raise not_found(policy)
    found = [tenant.find(each) for each in tenant.policies.applies_to[policy]]
    items = [
        {"@odata.type": f"#microsoft.graph.{e.kind}"} | shown(e, tenant)
        for e in found
        if e is not None
    ]
    return Answer(200, {"@odata.context": call.context("directoryObjects"), "value": items})
