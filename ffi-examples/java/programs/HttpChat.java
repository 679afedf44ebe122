import deltawire.CancelledException;
import deltawire.Decoder;
import deltawire.Delta;
import deltawire.DeltawireException;
import deltawire.IncompleteException;
import deltawire.Message;
import deltawire.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
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
        if (args.length != 1) {
            System.err.println("usage: HttpChat PROMPT");
            System.exit(2);
        }
        // The virtual machine answers Ctrl-C by running this while `main` goes on, and exits with 130 behind it.
        Thread main = Thread.currentThread();
        Thread interrupt = new Thread(() -> {
            main.interrupt();
            try {
                main.join(1000);
            } catch (InterruptedException e) {
                // The virtual machine does not wait any longer either.
            }
        });
        Runtime.getRuntime().addShutdownHook(interrupt);
        int status = chat(args[0]);
        if (status != 130) {
            Runtime.getRuntime().removeShutdownHook(interrupt);
            System.exit(status);
        }
    }

    private static int chat(String prompt) {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        int status = 0;
        HttpResponse<InputStream> response;
        try {
            // Unless told so, the client offers HTTP/2 to plain http:// too, and servers on one's own machine may wait
            // for the rest of that.
            HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            response = client.send(request(prompt), HttpResponse.BodyHandlers.ofInputStream());
            if (response.statusCode() / 100 != 2) {
                System.err.println(response.statusCode() + ": " + refusal(response.body().readAllBytes()));
                return 3;
            }
        } catch (InterruptedException e) {
            System.err.println("interrupted");
            return 130;
        } catch (IOException | IllegalArgumentException e) {
            System.err.println(e);
            return Thread.currentThread().isInterrupted() ? 130 : 3;
        }
        try (InputStream body = response.body(); Decoder decoder = new Decoder()) {
            for (Delta delta : decoder.read(body)) {
                if (delta instanceof Delta.Text text) {
                    out.print(text.text());
                    out.flush();
                } else if (delta instanceof Delta.Usage usage && usage.outputTokens().isPresent()) {
                    System.err.print("(" + usage.outputTokens().getAsLong() + " tokens)");
                } else if (delta instanceof Delta.Error error) {
                    System.err.println(error.kind() + ": " + error.message());
                    status = 1;
                } else if (delta instanceof Delta.Unreadable event) {
                    System.err.println(event.message());
                    status = 1;
                }
            }
        } catch (CancelledException e) {
            System.err.println("interrupted");
            status = 130;
        } catch (IncompleteException e) {
            System.err.println(e.getMessage());
            status = 1;
        } catch (UncheckedIOException | IOException e) { // the connection broke
            System.err.println(e);
            status = 3;
        }
        out.println();
        out.flush();
        return status;
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
            message.readWhole(body);
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
