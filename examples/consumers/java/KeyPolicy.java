import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.http.HttpPipelineCallContext;
import com.azure.core.http.HttpPipelineNextPolicy;
import com.azure.core.http.HttpPipelinePosition;
import com.azure.core.http.HttpResponse;
import com.azure.core.http.policy.HttpPipelinePolicy;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** For clients of the Azure SDK: builder.credential(credential).addPolicy(new KeyPolicy(key, credential)). */
public final class KeyPolicy implements HttpPipelinePolicy {
    private final RotatingKey key;
    private final AzureKeyCredential credential;

    public KeyPolicy(RotatingKey key, AzureKeyCredential credential) {
        this.key = key;
        this.credential = credential;
    }

    @Override
    public HttpPipelinePosition getPipelinePosition() { return HttpPipelinePosition.PER_CALL; }

    @Override
    public Mono<HttpResponse> process(HttpPipelineCallContext context, HttpPipelineNextPolicy next) {
        var again = next.clone();
        var used = update();
        return next.process().flatMap(response -> {
            if (response.getStatusCode() != 401) return Mono.just(response);
            return Mono.fromCallable(() -> key.replace(used)).subscribeOn(Schedulers.boundedElastic())
                    .flatMap(fresh -> {
                        if (fresh.equals(used)) return Mono.just(response);
                        update();
                        response.close();
                        return again.process();
                    });
        });
    }

    /** Puts the key in use into the credential, and returns it. No thread puts an older key back. */
    private synchronized String update() {
        var used = key.value();
        credential.update(used);
        return used;
    }
}
