using '../../../examples/playground/main.bicep'

param environmentName = 'play'
param location = 'westeurope'
param operatorId = '55555555-5555-5555-5555-555555555555'
