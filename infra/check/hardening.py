"""Values that keep keys off and transport encrypted, per resource type."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import Repository

REQUIRED = {
    "Microsoft.ServiceBus/namespaces": {
        "properties.disableLocalAuth": "true",
        "properties.minimumTlsVersion": "1.2",
    },
    "Microsoft.KeyVault/vaults": {
        "properties.enableRbacAuthorization": "true",
        "properties.enableSoftDelete": "true",
        "properties.enablePurgeProtection": "true",
    },
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": "false",
        "properties.allowBlobPublicAccess": "false",
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": "true",
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {
        "properties.publicAccess": "None",
    },
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": "true"},
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": "true"},
    "Microsoft.Web/serverfarms": {"sku.name": "FC1", "properties.reserved": "true"},
    "Microsoft.Web/sites": {
        "properties.httpsOnly": "true",
        "properties.siteConfig.minTlsVersion": "1.2",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": "false"},
}


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        for resource in file.of("resource"):
            if resource.existing:
                continue
            for path, wanted in REQUIRED.get(resource.type, {}).items():
                node = tree.at(resource.body, path)
                if tree.literal(node) != wanted:
                    line = tree.line(node) if node is not None else resource.line
                    yield Finding(file.path, line, "hardening", f"{path} has to be {wanted}")
