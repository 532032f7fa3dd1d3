// The playground's vault and accounts, as they would be there already.
@description('Region.')
param location string

@description('Name of the vault.')
param vaultName string

@description('Names of the accounts; the first is for OpenAI, the others for vision.')
param accountNames array

@description('Object id of the person who will enrol them.')
param operatorId string

var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
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
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource accounts 'Microsoft.CognitiveServices/accounts@2024-10-01' = [for (name, i) in accountNames: {
  name: name
  location: location
  kind: i == 0 ? 'OpenAI' : 'ComputerVision'
  sku: {
    name: i == 0 ? 'S0' : 'S1'
  }
  properties: {
    customSubDomainName: name
    publicNetworkAccess: 'Enabled'
    // The point of this playground: its accounts have keys.
    disableLocalAuth: false
  }
}]

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
