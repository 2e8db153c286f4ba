param principalId string
param storageName string
param tables array
param readContainers array = []
param writeContainers array = []

var roles = loadJsonContent('../roles.json')

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' existing = {
  parent: storage
  name: 'default'
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: storage
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' existing = [
  for item in tables: {
    parent: tableService
    name: item
  }
]

resource readContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = [
  for item in readContainers: {
    parent: blobService
    name: item
  }
]

resource writeContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = [
  for item in writeContainers: {
    parent: blobService
    name: item
  }
]

resource ledger 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in tables: {
    name: guid(table[index].id, principalId, roles.storageTableDataContributor)
    scope: table[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageTableDataContributor
      )
    }
  }
]

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in readContainers: {
    name: guid(readContainer[index].id, principalId, roles.storageBlobDataReader)
    scope: readContainer[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
    }
  }
]

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in writeContainers: {
    name: guid(writeContainer[index].id, principalId, roles.storageBlobDataContributor)
    scope: writeContainer[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageBlobDataContributor
      )
    }
  }
]
