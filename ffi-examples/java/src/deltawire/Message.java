package deltawire;

import static deltawire.Native.C;
import static deltawire.Native.NATIVE;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongFunction;

/**
 * Puts the deltas of a reply together, or reads a whole response that was not streamed. For one thread at a time.
 * After {@link #close()} every method throws an IllegalStateException.
 */
public final class Message implements AutoCloseable {
    private static final class State extends Handle {
        final long message;

        State(long message) {
            this.message = message;
        }

        @Override
        void free() {
            C.dw_message_free(message);
        }
    }

    private final Cleaner.Cleanable cleanable;
    private State state;

    /** Makes a message of which nothing has come. */
    public Message() {
        try (Scratch scratch = new Scratch()) {
            long made = scratch.block(8);
            Status.check(C.dw_message_new(made));
            state = new State(NATIVE.getLong(made));
        }
        cleanable = state.ownedBy(this);
    }

    /** Frees the message. What it has given stays. A second time does nothing. */
    @Override
    public void close() {
        cleanable.clean();
        state = null;
    }

    long address() {
        if (state == null) {
            throw Status.closed();
        }
        return state.message;
    }

    /** Takes in a delta. */
    public void push(Delta delta) {
        long message = address();
        if (delta instanceof Delta.EventError || delta instanceof Delta.Unknown) {
            return;
        }
        try (Scratch scratch = new Scratch()) {
            Status.check(C.dw_message_push(message, write(delta, scratch)));
        }
        Reference.reachabilityFence(this);
    }

    /** The {@code dw_delta} of a delta. */
    private static long write(Delta delta, Scratch scratch) {
        long to = scratch.block(Struct.Delta.SIZE);
        if (delta instanceof Delta.Start start) {
            kind(to, 1, 0, 0);
            scratch.slice(to + Struct.Delta.ID, start.id());
            scratch.slice(to + Struct.Delta.MODEL, start.model());
            scratch.slice(to + Struct.Delta.ROLE, start.role());
        } else if (delta instanceof Delta.Text text) {
            kind(to, 2, text.choice(), 0);
            scratch.slice(to + Struct.Delta.TEXT, text.text());
        } else if (delta instanceof Delta.Reasoning text) {
            kind(to, 3, text.choice(), 0);
            scratch.slice(to + Struct.Delta.TEXT, text.text());
        } else if (delta instanceof Delta.Refusal text) {
            kind(to, 4, text.choice(), 0);
            scratch.slice(to + Struct.Delta.TEXT, text.text());
        } else if (delta instanceof Delta.ToolCallStart call) {
            kind(to, 5, call.choice(), call.index());
            scratch.slice(to + Struct.Delta.ID, call.id());
            scratch.slice(to + Struct.Delta.NAME, call.name());
        } else if (delta instanceof Delta.ToolCallArguments call) {
            kind(to, 6, call.choice(), call.index());
            scratch.slice(to + Struct.Delta.TEXT, call.fragment());
            NATIVE.putInt(to + Struct.Delta.FLAGS, call.whole() ? Delta.WHOLE : 0);
        } else if (delta instanceof Delta.ServerToolCallStart call) {
            kind(to, 7, call.choice(), call.index());
            scratch.slice(to + Struct.Delta.ID, call.id());
            scratch.slice(to + Struct.Delta.NAME, call.name());
        } else if (delta instanceof Delta.ServerToolCallArguments call) {
            kind(to, 8, call.choice(), call.index());
            scratch.slice(to + Struct.Delta.TEXT, call.fragment());
            NATIVE.putInt(to + Struct.Delta.FLAGS, call.whole() ? Delta.WHOLE : 0);
        } else if (delta instanceof Delta.Finish finish) {
            kind(to, 9, finish.choice(), 0);
            NATIVE.putInt(to + Struct.Delta.FINISH_REASON, finish.reason().ordinal());
            scratch.slice(to + Struct.Delta.RAW, finish.raw());
        } else if (delta instanceof Delta.Usage usage) {
            kind(to, 10, 0, 0);
            OptionalLong[] counts = usage.counts();
            int known = 0;
            for (int at = 0; at < counts.length; at++) {
                if (counts[at].isPresent()) {
                    known |= 1 << at;
                    NATIVE.putLong(to + Struct.Delta.USAGE + Struct.Usage.COUNTS + 8 * at, counts[at].getAsLong());
                }
            }
            NATIVE.putInt(to + Struct.Delta.USAGE + Struct.Usage.KNOWN, known);
        } else if (delta instanceof Delta.Error error) {
            kind(to, 11, 0, 0);
            NATIVE.putInt(to + Struct.Delta.ERROR_KIND, error.kind().ordinal());
            NATIVE.putInt(to + Struct.Delta.FLAGS, error.isTransient() ? Delta.TRANSIENT : 0);
            scratch.slice(to + Struct.Delta.CODE, error.code());
            scratch.slice(to + Struct.Delta.TEXT, error.message());
            scratch.slice(to + Struct.Delta.RAW, error.raw());
        } else if (delta instanceof Delta.Other other) {
            kind(to, 12, 0, 0);
            scratch.slice(to + Struct.Delta.NAME, other.event());
            scratch.slice(to + Struct.Delta.RAW, other.raw());
        } else if (delta instanceof Delta.Done) {
            kind(to, 13, 0, 0);
        }
        return to;
    }

    private static void kind(long to, int kind, int choice, int index) {
        NATIVE.putInt(to + Struct.Delta.KIND, kind);
        NATIVE.putInt(to + Struct.Delta.CHOICE, choice);
        NATIVE.putInt(to + Struct.Delta.INDEX, index);
    }

    /** Notes how the stream ended, as {@link Decoder#end()} or {@link Stream#end()} says it. */
    public void finish(End end) {
        Status.check(C.dw_message_finish(address(), end.ordinal()));
        Reference.reachabilityFence(this);
    }

    /**
     * Reads a response as a server sends it where no stream was asked for, in place of what the message had. An error
     * that the provider reports in it is the reply's, and none of the call's.
     *
     * @throws DeltawireException if the body is no JSON, or that of no known provider
     */
    public void read(byte[] body) {
        long message = address();
        try (Scratch scratch = new Scratch()) {
            long error = scratch.block(Struct.Error.SIZE);
            int status = C.dw_message_read(message, scratch.bytes(body), body.length, error);
            if (status == Status.ERR_NOT_JSON || status == Status.ERR_NOT_A_RESPONSE) {
                throw new DeltawireException(status, NATIVE.text(error + Struct.Error.MESSAGE));
            }
            Status.check(status);
        }
        Reference.reachabilityFence(this);
    }

    /** What there is so far. */
    public Reply reply() {
        long message = address();
        try (Scratch scratch = new Scratch()) {
            long info = scratch.block(Struct.MessageInfo.SIZE);
            long part = scratch.block(Math.max(Struct.Choice.SIZE, Struct.ToolCall.SIZE));
            Status.check(C.dw_message_get(message, info));
            int errorKind = NATIVE.getInt(info + Struct.MessageInfo.ERROR_KIND);
            return new Reply(
                    NATIVE.text(info + Struct.MessageInfo.ID),
                    NATIVE.text(info + Struct.MessageInfo.MODEL),
                    NATIVE.text(info + Struct.MessageInfo.ROLE),
                    Delta.Usage.at(info + Struct.MessageInfo.USAGE),
                    list(info + Struct.MessageInfo.CHOICES, at -> {
                        Status.check(C.dw_message_choice(message, at, part));
                        return choice(part);
                    }),
                    list(info + Struct.MessageInfo.TOOL_CALLS, at -> {
                        Status.check(C.dw_message_tool_call(message, at, part));
                        return toolCall(part);
                    }),
                    list(info + Struct.MessageInfo.SERVER_TOOL_CALLS, at -> {
                        Status.check(C.dw_message_server_tool_call(message, at, part));
                        return toolCall(part);
                    }),
                    End.of(NATIVE.getInt(info + Struct.MessageInfo.END)),
                    NATIVE.getInt(info + Struct.MessageInfo.IS_COMPLETE) != 0,
                    errorKind == 0 ? null : new Reply.Error(
                            ErrorKind.of(errorKind),
                            NATIVE.text(info + Struct.MessageInfo.ERROR_CODE),
                            NATIVE.text(info + Struct.MessageInfo.ERROR_MESSAGE),
                            NATIVE.getInt(info + Struct.MessageInfo.ERROR_TRANSIENT) != 0));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static <T> List<T> list(long count, LongFunction<T> get) {
        List<T> list = new ArrayList<>();
        for (long at = 0, len = NATIVE.getLong(count); at < len; at++) {
            list.add(get.apply(at));
        }
        return List.copyOf(list);
    }

    private static Reply.Choice choice(long from) {
        return new Reply.Choice(
                NATIVE.getInt(from + Struct.Choice.INDEX),
                FinishReason.of(NATIVE.getInt(from + Struct.Choice.FINISH_REASON)),
                NATIVE.text(from + Struct.Choice.FINISH_RAW),
                NATIVE.text(from + Struct.Choice.TEXT),
                NATIVE.text(from + Struct.Choice.REASONING),
                NATIVE.text(from + Struct.Choice.REFUSAL));
    }

    private static Reply.ToolCall toolCall(long from) {
        return new Reply.ToolCall(
                NATIVE.getInt(from + Struct.ToolCall.CHOICE),
                NATIVE.getInt(from + Struct.ToolCall.INDEX),
                NATIVE.text(from + Struct.ToolCall.ID),
                NATIVE.text(from + Struct.ToolCall.NAME),
                NATIVE.text(from + Struct.ToolCall.ARGUMENTS));
    }
}
