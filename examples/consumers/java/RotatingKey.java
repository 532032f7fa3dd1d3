import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/** A key from Key Vault that follows its rotation; App.java shows how to create one for the life of the app. */
public final class RotatingKey {
    public record Version(String id, String value) {}

    private static final System.Logger LOG = System.getLogger("rotating-key");
    private final Supplier<Version> latest;
    private volatile Version current;
    private long pause = 1_000, notBefore = 0; // milliseconds

    /** Reads the secret, then again every {@code every} and after a 401. Throws if the first read fails. */
    public RotatingKey(Supplier<Version> latest, Duration every) {
        this.latest = latest;
        this.current = latest.get();
        var thread = new Thread(() -> follow(every.toMillis()), "rotating-key");
        thread.setDaemon(true);
        thread.start();
    }

    public String value() { return current.value(); }

    public String version() { return current.id(); }

    /** Returns the key to use after a 401. Of many callers one reads, and not too often. */
    public synchronized String replace(String rejected) {
        if (value().equals(rejected) && System.currentTimeMillis() >= notBefore) {
            read();
            pause = value().equals(rejected) ? Math.min(2 * pause, 30_000) : 1_000;
            notBefore = System.currentTimeMillis() + pause;
        }
        return value();
    }

    /** Sends a request with the key in use, and once more after a 401. */
    public <T> HttpResponse<T> send(HttpClient client, HttpRequest.Builder request, HttpResponse.BodyHandler<T> body)
            throws IOException, InterruptedException {
        var used = value();
        var response = client.send(request.setHeader("api-key", used).build(), body);
        if (response.statusCode() != 401) return response;
        var fresh = replace(used);
        return fresh.equals(used) ? response : client.send(request.setHeader("api-key", fresh).build(), body);
    }

    /** Reads the latest version. If that fails, keeps the key and returns false. */
    private synchronized boolean read() {
        try {
            var read = latest.get();
            if (!read.id().equals(version())) LOG.log(INFO, "version {0} is in use", read.id());
            current = read;
            return true;
        } catch (RuntimeException e) {
            LOG.log(WARNING, "the secret cannot be read: {0}", e.getClass().getSimpleName());
            return false;
        }
    }

    private void follow(long every) {
        for (long wait = every;;) {
            try {
                Thread.sleep((long) (wait * ThreadLocalRandom.current().nextDouble(0.5, 1))); // not all at once
            } catch (InterruptedException e) {
                return;
            }
            wait = read() ? every : Math.min(every, 30_000);
        }
    }
}
