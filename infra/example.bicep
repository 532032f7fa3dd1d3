// A complete playground: a vault, two Azure AI accounts, a consumer that reads a secret by its name, and
// the service. az deployment sub create --location westeurope --template-file infra/example.bicep \
//   --parameters environmentName=play operatorId=$(az ad signed-in-user show --query id -o tsv)
targetScope = 'subscription'

@description('Name of the playground; it names the resource groups.')
@minLength(1)
@maxLength(30)
param environmentName string

@description('Region of everything.')
param location string = deployment().location

@description('Object id of the person who will enrol the accounts.')
param operatorId string

var token = uniqueString(subscription().id, environmentName, 'playground')
var vaultName = 'kv-${token}'
var accountNames = [
  'chat-${token}'
  'vision-${token}'
]
var vaultId = '${group.id}/providers/Microsoft.KeyVault/vaults/${vaultName}'
var accountIds = [for name in accountNames: '${group.id}/providers/Microsoft.CognitiveServices/accounts/${name}']

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}-estate'
  location: location
}

module estate 'modules/estate.bicep' = {
  name: 'estate'
  scope: group
  params: {
    location: location
    vaultName: vaultName
    accountNames: accountNames
    operatorId: operatorId
  }
}

module consumer 'modules/consumer.bicep' = {
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

module service 'main.bicep' = {
  name: 'rotation-${environmentName}'
  params: {
    environmentName: environmentName
    location: location
    vaultIds: vaultId
    accountIds: join(accountIds, ',')
  }
  dependsOn: [
    estate
  ]
}

@description('For ROTATION_VAULTS, to enrol: python -m rotation enrol \'*\' --in-use key1')
output VAULT_URL string = 'https://${vaultName}${environment().suffixes.keyvaultDns}'

@description('Where the dashboard is.')
output SERVICE_URL string = service.outputs.SERVICE_URL
