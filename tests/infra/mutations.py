"""Mistakes to seed into the Bicep files of a copy, each with the rule that has to find it."""

from tests.infra.mutation import Mutation

MAIN = "infra/main.bicep"
PARAMETERS = "infra/main.parameters.json"
PAGE = "docs/deployment.md"
TEMPLATE = "local.settings.json.template"
QUEUES = "infra/queues.json"
FUNCTIONS = "infra/functions.json"
ROLES = "infra/roles.json"
APP = "infra/modules/function-app.bicep"
APPS = "infra/modules/apps.bicep"
ACCESS = "infra/modules/access.bicep"
STORES = "infra/modules/stores.bicep"
BUS = "infra/modules/service-bus.bicep"
VAULT = "infra/modules/key-vault.bicep"
STORAGE = "infra/modules/storage.bicep"
MONITORING = "infra/modules/monitoring.bicep"
HOST_ACCESS = "infra/modules/host-access.bicep"
QUEUE_ACCESS = "infra/modules/queue-access.bicep"
LEDGER_ACCESS = "infra/modules/ledger-access.bicep"
VAULT_ACCESS = "infra/modules/vault-access.bicep"
EVENTS = "infra/modules/vault-events.bicep"


SPARE = """\
resource spare 'Microsoft.Insights/components@2020-02-02' existing = {
  name: storageName
}

"""
LOCATION = """\
@minLength(1)
@metadata({ azd: { type: 'location' } })
@description('Region of all resources; it has to offer Flex Consumption.')
param location string
"""


MUTATIONS = [
    # syntax and symbols
    Mutation("missing-brace", "syntax", VAULT, "properties: {", "properties: "),
    Mutation("unquoted-string", "syntax", VAULT, "name: 'audit'", "name: two words"),
    Mutation("undefined-symbol", "undefined-symbol", MAIN, "tags: tags", "tags: tagz"),
    Mutation("undefined-function", "undefined-symbol", MAIN, "toLower(", "toLowr("),
    Mutation("loop-variable-outside", "undefined-symbol", BUS, "location: location", "a: item"),
    Mutation(
        "unused-parameter", "unused-symbol", VAULT, "param name", "param sku string\nparam name"
    ),
    Mutation("unused-variable", "unused-symbol", MAIN, "var tags", "var spare = 1\nvar tags"),
    Mutation(
        "unused-existing",
        "unused-symbol",
        HOST_ACCESS,
        "resource storage ",
        f"{SPARE}resource storage ",
    ),
    Mutation("duplicate-symbol", "duplicate-symbol", MAIN, "var tags", "var private = 1\nvar tags"),
    Mutation(
        "duplicate-property", "duplicate-symbol", APP, "httpsOnly", "httpsOnly: true\nhttpsOnly"
    ),
    Mutation("unknown-role-name", "loaded-file", VAULT_ACCESS, "ecretsOfficer", "ecretsOficer"),
    Mutation("loaded-file-missing", "loaded-file", STORES, "'../tables.json'", "'../table.json'"),
    # modules
    Mutation("module-file-missing", "module-file", STORES, "'storage.", "'storages."),
    Mutation("module-file-unused", "module-file", STORES, "vault-events.b", "key-vault.b", EVENTS),
    Mutation("unknown-parameter", "module-parameter", MAIN, "vaultName: ", "vaultname: "),
    Mutation(
        "missing-parameter", "module-parameter", STORES, "    queueName: 'vault-events'\n", ""
    ),
    Mutation("removed-output", "module-output", VAULT, "output uri ", "output url ", STORES),
    Mutation("output-typo", "module-output", MAIN, "outputs.clientId", "outputs.clientID"),
    Mutation("outputs-forgotten", "module-output", STORES, "vault.outputs.uri", "vault.uri"),
    Mutation("other-version", "api-version", STORAGE, "containers@2024", "containers@2023"),
    # roles
    Mutation("wrong-role-id", "role-id", ROLES, "b86a8fe4", "b86a8fe5"),
    Mutation(
        "owner-role-offered", "role-id", ROLES, "serviceBusDataReceiver", "serviceBusDataOwner"
    ),
    Mutation(
        "literal-role-id",
        "role-id",
        VAULT_ACCESS,
        "roles.keyVaultSecretsOfficer)\n  }",
        "'b86a8fe4-44ce-4948-aee5-eccb2c155cd7')\n  }",
    ),
    Mutation(
        "namespace-scope",
        "role-scope",
        QUEUE_ACCESS,
        "scope: receiveQueue[index]",
        "scope: namespace",
    ),
    Mutation("account-scope", "role-scope", LEDGER_ACCESS, "scope: table[index]", "scope: storage"),
    Mutation("no-scope", "role-scope", VAULT_ACCESS, "  scope: vault\n", ""),
    Mutation(
        "owner-on-container",
        "role-scope",
        LEDGER_ACCESS,
        "roles.storageBlobDataReader)\n    }",
        "roles.storageBlobDataOwner)\n    }",
    ),
    Mutation(
        "colliding-name",
        "role-name",
        QUEUE_ACCESS,
        "principalId, roles.serviceBusDataSender",
        "principalId, roles.serviceBusDataReceiver",
    ),
    Mutation(
        "no-principal-type", "role-principal", EVENTS, "    principalType: 'ServicePrincipal'\n", ""
    ),
    Mutation(
        "front-reads-secrets",
        "role-front",
        ACCESS,
        "    principalId: workerPrincipalId\n    vaultName",
        "    principalId: frontPrincipalId\n    vaultName",
    ),
    Mutation(
        "front-receives",
        "role-front",
        ACCESS,
        "    sendQueues: concat(",
        "    receiveQueues: queueNames\n    sendQueues: concat(",
    ),
    Mutation(
        "front-writes-package",
        "role-host-storage",
        ACCESS,
        "principalId: frontPrincipalId\n    storageName: ledgerStorageName",
        "principalId: frontPrincipalId\n    storageName: workerStorageName",
    ),
    # settings
    Mutation(
        "flex-forbidden",
        "flex-setting",
        APP,
        "AZURE_CLIENT_ID:",
        "FUNCTIONS_WORKER_RUNTIME: 'python'\n      AZURE_CLIENT_ID:",
    ),
    Mutation(
        "flex-forbidden-in-main",
        "flex-setting",
        APPS,
        "KEYTURN_TENANT_ID:",
        "WEBSITE_RUN_FROM_PACKAGE: '1'\n  KEYTURN_TENANT_ID:",
    ),
    Mutation(
        "flex-property", "flex-setting", APP, "alwaysOn: false", "linuxFxVersion: 'Python|3.12'"
    ),
    Mutation("setting-renamed", "app-settings", APPS, "KEYTURN_VAULT_URL:", "KEYTURN_VAULT_URI:"),
    Mutation(
        "setting-lost",
        "app-settings",
        APPS,
        "  KEYTURN_GRAPH: graphEndpoint\n",
        "",
        "shared/settings.py",
    ),
    Mutation(
        "setting-not-in-template",
        "app-settings",
        TEMPLATE,
        "KEYTURN_RESUME_SCHEDULE",
        "KEYTURN_RESUME",
    ),
    Mutation(
        "connection-string",
        "app-settings",
        APP,
        "AzureWebJobsStorage__credential:",
        "AzureWebJobsStorage: 'x'\n      AzureWebJobsStorage__credential:",
    ),
    # parameters and secrets
    Mutation("no-parameter-entry", "parameter-entry", PARAMETERS, '"location"', '"region"', MAIN),
    Mutation(
        "unknown-parameter-entry",
        "parameter-entry",
        MAIN,
        LOCATION,
        "var location = 'westeurope'\n",
        PARAMETERS,
    ),
    Mutation(
        "default-changed",
        "parameter-page",
        MAIN,
        "sweepSilenceHours int = 6",
        "sweepSilenceHours int = 12",
        PAGE,
    ),
    Mutation(
        "undescribed",
        "parameter-page",
        MAIN,
        "@description('Messaging units of Service Bus Premium.')\n",
        "",
    ),
    Mutation("azd-service", "azd-service", APPS, "serviceName: 'worker'", "serviceName: 'work'"),
    Mutation("azd-service-untagged", "azd-service", "azure.yaml", "  worker:", "  backend:"),
    Mutation("secret-parameter", "secret", MAIN, "param graphEndpoint", "param clientSecret"),
    Mutation(
        "secret-output",
        "secret",
        MONITORING,
        "output workspaceName",
        "output connectionString string = workspace.id\noutput workspaceName",
    ),
    Mutation(
        "reads-key",
        "secret",
        STORAGE,
        "account.properties.primaryEndpoints.blob",
        "account.listKeys().keys[0].value",
    ),
    Mutation("five-field-schedule", "schedule", MAIN, "'0 */5 * * * *'", "'*/5 * * * *'"),
    # hardening
    Mutation(
        "shared-keys",
        "hardening",
        STORAGE,
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
    ),
    Mutation("sas-on", "hardening", BUS, "    disableLocalAuth: true\n", ""),
    Mutation("no-purge-protection", "hardening", VAULT, "    enablePurgeProtection: true\n", ""),
    Mutation("access-policies", "hardening", VAULT, "Authorization: true", "Authorization: false"),
    Mutation("old-tls", "hardening", STORAGE, "'TLS1_2'", "'TLS1_0'"),
    Mutation("not-flex", "hardening", APP, "'FC1'", "'Y1'"),
    # generated files
    Mutation("queue-without-ttl", "queues", QUEUES, '"ttl"', '"timeToLive"'),
    Mutation("queue-lock-too-long", "queues", QUEUES, '"PT20S"', '"PT10M"'),
    Mutation("queue-lost", "queues", QUEUES, '"vault-events"', '"vault-event"'),
    Mutation("function-with-hyphen", "functions", FUNCTIONS, '_due"', '-due"'),
    Mutation("function-kind-renamed", "functions", FUNCTIONS, '"watchers"', '"watcher"'),
    Mutation(
        "table-with-hyphen", "tables", "infra/tables.json", '"tables": [', '"tables": ["a-b",'
    ),
]

# These need the models of the azure-mgmt packages.
NAME_MUTATIONS = [
    Mutation("site", "property-name", APP, "serverFarmId:", "serverfarmID:"),
    Mutation("scaling", "property-name", APP, "scaleAndConcurrency", "scaleAndConcurency"),
    Mutation("scaling-nested", "property-name", APP, "instanceMemoryMB: ", "instanceMemory: "),
    Mutation("role", "property-name", QUEUE_ACCESS, "principalType", "principleType"),
    Mutation("queue", "property-name", BUS, "requiresSession", "requireSession"),
    Mutation(
        "vault", "property-name", VAULT, "softDeleteRetentionInDays", "softDeleteRetentionDays"
    ),
    Mutation("storage", "property-name", STORAGE, "defaultToOAuth", "defaultToOauth"),
    Mutation("event-grid", "property-name", EVENTS, "includedEventTypes", "includeEventTypes"),
    Mutation(
        "event-grid-subtype", "property-name", EVENTS, "resourceId: queue", "resourceID: queue"
    ),
    Mutation("insights", "property-name", MONITORING, "WorkspaceResourceId", "WorkspaceId"),
    Mutation("workspace", "property-name", MONITORING, "retentionInDays", "retentionDays"),
    Mutation("diagnostics", "property-name", VAULT, "categoryGroup", "categoryGroups"),
    Mutation("read", "property-name", STORAGE, "primaryEndpoints.blob", "primaryEndpoint.blob"),
    Mutation(
        "read-identity",
        "property-name",
        "infra/modules/identity.bicep",
        "properties.clientId",
        "properties.clientID",
    ),
    Mutation("top-level", "property-name", BUS, "  location: location", "  locations: location"),
    Mutation(
        "type",
        "resource-type",
        MONITORING,
        "OperationalInsights/workspaces",
        "OperationalInsight/workspaces",
    ),
]
