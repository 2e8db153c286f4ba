param name string
param location string
param tags object

@description('Entries of queues.json.')
param queues array

@description('Topics of queues.json, each with its subscriptions.')
param topics array

// Sessions, topics and duplicate detection need Standard.
resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

// Sessions and duplicate detection are fixed when a queue is made: a change of them needs a new queue.
resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for item in queues: {
    parent: namespace
    name: item.name
    properties: {
      requiresSession: item.session
      lockDuration: item.lockDuration
      maxDeliveryCount: item.maxDeliveryCount
      requiresDuplicateDetection: item.duplicateDetection
      duplicateDetectionHistoryTimeWindow: item.?duplicateDetectionWindow ?? 'PT10M'
      defaultMessageTimeToLive: item.ttl
      deadLetteringOnMessageExpiration: item.deadLetterOnExpiration
    }
  }
]

module topic 'service-bus-topic.bicep' = [
  for item in topics: {
    name: 'topic-${item.name}'
    params: {
      namespaceName: namespace.name
      name: item.name
      ttl: item.ttl
      subscriptions: item.subscriptions
    }
  }
]

output name string = namespace.name
// The endpoint is https://NAME.SUFFIX:443/, with the suffix of the cloud.
output fullyQualifiedNamespace string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
