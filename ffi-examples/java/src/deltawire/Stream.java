package deltawire;

import static deltawire.Native.C;
import static deltawire.Native.NATIVE;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.function.LongToIntFunction;

/**
 * One request and its response. One thread at a time goes through the deltas; any other may {@link #cancel()} or
 * {@link #close()}, and an interrupt of the waiting thread cancels too.
 */
public final class Stream implements AutoCloseable {
    /** The native side. */
    private static final class State extends Interruptible {
        private final Handle handle = new Handle() {
            @Override
            void free() {
                State.this.free();
            }
        };
        /** Held by whoever is in a call that may wait. */
        private final Object turn = new Object();
        /** Held by whoever needs that nobody frees the stream: to cancel does not wait for a turn. */
        private final Object alive = new Object();
        private long stream;
        private long block;
        private End end = End.UNKNOWN;

        State(long stream) {
            this.stream = stream;
            block = NATIVE.allocate(Math.max(Struct.Delta.SIZE, Struct.Failure.SIZE));
        }

        /** A call that may wait; its status. */
        int call(LongToIntFunction call) {
            try {
                return await(() -> call.applyAsInt(stream));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        protected void implCloseChannel() {
            synchronized (alive) {
                C.dw_stream_cancel(stream); // NULL does nothing
            }
        }

        void free() {
            cancel();
            synchronized (turn) {
                synchronized (alive) {
                    end = End.of(C.dw_stream_end(stream));
                    C.dw_stream_free(stream);
                    NATIVE.free(block);
                    stream = block = 0;
                }
            }
        }
    }

    private final State state;
    private final Cleaner.Cleanable cleanable;

    Stream(long stream) {
        state = new State(stream);
        cleanable = state.handle.ownedBy(this);
    }

    /** Ends the stream, in whatever it waits for. Whoever goes through the deltas gets a CancelledException. */
    public void cancel() {
        state.cancel();
    }

    /** Cancels the stream if it is not at its end, and frees it. A second time does nothing. */
    @Override
    public void close() {
        cleanable.clean();
    }

    /**
     * Gives the deltas of the response as they come. The first one that is asked for sends the request.
     *
     * <p>The iterator throws a {@link TransportException} where no response came or it broke off, after what came
     * before; a {@link CancelledException} is one; an {@link IncompleteException} where the response ended before its
     * time.
     */
    public Deltas deltas() {
        TransportException[] failure = {null};
        return new Deltas(() -> {
            synchronized (state.turn) {
                while (true) {
                    if (state.stream == 0) {
                        throw failure[0] != null ? failure[0] : Status.closed();
                    }
                    int status = state.call(stream -> C.dw_stream_next(stream, state.block));
                    if (status == Status.DELTA) {
                        return Delta.at(state.block);
                    }
                    if (Status.isOfEvent(status)) {
                        return eventError(status);
                    }
                    if (status <= Status.ERR_REQUEST) {
                        // What came before it still comes.
                        failure[0] = failure(status);
                        continue;
                    }
                    Status.check(status);
                    if (failure[0] != null) {
                        throw failure[0];
                    }
                    End end = End.of(C.dw_stream_end(state.stream));
                    if (end != End.COMPLETE) {
                        throw new IncompleteException(end, new byte[0]);
                    }
                    Reference.reachabilityFence(this);
                    return null;
                }
            }
        });
    }

    private TransportException failure(int status) {
        if (status == Status.ERR_CANCELLED) {
            return new CancelledException(null);
        }
        Status.check(C.dw_stream_failure(state.stream, state.block));
        return new TransportException(state.block);
    }

    private Delta.EventError eventError(int status) {
        Status.check(C.dw_stream_failure(state.stream, state.block));
        return new Delta.EventError(Status.name(status), NATIVE.getLong(state.block + Struct.Failure.OFFSET), 0,
                NATIVE.text(state.block + Struct.Failure.MESSAGE));
    }

    void fetch(Message message) {
        synchronized (state.turn) {
            int status = state.call(stream -> C.dw_stream_fetch(stream, message.address()));
            if (status <= Status.ERR_REQUEST) {
                throw failure(status);
            }
            Status.check(status);
        }
        Reference.reachabilityFence(this);
    }

    /** How the stream ended, or would have if it ended here. */
    public End end() {
        synchronized (state.turn) {
            End end = state.stream == 0 ? state.end : End.of(C.dw_stream_end(state.stream));
            Reference.reachabilityFence(this);
            return end;
        }
    }
}
