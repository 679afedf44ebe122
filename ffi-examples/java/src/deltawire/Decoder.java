package deltawire;

import static deltawire.Native.C;
import static deltawire.Native.NATIVE;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Reads one response. Bring its bytes, cut wherever they may be, to {@link #feed(byte[])}, and at the end of the
 * body go through {@link #finish()}; or leave both to {@link #deltas(InputStream)}.
 *
 * <pre>{@code
 * try (Decoder decoder = new Decoder()) {
 *     for (Delta delta : decoder.deltas(response.body())) {
 *         if (delta instanceof Delta.Text text) {
 *             System.out.print(text.text());
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>For one thread at a time. After {@link #close()} every method throws an IllegalStateException.
 */
public final class Decoder implements AutoCloseable {
    private static final int CHUNK = 16 * 1024;

    /** Where in a decoder's block the parts lie that are not deltas. */
    private static final int INPUT = 0;
    private static final int COUNT = INPUT + Struct.Input.SIZE;
    private static final int ERROR = COUNT + 8;
    private static final int SLICE = ERROR + Struct.Error.SIZE;
    private static final int DELTAS = SLICE + 16;

    /** How a response is decoded. Immutable: each method gives options that differ in one thing. */
    public record Options(Dialect dialect, int maxEventBytes, String textField, String reasoningField,
            boolean discardUnfinished, int batch) {
        /** Recognise the dialect, events of up to 16 MiB, 64 deltas fetched at a time. */
        public static final Options DEFAULT = new Options(Dialect.AUTO, 0, "", "", false, 64);

        /** Checks them. */
        public Options {
            Objects.requireNonNull(textField);
            Objects.requireNonNull(reasoningField);
            if (dialect == null || dialect == Dialect.UNKNOWN || maxEventBytes < 0 || batch < 1) {
                throw new IllegalArgumentException("no options for a decoder");
            }
        }

        /** Whose response it is. */
        public Options dialect(Dialect dialect) {
            return new Options(dialect, maxEventBytes, textField, reasoningField, discardUnfinished, batch);
        }

        /** The largest event that is accepted, in bytes; 0 stands for 16 MiB. A larger one is skipped. */
        public Options maxEventBytes(int max) {
            return new Options(dialect, max, textField, reasoningField, discardUnfinished, batch);
        }

        /** A member of an OpenAI chat delta that carries text besides those that are known. */
        public Options textField(String name) {
            return new Options(dialect, maxEventBytes, name, reasoningField, discardUnfinished, batch);
        }

        /** The same for reasoning. */
        public Options reasoningField(String name) {
            return new Options(dialect, maxEventBytes, textField, name, discardUnfinished, batch);
        }

        /**
         * Whether an event whose blank line is missing at the end is dropped, as the standard demands, or delivered
         * where its payload is whole.
         */
        public Options discardUnfinished(boolean discard) {
            return new Options(dialect, maxEventBytes, textField, reasoningField, discard, batch);
        }

        /** How many deltas are fetched in one call of the library, 224 bytes each. */
        public Options batch(int size) {
            return new Options(dialect, maxEventBytes, textField, reasoningField, discardUnfinished, size);
        }

        /** The {@code dw_decoder_options} of these. */
        long write(Scratch scratch) {
            long options = scratch.options(Struct.DecoderOptions.SIZE);
            NATIVE.putInt(options + Struct.DecoderOptions.DIALECT, dialect.ordinal());
            NATIVE.putInt(options + Struct.DecoderOptions.EOF, discardUnfinished ? 1 : 0);
            NATIVE.putLong(options + Struct.DecoderOptions.MAX_EVENT_BYTES, maxEventBytes);
            scratch.slice(options + Struct.DecoderOptions.TEXT_FIELD, textField);
            scratch.slice(options + Struct.DecoderOptions.REASONING_FIELD, reasoningField);
            return options;
        }
    }

    /** The native side. */
    private static final class State extends Handle {
        private final long decoder;
        /** An input, a count, an error, a slice and the deltas of a batch. */
        private final long block;
        /** The chunk that the input is of. */
        private long chunk;
        private int chunkSize;

        State(long decoder, int batch) {
            this.decoder = decoder;
            block = NATIVE.allocate(DELTAS + (long) batch * Struct.Delta.SIZE);
        }

        /** Makes a chunk the input. */
        void give(byte[] bytes, int at, int len) {
            if (len > chunkSize) {
                NATIVE.free(chunk);
                chunk = 0;
                chunkSize = Math.max(len, CHUNK);
                chunk = NATIVE.allocate(chunkSize);
            }
            NATIVE.write(bytes, at, len, chunk);
            NATIVE.putLong(block + INPUT + Struct.Input.DATA, chunk);
            NATIVE.putLong(block + INPUT + Struct.Input.LEN, len);
            NATIVE.putLong(block + INPUT + Struct.Input.POS, 0);
        }

        @Override
        void free() {
            C.dw_decoder_free(decoder);
            NATIVE.free(block);
            NATIVE.free(chunk);
        }
    }

    private final int batch;
    private final Cleaner.Cleanable cleanable;
    private State state;
    /** Of the deltas in the block: how many there are, and how many were handed out. */
    private int count;
    private int taken;
    /** Whether the library has read all of the chunk. */
    private boolean isUsedUp = true;
    /** Deltas that had to leave native memory before they were handed out. */
    private final ArrayDeque<Delta> kept = new ArrayDeque<>();

    /** Makes a decoder that recognises whose response it reads. */
    public Decoder() {
        this(Options.DEFAULT);
    }

    /** Makes a decoder with these options. */
    public Decoder(Options options) {
        batch = options.batch();
        try (Scratch scratch = new Scratch()) {
            long made = scratch.block(8);
            Status.check(C.dw_decoder_new(options.write(scratch), made));
            state = new State(NATIVE.getLong(made), batch);
        }
        cleanable = state.ownedBy(this);
    }

    /** Frees the decoder. What it has given stays. A second time does nothing. */
    @Override
    public void close() {
        cleanable.clean();
        state = null;
        kept.clear();
    }

    private State open() {
        if (state == null) {
            throw Status.closed();
        }
        return state;
    }

    /**
     * Takes a chunk of the body, which is copied at once, and gives its deltas. What an earlier chunk has left comes
     * first.
     */
    public Deltas feed(byte[] chunk) {
        return feed(chunk, 0, chunk.length);
    }

    /** The same for {@code len} bytes from {@code at}. */
    public Deltas feed(byte[] chunk, int at, int len) {
        Objects.checkFromIndexSize(at, len, chunk.length);
        give(chunk, at, len);
        return new Deltas(() -> next(false));
    }

    /** The same for what remains in a buffer, as reactive clients give it; its position is moved to its limit. */
    public Deltas feed(ByteBuffer chunk) {
        if (chunk.hasArray()) {
            int at = chunk.arrayOffset() + chunk.position();
            int len = chunk.remaining();
            chunk.position(chunk.limit());
            return feed(chunk.array(), at, len);
        }
        byte[] bytes = new byte[chunk.remaining()];
        chunk.get(bytes);
        return feed(bytes);
    }

    /**
     * Ends the stream and gives the deltas that only its end can show, after any that are left. Then {@link #end()}
     * says how it ended. Call {@link #reset()} before the next one.
     */
    public Deltas finish() {
        open();
        return new Deltas(() -> {
            Delta left = next(false);
            return left != null ? left : next(true);
        });
    }

    /**
     * Gives the deltas of a whole body as it comes; {@link #reset()} is called first. The iterator waits for bytes
     * only where it has nothing to give. Behind the last delta it throws an {@link IncompleteException} if the body
     * ended before its stream. Failures of the body are UncheckedIOExceptions. An interrupt closes the body and is a
     * {@link CancelledException}; to end it from another thread otherwise, close the body. It is the caller's to close.
     */
    public Deltas deltas(InputStream body) {
        reset();
        byte[] bytes = new byte[CHUNK];
        boolean[] isFinished = {false};
        return new Deltas(() -> {
            while (true) {
                Delta next = next(false);
                if (next != null) {
                    return next;
                }
                if (!isFinished[0]) {
                    int len = read(body, bytes);
                    isFinished[0] = len < 0;
                    give(bytes, 0, Math.max(len, 0));
                    continue;
                }
                next = next(true);
                if (next == null && end() != End.COMPLETE) {
                    throw new IncompleteException(end(), seen());
                }
                return next;
            }
        });
    }

    /** Reads some bytes of a body, and closes it if the thread is interrupted. */
    private static int read(InputStream body, byte[] bytes) {
        Interruptible wait = new Interruptible() {
            @Override
            protected void implCloseChannel() throws IOException {
                body.close();
            }
        };
        try {
            return wait.await(() -> body.read(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void give(byte[] bytes, int at, int len) {
        // Of what was not gone through, the bytes are about to be overwritten.
        List<Delta> left = new ArrayList<>();
        while (!isUsedUp) {
            Delta delta = next(false);
            if (delta != null) {
                left.add(delta);
            }
        }
        kept.addAll(left);
        open().give(bytes, at, len);
        isUsedUp = false;
        Reference.reachabilityFence(this);
    }

    /** The next delta of what was given, or of the end; null where there is none. */
    private Delta next(boolean isEnd) {
        State state = open();
        try {
            if (!kept.isEmpty()) {
                return kept.poll();
            }
            if (taken < count) {
                return take(state);
            }
            taken = count = 0;
            int status = isEnd
                    ? C.dw_decoder_finish(state.decoder, state.block + DELTAS)
                    : NATIVE.nextBatch(state.decoder, state.block + INPUT, state.block + DELTAS, batch,
                            state.block + COUNT);
            if (status == Status.DELTA) {
                count = isEnd ? 1 : (int) NATIVE.getLong(state.block + COUNT);
                return take(state);
            }
            if (Status.isOfEvent(status)) {
                return eventError(state, status);
            }
            Status.check(status);
            isUsedUp = true;
            return null;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private Delta take(State state) {
        return Delta.at(state.block + DELTAS + (long) taken++ * Struct.Delta.SIZE);
    }

    private static Delta eventError(State state, int status) {
        long error = state.block + ERROR;
        Status.check(C.dw_decoder_error(state.decoder, error));
        return new Delta.EventError(Status.name(status), NATIVE.getLong(error + Struct.Error.OFFSET),
                NATIVE.getLong(error + Struct.Error.AT), NATIVE.text(error + Struct.Error.MESSAGE));
    }

    /** Forgets the stream and begins another one. Options and memory are kept. */
    public void reset() {
        State state = open();
        kept.clear();
        taken = count = 0;
        isUsedUp = true;
        state.give(new byte[0], 0, 0);
        Status.check(C.dw_decoder_reset(state.decoder));
        Reference.reachabilityFence(this);
    }

    /** How the stream ended, or would have if it ended here. */
    public End end() {
        int end = C.dw_decoder_end(open().decoder);
        Reference.reachabilityFence(this);
        return End.of(end);
    }

    /** Whose response it is; AUTO as long as it is not known. */
    public Dialect dialect() {
        int dialect = C.dw_decoder_dialect(open().decoder);
        Reference.reachabilityFence(this);
        return Dialect.of(dialect);
    }

    /** How many bytes of the stream were used, those of an unfinished event among them. */
    public long offset() {
        long offset = C.dw_decoder_offset(open().decoder);
        Reference.reachabilityFence(this);
        return offset;
    }

    /** How many events were dispatched, those whose payload is not JSON among them. */
    public long events() {
        long events = C.dw_decoder_events(open().decoder);
        Reference.reachabilityFence(this);
        return events;
    }

    /**
     * The lines that are no part of an event stream, up to 64 KiB of them: what a server sent in place of a stream,
     * such as a web page.
     */
    public byte[] seen() {
        State state = open();
        Status.check(C.dw_decoder_seen(state.decoder, state.block + SLICE));
        byte[] seen = NATIVE.bytes(state.block + SLICE);
        Reference.reachabilityFence(this);
        return seen;
    }
}
