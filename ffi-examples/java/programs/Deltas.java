import deltawire.Decoder;
import deltawire.Delta;
import deltawire.Dialect;
import deltawire.End;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Prints what a recorded response says, a line a delta, as {@code deltawire deltas} does.
 *
 * <pre>Deltas [--dialect D] [--chunk-size N] [FILE]     standard input where there is no FILE, or where it is -</pre>
 *
 * Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
 */
final class Deltas {
    private final Decoder decoder;
    private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private boolean isFaulty;

    private Deltas(Decoder decoder) {
        this.decoder = decoder;
    }

    public static void main(String[] args) throws IOException {
        Decoder.Options options = Decoder.Options.DEFAULT;
        int chunkSize = 64 * 1024;
        String file = null;
        InputStream input;
        try {
            for (int at = 0; at < args.length; at++) {
                if (args[at].equals("--dialect") && at + 1 < args.length) {
                    options = options.dialect(Dialect.of(args[++at]));
                } else if (args[at].equals("--chunk-size") && at + 1 < args.length) {
                    chunkSize = Integer.parseInt(args[++at]);
                } else if (file == null && (args[at].equals("-") || !args[at].startsWith("-"))) {
                    file = args[at];
                } else {
                    throw new IllegalArgumentException("what is " + args[at] + "?");
                }
            }
            if (chunkSize < 1) {
                throw new IllegalArgumentException("--chunk-size is 1 or more");
            }
            input = file == null || file.equals("-") ? System.in : Files.newInputStream(Path.of(file));
        } catch (IllegalArgumentException | IOException e) {
            System.err.println("deltas: " + e);
            System.err.println("usage: Deltas [--dialect D] [--chunk-size N] [FILE]");
            System.exit(2);
            return;
        }
        int status;
        try (input; Decoder decoder = new Decoder(options)) {
            status = new Deltas(decoder).run(input, chunkSize) ? 0 : 1;
        } catch (RuntimeException | IOException e) {
            System.err.println("deltas: " + e.getMessage());
            status = 1;
        }
        System.exit(status);
    }

    /** Says whether the stream is complete and carried no error. */
    private boolean run(InputStream input, int chunkSize) throws IOException {
        byte[] chunk = new byte[chunkSize];
        for (int len = input.read(chunk); len >= 0; len = input.read(chunk)) {
            print(decoder.feed(chunk, 0, len));
        }
        print(decoder.finish());
        End end = decoder.end();
        StringBuilder line = new StringBuilder();
        Lines.appendEnd(line, end);
        out.print(line);
        out.flush();
        return !isFaulty && end == End.COMPLETE;
    }

    private void print(Iterable<Delta> deltas) {
        StringBuilder lines = new StringBuilder();
        for (Delta delta : deltas) {
            if (delta instanceof Delta.EventError event) {
                // The stream goes on behind an event that cannot be read.
                System.err.println("deltas: " + event.message());
                isFaulty = true;
            }
            isFaulty |= delta instanceof Delta.Error;
            Lines.append(lines, delta);
        }
        out.print(lines);
        // Whoever reads along shall not wait for what is known.
        out.flush();
    }
}
