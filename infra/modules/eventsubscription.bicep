// Events of one topic into the work queue, and alerts for those that are lost. All names hold the token of
// this deployment, so that two environments can use the same topic.
import { SourceType } from '../inputs.bicep'

@description('Name of the system topic.')
param topicName string

@description('Token of this deployment.')
param token string

@description('What the source of the events is.')
param sourceType SourceType

@description('Resource id of the storage account that holds the work queue.')
param storageId string

@description('Resource id of the storage account for dead letters.')
param deadLetterId string

@description('Resource id of the action group.')
param actionGroupId string

@description('Address of the page that says what to do for each alert.')
param runbookUrl string

@description('Tags.')
param tags { *: string }

var isVault = sourceType == 'Microsoft.KeyVault.vaults'
var eventTypes = isVault
  ? [
      'Microsoft.KeyVault.SecretNearExpiry'
      'Microsoft.KeyVault.SecretExpired'
      'Microsoft.KeyVault.SecretNewVersionCreated'
    ]
  : [
      'Microsoft.Resources.ResourceActionSuccess'
    ]
// Of the actions on a resource group, only this one changes a key.
var filters = isVault
  ? []
  : [
      {
        operatorType: 'StringEndsWith'
        key: 'data.operationName'
        values: [
          'regenerateKey/action'
        ]
      }
    ]
var losses = [
  {
    name: 'rotation-dead-letters-${token}-${topicName}'
    metric: 'DeadLetteredCount'
    section: 'dead-letters'
    description: 'An event was not delivered for a day and is now a dead letter. The sweep rotates without it.'
  }
  {
    name: 'rotation-dropped-events-${token}-${topicName}'
    metric: 'DroppedEventCount'
    section: 'dropped-events'
    description: 'An event was dropped: it could not be delivered, nor stored as a dead letter. The sweep rotates without it.'
  }
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'rotation-${token}'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: eventTypes
      advancedFilters: filters
    }
    deliveryWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: storageId
          queueName: 'rotation-work'
          queueMessageTimeToLiveInSeconds: -1
        }
      }
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: deadLetterId
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
}

// One alert per metric: the criteria of one alert must all be met.
resource alerts 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for loss in losses: {
    name: loss.name
    location: 'global'
    tags: tags
    properties: {
      description: '${loss.description} What to do: ${runbookUrl}#${loss.section}'
      severity: 2
      enabled: true
      scopes: [
        topic.id
      ]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT1H'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: loss.metric
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: loss.metric
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      autoMitigate: true
      actions: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
]
