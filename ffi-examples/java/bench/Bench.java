import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import deltawire.Decoder;
import deltawire.Delta;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/**
 * Reads one recorded stream of OpenAI chat chunks in several ways, in one process, and prints what an event costs.
 *
 * <pre>Bench FILE [NAME]     NAME stands for `deltawire`, and leaves the others out</pre>
 *
 * Tab-separated: name, mode, nanoseconds an event, text deltas, bytes of their text. Mode {@code 16k} is a body that
 * gives 16 KiB at a time, as a busy proxy sends them, {@code event} one that gives an event at a time, as most reads
 * off a network do. Each way counts the text deltas and joins their text.
 */
final class Bench {
    /** Rounds before the one that counts for nothing: the virtual machine compiles what has run some thousand times. */
    private static final int ROUNDS = 6;

    private Bench() {}

    private static final class Total {
        int deltas;
        final StringBuilder text = new StringBuilder();

        void add(String piece) {
            deltas++;
            text.append(piece);
        }
    }

    private interface Way {
        void read(InputStream body, Total total) throws IOException;
    }

    private record Named(String name, Way way) {}

    public static void main(String[] args) throws IOException {
        byte[] body = Files.readAllBytes(Path.of(args[0]));
        int events = 0;
        for (int at = 1; at < body.length; at++) {
            events += body[at - 1] == '\n' && body[at] == '\n' ? 1 : 0;
        }
        List<Named> ways = args.length > 1
                ? List.of(new Named(args[1], deltawire(Decoder.Options.DEFAULT)))
                : List.of(
                        new Named("deltawire", deltawire(Decoder.Options.DEFAULT)),
                        new Named("deltawire, one call a delta", deltawire(Decoder.Options.DEFAULT.batch(1))),
                        new Named("BufferedReader + Jackson databind", lines(databind())),
                        new Named("BufferedReader + Jackson streaming", lines(streaming())),
                        new Named("BufferedReader + Gson", lines(gson())));
        measure("16k", ways, body, events, () -> new Pieces(body, at -> at + 16 * 1024));
        measure("event", ways, body, events, () -> new Pieces(body, at -> {
            int end = at + 1;
            while (end < body.length && (body[end] != '\n' || body[end - 1] != '\n')) {
                end++;
            }
            return end + 1;
        }));
    }

    private static void measure(String mode, List<Named> ways, byte[] body, int events,
            Supplier<InputStream> bodies) throws IOException {
        long[] least = new long[ways.size()];
        Total[] totals = new Total[ways.size()];
        // One round of all before the next of any, so that a slow second of the machine hits all alike.
        for (int round = 0; round < ROUNDS; round++) {
            for (int at = 0; at < least.length; at++) {
                long took = 0;
                // The first one warms up, as long as the compiler wants.
                for (int again = round == 0 ? 5 : 1; again > 0; again--) {
                    totals[at] = new Total();
                    InputStream pieces = bodies.get();
                    long started = System.nanoTime();
                    ways.get(at).way.read(pieces, totals[at]);
                    took = System.nanoTime() - started;
                }
                least[at] = round <= 1 ? took : Math.min(least[at], took);
            }
        }
        for (int at = 0; at < least.length; at++) {
            System.out.printf("%s\t%s\t%d\t%d\t%d%n", ways.get(at).name, mode, least[at] / events, totals[at].deltas,
                    totals[at].text.toString().getBytes(UTF_8).length);
        }
    }

    /** A body that gives a piece at a time. */
    private static final class Pieces extends InputStream {
        private final byte[] body;
        private final IntUnaryOperator end;
        private int at;
        private int pieceEnd;

        Pieces(byte[] body, IntUnaryOperator end) {
            this.body = body;
            this.end = end;
        }

        @Override
        public int read() {
            throw new AssertionError("all read many");
        }

        @Override
        public int available() {
            return pieceEnd - at;
        }

        @Override
        public int read(byte[] to, int from, int len) {
            if (at == body.length) {
                return -1;
            }
            if (at == pieceEnd) {
                pieceEnd = Math.min(end.applyAsInt(at), body.length);
            }
            int count = Math.min(len, pieceEnd - at);
            System.arraycopy(body, at, to, from, count);
            at += count;
            return count;
        }
    }

    private static Way deltawire(Decoder.Options options) {
        return (body, total) -> {
            try (Decoder decoder = new Decoder(options)) {
                for (Delta delta : decoder.deltas(body)) {
                    if (delta instanceof Delta.Text text) {
                        total.add(text.text());
                    }
                }
            }
        };
    }

    private interface Payload {
        void read(String json, Total total) throws IOException;
    }

    /** How programs without an SDK read an event stream. */
    private static Way lines(Payload payload) {
        return (body, total) -> {
            BufferedReader lines = new BufferedReader(new InputStreamReader(body, UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("data: ")) {
                    String data = line.substring(6);
                    if (data.equals("[DONE]")) {
                        break;
                    }
                    payload.read(data, total);
                }
            }
        };
    }

    /** What a chunk has, as programs without an SDK declare it. */
    record Chunk(String id, String model, List<Choice> choices, Usage usage) {
        record Choice(int index, Piece delta,
                @SerializedName("finish_reason") @JsonProperty("finish_reason") String finishReason) {}

        record Piece(String role, String content) {}

        record Usage(@SerializedName("prompt_tokens") @JsonProperty("prompt_tokens") int promptTokens,
                @SerializedName("completion_tokens") @JsonProperty("completion_tokens") int completionTokens,
                @SerializedName("total_tokens") @JsonProperty("total_tokens") int totalTokens) {}

        void add(Total total) {
            if (choices != null && !choices.isEmpty() && choices.get(0).delta.content != null
                    && !choices.get(0).delta.content.isEmpty()) {
                total.add(choices.get(0).delta.content);
            }
        }
    }

    private static Payload databind() {
        ObjectReader reader = new ObjectMapper()
                .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
                .readerFor(Chunk.class);
        return (json, total) -> ((Chunk) reader.readValue(json)).add(total);
    }

    private static Payload gson() {
        Gson gson = new Gson();
        return (json, total) -> gson.fromJson(json, Chunk.class).add(total);
    }

    /** By hand: the text of the first choice, and nothing else of the chunk. */
    private static Payload streaming() {
        JsonFactory factory = new JsonFactory();
        return (json, total) -> {
            try (JsonParser parser = factory.createParser(json)) {
                parser.nextToken();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean isChoices = parser.currentName().equals("choices");
                    parser.nextToken();
                    if (!isChoices) {
                        parser.skipChildren();
                        continue;
                    }
                    while (parser.nextToken() == JsonToken.START_OBJECT) {
                        choice(parser, total);
                    }
                }
            }
        };
    }

    private static void choice(JsonParser parser, Total total) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean isDelta = parser.currentName().equals("delta");
            JsonToken value = parser.nextToken();
            if (!isDelta || value != JsonToken.START_OBJECT) {
                parser.skipChildren();
                continue;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean isContent = parser.currentName().equals("content");
                if (parser.nextToken() == JsonToken.VALUE_STRING && isContent && parser.getTextLength() > 0) {
                    total.add(parser.getText());
                } else {
                    parser.skipChildren();
                }
            }
        }
    }
}
