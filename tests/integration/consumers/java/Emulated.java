import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;

/** RotatingKey over Key Vault's REST API, because the Azure SDK for Java is not on the registries of the tests. */
public final class Emulated {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] args) throws Exception {
        int calls = Integer.parseInt(env("CALLS"));
        var every = Duration.ofMillis((long) (1000 * Double.parseDouble(env("EVERY"))));
        var key = new RotatingKey(Emulated::read, every);
        var url = env("ENDPOINT") + "openai/deployments/demo/chat/completions?api-version=2024-10-21";
        var request = HttpRequest.newBuilder(URI.create(url))
                .POST(HttpRequest.BodyPublishers.ofString("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"));
        Callable<Integer> call = () -> key.send(CLIENT, request.copy(), HttpResponse.BodyHandlers.ofString()).statusCode();
        var threads = Executors.newFixedThreadPool(calls);
        while (true) {
            var tasks = new ArrayList<Callable<Integer>>();
            for (int i = 0; i < calls; i++) tasks.add(call);
            int succeeded = 0, failed = 0;
            for (Future<Integer> status : threads.invokeAll(tasks)) {
                if (status.get() == 200) succeeded++;
                else failed++;
            }
            System.out.println(key.version() + " " + succeeded + " " + failed);
            Thread.sleep(1000);
        }
    }

    private static RotatingKey.Version read() {
        var token = get(env("IDENTITY_ENDPOINT") + "?api-version=2019-08-01&resource=https://vault.azure.net&client_id="
                + env("AZURE_CLIENT_ID"), "X-IDENTITY-HEADER", env("IDENTITY_HEADER"));
        var secret = get(env("VAULT_URL") + "/secrets/" + env("SECRET") + "?api-version=7.4", "Authorization",
                "Bearer " + member(token, "access_token"));
        return new RotatingKey.Version(member(secret, "id").replaceAll(".*/", ""), member(secret, "value"));
    }

    private static String get(String url, String header, String value) {
        try {
            var request = HttpRequest.newBuilder(URI.create(url)).header(header, value).build();
            var response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) throw new IllegalStateException("status " + response.statusCode());
            return response.body();
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String member(String json, String name) {
        var found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        if (!found.find()) throw new IllegalStateException("no " + name);
        return found.group(1);
    }

    private static String env(String name) {
        return System.getenv(name);
    }
}
