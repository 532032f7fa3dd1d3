// The system topic of one source, and the right of its identity to deliver. Azure allows one system topic
// per source: an existing one is used as it is and never written.
import { EventTopic } from '../inputs.bicep'

@description('The topic.')
param topic EventTopic

@description('Tags of a new topic.')
param tags { *: string }

@description('Subscription of the service.')
param serviceSubscriptionId string

@description('Resource group of the service.')
param serviceGroup string

@description('Name of the storage account that holds the work queue.')
param storageName string

@description('Name of the storage account for dead letters.')
param deadLetterName string

var name = last(split(topic.id, '/'))

var isVault = topic.sourceType == 'Microsoft.KeyVault.vaults'

// A new topic is created in the resource group of its vault.
resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = if (isVault && !topic.isExisting) {
  name: last(split(topic.source, '/'))
}

module created 'systemtopic.bicep' = if (!topic.isExisting) {
  name: 'create-${uniqueString(topic.source, storageName)}'
  params: {
    name: name
    location: isVault ? vault!.location : 'global'
    source: topic.source
    sourceType: topic.sourceType
    tags: tags
  }
}

resource existing 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (topic.isExisting) {
  name: name
}

module delivery 'delivery.bicep' = {
  name: 'delivery-${uniqueString(topic.source, storageName)}'
  scope: resourceGroup(serviceSubscriptionId, serviceGroup)
  params: {
    storageName: storageName
    deadLetterName: deadLetterName
    principalId: topic.isExisting ? existing!.identity!.principalId : created!.outputs.principalId
  }
}
