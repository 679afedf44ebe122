import deltawire.Delta;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What both chats do with the terminal: the prompt, Ctrl-C, and how a reply is shown. */
final class Terminal {
    /** A chat: the exit status of a prompt. */
    interface Chat {
        int reply(Terminal terminal, String prompt);
    }

    private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private boolean isFaulty;

    private Terminal() {}

    /** Runs a chat with the only argument, and ends the program. Ctrl-C interrupts the thread of the chat. */
    static void run(String program, String[] args, Chat chat) {
        if (args.length != 1) {
            System.err.println("usage: " + program + " PROMPT");
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
        Terminal terminal = new Terminal();
        int status = chat.reply(terminal, args[0]);
        terminal.out.println();
        terminal.out.flush();
        if (status != 130) {
            Runtime.getRuntime().removeShutdownHook(interrupt);
            System.exit(status);
        }
    }

    /** The reply goes to standard output, what is known of it to standard error. */
    void show(Delta delta) {
        if (delta instanceof Delta.Text text) {
            out.print(text.text());
            out.flush();
        } else if (delta instanceof Delta.Usage usage && usage.outputTokens().isPresent()) {
            System.err.print("(" + usage.outputTokens().getAsLong() + " tokens)");
        } else if (delta instanceof Delta.Error error) {
            System.err.println(error.kind() + ": " + error.message());
            isFaulty = true;
        } else if (delta instanceof Delta.EventError event) {
            System.err.println(event.message());
            isFaulty = true;
        }
    }

    /** The exit status of a reply that came to its end. */
    int status() {
        return isFaulty ? 1 : 0;
    }

    /** The exit status of one that did not. */
    int failed(Object why, int status) {
        System.err.println(why);
        return status;
    }
}
