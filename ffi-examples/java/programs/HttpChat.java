import deltawire.CancelledException;
import deltawire.Decoder;
import deltawire.Delta;
import deltawire.DeltawireException;
import deltawire.IncompleteException;
import deltawire.Message;
import deltawire.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;

/**
 * A chat on the terminal, over the JDK's HTTP client: the body's bytes go into a decoder as they arrive.
 *
 * <pre>HttpChat PROMPT</pre>
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it comes,
 * what is known of it to standard error. Ctrl-C ends the reply.
 *
 * <p>Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */
final class HttpChat {
    private HttpChat() {}

    public static void main(String[] args) {
        Terminal.run("HttpChat", args, HttpChat::reply);
    }

    private static int reply(Terminal terminal, String prompt) {
        HttpResponse<InputStream> response;
        try {
            // Unless told so, the client offers HTTP/2 to plain http:// too, and servers on one's own machine may wait
            // for the rest of that.
            HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            response = client.send(request(prompt), HttpResponse.BodyHandlers.ofInputStream());
            if (response.statusCode() / 100 != 2) {
                return terminal.failed(response.statusCode() + ": " + refusal(response.body().readAllBytes()), 3);
            }
        } catch (InterruptedException e) {
            return terminal.failed("interrupted", 130);
        } catch (IOException | IllegalArgumentException e) {
            return terminal.failed(e, Thread.currentThread().isInterrupted() ? 130 : 3);
        }
        try (InputStream body = response.body(); Decoder decoder = new Decoder()) {
            for (Delta delta : decoder.deltas(body)) {
                terminal.show(delta);
            }
            return terminal.status();
        } catch (CancelledException e) {
            return terminal.failed("interrupted", 130);
        } catch (IncompleteException e) {
            return terminal.failed(e.getMessage(), 1);
        } catch (UncheckedIOException | IOException e) { // the connection broke
            return terminal.failed(e, 3);
        }
    }

    private static HttpRequest request(String prompt) {
        String base = System.getenv().getOrDefault("OPENAI_BASE_URL", "https://api.openai.com/v1");
        String key = System.getenv("OPENAI_API_KEY");
        String model = System.getenv().getOrDefault("OPENAI_MODEL", "gpt-4o-mini");
        String json = "{\"model\":" + quoted(model) + ",\"messages\":[{\"role\":\"user\",\"content\":" + quoted(prompt)
                + "}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}";
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/chat/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json));
        return (key == null ? request : request.header("Authorization", "Bearer " + key)).build();
    }

    /** A JSON string; the JDK has nothing that writes one. */
    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c == '"' || c == '\\') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }

    /** What the provider says went wrong. */
    private static String refusal(byte[] body) {
        try (Message message = new Message()) {
            message.read(body);
            Reply.Error error = message.reply().error();
            if (error != null) {
                return error.kind() + ": " + error.message();
            }
        } catch (DeltawireException e) {
            // Not the provider's words, but those of somebody before it.
        }
        return new String(body, StandardCharsets.UTF_8);
    }
}
