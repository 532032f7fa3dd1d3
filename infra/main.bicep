// The key rotation service, and its rights on existing vaults and accounts. README.md explains each part.
targetScope = 'subscription'

import {
  accountsOf
  allBindings
  auditWorkspaceOf
  bindingsSetting
  checkedName
  Flag
  givenBindings
  groupOf
  nameOf
  tagsOf
  topicsOf
  vaultsOf
  workspaceOf
} from 'inputs.bicep'

@description('Name of this environment. The resource group is rg-NAME.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of the service, one that offers Flex Consumption. The vaults and accounts may be elsewhere.')
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'chinanorth3'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'usgovarizona'
  'usgovvirginia'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Resource ids of the key vaults, comma-separated.')
@minLength(1)
param vaultIds string

@description('Resource ids of the Azure AI accounts, comma-separated. You can add more at any time.')
param accountIds string = ''

@description('Which accounts may be published in which vault or secret: VAULT[/PATTERN]=SCOPE, comma-separated. A vault without an entry is bound to every account of accountIds.')
param bindings string = ''

@description('System topics that already exist (Azure allows one per source): VAULT=TOPIC, comma-separated, where TOPIC is a resource id. They need a system-assigned identity and are never written.')
param eventTopicNames string = ''

@description('Application (client) id of the app registration for people and pipelines. Empty: the HTTP API rejects everybody.')
param authClientId string = ''

@description('Who receives alerts by mail. Empty: alerts appear in the portal only.')
param alertEmail string = ''

@description('https URLs that receive alerts in the common alert schema, comma-separated. Secure, because such a URL holds a token.')
@secure()
param alertWebhooks string = ''

@description('Address of docs/monitoring.md in your repository or on your site; each alert links to its section. Empty: the name of the file.')
param runbookUrl string = ''

@description('Resource id of a Log Analytics workspace with the vaults\' audit logs: the service then revokes a key only when every reader has moved. Empty: the overlap alone decides.')
param logsWorkspaceId string = ''

@description('Whether the vaults send their audit logs to logsWorkspaceId.')
param withVaultAudit Flag = 'false'

@description('Whether a custom Event Grid topic publishes the events of the service.')
param withTopic Flag = 'false'

@description('Whether the storage account and the vaults are reached through private endpoints only.')
param withNetwork Flag = 'false'

@description('Whether the owners of the vaults approve the private endpoints themselves.')
param withManualApproval Flag = 'false'

@description('Whether a key that somebody regenerates wakes the service at once. Adds a system topic to the resource groups of the accounts.')
param withArmEvents Flag = 'false'

@description('Whether the storage account of the journal is locked against deletion. Empty: yes.')
param withLock Flag = 'true'

@description('How long both keys work (ISO 8601); longer than the slowest cache of a consumer. Empty: 26 hours.')
param overlap string = 'PT26H'

@description('The shortest overlap that a tag may ask for (ISO 8601). Empty: one hour.')
param minOverlap string = 'PT1H'

@description('How long an emergency waits for a secret that is throttled or unavailable (ISO 8601), at most PT15M. Empty: five minutes.')
param emergencyPatience string = 'PT5M'

@description('Accounts on which keyrotation drill may rehearse a leak: resource ids, comma-separated. Empty: none.')
param drillAccounts string = ''

@description('Apps that are asked which key they use, and refreshed after a rotation: name@vault=URL audience resource id, comma-separated. Empty: none.')
param consumers string = ''

@description('Formats of secrets in which the key is inside a text or a JSON document: a JSON object. Empty: none.')
param formats string = ''

@description('What happens to a key whose old version is still read, if logsWorkspaceId or consumers are given. Empty: require.')
param evidence 'off' | 'warn' | 'require' | '' = ''

@description('SKU of the storage account that holds the journal. Empty: Standard_ZRS; some regions offer only Standard_LRS.')
param storageSku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS' | '' = 'Standard_ZRS'

@description('Most gigabytes of logs per day, a whole number; -1 for no limit. Empty: 1.')
param logsDailyCapGb string = '1'

@description('Tags for every resource: NAME=VALUE, comma-separated.')
param tags string = ''

@description('Alert when a published key is older than this many days.')
@minValue(1)
param oldestKeyDays int = 100

@description('Name of the cloud. The default is the one of the deployment.')
param cloud string = environment().name

@description('Time of the deployment. The alert on missing sweeps waits until two hours after it.')
param deployedAt string = utcNow('u')

@description('Region in which Azure keeps this deployment.')
param deploymentRegion string = deployment().location

var runbook = empty(runbookUrl) ? 'docs/monitoring.md' : runbookUrl
var own = loadJsonContent('clouds.json')[cloud]
var ownTags = union(tagsOf(tags), { 'azd-env-name': environmentName })
// For resources in groups that are not ours: without the tag by which azd finds its own.
var guestTags = union(tagsOf(tags), { service: 'key-rotation' })
var token = uniqueString(subscription().id, environmentName, location)
var vaults = vaultsOf(vaultIds)
var accounts = accountsOf(accountIds)
var pairs = allBindings(givenBindings(bindings, vaults), vaults, accounts)
var accountGroups = union(map(accounts, id => groupOf(id)), [])
var topics = topicsOf(eventTopicNames, vaults, accountGroups, withArmEvents == 'true')
var workspaceId = workspaceOf(logsWorkspaceId)
// The scope of a module must be valid even if the module is not deployed.
var workspaceScope = empty(workspaceId) ? vaults[0] : workspaceId
var auditWorkspaceId = auditWorkspaceOf(withVaultAudit, workspaceId)
var isPrivate = withNetwork == 'true'
var roleSubscriptions = union(map(concat(vaults, accounts), id => split(id, '/')[2]), [])

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${checkedName(environmentName)}'
  location: location
  tags: ownTags
}

// A custom role can be assigned only in the subscriptions of its definition. Azure keeps a deployment of a
// subscription under its name and region: the same name in another region fails.
module roles 'modules/roles.bicep' = [
  for id in roleSubscriptions: {
    name: 'roles-${uniqueString(id, token, deploymentRegion)}'
    scope: subscription(id)
  }
]

module foundation 'modules/foundation.bicep' = {
  name: 'foundation'
  scope: group
  params: {
    token: token
    location: location
    tags: ownTags
    storageSku: empty(storageSku) ? 'Standard_ZRS' : storageSku
    isPrivate: isPrivate
    isLocked: withLock != 'false'
    dailyCapGb: int(empty(logsDailyCapGb) ? '1' : logsDailyCapGb)
    withTopic: withTopic == 'true'
    alertEmail: alertEmail
    alertWebhooks: alertWebhooks
    runbookUrl: runbook
    oldestKeyDays: oldestKeyDays
    deployedAt: deployedAt
  }
}

module network 'modules/network.bicep' = if (isPrivate) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-rotation-${token}'
    location: location
    tags: ownTags
    storageAccountId: foundation.outputs.storageId
    vaultIds: vaults
    storageSuffix: own.storageSuffix
    vaultZone: own.vaultZone
    isManual: withManualApproval == 'true'
  }
}

module functionApp 'modules/functionapp.bicep' = {
  name: 'functionapp'
  scope: group
  params: {
    name: 'func-rotation-${token}'
    location: location
    tags: ownTags
    cloud: own.name
    storageSuffix: own.storageSuffix
    withSignIn: !empty(authClientId)
    identityId: foundation.outputs.identityId
    identityClientId: foundation.outputs.identityClientId
    identityPrincipalId: foundation.outputs.identityPrincipalId
    storageName: foundation.outputs.storageName
    deploymentUrl: foundation.outputs.deploymentUrl
    insightsName: foundation.outputs.insightsName
    vaultUrls: map(vaults, id => 'https://${nameOf(id)}.${own.vaultSuffix}')
    bindings: bindingsSetting(pairs)
    overlap: overlap
    minOverlap: minOverlap
    emergencyPatience: emergencyPatience
    drillAccounts: drillAccounts
    consumers: consumers
    formats: formats
    evidence: evidence
    topicEndpoint: foundation.outputs.topicEndpoint
    logsWorkspaceId: workspaceId
    subnetId: isPrivate ? network!.outputs.functionSubnetId : ''
  }
}

module auth 'modules/auth.bicep' = if (!empty(authClientId)) {
  name: 'auth'
  scope: group
  params: {
    appName: functionApp.outputs.name
    clientId: authClientId
    login: own.login
  }
}

module logs 'modules/logs.bicep' = if (!empty(workspaceId)) {
  name: 'logs-${token}'
  scope: resourceGroup(split(workspaceScope, '/')[2], split(workspaceScope, '/')[4])
  params: {
    name: nameOf(workspaceScope)
    principalId: foundation.outputs.identityPrincipalId
  }
}

// A new role takes minutes to reach every region. The grants and the event subscriptions, which need one,
// therefore follow the function app, which takes minutes to create.
module vaultGrants 'modules/vault.bicep' = [
  for id in vaults: {
    name: 'vault-${uniqueString(id, token)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      name: nameOf(id)
      principalId: foundation.outputs.identityPrincipalId
      auditName: 'rotation-${token}'
      auditWorkspaceId: auditWorkspaceId
    }
    dependsOn: [
      roles
      functionApp
    ]
  }
]

module accountGrants 'modules/account.bicep' = [
  for id in accounts: {
    name: 'account-${uniqueString(id, token)}'
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      name: nameOf(id)
      principalId: foundation.outputs.identityPrincipalId
    }
    dependsOn: [
      roles
      functionApp
    ]
  }
]

// A topic delivers to the work queue with its own identity, so that no webhook and no key are needed, and
// the code of the function app may come later.
module eventTopics 'modules/eventtopic.bicep' = [
  for topic in topics: {
    name: 'topic-${uniqueString(topic.source, token)}'
    scope: resourceGroup(split(topic.id, '/')[2], split(topic.id, '/')[4])
    params: {
      topic: topic
      tags: guestTags
      serviceSubscriptionId: subscription().subscriptionId
      serviceGroup: group.name
      storageName: foundation.outputs.storageName
      deadLetterName: foundation.outputs.deadLetterName
    }
  }
]

module eventSubscriptions 'modules/eventsubscription.bicep' = [
  for topic in topics: {
    name: 'events-${uniqueString(topic.source, token)}'
    scope: resourceGroup(split(topic.id, '/')[2], split(topic.id, '/')[4])
    params: {
      topicName: nameOf(topic.id)
      sourceType: topic.sourceType
      token: token
      storageId: foundation.outputs.storageId
      deadLetterId: foundation.outputs.deadLetterId
      actionGroupId: foundation.outputs.actionGroupId
      runbookUrl: runbook
      tags: guestTags
    }
    dependsOn: [
      eventTopics
      functionApp
    ]
  }
]

@description('Where the API and the dashboard are.')
output SERVICE_URL string = functionApp.outputs.url

@description('Object id of the service\'s identity, for grants on more accounts and for the app registration.')
output SERVICE_PRINCIPAL_ID string = foundation.outputs.identityPrincipalId

@description('The resource group of the service.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Which accounts may be published where: the setting ROTATION_BINDINGS.')
output SERVICE_BINDINGS string = bindingsSetting(pairs)

@description('Whether each vault uses Azure roles. The service gets 403 from a vault that uses access policies.')
output VAULT_ACCESS string[] = [
  for (id, i) in vaults: '${nameOf(id)}: ${vaultGrants[i].outputs.enableRbacAuthorization ? 'uses Azure roles' : 'USES ACCESS POLICIES: the service gets 403 until you switch it to Azure roles, or give its identity get, list and set on secrets'}'
]
