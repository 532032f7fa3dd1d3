// Who is told when what. The queries read the log lines of rotation/telemetry.py; docs/monitoring.md says
// what to do for each.
@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Who is mailed; empty for nobody.')
param email string

@description('A published key may be this many days old.')
param oldestKeyDays int

var rules = [
  {
    name: 'sweep-missing'
    severity: 1
    description: 'No sweep has done its work for an hour: nothing is rotated by itself.'
    query: 'AppTraces | where Message startswith "sweep {" | extend d = parse_json(substring(Message, 6)) | where isnotnull(d.accounts) and isempty(d.stopped)'
    operator: 'LessThan'
    threshold: 1
    window: 'PT1H'
  }
  {
    name: 'secret-failing'
    severity: 1
    description: 'A secret has failed at least twice in a row, or its rotation stopped and asks for a person.'
    query: 'AppTraces | where Message startswith "fleet {" | extend d = parse_json(substring(Message, 6)) | where toint(d.states.failing) > 0'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
  }
  {
    name: 'expiry-near'
    severity: 2
    description: 'A secret expires within 7 days: its rotation is late.'
    query: 'AppTraces | where Message startswith "fleet {" | extend d = parse_json(substring(Message, 6)) | where todouble(d.nextExpiryDays) <= 7'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
  }
  {
    name: 'drift'
    severity: 2
    description: 'Somebody has regenerated a key or published a version by hand; it was or is being repaired.'
    query: 'AppTraces | where Message startswith "event {" | extend d = parse_json(substring(Message, 6)) | where tostring(d.type) == "KeyRotation.Repaired"'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
  }
  {
    name: 'poison'
    severity: 2
    description: 'A message could not be worked on five times and lies in the poison queue.'
    query: 'AppTraces | where Message has "rotation-work-poison"'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
  }
  {
    name: 'emergency'
    severity: 1
    description: 'Somebody has asked for an emergency: a key has leaked.'
    query: 'AppTraces | where Message startswith "asked {" | extend d = parse_json(substring(Message, 6)) | where tostring(d.kind) == "emergency"'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT15M'
  }
  {
    name: 'key-too-old'
    severity: 3
    description: 'The oldest published key is older than the policy allows.'
    query: 'AppTraces | where Message startswith "fleet {" | extend d = parse_json(substring(Message, 6)) | where todouble(d.oldestKeyDays) > ${oldestKeyDays}'
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-rotation'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'keyrotation'
    enabled: true
    emailReceivers: empty(email) ? [] : [
      {
        name: 'on-call'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'rotation-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Key rotation: ${rule.name}'
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    // The table is made by the first log line, which may come after this deployment.
    skipQueryValidation: true
    autoMitigate: true
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}]

output actionGroupId string = people.id
