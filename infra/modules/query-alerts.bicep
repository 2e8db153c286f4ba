// Alerts on what the code measures; the names are those of telemetry.json.
param location string
param tags object
param workspaceId string

@description('Ids of the action groups that are called.')
param actionGroups array
param credentialWarningDays int
param sweepSilenceHours int
param poisonPercent int

var functions = loadJsonContent('../functions.json')
var sweepKinds = join(map(functions.timers, name => '"${replace(name, '_due', '')}"'), ', ')

var rules = [
  {
    name: 'credential-expiring'
    about: 'A published secret ends within ${credentialWarningDays} days and has not been rotated.'
    severity: 1
    frequency: 'PT1H'
    window: 'P1D'
    by: 'connection'
    query: replace(
      loadTextContent('../queries/credential-expiring.kql'),
      '{credentialWarningDays}',
      string(credentialWarningDays)
    )
  }
  {
    name: 'verification-failed'
    about: 'A credential or a consent failed its verification, in whatever operation.'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    by: 'code'
    query: loadTextContent('../queries/verification-failed.kql')
  }
  {
    name: 'needs-attention'
    about: 'An operation ended in what only a person can mend; its code has a remedy.'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    by: 'work'
    query: loadTextContent('../queries/needs-attention.kql')
  }
  {
    name: 'sweeps-silent'
    about: 'A timer has not run with success for ${sweepSilenceHours} hours: nothing that falls due is begun.'
    severity: 1
    frequency: 'PT1H'
    window: 'P2D'
    by: 'kind'
    query: replace(
      replace(loadTextContent('../queries/sweeps-silent.kql'), '{sweepSilenceHours}', string(sweepSilenceHours)),
      '{sweepKinds}',
      sweepKinds
    )
  }
  {
    name: 'poison-rate'
    about: 'More than ${poisonPercent} percent of the messages that a step takes make it fail.'
    severity: 2
    frequency: 'PT15M'
    window: 'PT1H'
    by: 'step'
    query: replace(loadTextContent('../queries/poison-rate.kql'), '{poisonPercent}', string(poisonPercent))
  }
]

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'keyturn-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Keyturn: ${rule.name}'
      description: rule.about
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [
              {
                name: rule.by
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      actions: {
        actionGroups: actionGroups
      }
    }
  }
]
