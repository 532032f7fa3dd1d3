// The parameters of main.bicep are text, because azd stores only text. These functions parse it.
// Each failure names the parameter and the value that is wrong.

@export()
@description('A switch. Empty is the default: a pipeline passes an unset variable as empty text.')
type Flag = 'true' | 'false' | ''

@export()
@description('Which accounts may be published in a vault, or in those of its secrets that match a pattern.')
type Binding = {
  @description('Name of the vault.')
  vault: string

  @description('Pattern of secret names; * matches any characters. Without it, every secret of the vault.')
  secrets: string?

  @description('Resource id of an account, a resource group or a subscription.')
  scope: string
}

@export()
@description('What a system topic carries events of.')
type SourceType = 'Microsoft.KeyVault.vaults' | 'Microsoft.Resources.ResourceGroups'

@export()
@description('An Event Grid system topic and the resource whose events it carries.')
type EventTopic = {
  @description('Resource id of the vault or the resource group.')
  source: string

  @description('What the source is.')
  sourceType: SourceType

  @description('Resource id of the topic.')
  id: string

  @description('Whether the topic already exists. Then the deployment only adds a subscription to it.')
  isExisting: bool
}

@description('The items of a comma-separated list, without spaces and empty items.')
func itemsOf(text string) string[] => filter(split(replace(text, ' ', ''), ','), item => !empty(item))

@description('The ids of a comma-separated list in lower case, each once.')
func idsOf(text string) string[] => union(itemsOf(toLower(text)), [])

@description('Whether the text is a lower-case id of a resource of this type in a resource group.')
func isResource(id string, type string) bool =>
  startsWith(id, '/subscriptions/') && contains(id, '/resourcegroups/') && contains(id, '/providers/${type}/') && !contains(
    id,
    '//'
  ) && !endsWith(id, '/') && length(split(id, '/')) == 9

func isGroup(id string) bool =>
  startsWith(id, '/subscriptions/') && contains(id, '/resourcegroups/') && !contains(id, '//') && !endsWith(id, '/') && length(split(
    id,
    '/'
  )) == 5

func isSubscription(id string) bool =>
  startsWith(id, '/subscriptions/') && !endsWith(id, '/') && length(split(id, '/')) == 3

@description('The characters of the text that are not allowed.')
func strange(text string, allowed string) string[] =>
  filter(map(range(0, length(text)), i => substring(text, i, 1)), character => !contains(allowed, toLower(character)))

@export()
@description('The name of the environment, if Azure accepts it as the end of the name of a resource group.')
func checkedName(name string) string =>
  endsWith(name, '.') || !empty(strange(name, 'abcdefghijklmnopqrstuvwxyz0123456789-_.()'))
    ? fail('environmentName: Azure does not accept "rg-${name}" as the name of a resource group; use letters, digits, "-", "_", "." and parentheses, without "." at the end')
    : name

@export()
@description('The ids of the vaults.')
func vaultsOf(text string) string[] =>
  empty(idsOf(text))
    ? fail('vaultIds: give the resource id of at least one key vault')
    : map(
        idsOf(text),
        id =>
          isResource(id, 'microsoft.keyvault/vaults')
            ? id
            : fail('vaultIds: "${id}" is not the resource id of a key vault, which is /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.KeyVault/vaults/NAME')
      )

@export()
@description('The ids of the accounts.')
func accountsOf(text string) string[] =>
  map(
    idsOf(text),
    id =>
      isResource(id, 'microsoft.cognitiveservices/accounts')
        ? id
        : fail('accountIds: "${id}" is not the resource id of an Azure AI account, which is /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.CognitiveServices/accounts/NAME')
  )

@export()
@description('The id of the workspace, or empty text.')
func workspaceOf(text string) string =>
  empty(text) || isResource(toLower(text), 'microsoft.operationalinsights/workspaces')
    ? text
    : fail('logsWorkspaceId: "${text}" is not the resource id of a Log Analytics workspace')

@export()
@description('The id of the workspace that receives the audit logs of the vaults, or empty text.')
func auditWorkspaceOf(withVaultAudit Flag, workspaceId string) string =>
  withVaultAudit != 'true'
    ? ''
    : empty(workspaceId)
        ? fail('withVaultAudit needs logsWorkspaceId, the workspace that receives the logs')
        : workspaceId

@export()
@description('Name of a resource, from its id.')
func nameOf(id string) string => last(split(id, '/'))

@export()
@description('Id of the resource group of a resource.')
func groupOf(id string) string => join(take(split(id, '/'), 5), '/')

@export()
@description('Tags, from NAME=VALUE pairs.')
func tagsOf(text string) { *: string } =>
  toObject(
    filter(split(text, ','), pair => !empty(trim(pair))),
    pair => contains(pair, '=') ? trim(split(pair, '=')[0]) : fail('tags: "${pair}" is not NAME=VALUE'),
    pair => trim(join(skip(split(pair, '='), 1), '='))
  )

@description('The sources with this id or name.')
func sourcesNamed(name string, sources string[]) string[] =>
  filter(sources, source => name == source || name == nameOf(source))

@description('The topics that exist, from SOURCE=TOPIC pairs: a map from the source to the id of its topic.')
func knownTopics(text string, sources string[]) { *: string } =>
  toObject(
    idsOf(text),
    pair =>
      empty(sourcesNamed(split(pair, '=')[0], sources))
        ? fail('eventTopicNames: "${pair}" does not begin with the name of a vault of vaultIds, or the id of the resource group of an account, and "="')
        : sourcesNamed(split(pair, '=')[0], sources)[0],
    pair => last(split(pair, '='))
  )

@description('Id of an existing topic; a name is that of a topic in the resource group of its vault.')
func topicId(topic string, source string) string =>
  isResource(topic, 'microsoft.eventgrid/systemtopics')
    ? topic
    : contains(topic, '/') || empty(topic)
        ? fail('eventTopicNames: "${topic}" is not the resource id of an Event Grid system topic, which is /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.EventGrid/systemTopics/NAME')
        : '${groupOf(source)}/providers/microsoft.eventgrid/systemtopics/${topic}'

@description('The topic of one source: the known one, or one that the deployment creates beside the source.')
func topicOf(source string, sourceType SourceType, known { *: string }, newName string) EventTopic => {
  source: source
  sourceType: sourceType
  id: topicId(known[?source] ?? newName, source)
  isExisting: contains(known, source)
}

@export()
@description('The topics of vaults and, if asked for, of resource groups. A group may have a long name, so its new topic gets a hash for a name.')
func topicsOf(text string, vaults string[], groups string[], withGroups bool) EventTopic[] =>
  concat(
    map(
      vaults,
      id => topicOf(id, 'Microsoft.KeyVault.vaults', knownTopics(text, concat(vaults, groups)), '${nameOf(id)}-events')
    ),
    map(
      withGroups ? groups : [],
      id =>
        topicOf(
          id,
          'Microsoft.Resources.ResourceGroups',
          knownTopics(text, concat(vaults, groups)),
          'rotation-${uniqueString(id)}'
        )
    )
  )

@description('Whether a binding can name this scope.')
func isScope(id string) bool =>
  isSubscription(id) || isGroup(id) || isResource(id, 'microsoft.cognitiveservices/accounts')

@description('One entry of the list: vault[/pattern]=scope.')
func bindingOf(entry string, vaultNames string[]) Binding =>
  length(split(entry, '=')) != 2 || !isScope(last(split(entry, '=')))
    ? fail('bindings: "${entry}" is not VAULT[/PATTERN]=SCOPE, where SCOPE is the resource id of an account, a resource group or a subscription')
    : !contains(vaultNames, split(split(entry, '=')[0], '/')[0])
        ? fail('bindings: "${entry}" does not begin with the name of a vault of vaultIds')
        : !empty(strange(join(skip(split(split(entry, '=')[0], '/'), 1), '/'), 'abcdefghijklmnopqrstuvwxyz0123456789-*'))
            ? fail('bindings: the secret pattern in "${entry}" may have letters, digits, "-" and "*"')
            : {
                vault: split(split(entry, '=')[0], '/')[0]
                secrets: contains(split(entry, '=')[0], '/') ? split(split(entry, '=')[0], '/')[1] : null
                scope: last(split(entry, '='))
              }

@export()
@description('The bindings of a list of vault[/pattern]=scope.')
func givenBindings(text string, vaults string[]) Binding[] =>
  map(idsOf(text), entry => bindingOf(entry, map(vaults, id => nameOf(id))))

@description('The bindings of one vault, if they are consistent.')
func consistent(vault string, bindings Binding[]) Binding[] =>
  length(union(map(bindings, binding => empty(binding.?secrets ?? '')), [])) > 1 ? fail('bindings: of vault "${vault}", either all entries have a secret pattern or none has') : bindings

@description('The bindings of one vault. Without an entry, it is bound to each account.')
func bindingsOf(vault string, given Binding[], accounts string[]) Binding[] =>
  empty(filter(given, binding => binding.vault == vault))
    ? map(accounts, id => { vault: vault, scope: id })
    : consistent(vault, filter(given, binding => binding.vault == vault))

@export()
@description('All bindings. A vault without an entry is bound to each account of the deployment.')
func allBindings(given Binding[], vaults string[], accounts string[]) Binding[] =>
  flatten(map(vaults, id => bindingsOf(nameOf(id), given, accounts)))

func entryOf(binding Binding) string =>
  '${binding.vault}${empty(binding.?secrets ?? '') ? '' : '/${binding.?secrets}'}=${binding.scope}'

@export()
@description('The app setting ROTATION_BINDINGS. Linux and the platform bound the length of a setting.')
func bindingsSetting(bindings Binding[]) string =>
  length(join(map(bindings, binding => entryOf(binding)), ',')) > 32000
    ? fail('bindings: ${length(bindings)} entries are too long for an app setting (32,000 characters); bind vaults to resource groups, or use several deployments')
    : join(map(bindings, binding => entryOf(binding)), ',')

func isUrl(text string) bool => startsWith(toLower(text), 'https://') && !empty(split('${text}/', '/')[2])

@export()
@description('The URLs of webhooks. A message names the position only, because such a URL holds a token.')
func webhooksOf(text string) string[] =>
  map(
    range(0, length(itemsOf(text))),
    i =>
      isUrl(itemsOf(text)[i])
        ? itemsOf(text)[i]
        : fail('alertWebhooks: value ${i + 1} is not an https URL; give https URLs, comma-separated (its text is not shown, because it may hold a token)')
  )
