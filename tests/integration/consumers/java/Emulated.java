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

/** RotatingKey over Key Vault's REST API, because Key Vault's SDK for Java is not on the registries of the tests. */
public final class Emulated {
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final URI CHAT =
            URI.create(env("ENDPOINT") + "openai/deployments/demo/chat/completions?api-version=2024-10-21");
    static final String HELLO = "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

    public static void main(String[] args) throws Exception {
        var key = open();
        var request = HttpRequest.newBuilder(CHAT).POST(HttpRequest.BodyPublishers.ofString(HELLO));
        run(key, () -> key.send(CLIENT, request.copy(), HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    static RotatingKey open() {
        return new RotatingKey(Emulated::read, Duration.ofMillis((long) (1000 * Double.parseDouble(env("EVERY")))));
    }

    /** Makes CALLS calls at a time, for ever, and prints the version and the numbers after each round. */
    static void run(RotatingKey key, Callable<Integer> call) throws Exception {
        int calls = Integer.parseInt(env("CALLS"));
        var threads = Executors.newFixedThreadPool(calls, task -> {
            var thread = new Thread(task);
            thread.setDaemon(true); // an error ends the app
            return thread;
        });
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
