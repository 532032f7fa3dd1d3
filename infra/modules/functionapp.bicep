// The function app: Flex Consumption, Python, HTTPS only. It uses its own identity for every call.
@description('Name of the app; it is part of its URL.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Name of this cloud, as the setting ROTATION_CLOUD has it.')
param cloud string

@description('Suffix of storage accounts. In the sovereign clouds, the host does not find one by its name.')
param storageSuffix string

@description('Whether people sign in, with the service\'s identity as the credential of the app registration.')
param withSignIn bool

@description('Resource id of the service\'s identity.')
param identityId string

@description('Client id of the service\'s identity.')
param identityClientId string

@description('Object id of the service\'s identity.')
param identityPrincipalId string

@description('Name of the storage account.')
param storageName string

@description('URL of the container for deployments.')
param deploymentUrl string

@description('Name of the Application Insights component.')
param insightsName string

@description('URLs of the vaults.')
param vaultUrls string[]

@description('Which accounts may be published where: the setting ROTATION_BINDINGS.')
param bindings string

@description('How long both keys work (ISO 8601).')
param overlap string

@description('The shortest overlap that a tag may ask for (ISO 8601).')
param minOverlap string

@description('How long an emergency waits for a secret that is throttled or unavailable (ISO 8601).')
param emergencyPatience string

@description('Accounts on which a leak may be rehearsed: resource ids, comma-separated, or empty.')
param drillAccounts string

@description('Apps that are asked and refreshed: name@vault=URL audience resource id, comma-separated, or empty.')
param consumers string

@description('Formats of values by name, as JSON, or empty.')
param formats string

@description('What happens to a key whose old version is still read.')
param evidence string

@description('Endpoint of the custom topic, or empty.')
param topicEndpoint string

@description('Workspace with the vaults\' audit logs, or empty.')
param logsWorkspaceId string

@description('Subnet for outgoing calls, or empty.')
param subnetId string

// Easy Auth then signs in with a federated credential of this identity, and needs no client secret.
var signInSettings = withSignIn
  ? [
      {
        name: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
        value: identityClientId
      }
    ]
  : []
var settings = [
  {
    name: 'AzureWebJobsStorage__blobServiceUri'
    value: 'https://${storageName}.blob.${storageSuffix}'
  }
  {
    name: 'AzureWebJobsStorage__queueServiceUri'
    value: 'https://${storageName}.queue.${storageSuffix}'
  }
  {
    name: 'AzureWebJobsStorage__tableServiceUri'
    value: 'https://${storageName}.table.${storageSuffix}'
  }
  {
    name: 'AzureWebJobsStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'AzureWebJobsStorage__clientId'
    value: identityClientId
  }
  {
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
    value: insights.properties.ConnectionString
  }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identityClientId};Authorization=AAD'
  }
  {
    name: 'ROTATION_CLIENT_ID'
    value: identityClientId
  }
  {
    name: 'ROTATION_VAULTS'
    value: join(vaultUrls, ',')
  }
  {
    name: 'ROTATION_BINDINGS'
    value: bindings
  }
  {
    name: 'ROTATION_OVERLAP'
    value: overlap
  }
  {
    name: 'ROTATION_MIN_OVERLAP'
    value: minOverlap
  }
  {
    name: 'ROTATION_EMERGENCY_PATIENCE'
    value: emergencyPatience
  }
  {
    name: 'ROTATION_DRILL_ACCOUNTS'
    value: drillAccounts
  }
  {
    name: 'ROTATION_CONSUMERS'
    value: consumers
  }
  {
    name: 'ROTATION_FORMATS'
    value: formats
  }
  {
    name: 'ROTATION_EVIDENCE'
    value: evidence
  }
  {
    name: 'ROTATION_CLOUD'
    value: cloud
  }
  {
    name: 'ROTATION_TOPIC'
    value: topicEndpoint
  }
  {
    name: 'ROTATION_LOGS_WORKSPACE'
    value: logsWorkspaceId
  }
  {
    name: 'ROTATION_EVIDENCE_IGNORE'
    value: identityPrincipalId
  }
]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd deploys the code to the resource with this tag.
  tags: union(tags, { 'azd-service-name': 'rotation' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.12'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
        triggers: {
          // The default for Python is 1, so that the dashboard would start one instance per request.
          http: {
            perInstanceConcurrency: 16
          }
        }
      }
    }
    siteConfig: {
      appSettings: concat(settings, signInSettings)
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }
}

// Passwords for publishing are disabled: azd and pipelines deploy with Entra ID.
resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
