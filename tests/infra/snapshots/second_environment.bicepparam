using '../../../infra/main.bicep'

param environmentName = 'staging'
param location = 'westeurope'
param cloud = 'AzureCloud'
param deployedAt = '2026-01-01 00:00:00Z'
param vaultIds = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-apps/providers/Microsoft.KeyVault/vaults/kv-one'
param accountIds = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/acct-one'
param eventTopicNames = 'kv-one=/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-apps/providers/Microsoft.EventGrid/systemTopics/kv-one-events'
