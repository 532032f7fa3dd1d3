// A workbook in the portal that shows the state of all accounts.
@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'key-rotation')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Key rotation'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}
