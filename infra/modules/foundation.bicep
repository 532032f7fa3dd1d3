// What the function app stands on: its identity, storage, logs, alerts and the workbook.
@description('Token of this deployment.')
param token string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('SKU of the storage account that holds the journal.')
param storageSku string

@description('Whether only private endpoints and trusted services reach the storage account.')
param isPrivate bool

@description('Whether the storage account is locked against deletion.')
param isLocked bool

@description('Most gigabytes of logs per day; -1 for no limit.')
param dailyCapGb int

@description('Whether a custom topic publishes the events of the service.')
param withTopic bool

@description('Who receives alerts by mail; empty for nobody.')
param alertEmail string

@description('https URLs that receive alerts, comma-separated; empty for none.')
@secure()
param alertWebhooks string

@description('Address of the page that says what to do for each alert.')
param runbookUrl string

@description('Alert when a published key is older than this many days.')
param oldestKeyDays int

@description('Time of the deployment.')
param deployedAt string

module identity 'identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-rotation-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: 'rotation-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    dailyCapGb: dailyCapGb
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  params: {
    name: 'strotation${substring(token, 0, 13)}'
    location: location
    tags: tags
    sku: storageSku
    principalId: identity.outputs.principalId
    isPrivate: isPrivate
    isLocked: isLocked
    workspaceId: monitoring.outputs.workspaceId
  }
}

module deadLetters 'deadletterstore.bicep' = {
  name: 'deadletterstore'
  params: {
    name: 'stdead${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module topic 'topic.bicep' = if (withTopic) {
  name: 'topic'
  params: {
    name: 'evgt-rotation-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    webhooks: alertWebhooks
    runbookUrl: runbookUrl
    oldestKeyDays: oldestKeyDays
    deployedAt: deployedAt
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

output identityId string = identity.outputs.id
output identityClientId string = identity.outputs.clientId
output identityPrincipalId string = identity.outputs.principalId
output storageId string = storage.outputs.id
output storageName string = storage.outputs.name
output deploymentUrl string = storage.outputs.deploymentUrl
output deadLetterId string = deadLetters.outputs.id
output deadLetterName string = deadLetters.outputs.name
output insightsName string = monitoring.outputs.insightsName
output actionGroupId string = alerts.outputs.actionGroupId
output topicEndpoint string = withTopic ? topic!.outputs.endpoint : ''
