#!/bin/sh
# Runs before `azd provision`. Uses your sign-in to find what would fail halfway or do harm. Only reads.
set -u

if ! command -v az >/dev/null || ! az account show --output none 2>/dev/null; then
  echo "NOTICE: no checks before provisioning, because the Azure CLI is not installed or not signed in (az login)."
  exit 0
fi

failed=0
problem() {
  echo "ERROR: $1" >&2
  failed=1
}

lower() { tr '[:upper:]' '[:lower:]'; }

# The ids of a comma-separated list in lower case, one a line, each once.
ids() { printf '%s\n' "$1" | tr -d ' ' | tr ',' '\n' | lower | grep . | sort -u; }

known=$(printf '%s' "${ROTATION_EVENT_TOPIC_NAMES:-}" | tr -d ' ' | lower)

# Azure allows one system topic per source. $1: id of the source, $2: its name in ROTATION_EVENT_TOPIC_NAMES.
check_topic() {
  found=$(az eventgrid system-topic list --subscription "$(echo "$1" | cut -d/ -f3)" \
    --query '[].[source, id, tags.service, identity.type]' --output tsv |
    lower | awk -F'\t' -v source="$1" '$1 == source && $3 != "key-rotation" { print $2 "|" $4 }')
  [ -z "$found" ] && return
  topic=${found%|*}
  case ",$known," in
    *",$2=$topic,"* | *",$2=${topic##*/},"*) ;;
    *) problem "$2 already has an Event Grid system topic. Use it: azd env set ROTATION_EVENT_TOPIC_NAMES $2=$topic" ;;
  esac
  case "${found##*|}" in
    *systemassigned*) ;;
    *) problem "Its topic needs a system-assigned identity: az eventgrid system-topic update --ids $topic --mi-system-assigned true" ;;
  esac
}

for vault in $(ids "${ROTATION_VAULT_IDS:-}"); do
  check_topic "$vault" "${vault##*/}"
  roles=$(az keyvault show --name "${vault##*/}" --subscription "$(echo "$vault" | cut -d/ -f3)" \
    --query properties.enableRbacAuthorization --output tsv)
  [ "$roles" = true ] || echo "WARNING: vault ${vault##*/} uses access policies instead of Azure roles: the service gets 403 there."
done

if [ "${ROTATION_WITH_ARM_EVENTS:-false}" = true ]; then
  for group in $(ids "${ROTATION_ACCOUNT_IDS:-}" | cut -d/ -f1-5 | sort -u); do
    check_topic "$group" "$group"
  done
fi

if [ "${ROTATION_WITH_NETWORK:-false}" = true ]; then
  state=$(az provider show --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" \
    --query registrationState --output tsv)
  [ "$state" = Registered ] ||
    problem "The network needs a resource provider: az provider register --namespace Microsoft.App --wait --subscription $AZURE_SUBSCRIPTION_ID"
fi

[ "$failed" = 0 ] && echo "The checks before provisioning found nothing wrong."
exit "$failed"
