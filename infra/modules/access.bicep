// Every role on data, each at the narrowest scope that does: a queue, a topic, a table, a container, the vault.
param frontPrincipalId string
param workerPrincipalId string
param namespaceName string
param vaultName string
param ledgerStorageName string
param frontStorageName string
param workerStorageName string
param applicationInsightsName string

var topology = loadJsonContent('../queues.json')
var tables = loadJsonContent('../tables.json').tables
var containers = loadJsonContent('../containers.json')

var queueNames = map(topology.queues, queue => queue.name)
var stepQueueNames = map(filter(topology.queues, queue => queue.session), queue => queue.name)
var topicNames = map(topology.topics, topic => topic.name)
// Requests that nobody could accept: written for a person, read by no function.
var refusedQueue = 'refused'

module frontHostAccess 'host-access.bicep' = {
  name: 'front-host-access'
  params: {
    principalId: frontPrincipalId
    storageName: frontStorageName
    applicationInsightsName: applicationInsightsName
  }
}

module workerHostAccess 'host-access.bicep' = {
  name: 'worker-host-access'
  params: {
    principalId: workerPrincipalId
    storageName: workerStorageName
    applicationInsightsName: applicationInsightsName
  }
}

// The front door hands requests over and starts steps; it takes no message from any queue, and publishes no event:
// events tell what steps did.
module frontQueueAccess 'queue-access.bicep' = {
  name: 'front-queue-access'
  params: {
    principalId: frontPrincipalId
    namespaceName: namespaceName
    sendQueues: concat(['provisioning'], stepQueueNames)
  }
}

module workerQueueAccess 'queue-access.bicep' = {
  name: 'worker-queue-access'
  params: {
    principalId: workerPrincipalId
    namespaceName: namespaceName
    receiveQueues: filter(queueNames, queue => queue != refusedQueue)
    sendQueues: queueNames
    sendTopics: topicNames
  }
}

module frontLedgerAccess 'ledger-access.bicep' = {
  name: 'front-ledger-access'
  params: {
    principalId: frontPrincipalId
    storageName: ledgerStorageName
    tables: tables
    readContainers: [containers.accounts]
    writeContainers: [containers.imports]
  }
}

module workerLedgerAccess 'ledger-access.bicep' = {
  name: 'worker-ledger-access'
  params: {
    principalId: workerPrincipalId
    storageName: ledgerStorageName
    tables: tables
    writeContainers: [containers.accounts, containers.imports]
  }
}

// The worker only: the front door can name a secret, it cannot read one.
module workerVaultAccess 'vault-access.bicep' = {
  name: 'worker-vault-access'
  params: {
    principalId: workerPrincipalId
    vaultName: vaultName
  }
}
