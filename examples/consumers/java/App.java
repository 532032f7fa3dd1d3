import com.azure.identity.ManagedIdentityCredentialBuilder;
import com.azure.security.keyvault.secrets.SecretClient;
import com.azure.security.keyvault.secrets.SecretClientBuilder;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** An app that calls Azure OpenAI with one client. Needs azure-identity and azure-security-keyvault-secrets. */
public final class App {
    public static void main(String[] args) throws Exception {
        var identity = new ManagedIdentityCredentialBuilder().clientId(System.getenv("AZURE_CLIENT_ID")).build();
        SecretClient vault =
                new SecretClientBuilder().vaultUrl(System.getenv("VAULT_URL")).credential(identity).buildClient();
        var key = new RotatingKey(() -> {
            var secret = vault.getSecret(System.getenv("SECRET")); // without a version: the latest one
            return new RotatingKey.Version(secret.getProperties().getVersion(), secret.getValue());
        }, Duration.ofMinutes(15));

        var client = HttpClient.newHttpClient();
        var url = System.getenv("ENDPOINT") + "openai/deployments/demo/chat/completions?api-version=2024-10-21";
        var request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"));
        while (true) {
            var response = key.send(client, request.copy(), HttpResponse.BodyHandlers.ofString());
            System.out.println(key.version() + " " + response.statusCode());
            Thread.sleep(1000);
        }
    }
}
