# Calls the account every 10 seconds and prints the status of each call. Reads the secret again only when the
# key is refused. The key stays in this shell's memory and is never an argument of a process.
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
