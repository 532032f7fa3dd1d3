// The alerts. The queries read the log lines of rotation/runtime/log.py; docs/monitoring.md says what to do
// for each alert, and each description links to it. An alert that is evaluated every 15 minutes costs a third of one every 5 minutes.
import { webhooksOf } from '../inputs.bicep'

type Rule = {
  name: string
  severity: int
  description: string
  query: string
  window: string
  frequency: string
}

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Who receives alerts by mail; empty for nobody.')
param email string

@description('https URLs that receive alerts, comma-separated; empty for none.')
@secure()
param webhooks string

@description('Address of the page that says what to do for each alert.')
param runbookUrl string

@description('Alert when a published key is older than this many days.')
param oldestKeyDays int

@description('Time of the deployment, as Kusto reads it. The first sweep is not missed before two hours.')
param deployedAt string

var rules Rule[] = [
  {
    name: 'sweep-missing'
    severity: 1
    description: 'No sweep has completed for an hour: no key is rotated on schedule.'
    query: 'AppTraces | where Message startswith "sweep {" | extend d = parse_json(substring(Message, 6)) | where isnotnull(d.accounts) and isempty(d.stopped) | summarize sweeps = count() | where sweeps == 0 and now() > todatetime("${deployedAt}") + 2h'
    window: 'PT1H'
    frequency: 'PT15M'
  }
  {
    name: 'secret-failing'
    severity: 1
    description: 'A secret failed at least twice in a row or cannot be read, its rotation needs a person, or a vault, document or setting has a problem.'
    query: 'AppTraces | where Message startswith "fleet {" | extend d = parse_json(substring(Message, 6)) | where coalesce(toint(d.states.failing), 0) + coalesce(toint(d.states.unknown), 0) + coalesce(toint(d.problems), 0) > 0'
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'expiry-near'
    severity: 2
    description: 'A secret expires within 7 days: its rotation is late.'
    query: 'AppTraces | where Message startswith "fleet {" | extend d = parse_json(substring(Message, 6)) | where todouble(d.nextExpiryDays) <= 7'
    window: 'PT1H'
    frequency: 'PT1H'
  }
  {
    name: 'drift'
    severity: 2
    description: 'Somebody regenerated a key or published a version by hand. The service has repaired it.'
    query: 'AppTraces | where Message startswith "event {" | extend d = parse_json(substring(Message, 6)) | where tostring(d.type) == "KeyRotation.Repaired"'
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'poison'
    severity: 2
    description: 'A message failed five times and is now in the poison queue.'
    query: 'AppTraces | where Message has "rotation-work-poison" or Message has "rotation-emergencies-poison"'
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'not-proven'
    severity: 2
    description: 'A key was regenerated, but nobody could try the old key: it is not proven to be revoked.'
    query: 'AppTraces | where Message startswith "event {" | extend d = parse_json(substring(Message, 6)) | where tostring(d.type) == "KeyRotation.NotProven"'
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'emergency'
    severity: 1
    description: 'Somebody requested an emergency: a key has leaked.'
    query: 'AppTraces | where Message startswith "asked {" | extend d = parse_json(substring(Message, 6)) | where tostring(d.kind) == "emergency"'
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'not-revoked'
    severity: 0
    description: 'A leaked key is not revoked yet, or a person resumed or ended its emergency.'
    query: 'AppTraces | where Message startswith "emergency {" | extend d = parse_json(substring(Message, 10)) | where tostring(d.state) in ("not-revoked", "resumed", "cancelled", "abandoned")'
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'key-too-old'
    severity: 3
    description: 'The oldest published key is older than the policy allows.'
    query: 'AppTraces | where Message startswith "fleet {" | extend d = parse_json(substring(Message, 6)) | where todouble(d.oldestKeyDays) > ${oldestKeyDays}'
    window: 'PT1H'
    frequency: 'PT1H'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-rotation'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'keyrotation'
    enabled: true
    emailReceivers: empty(email)
      ? []
      : [
          {
            name: 'on-call'
            emailAddress: email
            useCommonAlertSchema: true
          }
        ]
    webhookReceivers: [
      for (url, i) in webhooksOf(webhooks): {
        name: 'webhook-${i + 1}'
        serviceUri: url
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'rotation-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Key rotation: ${rule.name}'
      description: '${rule.description} What to do: ${runbookUrl}#${rule.name}'
      severity: rule.severity
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      // The first log line creates the table, possibly after this deployment.
      skipQueryValidation: true
      autoMitigate: true
      actions: {
        actionGroups: [
          people.id
        ]
      }
    }
  }
]

output actionGroupId string = people.id
