// Posts alerts to Slack: an action group sends them in the common alert schema, which Slack does not read.
// docs/notifications.md says how to use it.
@description('Name of the logic app.')
param name string = 'logic-rotation-slack'

@description('Region.')
param location string = resourceGroup().location

@description('URL of an incoming webhook of Slack. It holds a token.')
@secure()
param slackUrl string

var essentials = 'triggerBody()?[\'data\']?[\'essentials\']'

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  properties: {
    definition: {
      '$schema': 'https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#'
      contentVersion: '1.0.0.0'
      parameters: {
        slackUrl: {
          type: 'SecureString'
        }
      }
      triggers: {
        alert: {
          type: 'Request'
          kind: 'Http'
          inputs: {
            schema: {}
          }
        }
      }
      actions: {
        post: {
          type: 'Http'
          runAfter: {}
          inputs: {
            method: 'POST'
            uri: '@parameters(\'slackUrl\')'
            headers: {
              'Content-Type': 'application/json'
            }
            body: {
              text: '*@{${essentials}?[\'monitorCondition\']}* @{${essentials}?[\'severity\']} @{${essentials}?[\'alertRule\']}: @{${essentials}?[\'description\']}'
            }
          }
          // Keeps the token out of the history of runs.
          runtimeConfiguration: {
            secureData: {
              properties: [
                'inputs'
              ]
            }
          }
        }
      }
    }
    parameters: {
      slackUrl: {
        value: slackUrl
      }
    }
  }
}
