// One package, two apps: which of its functions an app runs is decided by its settings.
param location string
param tags object
param resourceToken string
param tenantId string
param authority string
param graphEndpoint string
param devopsEndpoint string
param fullyQualifiedNamespace string
param vaultUri string
param tableServiceUri string
param blobServiceUri string
param applicationInsightsName string
param frontIdentityId string
param frontClientId string
param frontStorageName string
param workerIdentityId string
param workerClientId string
param workerStorageName string
param pythonVersion string
param zoneRedundant bool
param frontMaximumInstances int
param frontMemoryMB int
param frontAlwaysReady int
param workerMaximumInstances int
param workerMemoryMB int

@description('Instances kept running by function of the worker.')
param workerAlwaysReady object
param apiClientId string
param keyOnlyAccess bool
param fourEyes string
param onboardingRate int
param schedules object

@description('Name of the network that the apps reach the stores through; empty: none.')
param networkName string

@description('Whether the apps themselves are reached from that network alone.')
param privateInbound bool

@description('Names of the private DNS zones by kind of endpoint.')
param zones object

var abbreviations = loadJsonContent('../abbreviations.json')
var functions = loadJsonContent('../functions.json')
var containers = loadJsonContent('../containers.json')

var publicNetworkAccess = privateInbound ? 'Disabled' : 'Enabled'
var subnets = empty(networkName)
  ? { front: '', worker: '' }
  : {
      front: resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'front')
      worker: resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'worker')
    }

// The host resolves the %SETTING% of a function even when the function is disabled, and reports it as broken
// when the setting is missing (azure-functions-host issue 10346): both apps therefore have the schedules.
var settings = {
  ServiceBus__fullyQualifiedNamespace: fullyQualifiedNamespace
  ServiceBus__credential: 'managedidentity'
  KEYTURN_TENANT_ID: tenantId
  KEYTURN_AUTHORITY: authority
  KEYTURN_GRAPH: graphEndpoint
  KEYTURN_DEVOPS: devopsEndpoint
  KEYTURN_VAULT_URL: vaultUri
  KEYTURN_STORAGE__tableServiceUri: tableServiceUri
  KEYTURN_STORAGE__blobServiceUri: blobServiceUri
  KEYTURN_FOUR_EYES: fourEyes
  KEYTURN_ONBOARDING_RATE: string(onboardingRate)
  KEYTURN_ROTATE_SCHEDULE: schedules.rotate
  KEYTURN_VERIFY_SCHEDULE: schedules.verify
  KEYTURN_DISCOVER_SCHEDULE: schedules.discover
  KEYTURN_IMPORT_SCHEDULE: schedules.import
  KEYTURN_RETIRE_SCHEDULE: schedules.retire
  KEYTURN_PRESTAGE_SCHEDULE: schedules.prestage
  KEYTURN_TOKEN_SCHEDULE: schedules.token
  KEYTURN_RESUME_SCHEDULE: schedules.resume
}

module front 'function-app.bicep' = {
  name: 'front'
  params: {
    name: '${abbreviations.functionApp}front-${resourceToken}'
    planName: '${abbreviations.serverFarm}front-${resourceToken}'
    serviceName: 'front'
    location: location
    tags: tags
    identityId: frontIdentityId
    identityClientId: frontClientId
    storageName: frontStorageName
    packageContainer: containers.package
    applicationInsightsName: applicationInsightsName
    pythonVersion: pythonVersion
    maximumInstanceCount: frontMaximumInstances
    instanceMemoryMB: frontMemoryMB
    alwaysReady: frontAlwaysReady == 0 ? [] : [{ name: 'http', instanceCount: frontAlwaysReady }]
    zoneRedundant: zoneRedundant
    subnetId: subnets.front
    publicNetworkAccess: publicNetworkAccess
    disabledFunctions: concat(functions.steps, functions.watchers)
    // Who calls is believed only where the sign-in stands before the app: anybody can send a header.
    settings: union(settings, {
      KEYTURN_APP: 'front'
      KEYTURN_PLATFORM_AUTH: keyOnlyAccess ? 'none' : 'entra'
      KEYTURN_API_CLIENT_ID: apiClientId
    })
  }
}

module authentication 'authentication.bicep' = {
  name: 'front-authentication'
  params: {
    appName: front.outputs.name
    apiClientId: apiClientId
    authority: authority
    tenantId: tenantId
    keyOnlyAccess: keyOnlyAccess
  }
}

module worker 'function-app.bicep' = {
  name: 'worker'
  params: {
    name: '${abbreviations.functionApp}worker-${resourceToken}'
    planName: '${abbreviations.serverFarm}worker-${resourceToken}'
    serviceName: 'worker'
    location: location
    tags: tags
    identityId: workerIdentityId
    identityClientId: workerClientId
    storageName: workerStorageName
    packageContainer: containers.package
    applicationInsightsName: applicationInsightsName
    pythonVersion: pythonVersion
    maximumInstanceCount: workerMaximumInstances
    instanceMemoryMB: workerMemoryMB
    alwaysReady: map(items(workerAlwaysReady), item => { name: 'function:${item.key}', instanceCount: item.value })
    zoneRedundant: zoneRedundant
    subnetId: subnets.worker
    publicNetworkAccess: publicNetworkAccess
    // The one timer that both run: each looks at what it needs under its own identity.
    disabledFunctions: concat(functions.http, filter(functions.timers, name => name != 'checkup'))
    settings: union(settings, {
      KEYTURN_APP: 'worker'
    })
  }
}

module endpoints 'endpoints.bicep' = if (privateInbound) {
  name: 'app-endpoints'
  params: {
    location: location
    tags: tags
    networkName: networkName
    zones: zones
    endpoints: [
      { name: 'front', target: front.outputs.id, group: 'sites' }
      { name: 'worker', target: worker.outputs.id, group: 'sites' }
    ]
  }
}

output frontName string = front.outputs.name
output frontUri string = front.outputs.uri
output workerName string = worker.outputs.name
