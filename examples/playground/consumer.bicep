// A correct consumer: it reads the secret by name, and reads it again when its key is refused.
@description('Region of the resources.')
param location string

@description('Name of the container app.')
param name string

@description('Name of the vault that holds the secret.')
param vaultName string

@description('Name of the secret that holds the key.')
param secretName string

@description('Endpoint of the Azure AI account.')
param endpoint string

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}'
  location: location
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, secretsUser)
  scope: vault
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource apps 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: 'cae-${name}'
  location: location
  properties: {}
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: name
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    managedEnvironmentId: apps.id
    configuration: {
      activeRevisionsMode: 'Single'
    }
    template: {
      containers: [
        {
          name: 'consumer'
          image: 'mcr.microsoft.com/azure-cli:2.76.0'
          command: [
            '/bin/bash'
            '-c'
          ]
          args: [
            loadTextContent('consumer.sh')
          ]
          env: [
            {
              name: 'CLIENT_ID'
              value: identity.properties.clientId
            }
            {
              name: 'VAULT'
              value: vaultName
            }
            {
              name: 'SECRET'
              value: secretName
            }
            {
              name: 'ENDPOINT'
              value: endpoint
            }
          ]
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
      scale: {
        minReplicas: 1
        maxReplicas: 1
      }
    }
  }
}
