// The rights of a topic's identity: to put messages into the work queue, and to write dead letters. Event
// Grid checks both on the whole storage account when a subscription is created.
@description('Name of the storage account that holds the work queue.')
param storageName string

@description('Name of the storage account for dead letters.')
param deadLetterName string

@description('Object id of the topic\'s identity.')
param principalId string

var queueMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource work 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource deadLetters 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: deadLetterName
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(work.id, principalId, queueMessageSender)
  scope: work
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueMessageSender)
  }
}

resource writer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, principalId, blobDataContributor)
  scope: deadLetters
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}
