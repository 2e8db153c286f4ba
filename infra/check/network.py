"""Private networking, when it is switched on, leaves no store reachable from outside."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.modules import arguments
from infra.check.source import BicepFile, Declaration, Repository

CLOUDS = "infra/clouds.json"
# What has a private endpoint of which kinds (Microsoft's page "Private-link resource").
# A storage account has one for tables only where it has tables: those of hosts have none.
SERVICES = {
    "Microsoft.KeyVault/vaults": ("vault",),
    "Microsoft.ServiceBus/namespaces": ("namespace",),
    "Microsoft.Storage/storageAccounts": ("blob", "table"),
    "Microsoft.Web/sites": ("sites",),
}
PART = {"table": "tables"}
"""Kinds that are needed only where the module is given this parameter."""

DELEGATION = "Microsoft.App/environments"


def check(repository: Repository) -> Iterator[Finding]:
    private = any(resource.type.endswith("/privateEndpoints") for _, resource in _all(repository))
    if not private:
        yield Finding("infra/main.bicep", 1, "private-network", "there is no private endpoint")
    for file, resource in _all(repository):
        if resource.type in SERVICES and not resource.existing:
            yield from _closed(file, resource)
            yield from _endpoints(repository, file, resource)
        elif resource.type.endswith("/networkRuleSets"):
            yield from _trusted(file, resource)
        elif resource.type == "Microsoft.Network/virtualNetworks" and not resource.existing:
            yield from _subnets(file, resource)
    yield from _resolved(repository)


def _all(repository: Repository) -> list[tuple[BicepFile, Declaration]]:
    return [(file, found) for file in repository.bicep.values() for found in file.of("resource")]


def _closed(file: BicepFile, resource: Declaration) -> Iterator[Finding]:
    """Public access is for the caller to say, and the firewall follows it."""
    for path, open_ in (
        ("properties.publicNetworkAccess", "Enabled"),
        ("properties.networkAcls.defaultAction", "Allow"),
    ):
        node = tree.at(resource.body, path)
        absent = node is None and path.endswith("Access")
        if absent or (node is not None and tree.literal(node) == open_):
            line = resource.line if node is None else tree.line(node)
            message = f"{resource.name} stays open to the public network: {path}"
            yield Finding(file.path, line, "private-network", message)


def _endpoints(repository: Repository, file: BicepFile, resource: Declaration) -> Iterator[Finding]:
    for caller, module in repository.callers(file.path):
        given = dict(arguments(module))
        access = given.get("publicNetworkAccess")
        if access is not None and tree.literal(access) == "Enabled":
            message = f"{module.name} is open to the public network whatever is switched"
            yield Finding(caller.path, tree.line(access), "private-network", message)
        made = set(_made(caller, module.name))
        for kind in SERVICES[resource.type]:
            if kind not in made and PART.get(kind, "name") in given:
                message = f"{module.name} has no private endpoint for {kind}"
                yield Finding(caller.path, module.line, "private-network", message)


def _made(file: BicepFile, target: str) -> Iterator[str]:
    """Yield the kinds of endpoints that a file makes for one of its modules."""
    for module in file.of("module"):
        endpoints = dict(arguments(module)).get("endpoints")
        for entry in tree.parts(endpoints) if endpoints is not None else []:
            node = tree.at(entry, "target")
            found = tree.members(node) if node is not None else None
            if found is not None and tree.text(found[0]) == target:
                yield tree.literal(tree.at(entry, "group")) or ""


def _trusted(file: BicepFile, resource: Declaration) -> Iterator[Finding]:
    trusted = tree.at(resource.body, "properties.trustedServiceAccessEnabled")
    if tree.literal(trusted) != "true":
        message = "Event Grid delivers as a trusted service: trustedServiceAccessEnabled"
        yield Finding(file.path, resource.line, "private-network", message)


def _subnets(file: BicepFile, resource: Declaration) -> Iterator[Finding]:
    subnets = tree.at(resource.body, "properties.subnets")
    for subnet in tree.parts(subnets) if subnets is not None else []:
        name = tree.literal(tree.at(subnet, "name"))
        delegated = DELEGATION in tree.text(subnet)
        if delegated == (name == "endpoints"):
            message = f"subnet {name}: those of apps, and no other, are delegated to {DELEGATION}"
            yield Finding(file.path, tree.line(subnet), "private-network", message)
        if tree.at(subnet, "properties.networkSecurityGroup") is None:
            message = f"subnet {name} has no network security group"
            yield Finding(file.path, tree.line(subnet), "private-network", message)


def _resolved(repository: Repository) -> Iterator[Finding]:
    """Names lead to the endpoints: in each cloud a zone for each kind, linked and filled."""
    kinds = {kind for found in SERVICES.values() for kind in found}
    for cloud, content in (repository.json(CLOUDS) or {}).items():
        zones = content.get("zones", {})
        line = repository.line_of(CLOUDS, f'"{cloud}"')
        for kind in sorted(kinds - zones.keys()):
            message = f"{cloud} has no zone for {kind}"
            yield Finding(CLOUDS, line, "private-network", message)
        for zone in zones.values():
            if not zone.startswith("privatelink."):
                message = f"{zone} is no zone of Private Link"
                yield Finding(CLOUDS, repository.line_of(CLOUDS, zone), "private-network", message)
    types = {resource.type for _, resource in _all(repository) if not resource.existing}
    for needed in (
        "Microsoft.Network/privateDnsZones",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    ):
        if needed not in types:
            message = f"without {needed} names lead to the public endpoints"
            yield Finding("infra/main.bicep", 1, "private-network", message)
