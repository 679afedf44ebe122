import static java.nio.charset.StandardCharsets.UTF_8;

import deltawire.CancelledException;
import deltawire.Client;
import deltawire.Decoder;
import deltawire.Delta;
import deltawire.End;
import deltawire.ErrorKind;
import deltawire.Message;
import deltawire.Reply;
import deltawire.Request;
import deltawire.Stream;
import deltawire.TransportException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Against a server that replays a recorded chat. */
final class TransportTest {
    private static final String KEY = "sk-right-0123456789";
    private static final String WRONG_KEY = "sk-wrong-9876543210";

    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private static final class Server implements AutoCloseable {
        final String address;
        private final Process process;

        Server(String... args) throws IOException {
            List<String> command = new ArrayList<>(List.of(System.getenv("DELTAWIRE"), "serve", "--port", "0"));
            command.addAll(List.of(args));
            command.add(Path.of(System.getProperty("deltawire.data"), "serve-chat.sse").toString());
            process = new ProcessBuilder(command).start();
            BufferedReader told = process.errorReader(UTF_8);
            String line;
            do {
                line = told.readLine();
                if (line == null) {
                    throw new AssertionError("the server told no address");
                }
            } while (!line.contains("listening on "));
            address = line.substring(line.indexOf("http://"));
        }

        @Override
        public void close() {
            process.destroyForcibly();
            try {
                process.waitFor();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static Client client(Server server, String key) {
        return Client.builder().baseUrl(server.address).key(key).retries(0).proxy("direct").header("X-Test", "1")
                .timeoutIdle(Duration.ofSeconds(30)).build();
    }

    private static Request request() {
        return Request.chat("tiny-chat-1").push("user", "Say hello\0, grüß").includeUsage();
    }

    private static HttpResponse<InputStream> post(Server server, String key) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.address + "/chat/completions"))
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"tiny-chat-1\",\"stream\":true,"
                        + "\"stream_options\":{\"include_usage\":true},\"messages\":[]}"))
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofInputStream());
    }

    /** Goes through a reply that is sent at an interval of 100 ms. */
    private static void isWholeReply(Iterable<Delta> deltas) {
        StringBuilder text = new StringBuilder();
        long first = 0;
        long last = 0;
        long tokens = 0;
        for (Delta delta : deltas) {
            if (delta instanceof Delta.Text piece) {
                text.append(piece.text());
                last = System.nanoTime();
                first = first == 0 ? last : first;
            } else if (delta instanceof Delta.Usage usage) {
                tokens = usage.outputTokens().getAsLong();
            }
        }
        Tests.equal(text.toString(), "Grüß dich");
        Tests.equal(tokens, 4L);
        Tests.check(last - first > 50_000_000, "all came at once", last - first);
    }

    void aReplyComesAsItIsSent() throws Exception {
        try (Server server = new Server("--interval-ms", "100", "--key", KEY); Client client = client(server, KEY)) {
            Stream stream = client.stream(request());
            isWholeReply(stream.deltas());
            stream.close();
            Tests.equal(stream.end(), End.COMPLETE);
            Reply reply = client.fetch(request());
            Tests.check(reply.text().equals("Grüß dich") && reply.isComplete(), reply);
        }
    }

    void aReplyComesAsItIsSentOverTheClientOfTheJdk() throws Exception {
        try (Server server = new Server("--interval-ms", "100", "--key", KEY); Decoder decoder = new Decoder()) {
            isWholeReply(decoder.deltas(post(server, KEY).body()));
        }
    }

    /** Ends a stream when its first event has come, a start and a detail; the next would come after two seconds. */
    private static void ends(Iterable<Delta> deltas, Runnable end, boolean isInterrupted) {
        long[] started = {0};
        int[] count = {0};
        try {
            Tests.thrown(CancelledException.class, () -> {
                for (Delta delta : deltas) {
                    if (count[0]++ > 0) {
                        Tests.check(delta instanceof Delta.Other other && other.event().equals("created"), delta);
                        continue;
                    }
                    Tests.check(delta instanceof Delta.Start, delta);
                    started[0] = System.nanoTime();
                    new Thread(() -> {
                        DecoderTest.sleep(50);
                        end.run();
                    }).start();
                }
            });
            Tests.equal(count[0], 2);
            Tests.check(System.nanoTime() - started[0] < 1_500_000_000, "took", System.nanoTime() - started[0]);
            Tests.equal(Thread.currentThread().isInterrupted(), isInterrupted);
        } finally {
            Thread.interrupted();
        }
    }

    void aStreamIsCancelledInTheMiddle() throws Exception {
        try (Server server = new Server("--interval-ms", "2000"); Client client = client(server, "")) {
            try (Stream stream = client.stream(request())) {
                ends(stream.deltas(), stream::cancel, false);
                Tests.equal(stream.end(), End.TRUNCATED);
            }
            try (Stream stream = client.stream(request())) {
                ends(stream.deltas(), stream::close, false);
            }
            Thread waiting = Thread.currentThread();
            try (Stream stream = client.stream(request())) {
                ends(stream.deltas(), waiting::interrupt, true);
            }
            try (Decoder decoder = new Decoder(); InputStream body = post(server, "").body()) {
                ends(decoder.deltas(body), waiting::interrupt, true);
            }
        }
    }

    void aStreamThatIsCancelledBeforeItBeginsDoesNotBegin() throws Exception {
        // Nobody listens there: whoever asks is refused, and that is not what is thrown.
        try (Client client = Client.builder().baseUrl("http://127.0.0.1:1/v1").proxy("direct").retries(0).build()) {
            try (Stream stream = client.stream(request())) {
                stream.cancel();
                Tests.thrown(CancelledException.class, () -> stream.deltas().iterator().hasNext());
            }
            try (Stream stream = client.stream(request())) {
                Thread.currentThread().interrupt();
                Tests.thrown(CancelledException.class, () -> stream.deltas().iterator().hasNext());
                Tests.check(Thread.interrupted());
            }
            TransportException e = Tests.thrown(TransportException.class, () -> client.fetch(request()));
            Tests.equal(e.status(), "DW_ERR_CONNECT");
        }
    }

    void theTextSoFarIsKeptWhenAStreamIsCancelled() throws Exception {
        try (Server server = new Server("--interval-ms", "60"); Client client = client(server, "");
                Stream stream = client.stream(request()); Message message = new Message()) {
            Tests.thrown(CancelledException.class, () -> {
                for (Delta delta : stream.deltas()) {
                    message.push(delta);
                    if (delta instanceof Delta.Text) {
                        stream.cancel();
                    }
                }
            });
            message.finish(stream.end());
            Reply reply = message.reply();
            Tests.check(reply.text().equals("Grüß") && !reply.isComplete() && reply.end() == End.TRUNCATED, reply);
        }
    }

    void aRefusalIsTold() throws Exception {
        try (Server server = new Server("--key", KEY); Client client = client(server, WRONG_KEY);
                Stream stream = client.stream(request()); Message message = new Message()) {
            TransportException e = Tests.thrown(TransportException.class, () -> stream.deltas().iterator().hasNext());
            Tests.check(e.status().equals("DW_ERR_STATUS") && e.httpStatus() == 401
                    && e.kind() == ErrorKind.AUTHENTICATION && !e.said().isEmpty() && !e.isTransient()
                    && e.getMessage().contains("401") && e.getMessage().contains(e.said()), e, e.said());
            Tests.check(!(e + e.body() + e.said()).contains(WRONG_KEY), e, e.body());
            Tests.equal(Tests.thrown(TransportException.class, () -> client.fetch(request())).httpStatus(), 401);

            HttpResponse<InputStream> response = post(server, WRONG_KEY);
            Tests.equal(response.statusCode(), 401);
            message.read(response.body().readAllBytes());
            Tests.equal(message.reply().error(),
                    new Reply.Error(ErrorKind.AUTHENTICATION, e.code(), e.said(), false));
        }
    }

    private record Chat(int status, String out, String told) {}

    private static Chat chat(String program, String address, String key, long interruptAfter, String... args)
            throws Exception {
        ProcessBuilder builder = new ProcessBuilder(CasesTest.program(program, args));
        builder.environment().put("OPENAI_BASE_URL", address);
        builder.environment().put("OPENAI_API_KEY", key);
        builder.environment().put("OPENAI_MODEL", "tiny-chat-1");
        Process process = builder.start();
        if (interruptAfter > 0) {
            Thread.sleep(interruptAfter);
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        String told = new String(process.getErrorStream().readAllBytes(), UTF_8);
        return new Chat(process.waitFor(), out, told);
    }

    List<Tests.Test> theChatsTalk() {
        return List.of(new Tests.Test("Chat", () -> talks("Chat")), new Tests.Test("HttpChat", () -> talks("HttpChat")));
    }

    private static void talks(String program) throws Exception {
        try (Server quick = new Server("--key", KEY); Server slow = new Server("--interval-ms", "3000")) {
            Chat chat = chat(program, quick.address, KEY, 0, "Say \"hello\"");
            Tests.check(chat.status == 0 && chat.out.equals("Grüß dich\n") && chat.told.contains("4 tokens"), chat);
            chat = chat(program, quick.address, WRONG_KEY, 0, "Say hello");
            Tests.check(chat.status == 3 && chat.told.contains("401") && !chat.toString().contains(WRONG_KEY), chat);
            chat = chat(program, "http://127.0.0.1:1/v1", "x", 0, "Say hello");
            Tests.check(chat.status == 3, chat);
            chat = chat(program, quick.address, KEY, 0);
            Tests.check(chat.status == 2 && chat.out.isEmpty(), chat);
            long started = System.nanoTime();
            chat = chat(program, slow.address, "x", 2000, "Say hello");
            Tests.check(chat.status == 130 && chat.told.contains("interrupted")
                    && !chat.told.contains("Exception"), chat);
            Tests.check(System.nanoTime() - started < 6_000_000_000L, chat);
        }
    }
}
