param location string
param tags object
param networkName string

@description('Names of the private DNS zones by kind of endpoint.')
param zones object

@description('What gets an endpoint: name, id of the target, group.')
param endpoints array

var abbreviations = loadJsonContent('../abbreviations.json')

module endpoint 'private-endpoint.bicep' = [
  for item in endpoints: {
    name: 'endpoint-${item.name}'
    params: {
      name: '${abbreviations.privateEndpoint}${item.name}'
      location: location
      tags: tags
      networkName: networkName
      targetId: item.target
      group: item.group
      zones: zones
    }
  }
]
