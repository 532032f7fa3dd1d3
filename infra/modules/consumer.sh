# Calls the account every 10 seconds, and reads the secret again only when its key is refused. It prints
# the status of each call; the key is in this shell's memory and in no argument of a process.
az login --identity --client-id "$CLIENT_ID" --output none || exit 1
read_secret() { key=$(az keyvault secret show --vault-name "$VAULT" --name "$SECRET" --query value --output tsv); }
read_secret
while true; do
  status=$(curl --silent --output /dev/null --write-out '%{http_code}' --config - \
    "${ENDPOINT}openai/models?api-version=2024-10-21" <<<"header = \"api-key: $key\"")
  echo "$(date -u +%H:%M:%SZ) $status"
  [ "$status" = 401 ] && read_secret
  sleep 10
done
