param name string
param location string
param tags object

@description('Entries of queues.json.')
param queues array

@description('Topics of queues.json, each with its subscriptions.')
param topics array

@allowed(['Standard', 'Premium'])
@description('Sessions, topics and duplicate detection need Standard, private endpoints Premium.')
param tier string

@description('Messaging units of Premium.')
param messagingUnits int

@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: tier
    tier: tier
    capacity: tier == 'Premium' ? messagingUnits : null
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    premiumMessagingPartitions: tier == 'Premium' ? 1 : null
    publicNetworkAccess: publicNetworkAccess
  }
}

// Event Grid has no private endpoint of ours to come through: it is let in as a trusted service, by its identity.
resource rules 'Microsoft.ServiceBus/namespaces/networkRuleSets@2024-01-01' = if (publicNetworkAccess == 'Disabled') {
  parent: namespace
  name: 'default'
  properties: {
    publicNetworkAccess: publicNetworkAccess
    defaultAction: 'Deny'
    trustedServiceAccessEnabled: true
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

output id string = namespace.id
output name string = namespace.name
// The endpoint is https://NAME.SUFFIX:443/, with the suffix of the cloud.
output fullyQualifiedNamespace string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
