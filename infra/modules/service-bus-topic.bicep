param namespaceName string
param name string
param ttl string

@description('Subscriptions of this topic: name, lockDuration, maxDeliveryCount, ttl, deadLetterOnExpiration.')
param subscriptions array

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource topic 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = {
  parent: namespace
  name: name
  properties: {
    defaultMessageTimeToLive: ttl
  }
}

resource subscription 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = [
  for item in subscriptions: {
    parent: topic
    name: item.name
    properties: {
      lockDuration: item.lockDuration
      maxDeliveryCount: item.maxDeliveryCount
      defaultMessageTimeToLive: item.ttl
      deadLetteringOnMessageExpiration: item.deadLetterOnExpiration
    }
  }
]
