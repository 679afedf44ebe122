import deltawire.CancelledException;
import deltawire.Client;
import deltawire.Delta;
import deltawire.IncompleteException;
import deltawire.Request;
import deltawire.Stream;
import deltawire.TransportException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * A chat on the terminal, over the library's own transport.
 *
 * <pre>Chat PROMPT</pre>
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it comes,
 * what is known of it to standard error. Ctrl-C ends the reply.
 *
 * <p>Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */
final class Chat {
    private Chat() {}

    public static void main(String[] args) {
        if (args.length != 1) {
            System.err.println("usage: Chat PROMPT");
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
        Client.Builder options = Client.builder()
                .baseUrl(System.getenv("OPENAI_BASE_URL"))
                .key(System.getenv("OPENAI_API_KEY"))
                .retries(0);
        Request request = Request.chat(System.getenv().getOrDefault("OPENAI_MODEL", "gpt-4o-mini"))
                .push("user", prompt)
                .includeUsage();
        int status = 0;
        try (Client client = options.build(); Stream stream = client.stream(request)) {
            for (Delta delta : stream.deltas()) {
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
        } catch (TransportException e) {
            System.err.println(e.getMessage());
            status = 3;
        } catch (IncompleteException e) {
            System.err.println(e.getMessage());
            status = 1;
        }
        out.println();
        out.flush();
        return status;
    }
}
