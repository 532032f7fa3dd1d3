// An app that calls Azure OpenAI every second with one client.
import { setTimeout as sleep } from "node:timers/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { AzureOpenAI } from "openai";
import { RotatingKey } from "./rotating-key.mjs";

const { AZURE_CLIENT_ID, VAULT_URL, SECRET, ENDPOINT, EVERY = "900", CALLS = "1" } = process.env;
const identity = new ManagedIdentityCredential({ clientId: AZURE_CLIENT_ID });
const vault = new SecretClient(VAULT_URL, identity, { retryOptions: { maxRetries: 0 } });
const key = await RotatingKey.open(vault, SECRET, EVERY * 1000);
const client = new AzureOpenAI({
  endpoint: ENDPOINT,
  apiVersion: "2024-10-21",
  apiKey: "placeholder", // key.fetch sends the key
  fetch: key.fetch,
});

async function call() {
  try {
    await client.chat.completions.create({ model: "demo", messages: [{ role: "user", content: "hello" }] });
    return true;
  } catch (error) {
    if (error.status === 401) return false;
    throw error;
  }
}

for (;;) {
  const results = await Promise.all(Array.from({ length: Number(CALLS) }, call));
  const succeeded = results.filter(Boolean).length;
  console.log(key.version, succeeded, results.length - succeeded);
  await sleep(1000);
}
