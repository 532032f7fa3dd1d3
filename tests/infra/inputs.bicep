// Calls every function of infra/inputs.bicep. test_inputs.py gives it wrong values.
import {
  accountsOf
  allBindings
  auditWorkspaceOf
  bindingsSetting
  checkedName
  Flag
  givenBindings
  groupOf
  tagsOf
  topicsOf
  vaultsOf
  webhooksOf
  workspaceOf
} from '../../infra/inputs.bicep'

targetScope = 'subscription'

param environmentName string
param vaultIds string
param accountIds string
param bindings string = ''
param eventTopicNames string = ''
param logsWorkspaceId string = ''
param withVaultAudit Flag = ''
param tags string = ''
param alertWebhooks string = ''

var vaults = vaultsOf(vaultIds)
var accounts = accountsOf(accountIds)
var groups = union(map(accounts, id => groupOf(id)), [])

output results string[] = [
  checkedName(environmentName)
  bindingsSetting(allBindings(givenBindings(bindings, vaults), vaults, accounts))
  string(topicsOf(eventTopicNames, vaults, groups, true))
  auditWorkspaceOf(withVaultAudit, workspaceOf(logsWorkspaceId))
  string(tagsOf(tags))
  string(webhooksOf(alertWebhooks))
]
