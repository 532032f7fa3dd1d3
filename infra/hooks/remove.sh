#!/bin/sh
# Removes the service of the current azd environment. Prints the commands; with --yes it also runs them.
# Vaults, secrets, their tags, accounts and keys stay as they are. docs/remove.md explains each step.
set -eu

case "${1:-}" in
  "") yes=false ;;
  --yes) yes=true ;;
  *) echo "usage: $0 [--yes]" >&2; exit 64 ;;
esac

value() { azd env get-value "$1" 2>/dev/null || true; }

environment=$(value AZURE_ENV_NAME) principal=$(value SERVICE_PRINCIPAL_ID) url=$(value SERVICE_URL)
token=${url#*func-rotation-}
token=${token%%.*}
if [ -z "$environment" ] || [ -z "$principal" ] || [ "$token" = "$url" ] || [ -z "$token" ]; then
  echo "ERROR: this azd environment has no deployed service (azd env select NAME, azd env refresh)." >&2
  exit 1
fi

# Prints a command, and runs it with --yes. A failure is shown, and the other steps go on.
failed=0
run() {
  echo "$*"
  if $yes; then "$@" || failed=1; fi
}

# The ids of a comma-separated list, one a line, each once.
ids() { printf '%s\n' "$1" | tr -d ' ' | tr ',' '\n' | sed '/^$/d' | sort -u; }

vaults=$(ids "$(value ROTATION_VAULT_IDS)")
every=$(ids "$(value ROTATION_VAULT_IDS),$(value ROTATION_ACCOUNT_IDS)" | tr '[:upper:]' '[:lower:]')

# $1: subscription, $2: resource group of a vault, or of accounts with events.
remove_events() {
  for topic in $(az eventgrid system-topic list --subscription "$1" --resource-group "$2" --query '[].name' --output tsv); do
    names=$(az eventgrid system-topic event-subscription list --subscription "$1" --resource-group "$2" \
      --system-topic-name "$topic" --query '[].name' --output tsv)
    case "$names" in *"rotation-$token"*) ;; *) continue ;; esac
    run az eventgrid system-topic event-subscription delete --subscription "$1" --resource-group "$2" \
      --system-topic-name "$topic" --name "rotation-$token" --yes
    for kind in dead-letters dropped-events; do
      run az monitor metrics alert delete --subscription "$1" --resource-group "$2" --name "rotation-$kind-$token-$topic"
    done
    ours=$(az eventgrid system-topic show --subscription "$1" --resource-group "$2" --name "$topic" \
      --query tags.service --output tsv)
    # Another environment, or something else, may use the topic as well.
    if [ "$ours" = key-rotation ] && [ "$names" = "rotation-$token" ]; then
      run az eventgrid system-topic delete --subscription "$1" --resource-group "$2" --name "$topic" --yes
    fi
  done
}

echo "# 1. Events of the vaults and accounts, and their alerts"
for pair in $(echo "$every" | awk -F/ '{ print $3 "/" $5 }' | sort -u); do
  remove_events "${pair%/*}" "${pair#*/}"
done

if [ "$(value ROTATION_WITH_VAULT_AUDIT)" = true ]; then
  echo "# 2. Audit logs of the vaults"
  for vault in $vaults; do
    run az monitor diagnostic-settings delete --resource "$vault" --name "rotation-$token"
  done
fi

echo "# 3. Rights of the service's identity"
for subscription in $(echo "$every" | cut -d/ -f3 | sort -u); do
  for assignment in $(az role assignment list --all --subscription "$subscription" --assignee "$principal" \
    --query '[].id' --output tsv); do
    run az role assignment delete --ids "$assignment"
  done
done

echo "# 4. The service with its journal and logs"
storage=$(az lock list --resource-group "rg-$environment" --query "[?name=='journal'].id" --output tsv)
[ -z "$storage" ] || run az lock delete --ids "$storage"
run az group delete --name "rg-$environment" --yes

if $yes; then
  [ "$failed" = 0 ] || { echo "ERROR: not everything was removed; see above, and run this again." >&2; exit 1; }
  echo "Removed. Then: azd env delete $environment"
else
  echo "Nothing was changed. To run these commands: $0 --yes"
fi
