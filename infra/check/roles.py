"""Role assignments: known ids, narrowest scope, and who may have what."""

import re
from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.modules import arguments
from infra.check.source import BicepFile, Declaration, Repository

ROLES = "infra/roles.json"

# Built-in roles that Keyturn may hand out (Microsoft's page "Azure built-in roles"), and on what.
# Owner roles of Service Bus and Key Vault are left out on purpose: nothing here needs them.
KNOWN = {
    "keyVaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "serviceBusDataReceiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "serviceBusDataSender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataReader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
CONTAINER = "Microsoft.Storage/storageAccounts/blobServices/containers"
QUEUE = "Microsoft.ServiceBus/namespaces/queues"
SCOPES = {
    "keyVaultSecretsOfficer": {"Microsoft.KeyVault/vaults"},
    "monitoringMetricsPublisher": {"Microsoft.Insights/components"},
    "serviceBusDataReceiver": {QUEUE},
    "serviceBusDataSender": {QUEUE, "Microsoft.ServiceBus/namespaces/topics"},
    "storageBlobDataContributor": {CONTAINER},
    "storageBlobDataOwner": {"Microsoft.Storage/storageAccounts"},
    "storageBlobDataReader": {CONTAINER},
    "storageTableDataContributor": {"Microsoft.Storage/storageAccounts/tableServices/tables"},
}
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
FRONT = {"frontIdentity", "frontPrincipalId"}
# Taking work off queues and touching secrets is the worker's alone.
NOT_FOR_FRONT = {"keyVaultSecretsOfficer"}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check(repository: Repository) -> Iterator[Finding]:
    for name, given in (repository.json(ROLES) or {}).items():
        if KNOWN.get(name) != given:
            message = f"{name} is {KNOWN.get(name, 'not among the roles that may be given')}"
            yield Finding(ROLES, repository.line_of(ROLES, f'"{name}"'), "role-id", message)
    for file in repository.bicep.values():
        for node in tree.walk(file.root):
            if node.type == "string_content" and GUID.search(tree.text(node)):
                message = "an id is written out; role ids come from roles.json by name"
                yield Finding(file.path, tree.line(node), "role-id", message)
        for resource in file.of("resource"):
            if resource.type == ASSIGNMENT:
                yield from _assignment(file, resource)
        yield from _front(repository, file)
    yield from _shared_hosts(repository)


def _assignment(file: BicepFile, resource: Declaration) -> Iterator[Finding]:
    body = resource.body
    roles = _roles(tree.at(body, "properties.roleDefinitionId"))
    if len(roles) != 1:
        message = "roleDefinitionId names not exactly one role of roles.json"
        yield Finding(file.path, resource.line, "role-id", message)
        return
    role = roles.copy().pop()
    if _roles(tree.at(body, "name")) != roles:
        message = f"the name is not made from {role}, so two assignments may collide"
        yield Finding(file.path, resource.line, "role-name", message)
    if tree.literal(tree.at(body, "properties.principalType")) != "ServicePrincipal":
        message = (
            "principalType is ServicePrincipal, else a new identity is refused while it replicates"
        )
        yield Finding(file.path, resource.line, "role-principal", message)
    scope = tree.at(body, "scope")
    root = tree.members(scope) if scope is not None else None
    target = file.named("resource", tree.text(root[0])) if root is not None else None
    found = target.type if target is not None else "the whole resource group"
    if found not in SCOPES.get(role, set()):
        message = f"{role} is given on {found}"
        yield Finding(file.path, resource.line, "role-scope", message)


def _roles(node: tree.Node | None) -> set[str]:
    if node is None:
        return set()
    return {names[0] for _, root, names in tree.chains(node) if root == "roles" and names}


def _given(repository: Repository, file: BicepFile, module: Declaration) -> set[str]:
    """Return the roles that a module hands out."""
    target = repository.bicep.get(file.beside(module.target))
    return _roles(target.root) if target is not None else set()


def _root(module: Declaration, parameter: str) -> str:
    """Return the symbol that a module parameter is taken from."""
    node = dict(arguments(module)).get(parameter)
    found = tree.members(node) if node is not None else None
    return tree.text(found[0]) if found is not None else ""


def _front(repository: Repository, file: BicepFile) -> Iterator[Finding]:
    for module in file.of("module"):
        if _root(module, "principalId") not in FRONT:
            continue
        for role in sorted(_given(repository, file, module) & NOT_FOR_FRONT):
            message = f"{module.name} gives {role} to the front door"
            yield Finding(file.path, module.line, "role-front", message)
        receives = dict(arguments(module)).get("receiveQueues")
        if receives is not None:
            message = "the front door takes messages from no queue"
            yield Finding(file.path, tree.line(receives), "role-front", message)


def _shared_hosts(repository: Repository) -> Iterator[Finding]:
    """The account of a host holds the package that it runs: no second identity may write there."""
    for file in repository.bicep.values():
        users: dict[str, set[str]] = {}
        for module in file.of("module"):
            if principal := _root(module, "principalId"):
                users.setdefault(_root(module, "storageName"), set()).add(principal)
        for module in file.of("module"):
            storage = _root(module, "storageName")
            if (
                "storageBlobDataOwner" in _given(repository, file, module)
                and len(users[storage]) > 1
            ):
                message = f"{storage} is open to {', '.join(sorted(users[storage]))}"
                yield Finding(file.path, module.line, "role-host-storage", message)
