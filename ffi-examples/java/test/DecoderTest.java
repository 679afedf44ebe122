import static java.nio.charset.StandardCharsets.UTF_8;

import deltawire.CancelledException;
import deltawire.Client;
import deltawire.Decoder;
import deltawire.Delta;
import deltawire.DeltawireException;
import deltawire.Dialect;
import deltawire.End;
import deltawire.ErrorKind;
import deltawire.FinishReason;
import deltawire.IncompleteException;
import deltawire.Message;
import deltawire.Reply;
import deltawire.Request;
import deltawire.Stream;
import deltawire.TransportException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What the decoder and the message promise besides reading streams right. */
final class DecoderTest {
    private static String event(String content) {
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + content + "\"}}]}\n\n";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static List<String> texts(Iterable<Delta> deltas) {
        List<String> texts = new ArrayList<>();
        for (Delta delta : deltas) {
            texts.add(delta instanceof Delta.Text text ? text.text() : delta.getClass().getSimpleName());
        }
        return texts;
    }

    void textStaysRightAfterTheNextCallAndAfterClose() {
        List<String> kept;
        try (Decoder decoder = new Decoder()) {
            byte[] chunk = bytes(event("Gr\\u00fc\\u00df\\u0000dich \\ud83d\\ude00"));
            kept = texts(decoder.feed(chunk));
            texts(decoder.feed(bytes(event("something else, and longer than that").repeat(500))));
        }
        System.gc();
        Tests.equal(kept, List.of("Grüß\0dich 😀"));
    }

    void aPayloadThatIsNotUtf8ComesAsItIs() {
        try (Decoder decoder = new Decoder(Decoder.Options.DEFAULT.dialect(Dialect.OPENAI_CHAT))) {
            byte[] payload = {'{', 'b', 0, (byte) 0xFF, (byte) 0xE2, (byte) 0x82, 'a'};
            ByteBuffer chunk = ByteBuffer.allocateDirect(64).put(bytes("data: ")).put(payload).put(bytes("\n\n")).flip();
            List<Delta> deltas = decoder.feed(chunk).stream().toList();
            Tests.equal(deltas.size(), 2);
            Tests.check(!chunk.hasRemaining());
            Tests.check(deltas.get(0) instanceof Delta.EventError event && event.status().equals("DW_ERR_NOT_JSON")
                    && event.at() == 1 && event.offset() == 0, deltas);
            Tests.check(deltas.get(1) instanceof Delta.Other other && java.util.Arrays.equals(other.raw(), payload),
                    deltas);
        }
    }

    void aLoopThatIsLeftEarlyLeavesTheRest() {
        try (Decoder decoder = new Decoder()) {
            Iterator<Delta> first = decoder.feed(bytes(event("one") + event("two") + event("three"))).iterator();
            Tests.equal(first.next(), new Delta.Text(0, "one"));
            Tests.equal(texts(decoder.feed(bytes(event("four")))), List.of("two", "three", "four"));
            Tests.check(!first.hasNext());
            decoder.feed(bytes(event("five")));
            Tests.equal(texts(decoder.finish()), List.of("five"));
            Tests.equal(decoder.events(), 5L);
            Tests.equal(decoder.dialect(), Dialect.OPENAI_CHAT);
            Tests.equal(decoder.end(), End.TRUNCATED);
        }
    }

    void anErrorOfAnEventDoesNotEndTheStream() {
        String first = event("before");
        try (Decoder decoder = new Decoder(Decoder.Options.DEFAULT.maxEventBytes(200))) {
            List<Delta> deltas = decoder.feed(bytes(first + event("x".repeat(500)) + event("behind"))).stream().toList();
            Tests.check(deltas.size() == 3 && deltas.get(1) instanceof Delta.EventError event
                    && event.status().equals("DW_ERR_EVENT_TOO_LARGE") && event.offset() == first.length()
                    && event.message().contains("200"), deltas);
            Tests.equal(deltas.get(2), new Delta.Text(0, "behind"));
        }
    }

    void aTruncatedStreamSaysSo() {
        String page = "<html>\n<p>502</p>\n";
        try (Decoder decoder = new Decoder()) {
            for (String body : List.of(event("half"), event("a") + "data: [D", page)) {
                List<String> got = new ArrayList<>();
                IncompleteException e = Tests.thrown(IncompleteException.class, () -> {
                    for (Delta delta : decoder.deltas(new ByteArrayInputStream(bytes(body)))) {
                        got.add(delta.toString());
                    }
                });
                boolean isPage = body.equals(page);
                Tests.equal(e.end(), isPage ? End.UNRECOGNISED : End.TRUNCATED);
                Tests.equal(new String(e.seen(), UTF_8), isPage ? page : "");
                Tests.equal(got.size(), isPage ? 0 : 1);
                Tests.equal(decoder.offset(), (long) body.length());
            }
            String whole = event("Hi") + "data: [DONE]\n\n";
            Tests.equal(texts(decoder.deltas(new ByteArrayInputStream(bytes(whole)))), List.of("Hi", "Done"));
        }
    }

    void aFailureOfTheBodyIsHandedOn() {
        IOException broken = new IOException("broken");
        InputStream body = new InputStream() {
            private final InputStream before = new ByteArrayInputStream(bytes(event("Hi")));

            @Override
            public int read() throws IOException {
                int next = before.read();
                if (next < 0) {
                    throw broken;
                }
                return next;
            }
        };
        try (Decoder decoder = new Decoder()) {
            Iterator<Delta> deltas = decoder.deltas(body).iterator();
            Tests.equal(deltas.next(), new Delta.Text(0, "Hi"));
            Tests.equal(Tests.thrown(UncheckedIOException.class, deltas::hasNext).getCause(), broken);
        }
    }

    void anInterruptEndsALoopThatWaits() throws IOException {
        try (PipedInputStream body = new PipedInputStream(); PipedOutputStream server = new PipedOutputStream(body);
                Decoder decoder = new Decoder()) {
            server.write(bytes(event("Hi")));
            Iterator<Delta> deltas = decoder.deltas(body).iterator();
            Tests.equal(deltas.next(), new Delta.Text(0, "Hi"));
            Thread waiting = Thread.currentThread();
            Thread other = new Thread(() -> {
                sleep(50);
                waiting.interrupt();
            });
            other.start();
            Tests.thrown(CancelledException.class, deltas::hasNext);
            Tests.check(Thread.interrupted(), "the interrupt is forgotten");
        } finally {
            Thread.interrupted();
        }
    }

    void anInterruptEndsALoopWhoseBodyKnowsNothingOfInterrupts() {
        CountDownLatch closed = new CountDownLatch(1);
        InputStream body = new InputStream() {
            @Override
            public int read() throws IOException {
                boolean isInterrupted = false;
                while (closed.getCount() > 0) {
                    try {
                        Tests.check(closed.await(10, TimeUnit.SECONDS), "nobody closed the body");
                    } catch (InterruptedException e) {
                        isInterrupted = true;
                    }
                }
                if (isInterrupted) {
                    Thread.currentThread().interrupt();
                }
                return -1;
            }

            @Override
            public void close() {
                closed.countDown();
            }
        };
        Thread waiting = Thread.currentThread();
        Thread other = new Thread(() -> {
            sleep(50);
            waiting.interrupt();
        });
        try (Decoder decoder = new Decoder()) {
            other.start();
            Tests.thrown(CancelledException.class, () -> decoder.deltas(body).iterator().hasNext());
            Tests.check(Thread.interrupted(), "the interrupt is forgotten");
        } finally {
            Thread.interrupted();
        }
    }

    void aTimeoutOfTheBodyIsNoCancelling() {
        SocketTimeoutException late = new SocketTimeoutException("late");
        InputStream body = new InputStream() {
            @Override
            public int read() throws IOException {
                throw late;
            }
        };
        try (Decoder decoder = new Decoder()) {
            Tests.equal(Tests.thrown(UncheckedIOException.class, () -> decoder.deltas(body).iterator().hasNext()).getCause(),
                    late);
        }
    }

    static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    void useAfterCloseIsAnError() {
        Decoder decoder = new Decoder();
        Iterator<Delta> left = decoder.feed(bytes(event("Hi") + event("you"))).iterator();
        left.next();
        decoder.close();
        decoder.close();
        for (Tests.Body body : List.<Tests.Body>of(left::hasNext, () -> decoder.feed(bytes("x")), decoder::finish,
                decoder::reset, decoder::end, decoder::dialect, decoder::offset, decoder::events, decoder::seen,
                () -> decoder.deltas(InputStream.nullInputStream()))) {
            Tests.thrown(IllegalStateException.class, body);
        }
        Message message = new Message();
        message.close();
        message.close();
        for (Tests.Body body : List.<Tests.Body>of(message::reply, () -> message.push(new Delta.Done()),
                () -> message.finish(End.COMPLETE), () -> message.read(bytes("{}")))) {
            Tests.thrown(IllegalStateException.class, body);
        }
        Client client = Client.builder().build();
        Stream stream = client.stream(Request.chat("m"));
        client.close();
        client.close();
        Tests.thrown(IllegalStateException.class, () -> client.stream(Request.chat("m")));
        Iterator<Delta> deltas = stream.deltas().iterator();
        stream.close();
        stream.close();
        stream.cancel();
        Tests.thrown(IllegalStateException.class, deltas::hasNext);
    }

    void whatIsNoOptionIsRefused() {
        Decoder.Options options = Decoder.Options.DEFAULT;
        for (Tests.Body body : List.<Tests.Body>of(() -> Dialect.of(""), () -> Dialect.of((String) null),
                () -> Dialect.of("nobody's"),
                () -> Dialect.of("unknown"), () -> options.dialect(Dialect.UNKNOWN), () -> options.dialect(null),
                () -> options.maxEventBytes(-1), () -> options.batch(0))) {
            Tests.thrown(IllegalArgumentException.class, body);
        }
        Tests.thrown(NullPointerException.class, () -> options.textField(null));
        Tests.thrown(IndexOutOfBoundsException.class, () -> new Decoder().feed(new byte[2], 1, 2));
        TransportException e = Tests.thrown(TransportException.class,
                () -> Client.builder().caFile("/nowhere.pem").build());
        Tests.check(e.status().equals("DW_ERR_REQUEST") && e.getMessage().contains("nowhere.pem"), e);
    }

    void aDialectThatIsNamedIsNotGuessed() {
        try (Decoder decoder = new Decoder(Decoder.Options.DEFAULT.dialect(Dialect.ANTHROPIC))) {
            Tests.equal(texts(decoder.feed(bytes(event("Hi")))), List.of("Other"));
            Tests.equal(decoder.dialect(), Dialect.ANTHROPIC);
        }
    }

    void aFieldThatASenderInventedIsRead() {
        try (Decoder decoder = new Decoder(Decoder.Options.DEFAULT.textField("wörter"))) {
            String event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"wörter\":\"Hi\"}}]}\n\n";
            Tests.equal(texts(decoder.feed(bytes(event))), List.of("Hi"));
        }
    }

    void aMessagePutsDeltasTogether() {
        String body = """
                data: {"id":"c1","model":"m1","choices":[{"index":0,"delta":{"role":"assistant","content":"Gr\\u00fc\\u0000"}}]}

                data: {"choices":[{"index":0,"delta":{"content":"\\u00df dich","reasoning_content":"Greet."}}]}

                data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"{\\"a\\":"}}]}}]}

                data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}

                data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}

                data: [DONE]

                """;
        try (Decoder decoder = new Decoder(); Message message = new Message()) {
            decoder.deltas(new ByteArrayInputStream(bytes(body))).forEach(message::push);
            message.finish(decoder.end());
            Reply reply = message.reply();
            Tests.equal(reply.text(), "Grü\0ß dich");
            Tests.equal(List.of(reply.id(), reply.model(), reply.role()), List.of("c1", "m1", "assistant"));
            Tests.check(reply.isComplete() && reply.end() == End.COMPLETE && reply.error() == null, reply);
            Tests.equal(reply.choices(), List.of(new Reply.Choice(0, FinishReason.TOOL_CALLS, "tool_calls",
                    "Grü\0ß dich", "Greet.", "")));
            Tests.equal(reply.toolCalls(), List.of(new Reply.ToolCall(0, 0, "t1", "f", "{\"a\":1}")));
            Tests.equal(reply.serverToolCalls(), List.of());
            Tests.equal(reply.usage(), new Delta.Usage(OptionalLong.of(9), OptionalLong.of(4), OptionalLong.empty(),
                    OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty()));
        }
    }

    /** Every kind goes there and back: what a message was given, it has. */
    void aMessageTakesEveryKind() {
        try (Message message = new Message()) {
            for (Delta delta : List.of(new Delta.Start("i", "m", "r"), new Delta.Text(1, "t"), new Delta.Reasoning(1, "z"),
                    new Delta.Refusal(1, "n"), new Delta.ToolCallStart(1, -1, "a", "b"),
                    new Delta.ToolCallArguments(1, -1, "old", false), new Delta.ToolCallArguments(1, -1, "new", true),
                    new Delta.ServerToolCallStart(1, 7, "c", "d"), new Delta.ServerToolCallArguments(1, 7, "{}", false),
                    new Delta.Finish(1, FinishReason.LENGTH, "max"),
                    new Delta.Error(ErrorKind.OVERLOADED, "529", "busy", true, bytes("{}")),
                    new Delta.Other("o", new byte[] {-1}), new Delta.Unknown(99), new Delta.Done())) {
                message.push(delta);
            }
            Reply reply = message.reply();
            Tests.equal(List.of(reply.id(), reply.model(), reply.role()), List.of("i", "m", "r"));
            Tests.equal(reply.choices(), List.of(new Reply.Choice(1, FinishReason.LENGTH, "max", "t", "z", "n")));
            Tests.equal(reply.toolCalls(), List.of(new Reply.ToolCall(1, -1, "a", "b", "new")));
            Tests.equal(reply.serverToolCalls(), List.of(new Reply.ToolCall(1, 7, "c", "d", "{}")));
            Tests.equal(reply.error(), new Reply.Error(ErrorKind.OVERLOADED, "529", "busy", true));
        }
    }

    void aWholeResponseIsReadToo() {
        try (Message message = new Message()) {
            message.read(bytes("{\"error\":{\"message\":\"No.\",\"type\":\"authentication_error\"}}"));
            Reply.Error error = message.reply().error();
            Tests.check(error.kind() == ErrorKind.AUTHENTICATION && error.message().equals("No."), error);
            for (String[] body : new String[][] {
                {"{bad", "DW_ERR_NOT_JSON"}, {"", "DW_ERR_NOT_JSON"}, {"{}", "DW_ERR_NOT_A_RESPONSE"}
            }) {
                DeltawireException e = Tests.thrown(DeltawireException.class, () -> message.read(bytes(body[0])));
                Tests.check(e.status().equals(body[1]) && !e.getMessage().isEmpty(), e);
            }
        }
    }
}
