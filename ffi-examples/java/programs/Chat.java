import deltawire.CancelledException;
import deltawire.Client;
import deltawire.Delta;
import deltawire.IncompleteException;
import deltawire.Request;
import deltawire.Stream;
import deltawire.TransportException;

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
        Terminal.run("Chat", args, Chat::reply);
    }

    private static int reply(Terminal terminal, String prompt) {
        Client.Builder options = Client.builder()
                .baseUrl(System.getenv("OPENAI_BASE_URL"))
                .key(System.getenv("OPENAI_API_KEY"))
                .retries(0);
        Request request = Request.chat(System.getenv().getOrDefault("OPENAI_MODEL", "gpt-4o-mini"))
                .push("user", prompt)
                .includeUsage();
        try (Client client = options.build(); Stream stream = client.stream(request)) {
            for (Delta delta : stream.deltas()) {
                terminal.show(delta);
            }
            return terminal.status();
        } catch (CancelledException e) {
            return terminal.failed("interrupted", 130);
        } catch (TransportException e) {
            return terminal.failed(e.getMessage(), 3);
        } catch (IncompleteException e) {
            return terminal.failed(e.getMessage(), 1);
        }
    }
}
