// The service's rights on one existing Azure AI account.
@description('Name of the account.')
param name string

@description('Object id of the service\'s identity.')
param principalId string

// modules/roles.bicep defines the role.
var keyRotator = guid(subscription().id, 'Key rotator')

resource account 'Microsoft.CognitiveServices/accounts@2025-09-01' existing = {
  name: name
}

resource rotator 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, keyRotator)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyRotator)
  }
}
