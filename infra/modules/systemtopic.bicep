// A new system topic. Event Grid requires it in the region of its source.
import { SourceType } from '../inputs.bicep'

@description('Name of the topic.')
param name string

@description('Region of the source.')
param location string

@description('Resource id of the source.')
param source string

@description('What the source is.')
param sourceType SourceType

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
    topicType: sourceType
  }
}

output principalId string = topic.identity.principalId
