import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.http.HttpClient;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpHeaders;
import com.azure.core.http.HttpMethod;
import com.azure.core.http.HttpPipelineBuilder;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.http.policy.AzureKeyCredentialPolicy;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * KeyPolicy in a pipeline as the clients of the Azure SDK build it, with the JDK's client below. That client adds the
 * body, because azure-core's own bodies need Jackson, which is not on the registries of the tests.
 */
public final class Policy {
    private static final HttpHeaderName API_KEY = HttpHeaderName.fromString("api-key");

    public static void main(String[] args) throws Exception {
        var key = Emulated.open();
        var credential = new AzureKeyCredential(key.value());
        var pipeline = new HttpPipelineBuilder()
                .policies(new KeyPolicy(key, credential), new AzureKeyCredentialPolicy("api-key", credential))
                .httpClient(new Jdk())
                .build();
        Emulated.run(key, () -> {
            try (var response = pipeline.send(new HttpRequest(HttpMethod.POST, Emulated.CHAT.toString())).block()) {
                return response.getStatusCode();
            }
        });
    }

    private static final class Jdk implements HttpClient {
        @Override
        public Mono<HttpResponse> send(HttpRequest request) {
            var sent = java.net.http.HttpRequest.newBuilder(Emulated.CHAT)
                    .header("api-key", request.getHeaders().getValue(API_KEY))
                    .POST(BodyPublishers.ofString(Emulated.HELLO));
            return Mono.fromFuture(() -> Emulated.CLIENT.sendAsync(sent.build(), BodyHandlers.ofByteArray()))
                    .map(found -> new Answer(request, found.statusCode(), found.body()));
        }
    }

    private static final class Answer extends HttpResponse {
        private final int status;
        private final byte[] body;

        Answer(HttpRequest request, int status, byte[] body) {
            super(request);
            this.status = status;
            this.body = body;
        }

        @Override
        public int getStatusCode() { return status; }

        @Override
        @Deprecated
        public String getHeaderValue(String name) { return null; }

        @Override
        public HttpHeaders getHeaders() { return new HttpHeaders(); }

        @Override
        public Flux<ByteBuffer> getBody() { return Flux.just(ByteBuffer.wrap(body)); }

        @Override
        public Mono<byte[]> getBodyAsByteArray() { return Mono.just(body); }

        @Override
        public Mono<String> getBodyAsString() { return getBodyAsString(StandardCharsets.UTF_8); }

        @Override
        public Mono<String> getBodyAsString(Charset charset) { return Mono.just(new String(body, charset)); }
    }
}
