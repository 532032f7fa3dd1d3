using System.ClientModel;
using System.ClientModel.Primitives;
using Azure.AI.OpenAI;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Logging;
using OpenAI.Chat;

// An app that calls Azure OpenAI every second with one client.
static string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set");

using var logs = LoggerFactory.Create(builder => builder.AddConsole());
var identity = new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(Setting("AZURE_CLIENT_ID")));
var vault = new SecretClient(new Uri(Setting("VAULT_URL")), identity);
using var key = await RotatingKey.OpenAsync(vault, Setting("SECRET"), TimeSpan.FromMinutes(15), logs.CreateLogger<RotatingKey>());

var credential = new ApiKeyCredential(key.Value);
var options = new AzureOpenAIClientOptions();
options.AddPolicy(new KeyPolicy(key, credential), PipelinePosition.PerCall);
var client = new AzureOpenAIClient(new Uri(Setting("ENDPOINT")), credential, options).GetChatClient("demo");
while (true)
{
    ChatCompletion answer = await client.CompleteChatAsync("hello");
    Console.WriteLine($"{key.Version} {answer.FinishReason}");
    await Task.Delay(TimeSpan.FromSeconds(1));
}
