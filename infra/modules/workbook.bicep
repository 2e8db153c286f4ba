param location string
param tags object
param workspaceId string

var parts = [
  { title: 'Secrets, by the days they have left', query: loadTextContent('../queries/nearest-expiry.kql'), look: 'table' }
  { title: 'Operations by outcome', query: loadTextContent('../queries/operations.kql'), look: 'table' }
  { title: 'Days in hand at rotation', query: loadTextContent('../queries/rotation-lead-time.kql'), look: 'table' }
  { title: 'Open findings', query: loadTextContent('../queries/findings-open.kql'), look: 'timechart' }
  { title: 'Runs of the timers', query: loadTextContent('../queries/sweeps.kql'), look: 'table' }
  { title: 'Messages by step', query: loadTextContent('../queries/deliveries.kql'), look: 'table' }
  { title: 'Longest wait in a queue (s)', query: loadTextContent('../queries/queue-age.kql'), look: 'timechart' }
  { title: 'Dead letters', query: loadTextContent('../queries/dead-letters.kql'), look: 'table' }
  { title: 'Accounts read per second', query: loadTextContent('../queries/discovery-rate.kql'), look: 'timechart' }
  { title: 'Throttling by Graph', query: loadTextContent('../queries/graph-throttling.kql'), look: 'timechart' }
  { title: 'Refused requests', query: loadTextContent('../queries/requests-refused.kql'), look: 'table' }
]

var intro = {
  type: 1
  name: 'intro'
  content: {
    json: '# Keyturn\nWhat the two apps measured; docs/telemetry.md explains the names.'
  }
}

var timeRange = {
  type: 9
  name: 'range'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    parameters: [
      {
        id: guid(workspaceId, 'range')
        version: 'KqlParameterItem/1.0'
        name: 'range'
        label: 'Time'
        type: 4
        isRequired: true
        value: { durationMs: 86400000 }
        typeSettings: {
          selectableValues: [
            { durationMs: 3600000 }
            { durationMs: 86400000 }
            { durationMs: 604800000 }
            { durationMs: 2592000000 }
          ]
          allowCustom: true
        }
      }
    ]
  }
}

var charts = map(range(0, length(parts)), index => {
  type: 3
  name: 'part-${index}'
  content: {
    version: 'KqlItem/1.0'
    title: parts[index].title
    query: parts[index].query
    size: 0
    timeContextFromParameter: 'range'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    crossComponentResources: [workspaceId]
    visualization: parts[index].look
  }
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'keyturn')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Keyturn'
    category: 'workbook'
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([intro, timeRange], charts)
      fallbackResourceIds: [workspaceId]
    })
  }
}
