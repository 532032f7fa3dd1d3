using '../../../infra/main.bicep'

param environmentName = 'fleet'
param location = 'northeurope'
param cloud = 'AzureCloud'
param deployedAt = '2026-01-01 00:00:00Z'
param vaultIds = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-apps/providers/Microsoft.KeyVault/vaults/kv-one,/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-apps/providers/Microsoft.KeyVault/vaults/kv-two'
param accountIds = '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/acct-one,/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/acct-two'
param withLock = 'false'
