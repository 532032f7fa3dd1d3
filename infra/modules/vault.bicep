// The service's rights on one vault that is there already, and is ruled by roles (not access policies).
@description('Name of the vault.')
param name string

@description('Object id of the service\'s identity.')
param principalId string

// As modules/roles.bicep names it.
var secretPublisher = guid(subscription().id, 'Secret publisher')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
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

output location string = vault.location
