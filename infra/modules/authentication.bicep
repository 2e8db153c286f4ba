@description('Function app before which the sign-in stands.')
param appName string

@description('Client id of the API registration by which callers sign in; empty: not registered yet.')
param apiClientId string

@description('Host of the cloud that issues the tokens, without a slash at its end.')
param authority string

@description('Tenant that issues the tokens.')
param tenantId string

@description('Whether requests without a token reach the code; what they may do there is then a matter of keys alone.')
param keyOnlyAccess bool

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

// Without a registration there is no token that would do, and nobody gets in: the door is shut until it is set up.
resource authentication 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: !keyOnlyAccess
      runtimeVersion: '~1'
    }
    globalValidation: {
      requireAuthentication: !keyOnlyAccess
      unauthenticatedClientAction: 'Return401'
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: empty(apiClientId)
      ? {}
      : {
          azureActiveDirectory: {
            enabled: true
            registration: {
              clientId: apiClientId
              openIdIssuer: '${authority}/${tenantId}/v2.0'
            }
            validation: {
              allowedAudiences: [
                apiClientId
                'api://${apiClientId}'
              ]
            }
          }
        }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}
