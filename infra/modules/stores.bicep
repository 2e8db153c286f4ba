// Everything that keeps something: queues, secrets, ledger, packages; and the vault's events on their way to a queue.
param location string
param tags object
param resourceToken string
param workspaceName string

@description('Name of the network in which these get private endpoints; empty: they are reached by public ones.')
param networkName string

@description('Names of the private DNS zones by kind of endpoint.')
param zones object

@allowed(['Standard', 'Premium'])
param serviceBusTier string
param messagingUnits int
param ledgerRedundancy string

@description('Redundancy of the accounts that hold packages, host keys and timer state.')
param hostRedundancy string

var abbreviations = loadJsonContent('../abbreviations.json')
var topology = loadJsonContent('../queues.json')
var tables = loadJsonContent('../tables.json').tables
var containers = loadJsonContent('../containers.json')

var private = !empty(networkName)
var publicNetworkAccess = private ? 'Disabled' : 'Enabled'
var tier = private ? 'Premium' : serviceBusTier

module serviceBus 'service-bus.bicep' = {
  name: 'service-bus'
  params: {
    // No namespace changes its tier in place: the other tier is another namespace.
    name: '${abbreviations.serviceBusNamespace}${resourceToken}${tier == 'Premium' ? 'p' : ''}'
    location: location
    tags: tags
    queues: topology.queues
    topics: topology.topics
    tier: tier
    messagingUnits: messagingUnits
    publicNetworkAccess: publicNetworkAccess
  }
}

module vault 'key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: '${abbreviations.keyVault}${resourceToken}'
    location: location
    tags: tags
    workspaceName: workspaceName
    publicNetworkAccess: publicNetworkAccess
  }
}

module ledgerStorage 'storage.bicep' = {
  name: 'ledger-storage'
  params: {
    name: '${abbreviations.storageAccount}${resourceToken}'
    location: location
    tags: tags
    redundancy: ledgerRedundancy
    publicNetworkAccess: publicNetworkAccess
    containers: [containers.accounts, containers.imports, containers.undelivered]
    tables: tables
  }
}

// One account per app for what its host writes: packages, host keys and timer state. In a shared account the
// front door could replace the package that the worker runs, and with it use every right of the worker.
module frontStorage 'storage.bicep' = {
  name: 'front-storage'
  params: {
    name: '${abbreviations.storageAccount}f${resourceToken}'
    location: location
    tags: tags
    redundancy: hostRedundancy
    publicNetworkAccess: publicNetworkAccess
    containers: [containers.package]
  }
}

module workerStorage 'storage.bicep' = {
  name: 'worker-storage'
  params: {
    name: '${abbreviations.storageAccount}w${resourceToken}'
    location: location
    tags: tags
    redundancy: hostRedundancy
    publicNetworkAccess: publicNetworkAccess
    containers: [containers.package]
  }
}

module vaultEvents 'vault-events.bicep' = {
  name: 'vault-events'
  params: {
    name: '${abbreviations.systemTopic}${resourceToken}'
    location: location
    tags: tags
    vaultName: vault.outputs.name
    namespaceName: serviceBus.outputs.name
    queueName: 'vault-events'
    storageName: ledgerStorage.outputs.name
    containerName: containers.undelivered
  }
}

module endpoints 'endpoints.bicep' = if (private) {
  name: 'endpoints'
  params: {
    location: location
    tags: tags
    networkName: networkName
    zones: zones
    endpoints: [
      { name: 'service-bus', target: serviceBus.outputs.id, group: 'namespace' }
      { name: 'vault', target: vault.outputs.id, group: 'vault' }
      { name: 'ledger-tables', target: ledgerStorage.outputs.id, group: 'table' }
      { name: 'ledger-blobs', target: ledgerStorage.outputs.id, group: 'blob' }
      { name: 'front-blobs', target: frontStorage.outputs.id, group: 'blob' }
      { name: 'worker-blobs', target: workerStorage.outputs.id, group: 'blob' }
    ]
  }
}

output namespaceId string = serviceBus.outputs.id
output namespaceName string = serviceBus.outputs.name
output fullyQualifiedNamespace string = serviceBus.outputs.fullyQualifiedNamespace
output vaultName string = vault.outputs.name
output vaultUri string = vault.outputs.uri
output ledgerStorageName string = ledgerStorage.outputs.name
output tableServiceUri string = ledgerStorage.outputs.tableServiceUri
output blobServiceUri string = ledgerStorage.outputs.blobServiceUri
output frontStorageName string = frontStorage.outputs.name
output workerStorageName string = workerStorage.outputs.name
output systemTopicId string = vaultEvents.outputs.topicId
