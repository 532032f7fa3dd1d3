// A network for the function app, with private endpoints for the storage account and the vaults.
@description('Name of the network.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the storage account.')
param storageAccountId string

@description('Resource ids of the vaults.')
param vaultIds string[]

@description('Suffix of storage endpoints in this cloud.')
param storageSuffix string

@description('Private DNS zone of vaults in this cloud.')
param vaultZone string

@description('Whether the owners of the vaults approve the endpoints. Otherwise the deployment approves them, which needs rights on the vaults.')
param isManual bool

var zones = [
  'privatelink.blob.${storageSuffix}'
  'privatelink.queue.${storageSuffix}'
  vaultZone
]
var storageKinds = [
  'blob'
  'queue'
]

var request = 'The key rotation service publishes keys in this vault.'

func vaultConnection(vaultId string, request string) {
  name: string
  properties: { privateLinkServiceId: string, groupIds: string[], requestMessage: string? }
} => {
  name: 'vault'
  properties: union(
    {
      privateLinkServiceId: vaultId
      groupIds: ['vault']
    },
    empty(request) ? {} : { requestMessage: request }
  )
}

resource outgoing 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.90.0.0/24'
      ]
    }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: '10.90.0.0/26'
          networkSecurityGroup: {
            id: outgoing.id
          }
          delegations: [
            {
              name: 'functions'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.90.0.64/26'
          networkSecurityGroup: {
            id: outgoing.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource dns 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zones: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, i) in zones: {
    parent: dns[i]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

resource storageEndpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for kind in storageKinds: {
    name: 'pe-${name}-${kind}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: '${network.id}/subnets/endpoints'
      }
      privateLinkServiceConnections: [
        {
          name: kind
          properties: {
            privateLinkServiceId: storageAccountId
            groupIds: [
              kind
            ]
          }
        }
      ]
    }
  }
]

resource storageRecords 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (kind, i) in storageKinds: {
    parent: storageEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: kind
          properties: {
            privateDnsZoneId: dns[i].id
          }
        }
      ]
    }
  }
]

resource vaultEndpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for id in vaultIds: {
    name: 'pe-${name}-${last(split(id, '/'))}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: '${network.id}/subnets/endpoints'
      }
      privateLinkServiceConnections: isManual ? [] : [vaultConnection(id, '')]
      manualPrivateLinkServiceConnections: isManual ? [vaultConnection(id, request)] : []
    }
  }
]

resource vaultRecords 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (id, i) in vaultIds: {
    parent: vaultEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: 'vault'
          properties: {
            privateDnsZoneId: dns[2].id
          }
        }
      ]
    }
  }
]

output functionSubnetId string = '${network.id}/subnets/functions'
