// A complete playground: a vault, two Azure AI accounts, a consumer that reads a secret by name, and the
// service. README.md has the commands.
targetScope = 'subscription'

@description('Name of the playground. It is part of the names of the resource groups.')
@minLength(1)
@maxLength(30)
param environmentName string

@description('Region of all resources.')
param location string = deployment().location

@description('Object ID of the person who enrols the accounts.')
param operatorId string

var token = uniqueString(subscription().id, environmentName, 'playground')
var vaultName = 'kv-${token}'
var accountNames = [
  'chat-${token}'
  'vision-${token}'
]
var vaultId = '${group.id}/providers/Microsoft.KeyVault/vaults/${vaultName}'
var accountIds = [for name in accountNames: '${group.id}/providers/Microsoft.CognitiveServices/accounts/${name}']

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}-estate'
  location: location
}

module estate 'estate.bicep' = {
  name: 'estate'
  scope: group
  params: {
    location: location
    vaultName: vaultName
    accountNames: accountNames
    operatorId: operatorId
  }
}

module consumer 'consumer.bicep' = {
  name: 'consumer'
  scope: group
  params: {
    location: location
    name: 'consumer-${token}'
    vaultName: estate.outputs.vaultName
    secretName: '${accountNames[0]}-key'
    endpoint: estate.outputs.endpoint
  }
}

module service '../../infra/main.bicep' = {
  name: 'rotation-${environmentName}-${location}'
  params: {
    environmentName: environmentName
    location: location
    deploymentRegion: location
    vaultIds: vaultId
    accountIds: join(accountIds, ',')
    // You can delete the playground with one command.
    withLock: 'false'
  }
  dependsOn: [
    estate
  ]
}

@description('Vault URL: the value of ROTATION_VAULTS for `keyrotation enrol`.')
output VAULT_URL string = 'https://${vaultName}${environment().suffixes.keyvaultDns}'

@description('Base URL of the service. The dashboard is at /api/dashboard.')
output SERVICE_URL string = service.outputs.SERVICE_URL
