// Reads an existing vault. Writes nothing.
@description('Name of the vault.')
param name string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: name
}

output location string = vault.location
output enableRbacAuthorization bool = vault.properties.?enableRbacAuthorization ?? false
