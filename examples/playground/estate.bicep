// The vault and the accounts that a user of the service would already have.
@description('Region of the resources.')
param location string

@description('Name of the vault to create.')
param vaultName string

@description('Names of the accounts. The first is an Azure OpenAI account, the others are Computer Vision accounts.')
param accountNames string[]

@description('Object ID of the person who enrols the accounts.')
param operatorId string

var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: vaultName
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    // Without purge protection, so that you can delete the playground and deploy it again.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource accounts 'Microsoft.CognitiveServices/accounts@2025-09-01' = [
  for (name, i) in accountNames: {
    name: name
    location: location
    kind: i == 0 ? 'OpenAI' : 'ComputerVision'
    sku: {
      name: i == 0 ? 'S0' : 'S1'
    }
    properties: {
      customSubDomainName: name
      publicNetworkAccess: 'Enabled'
      // The service rotates keys, so key authentication stays on.
      disableLocalAuth: false
    }
  }
]

resource officer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, operatorId, secretsOfficer)
  scope: vault
  properties: {
    principalId: operatorId
    principalType: 'User'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
  }
}

output vaultName string = vault.name
output endpoint string = accounts[0].properties.endpoint
