param principalId string
param namespaceName string

@description('Queues whose messages this identity takes, and their dead-letter queues.')
param receiveQueues array = []
param sendQueues array = []
param sendTopics array = []

var roles = loadJsonContent('../roles.json')

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource receiveQueue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [
  for item in receiveQueues: {
    parent: namespace
    name: item
  }
]

resource sendQueue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [
  for item in sendQueues: {
    parent: namespace
    name: item
  }
]

resource sendTopic 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = [
  for item in sendTopics: {
    parent: namespace
    name: item
  }
]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in receiveQueues: {
    name: guid(receiveQueue[index].id, principalId, roles.serviceBusDataReceiver)
    scope: receiveQueue[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataReceiver)
    }
  }
]

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in sendQueues: {
    name: guid(sendQueue[index].id, principalId, roles.serviceBusDataSender)
    scope: sendQueue[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataSender)
    }
  }
]

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (item, index) in sendTopics: {
    name: guid(sendTopic[index].id, principalId, roles.serviceBusDataSender)
    scope: sendTopic[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataSender)
    }
  }
]
