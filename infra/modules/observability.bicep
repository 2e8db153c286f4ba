param location string
param tags object
param workspaceId string
param namespaceId string
param systemTopicId string

@description('E-mail addresses that alerts go to.')
param emails array

@description('Ids of action groups that are called besides.')
param actionGroups array
param credentialWarningDays int
param sweepSilenceHours int
param poisonPercent int

var abbreviations = loadJsonContent('../abbreviations.json')

module receivers 'receivers.bicep' = {
  name: 'alert-receivers'
  params: {
    name: '${abbreviations.actionGroup}keyturn'
    tags: tags
    emails: emails
  }
}

module metricAlerts 'metric-alerts.bicep' = {
  name: 'metric-alerts'
  params: {
    tags: tags
    actionGroups: concat([receivers.outputs.id], actionGroups)
    namespaceId: namespaceId
    systemTopicId: systemTopicId
  }
}

module queryAlerts 'query-alerts.bicep' = {
  name: 'query-alerts'
  params: {
    location: location
    tags: tags
    workspaceId: workspaceId
    actionGroups: concat([receivers.outputs.id], actionGroups)
    credentialWarningDays: credentialWarningDays
    sweepSilenceHours: sweepSilenceHours
    poisonPercent: poisonPercent
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    workspaceId: workspaceId
  }
}
