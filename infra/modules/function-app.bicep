param name string
param planName string
param location string
param tags object

@description('Service in azure.yaml whose package is deployed here.')
param serviceName string

param identityId string
param identityClientId string

@description('Storage account of this app alone: package, host keys, timer state.')
param storageName string
param packageContainer string
param applicationInsightsName string
param pythonVersion string
param maximumInstanceCount int

@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Instances that run even when there is no work: name (http, or function:NAME) and instanceCount.')
param alwaysReady array

@description('Spread over availability zones; the platform then keeps two instances of each kind running.')
param zoneRedundant bool

@description('Subnet through which the app reaches the stores; empty: none.')
param subnetId string

@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

@description('Functions of the package that this app does not run.')
param disabledFunctions array

@description('Settings that the code reads.')
param settings object

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: publicNetworkAccess
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
    }
    siteConfig: {
      alwaysOn: false
      http20Enabled: true
      minTlsVersion: '1.2'
    }
  }
}

// Deployment signs in with Entra ID; user name and password stay off.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    settings,
    {
      AZURE_CLIENT_ID: identityClientId
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      ServiceBus__clientId: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsights.properties.ConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      // The exporter's own statistics, and its remote settings, are hosts that the network need not open.
      APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
      APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
      PYTHON_ENABLE_OPENTELEMETRY: 'true'
    },
    toObject(disabledFunctions, item => 'AzureWebJobs.${item}.Disabled', item => 'true')
  )
}

output id string = app.id
output name string = app.name
output uri string = 'https://${app.properties.defaultHostName}'
