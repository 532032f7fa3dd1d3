// The service, and its rights on vaults and accounts that are there already. One deployment, by azd or
// az deployment sub create. Lists are strings with commas, because azd keeps strings only.
targetScope = 'subscription'

@description('Name of this environment; it names the resource group.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of the service. The vaults and accounts may be anywhere.')
param location string

@description('Resource ids of the key vaults, by comma.')
@minLength(1)
param vaultIds string

@description('Resource ids of the Azure AI accounts, by comma. More can be added at any time.')
param accountIds string = ''

@description('For vaults that have an Event Grid system topic already (Azure allows one): vault=topic, by comma. It keeps its name and gets a system-assigned identity.')
param eventTopicNames string = ''

@description('Application (client) id of the app registration for people and pipelines. Empty: the HTTP API lets nobody in.')
param authClientId string = ''

@description('Who is mailed when an alert fires. Empty: alerts are shown in the portal only.')
param alertEmail string = ''

@description('Resource id of a Log Analytics workspace with the vaults\' audit logs: revoke only when every reader has moved. Empty: the overlap alone decides.')
param logsWorkspaceId string = ''

@description('Whether a custom Event Grid topic tells others of rotations: true or false.')
@allowed([
  'true'
  'false'
  ''
])
param withTopic string = 'false'

@description('Whether storage and vaults are reached through private endpoints only: true or false.')
@allowed([
  'true'
  'false'
  ''
])
param withNetwork string = 'false'

@description('How long both keys work (ISO 8601); longer than the slowest cache of a consumer. Empty: 26 hours.')
param overlap string = 'PT26H'

@description('Alert when a published key is older than this many days.')
@minValue(1)
param oldestKeyDays int = 100

var tags = {
  'azd-env-name': environmentName
}
// For what stands beside a vault, in a group that is not ours: azd must not take it for its own.
var guestTags = {
  service: 'key-rotation'
}
var token = uniqueString(subscription().id, environmentName, location)
var vaults = split(replace(vaultIds, ' ', ''), ',')
var accounts = empty(accountIds) ? [] : split(replace(accountIds, ' ', ''), ',')
// a=b,c=d becomes {"a":"b","c":"d"}.
var topicPairs = replace(replace(toLower(replace(eventTopicNames, ' ', '')), '=', '":"'), ',', '","')
var topicOf = json(empty(eventTopicNames) ? '{}' : '{"${topicPairs}"}')
// A module's scope is looked at even where the module is not deployed.
var workspaceId = empty(logsWorkspaceId) ? vaults[0] : logsWorkspaceId
var vaultNames = [for id in vaults: last(split(id, '/'))]
var vaultUrls = [for name in vaultNames: 'https://${name}${environment().suffixes.keyvaultDns}']
var vaultSubscriptions = [for id in vaults: toLower(split(id, '/')[2])]
var accountSubscriptions = [for id in accounts: toLower(split(id, '/')[2])]
var roleSubscriptions = union(vaultSubscriptions, accountSubscriptions)

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

// A custom role can be assigned in the subscriptions of its definition only.
module roles 'modules/roles.bicep' = [for subscriptionId in roleSubscriptions: {
  name: 'roles-${uniqueString(subscriptionId, environmentName)}'
  scope: subscription(subscriptionId)
}]

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-rotation-${token}'
    location: location
    tags: tags
  }
}

module network 'modules/network.bicep' = if (withNetwork == 'true') {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-rotation-${token}'
    location: location
    tags: tags
    storageAccountId: storage.outputs.id
    vaultIds: vaults
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'strotation${substring(token, 0, 13)}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    isPrivate: withNetwork == 'true'
  }
}

module deadLetters 'modules/deadletterstore.bicep' = {
  name: 'deadletterstore'
  scope: group
  params: {
    name: 'stdead${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    name: 'rotation-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module topic 'modules/topic.bicep' = if (withTopic == 'true') {
  name: 'topic'
  scope: group
  params: {
    name: 'evgt-rotation-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module logs 'modules/logs.bicep' = if (!empty(logsWorkspaceId)) {
  name: 'logs-${token}'
  scope: resourceGroup(split(workspaceId, '/')[2], split(workspaceId, '/')[4])
  params: {
    name: last(split(logsWorkspaceId, '/'))
    principalId: identity.outputs.principalId
  }
}

module functionApp 'modules/functionapp.bicep' = {
  name: 'functionapp'
  scope: group
  params: {
    name: 'func-rotation-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'rotation' })
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    deploymentUrl: storage.outputs.deploymentUrl
    insightsName: monitoring.outputs.insightsName
    vaultUrls: vaultUrls
    overlap: overlap
    topicEndpoint: withTopic == 'true' ? topic.outputs.endpoint : ''
    logsWorkspaceId: logsWorkspaceId
    identityPrincipalId: identity.outputs.principalId
    subnetId: withNetwork == 'true' ? network.outputs.functionSubnetId : ''
  }
}

module auth 'modules/auth.bicep' = if (!empty(authClientId)) {
  name: 'auth'
  scope: group
  params: {
    appName: functionApp.outputs.name
    clientId: authClientId
  }
}

module vaultGrants 'modules/vault.bicep' = [for (id, i) in vaults: {
  name: 'vault-${uniqueString(id, environmentName)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    name: vaultNames[i]
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    roles
  ]
}]

module accountGrants 'modules/account.bicep' = [for id in accounts: {
  name: 'account-${uniqueString(id, environmentName)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    name: last(split(id, '/'))
    principalId: identity.outputs.principalId
  }
  dependsOn: [
    roles
  ]
}]

// A vault's system topic delivers to the work queue by its own identity: no webhook, no key, no limit
// of 30 seconds, and nothing that needs the function to be deployed first.
module systemTopics 'modules/systemtopic.bicep' = [for (id, i) in vaults: {
  name: 'topic-${uniqueString(id, environmentName)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    name: contains(topicOf, toLower(vaultNames[i])) ? topicOf[toLower(vaultNames[i])] : '${vaultNames[i]}-events'
    location: vaultGrants[i].outputs.location
    vaultId: id
    tags: guestTags
  }
}]

module deliveries 'modules/delivery.bicep' = [for (id, i) in vaults: {
  name: 'delivery-${uniqueString(id, environmentName)}'
  scope: group
  params: {
    storageName: storage.outputs.name
    deadLetterName: deadLetters.outputs.name
    principalId: systemTopics[i].outputs.principalId
  }
}]

module subscriptions 'modules/eventsubscription.bicep' = [for (id, i) in vaults: {
  name: 'events-${uniqueString(id, environmentName)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    topicName: systemTopics[i].outputs.name
    name: 'rotation-${token}'
    storageId: storage.outputs.id
    deadLetterId: deadLetters.outputs.id
  }
  dependsOn: [
    deliveries
  ]
}]

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    oldestKeyDays: oldestKeyDays
  }
}

module deadLetterAlerts 'modules/deadletters.bicep' = [for (id, i) in vaults: {
  name: 'deadletters-${uniqueString(id, environmentName)}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    topicName: systemTopics[i].outputs.name
    tags: guestTags
    actionGroupId: alerts.outputs.actionGroupId
  }
}]

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('Where the API and the dashboard are.')
output SERVICE_URL string = functionApp.outputs.url

@description('Object id of the service\'s identity, for grants on more accounts.')
output SERVICE_PRINCIPAL_ID string = identity.outputs.principalId

@description('The resource group of the service.')
output AZURE_RESOURCE_GROUP string = group.name
