targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of the azd environment; every name below is derived from it.')
param environmentName string

@minLength(1)
@metadata({ azd: { type: 'location' } })
@description('Region of all resources; it has to offer Flex Consumption.')
param location string

@description('Tenant whose products are onboarded, and whose people call the API.')
param tenantId string = tenant().tenantId

@description('Microsoft Graph with its version; empty: that of the cloud. DoD: https://dod-graph.microsoft.us/v1.0.')
param graphEndpoint string = ''

@description('Host that issues tokens, without a slash at its end; empty: that of the cloud.')
param authority string = ''

@description('Azure DevOps; only products that are added to an organisation need it.')
param devopsEndpoint string = 'https://dev.azure.com'

@description('Client id of the API registration by which callers sign in; empty: not registered yet, and nobody gets in.')
param apiClientId string = ''

@minValue(1)
@maxValue(100000)
@description('Requests to onboard that one caller may send in an hour.')
param onboardingRate int = 100

@allowed(['on', 'off'])
@description('For trials: function keys alone open the API. Whoever has one may do everything but approve.')
param keyOnlyAccess string = 'off'

@allowed(['on', 'off'])
@description('Whether nobody may approve what they asked for themselves.')
param fourEyes string = 'on'

@allowed(['off', 'stores', 'all'])
@description('Private endpoints for nothing, for queues, secrets and storage, or for the two apps as well.')
param privateNetworking string = 'off'

@description('Address space of the private network, /24 or larger.')
param addressSpace string = '10.87.0.0/24'

@allowed(['off', 'on'])
@description('Apps and storage spread over availability zones; the region has to have them.')
param zoneRedundancy string = 'off'

@allowed(['Standard', 'Premium'])
@description('Tier of Service Bus. Private networking takes Premium, whatever is said here.')
param serviceBusTier string = 'Standard'

@allowed([1, 2, 4, 8, 16])
@description('Messaging units of Service Bus Premium.')
param messagingUnits int = 1

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Redundancy of ledger and accounts; the ZRS kinds need a region with availability zones.')
param ledgerRedundancy string = zoneRedundancy == 'on' ? 'Standard_ZRS' : 'Standard_LRS'

@allowed(['3.11', '3.12', '3.13'])
@description('Python of both function apps.')
param pythonVersion string = '3.12'

@minValue(40)
@maxValue(1000)
@description('Most instances that the front door scales out to; the platform allows no less than 40.')
param frontMaximumInstances int = 40

@minValue(40)
@maxValue(1000)
@description('Most instances that the worker scales out to.')
param workerMaximumInstances int = 40

@allowed([512, 2048, 4096])
@description('Memory of an instance of the front door, in MB.')
param frontMemoryMB int = 2048

@allowed([512, 2048, 4096])
@description('Memory of an instance of the worker, in MB.')
param workerMemoryMB int = 2048

@minValue(0)
@maxValue(20)
@description('Instances of the front door that always run, so that no call waits for a start.')
param frontAlwaysReady int = 0

@description('Instances of the worker that always run, by function: { provisioning: 1, registration: 1 }.')
param workerAlwaysReady object = {}

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

@description('NCRONTAB with seconds: sweep for missing next secrets, where a profile wants one ready.')
param prestageSchedule string = '0 7/15 * * * *'

@description('NCRONTAB with seconds: sweep for access tokens that products read in the vault and that expire soon.')
param tokenSchedule string = '40 */2 * * * *'

@description('NCRONTAB with seconds: sweep for operations that stopped half-way.')
param resumeSchedule string = '0 */5 * * * *'

@minValue(30)
@maxValue(730)
@description('Days that telemetry and the audit log of the vault are kept.')
param retentionDays int = 90

@description('E-mail addresses that alerts go to, with commas between them; empty: alerts show in the portal alone.')
param alertEmails string = ''

@description('Ids of action groups that alerts call besides (on-call, tickets, chat), with commas between them.')
param alertActionGroups string = ''

@minValue(1)
@maxValue(180)
@description('An alert comes when a published secret ends within so many days; less than the profiles rotate ahead.')
param credentialWarningDays int = 7

@minValue(1)
@maxValue(47)
@description('An alert comes when a timer has not run with success for so many hours; more than its schedule.')
param sweepSilenceHours int = 6

@minValue(1)
@maxValue(100)
@description('An alert comes when so many percent of the messages that a step takes in an hour make it fail.')
param poisonPercent int = 5

var abbreviations = loadJsonContent('abbreviations.json')
var cloud = loadJsonContent('clouds.json')[environment().name]
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var private = privateNetworking != 'off'
var networkName = '${abbreviations.virtualNetwork}${resourceToken}'
var actionGroups = filter(map(split(alertActionGroups, ','), id => trim(id)), id => !empty(id))

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
    retentionDays: retentionDays
  }
}

module network 'modules/network.bicep' = if (private) {
  name: 'network'
  scope: group
  params: {
    name: networkName
    securityGroupName: '${abbreviations.networkSecurityGroup}${resourceToken}'
    location: location
    tags: tags
    addressSpace: addressSpace
    zones: cloud.zones
  }
}

module stores 'modules/stores.bicep' = {
  name: 'stores'
  scope: group
  params: {
    location: location
    tags: tags
    resourceToken: resourceToken
    workspaceName: monitoring.outputs.workspaceName
    networkName: private ? networkName : ''
    zones: cloud.zones
    serviceBusTier: serviceBusTier
    messagingUnits: messagingUnits
    ledgerRedundancy: ledgerRedundancy
    hostRedundancy: zoneRedundancy == 'on' ? 'Standard_ZRS' : 'Standard_LRS'
  }
  dependsOn: [network]
}

module access 'modules/access.bicep' = {
  name: 'access'
  scope: group
  params: {
    frontPrincipalId: frontIdentity.outputs.principalId
    workerPrincipalId: workerIdentity.outputs.principalId
    namespaceName: stores.outputs.namespaceName
    vaultName: stores.outputs.vaultName
    ledgerStorageName: stores.outputs.ledgerStorageName
    frontStorageName: stores.outputs.frontStorageName
    workerStorageName: stores.outputs.workerStorageName
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module apps 'modules/apps.bicep' = {
  name: 'apps'
  scope: group
  params: {
    location: location
    tags: tags
    resourceToken: resourceToken
    tenantId: tenantId
    authority: empty(authority) ? cloud.authority : authority
    graphEndpoint: empty(graphEndpoint) ? cloud.graph : graphEndpoint
    devopsEndpoint: devopsEndpoint
    fullyQualifiedNamespace: stores.outputs.fullyQualifiedNamespace
    vaultUri: stores.outputs.vaultUri
    tableServiceUri: stores.outputs.tableServiceUri
    blobServiceUri: stores.outputs.blobServiceUri
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    frontIdentityId: frontIdentity.outputs.id
    frontClientId: frontIdentity.outputs.clientId
    frontStorageName: stores.outputs.frontStorageName
    workerIdentityId: workerIdentity.outputs.id
    workerClientId: workerIdentity.outputs.clientId
    workerStorageName: stores.outputs.workerStorageName
    pythonVersion: pythonVersion
    zoneRedundant: zoneRedundancy == 'on'
    frontMaximumInstances: frontMaximumInstances
    frontMemoryMB: frontMemoryMB
    frontAlwaysReady: frontAlwaysReady
    workerMaximumInstances: workerMaximumInstances
    workerMemoryMB: workerMemoryMB
    workerAlwaysReady: workerAlwaysReady
    apiClientId: apiClientId
    keyOnlyAccess: keyOnlyAccess == 'on' && empty(apiClientId)
    fourEyes: fourEyes
    onboardingRate: onboardingRate
    schedules: {
      rotate: rotateSchedule
      verify: verifySchedule
      discover: discoverSchedule
      import: importSchedule
      retire: retireSchedule
      prestage: prestageSchedule
      token: tokenSchedule
      resume: resumeSchedule
    }
    networkName: private ? networkName : ''
    privateInbound: privateNetworking == 'all'
    zones: cloud.zones
  }
  dependsOn: [network, access]
}

module observability 'modules/observability.bicep' = {
  name: 'observability'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    namespaceId: stores.outputs.namespaceId
    systemTopicId: stores.outputs.systemTopicId
    emails: filter(map(split(alertEmails, ','), email => trim(email)), email => !empty(email))
    actionGroups: actionGroups
    credentialWarningDays: credentialWarningDays
    sweepSilenceHours: sweepSilenceHours
    poisonPercent: poisonPercent
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output KEYTURN_AUTHORITY string = empty(authority) ? cloud.authority : authority
output KEYTURN_GRAPH string = empty(graphEndpoint) ? cloud.graph : graphEndpoint
output KEYTURN_FRONT_URL string = apps.outputs.frontUri
output KEYTURN_FRONT_NAME string = apps.outputs.frontName
output KEYTURN_WORKER_NAME string = apps.outputs.workerName
output KEYTURN_VAULT_URL string = stores.outputs.vaultUri
output KEYTURN_SERVICE_BUS string = stores.outputs.fullyQualifiedNamespace
output KEYTURN_TABLES string = stores.outputs.tableServiceUri
output KEYTURN_BLOBS string = stores.outputs.blobServiceUri
@description('Object ids of the identities that have to be granted Graph permissions; see docs/deployment.md.')
output KEYTURN_FRONT_PRINCIPAL_ID string = frontIdentity.outputs.principalId
output KEYTURN_WORKER_PRINCIPAL_ID string = workerIdentity.outputs.principalId
