// Alerts on what the platform itself measures: they come even when nothing of ours runs.
param tags object

@description('Ids of the action groups that are called.')
param actionGroups array
param namespaceId string

@description('Event Grid system topic that delivers the events of the vault.')
param systemTopicId string

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'keyturn-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'A queue has dead letters: see docs/operations.md, Dead letters.'
    severity: 2
    enabled: true
    scopes: [namespaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: ['*']
            }
          ]
        }
      ]
    }
    actions: [for id in actionGroups: { actionGroupId: id }]
  }
}

resource vaultEvents 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'keyturn-vault-events-undelivered'
  location: 'global'
  tags: tags
  properties: {
    description: 'Events of the vault could not be delivered; they are in the container undelivered-vault-events.'
    severity: 3
    enabled: true
    scopes: [systemTopicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'undelivered'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [for id in actionGroups: { actionGroupId: id }]
  }
}
