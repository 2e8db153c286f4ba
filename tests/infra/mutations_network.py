"""Mistakes in private networking, in what is known when, in versions and between the two apps."""

from tests.infra.mutation import Mutation
from tests.infra.mutations import (
    ACCESS,
    APP,
    APPS,
    BUS,
    EVENTS,
    MAIN,
    STORAGE,
    STORES,
    VAULT,
)

NETWORK = "infra/modules/network.bicep"
ENDPOINT = "infra/modules/private-endpoint.bicep"
CLOUDS = "infra/clouds.json"

NETWORK_MUTATIONS = [
    Mutation(
        "vault-left-public",
        "private-network",
        VAULT,
        "publicNetworkAccess: publicNetworkAccess",
        "publicNetworkAccess: 'Enabled'",
    ),
    Mutation(
        "firewall-left-open",
        "private-network",
        STORAGE,
        "defaultAction: publicNetworkAccess == 'Enabled' ? 'Allow' : 'Deny'",
        "defaultAction: 'Allow'",
    ),
    Mutation(
        "namespace-forgets-access",
        "private-network",
        BUS,
        "    publicNetworkAccess: publicNetworkAccess\n  }\n}\n\n// Event",
        "  }\n}\n\n// Event",
    ),
    Mutation(
        "account-open-whatever-is-switched",
        "private-network",
        STORES,
        "    redundancy: hostRedundancy\n    publicNetworkAccess: publicNetworkAccess",
        "    redundancy: hostRedundancy\n    publicNetworkAccess: 'Enabled'",
    ),
    Mutation(
        "no-endpoint-for-tables",
        "private-network",
        STORES,
        "      { name: 'ledger-tables', target: ledgerStorage.outputs.id, group: 'table' }\n",
        "",
    ),
    Mutation(
        "endpoint-of-another-account",
        "private-network",
        STORES,
        "target: workerStorage.outputs.id",
        "target: ledgerStorage.outputs.id",
    ),
    Mutation(
        "endpoint-of-wrong-kind", "private-network", STORES, "group: 'vault'", "group: 'blob'"
    ),
    Mutation(
        "event-grid-shut-out",
        "private-network",
        BUS,
        "    trustedServiceAccessEnabled: true\n",
        "",
    ),
    Mutation(
        "subnet-not-delegated", "private-network", NETWORK, "Microsoft.App/env", "Microsoft.Web/env"
    ),
    Mutation(
        "subnet-without-rules",
        "private-network",
        NETWORK,
        "          networkSecurityGroup: { id: securityGroup.id }\n",
        "",
    ),
    Mutation(
        "zones-not-linked",
        "private-network",
        NETWORK,
        "resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' =",
        "resource link 'Microsoft.Network/privateDnsZones@2024-06-01' =",
        MAIN,
    ),
    Mutation(
        "public-zone",
        "private-network",
        CLOUDS,
        "privatelink.vaultcore.azure.net",
        "vault.azure.net",
    ),
    Mutation("zone-forgotten", "private-network", CLOUDS, '"table"', '"tables"'),
    Mutation("cloud-name", "cloud", CLOUDS, '"AzureUSGovernment"', '"AzureUsGovernment"'),
    Mutation("graph-of-another-cloud", "cloud", CLOUDS, "graph.microsoft.us", "graph.azure.us"),
    Mutation("slash-at-end", "cloud", CLOUDS, 'microsoftonline.us"', 'microsoftonline.us/"'),
    # known before the deployment starts
    Mutation(
        "name-from-principal",
        "start-value",
        EVENTS,
        "guid(queue.id, topic.id,",
        "guid(queue.id, topic.identity.principalId,",
    ),
    Mutation(
        "loop-over-output",
        "start-value",
        STORES,
        "module endpoints 'endpoints.bicep' = if (private) {",
        "module endpoints 'endpoints.bicep' = if (!empty(vault.outputs.id)) {",
    ),
    # versions
    Mutation(
        "version-that-is-none",
        "api-version",
        ENDPOINT,
        "privateDnsZoneGroups@2024-05-01",
        "privateDnsZoneGroups@2024-05-11",
    ),
    Mutation(
        "preview",
        "api-version",
        EVENTS,
        "eventSubscriptions@2025-02-15",
        "eventSubscriptions@2025-04-01-preview",
    ),
    # the two apps
    Mutation(
        "worker-identity-for-front",
        "app-mixed",
        MAIN,
        "frontPrincipalId: frontIdentity",
        "frontPrincipalId: workerIdentity",
    ),
    Mutation(
        "front-has-worker-storage",
        "app-mixed",
        APPS,
        "storageName: frontStorageName",
        "storageName: workerStorageName",
    ),
    Mutation(
        "worker-in-front-subnet",
        "app-mixed",
        APPS,
        "subnetId: subnets.worker",
        "subnetId: subnets.front",
    ),
    Mutation(
        "worker-reads-front-account",
        "app-mixed",
        ACCESS,
        "storageName: workerStorageName",
        "storageName: frontStorageName",
    ),
    Mutation(
        "sign-in-on-worker",
        "app-settings",
        APPS,
        "      KEYTURN_APP: 'worker'\n",
        "      KEYTURN_APP: 'worker'\n      KEYTURN_API_CLIENT_ID: apiClientId\n",
    ),
    Mutation(
        "client-id-not-passed-on",
        "app-settings",
        APPS,
        "      KEYTURN_API_CLIENT_ID: apiClientId\n",
        "",
        "shared/settings.py",
    ),
    Mutation(
        "setting-nobody-reads",
        "app-settings",
        APPS,
        "  KEYTURN_GRAPH: graphEndpoint\n",
        "  KEYTURN_GRAPH: graphEndpoint\n  KEYTURN_GRAPH_VERSION: 'v1.0'\n",
    ),
    Mutation("lock-not-read", "queue-property", BUS, "item.lockDuration", "'PT1M'"),
    Mutation(
        "sessions-forgotten", "queue-property", BUS, "      requiresSession: item.session\n", ""
    ),
    Mutation("plan-in-one-zone", "unused-symbol", APP, "    zoneRedundant: zoneRedundant\n", ""),
]
