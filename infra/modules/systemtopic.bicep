// A new system topic. Event Grid requires it in the region of its source.
@description('Name of the topic.')
param name string

@description('Region of the source.')
param location string

@description('Resource id of the source.')
param source string

@description('Type of the topic.')
param topicType 'Microsoft.KeyVault.vaults' | 'Microsoft.Resources.ResourceGroups'

@description('Tags.')
param tags { *: string }

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: source
    topicType: topicType
  }
}

output principalId string = topic.identity.principalId
