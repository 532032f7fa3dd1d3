// The service's rights on one existing vault and, if asked for, the vault's audit log.
@description('Name of the vault.')
param name string

@description('Object id of the service\'s identity.')
param principalId string

@description('Name of the diagnostic setting.')
param auditName string

@description('Resource id of the workspace that receives the audit log; empty for none.')
param auditWorkspaceId string

// modules/roles.bicep defines the role.
var secretPublisher = guid(subscription().id, 'Secret publisher')

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: name
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretPublisher)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretPublisher)
  }
}

#disable-next-line use-recent-api-versions // every stable version is older
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  name: auditName
  scope: vault
  properties: {
    workspaceId: auditWorkspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

output enableRbacAuthorization bool = vault.properties.?enableRbacAuthorization ?? false
