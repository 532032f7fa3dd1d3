// The two roles of the service, with exactly the actions that its calls need (docs/permissions.md). The
// emulator enforces these definitions, so that every test runs with these rights: after a change, run
// python -m scripts.roles. The name of a role is unique in a tenant, so it contains the subscription.
targetScope = 'subscription'

resource keyRotator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'Key rotator')
  properties: {
    roleName: 'Key rotator (${subscription().subscriptionId})'
    description: 'Reads Azure AI accounts, and lists and regenerates their keys.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.CognitiveServices/accounts/read'
          'Microsoft.CognitiveServices/accounts/listKeys/action'
          'Microsoft.CognitiveServices/accounts/regenerateKey/action'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource secretPublisher 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'Secret publisher')
  properties: {
    roleName: 'Secret publisher (${subscription().subscriptionId})'
    description: 'Lists, reads, sets and updates the secrets of key vaults; never deletes any.'
    type: 'CustomRole'
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/update/action'
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
        ]
        notDataActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}
