targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment; every name below is derived from it.')
param environmentName string

@minLength(1)
@metadata({ azd: { type: 'location' } })
@description('Region of all resources; it has to offer Flex Consumption.')
param location string

@description('Tenant whose products are onboarded.')
param tenantId string = tenant().tenantId

@description('Microsoft Graph with its version; another host in a sovereign cloud.')
param graphEndpoint string = 'https://graph.microsoft.com/v1.0'

@allowed(['3.11', '3.12', '3.13'])
@description('Python of both function apps.')
param pythonVersion string = '3.12'

@minValue(40)
@maxValue(1000)
@description('Most instances one function app may scale out to; the platform allows no less than 40.')
param maximumInstanceCount int = 40

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Redundancy of ledger and accounts; the ZRS kinds need a region with availability zones.')
param ledgerRedundancy string = 'Standard_LRS'

@description('NCRONTAB with seconds: sweep for secrets that are due for rotation.')
param rotateSchedule string = '0 */15 * * * *'

@description('NCRONTAB with seconds: sweep for connections whose consent and secret are due for a check.')
param verifySchedule string = '0 5/15 * * * *'

@description('NCRONTAB with seconds: sweep for connections whose accounts are due for discovery.')
param discoverSchedule string = '0 10/15 * * * *'

@description('NCRONTAB with seconds: sweep for connections whose import of users is due.')
param importSchedule string = '0 3/5 * * * *'

@description('NCRONTAB with seconds: sweep for replaced secrets whose overlap is over.')
param retireSchedule string = '0 2/15 * * * *'
@description('NCRONTAB of the timer that has a missing next secret made, where a profile wants one.')
param prestageSchedule string = '0 7/15 * * * *'

@description('NCRONTAB with seconds: sweep for access tokens that products read in the vault and that expire soon.')
param tokenSchedule string = '40 */2 * * * *'

@description('NCRONTAB with seconds: sweep for operations that stopped half-way.')
param resumeSchedule string = '0 */5 * * * *'

@description('Client id of the API registration by which callers sign in (python -m deploy permissions makes it); empty: the API answers nobody.')
param apiClientId string = ''

@minValue(1)
@maxValue(100000)
@description('Requests to onboard that one caller may send in an hour.')
param onboardingRate int = 100

@allowed(['on', 'off'])
@description('Whether nobody may approve what they asked for themselves.')
param fourEyes string = 'on'

var abbreviations = loadJsonContent('abbreviations.json')
var functions = loadJsonContent('functions.json')
var topology = loadJsonContent('queues.json')
var tables = loadJsonContent('tables.json').tables

var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var packageContainer = 'deployment'
var accountsContainer = 'accounts'
var importsContainer = 'imports'

var queueNames = map(topology.queues, queue => queue.name)
var stepQueueNames = map(filter(topology.queues, queue => queue.session), queue => queue.name)
var topicNames = map(topology.topics, topic => topic.name)
// Requests that nobody could accept: written for a person, read by no function.
var refusedQueue = 'refused'
var vaultEventsQueue = 'vault-events'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module frontIdentity 'modules/identity.bicep' = {
  name: 'front-identity'
  scope: group
  params: {
    name: '${abbreviations.managedIdentity}front-${resourceToken}'
    location: location
    tags: tags
  }
}

module workerIdentity 'modules/identity.bicep' = {
  name: 'worker-identity'
  scope: group
  params: {
    name: '${abbreviations.managedIdentity}worker-${resourceToken}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}${resourceToken}'
    applicationInsightsName: '${abbreviations.applicationInsights}${resourceToken}'
    location: location
    tags: tags
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  name: 'service-bus'
  scope: group
  params: {
    name: '${abbreviations.serviceBusNamespace}${resourceToken}'
    location: location
    tags: tags
    queues: topology.queues
    topics: topology.topics
  }
}

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    name: '${abbreviations.keyVault}${resourceToken}'
    location: location
    tags: tags
    workspaceName: monitoring.outputs.workspaceName
  }
}

module ledgerStorage 'modules/storage.bicep' = {
  name: 'ledger-storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${resourceToken}'
    location: location
    tags: tags
    redundancy: ledgerRedundancy
    containers: [accountsContainer, importsContainer]
    tables: tables
  }
}

// One account per app for what its host writes: packages, host keys and timer state. In a shared account the
// front door could replace the package that the worker runs, and with it use every right of the worker.
module frontStorage 'modules/storage.bicep' = {
  name: 'front-storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}f${resourceToken}'
    location: location
    tags: tags
    containers: [packageContainer]
  }
}

module workerStorage 'modules/storage.bicep' = {
  name: 'worker-storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}w${resourceToken}'
    location: location
    tags: tags
    containers: [packageContainer]
  }
}

// The host resolves the %SETTING% of a function even when the function is disabled, and reports it as broken
// when the setting is missing (azure-functions-host issue 10346): both apps therefore have all of these.
var settings = {
  ServiceBus__fullyQualifiedNamespace: serviceBus.outputs.fullyQualifiedNamespace
  ServiceBus__credential: 'managedidentity'
  KEYTURN_TENANT_ID: tenantId
  KEYTURN_AUTHORITY: environment().authentication.loginEndpoint
  KEYTURN_GRAPH: graphEndpoint
  KEYTURN_DEVOPS: 'https://dev.azure.com'
  KEYTURN_VAULT_URL: vault.outputs.uri
  KEYTURN_STORAGE__tableServiceUri: ledgerStorage.outputs.tableServiceUri
  KEYTURN_STORAGE__blobServiceUri: ledgerStorage.outputs.blobServiceUri
  // A function key alone opens nothing: without a client id the API answers 503 and says what is missing.
  KEYTURN_PLATFORM_AUTH: 'entra'
  KEYTURN_API_CLIENT_ID: apiClientId
  KEYTURN_ONBOARDING_RATE: string(onboardingRate)
  KEYTURN_FOUR_EYES: fourEyes
  KEYTURN_ROTATE_SCHEDULE: rotateSchedule
  KEYTURN_VERIFY_SCHEDULE: verifySchedule
  KEYTURN_DISCOVER_SCHEDULE: discoverSchedule
  KEYTURN_IMPORT_SCHEDULE: importSchedule
  KEYTURN_RETIRE_SCHEDULE: retireSchedule
  KEYTURN_PRESTAGE_SCHEDULE: prestageSchedule
  KEYTURN_TOKEN_SCHEDULE: tokenSchedule
  KEYTURN_RESUME_SCHEDULE: resumeSchedule
}

module front 'modules/function-app.bicep' = {
  name: 'front'
  scope: group
  params: {
    name: '${abbreviations.functionApp}front-${resourceToken}'
    planName: '${abbreviations.serverFarm}front-${resourceToken}'
    serviceName: 'front'
    location: location
    tags: tags
    identityId: frontIdentity.outputs.id
    identityClientId: frontIdentity.outputs.clientId
    storageName: frontStorage.outputs.name
    packageContainer: packageContainer
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    pythonVersion: pythonVersion
    maximumInstanceCount: maximumInstanceCount
    disabledFunctions: concat(functions.steps, functions.watchers)
    settings: settings
    apiClientId: apiClientId
  }
  dependsOn: [frontHostAccess]
}

module worker 'modules/function-app.bicep' = {
  name: 'worker'
  scope: group
  params: {
    name: '${abbreviations.functionApp}worker-${resourceToken}'
    planName: '${abbreviations.serverFarm}worker-${resourceToken}'
    serviceName: 'worker'
    location: location
    tags: tags
    identityId: workerIdentity.outputs.id
    identityClientId: workerIdentity.outputs.clientId
    storageName: workerStorage.outputs.name
    packageContainer: packageContainer
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    pythonVersion: pythonVersion
    maximumInstanceCount: maximumInstanceCount
    disabledFunctions: concat(functions.http, functions.timers)
    settings: settings
  }
  dependsOn: [workerHostAccess]
}

module frontHostAccess 'modules/host-access.bicep' = {
  name: 'front-host-access'
  scope: group
  params: {
    principalId: frontIdentity.outputs.principalId
    storageName: frontStorage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module workerHostAccess 'modules/host-access.bicep' = {
  name: 'worker-host-access'
  scope: group
  params: {
    principalId: workerIdentity.outputs.principalId
    storageName: workerStorage.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

// The front door hands requests over and starts steps; it takes no message from any queue, and publishes no event:
// events tell what steps did.
module frontQueueAccess 'modules/queue-access.bicep' = {
  name: 'front-queue-access'
  scope: group
  params: {
    principalId: frontIdentity.outputs.principalId
    namespaceName: serviceBus.outputs.name
    sendQueues: concat(['provisioning'], stepQueueNames)
  }
}

module workerQueueAccess 'modules/queue-access.bicep' = {
  name: 'worker-queue-access'
  scope: group
  params: {
    principalId: workerIdentity.outputs.principalId
    namespaceName: serviceBus.outputs.name
    receiveQueues: filter(queueNames, queue => queue != refusedQueue)
    sendQueues: queueNames
    sendTopics: topicNames
  }
}

module frontLedgerAccess 'modules/ledger-access.bicep' = {
  name: 'front-ledger-access'
  scope: group
  params: {
    principalId: frontIdentity.outputs.principalId
    storageName: ledgerStorage.outputs.name
    tables: tables
    readContainers: [accountsContainer]
    writeContainers: [importsContainer]
  }
}

module workerLedgerAccess 'modules/ledger-access.bicep' = {
  name: 'worker-ledger-access'
  scope: group
  params: {
    principalId: workerIdentity.outputs.principalId
    storageName: ledgerStorage.outputs.name
    tables: tables
    writeContainers: [accountsContainer, importsContainer]
  }
}

// The worker only: the front door can name a secret, it cannot read one.
module workerVaultAccess 'modules/vault-access.bicep' = {
  name: 'worker-vault-access'
  scope: group
  params: {
    principalId: workerIdentity.outputs.principalId
    vaultName: vault.outputs.name
  }
}

module vaultEvents 'modules/vault-events.bicep' = {
  name: 'vault-events'
  scope: group
  params: {
    name: '${abbreviations.systemTopic}${resourceToken}'
    location: location
    tags: tags
    vaultName: vault.outputs.name
    namespaceName: serviceBus.outputs.name
    queueName: vaultEventsQueue
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output KEYTURN_FRONT_URL string = front.outputs.uri
output KEYTURN_VAULT_URL string = vault.outputs.uri
output KEYTURN_SERVICE_BUS string = serviceBus.outputs.fullyQualifiedNamespace
@description('Object ids of the identities that have to be granted Graph permissions; see docs/deployment.md.')
output KEYTURN_FRONT_PRINCIPAL_ID string = frontIdentity.outputs.principalId
output KEYTURN_WORKER_PRINCIPAL_ID string = workerIdentity.outputs.principalId
output KEYTURN_WORKER_NAME string = worker.outputs.name
