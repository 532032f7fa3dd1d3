// A vault's events. Azure allows one system topic per vault, in the vault's region; it lives beside it.
@description('Name of the topic.')
param name string

@description('The vault\'s region.')
param location string

@description('Resource id of the vault.')
param vaultId string

@description('Tags.')
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: vaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

output name string = topic.name
output principalId string = topic.identity.principalId
