package deltawire;

import static deltawire.Native.NATIVE;

import java.util.OptionalLong;

/**
 * One piece of news from a stream. Everything in it is a copy and stays right for ever. Text that the provider did
 * not give is empty; NUL may be in any.
 */
public sealed interface Delta {
    /** The message begins. Comes again where the provider changes one of these. */
    record Start(String id, String model, String role) implements Delta {}

    /** A piece of the reply. */
    record Text(int choice, String text) implements Delta {}

    /** A piece of the model's reasoning or of its summary. */
    record Reasoning(int choice, String text) implements Delta {}

    /** A piece of the model's refusal to answer. */
    record Refusal(int choice, String text) implements Delta {}

    /**
     * A tool call begins, or one that is known gets the ID or name it lacked, or is returned to. A new ID at an index
     * in use is a new call.
     *
     * @param index the tool call's index on the wire, else a running count; some number from -1
     */
    record ToolCallStart(int choice, int index, String id, String name) implements Delta {}

    /**
     * A piece of a tool call's arguments.
     *
     * @param whole whether it is all of them, in place of any that came before
     */
    record ToolCallArguments(int choice, int index, String fragment, boolean whole) implements Delta {}

    /** As {@link ToolCallStart}, of a tool that the provider runs: nothing is left to do. */
    record ServerToolCallStart(int choice, int index, String id, String name) implements Delta {}

    /** As {@link ToolCallArguments}, of a tool that the provider runs. */
    record ServerToolCallArguments(int choice, int index, String fragment, boolean whole) implements Delta {}

    /**
     * A choice is at its end.
     *
     * @param raw the provider's word for the reason
     */
    record Finish(int choice, FinishReason reason, String raw) implements Delta {}

    /**
     * Token counts so far, with the provider's meaning. Each number replaces the one before it; empty is one that the
     * stream did not give.
     */
    record Usage(OptionalLong inputTokens, OptionalLong outputTokens, OptionalLong totalTokens,
            OptionalLong cachedTokens, OptionalLong cacheCreationTokens, OptionalLong reasoningTokens)
            implements Delta {
        /** The six, as C orders them. */
        OptionalLong[] counts() {
            return new OptionalLong[] {
                inputTokens, outputTokens, totalTokens, cachedTokens, cacheCreationTokens, reasoningTokens
            };
        }

        static Usage at(long address) {
            int known = NATIVE.getInt(address + Struct.Usage.KNOWN);
            OptionalLong[] counts = new OptionalLong[6];
            for (int at = 0; at < counts.length; at++) {
                counts[at] = (known >> at & 1) == 0
                        ? OptionalLong.empty()
                        : OptionalLong.of(NATIVE.getLong(address + Struct.Usage.COUNTS + 8 * at));
            }
            return new Usage(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
        }
    }

    /**
     * The provider reports an error.
     *
     * @param code        the provider's code, else its type
     * @param isTransient whether the same request may succeed later
     * @param raw         the whole payload, bytes as they came
     */
    record Error(ErrorKind kind, String code, String message, boolean isTransient, byte[] raw) implements Delta {}

    /**
     * What has no place among the others.
     *
     * @param event what it is
     * @param raw   the whole payload, bytes as they came: they may not be UTF-8
     */
    record Other(String event, byte[] raw) implements Delta {}

    /** The provider's own end of the stream. Comes once; more may follow it. */
    record Done() implements Delta {}

    /**
     * One event could not be read. The stream goes on behind it.
     *
     * @param status  why, as C names it: DW_ERR_NOT_JSON (the payload comes next, as {@link Other}),
     *                DW_ERR_EVENT_TOO_LARGE, DW_ERR_BAD_FRAME
     * @param offset  where the event begins, in bytes from the start of the stream
     * @param at      of DW_ERR_NOT_JSON: how far into the payload it is JSON, in bytes
     * @param message what to tell a person
     */
    record EventError(String status, long offset, long at, String message) implements Delta {}

    /** A kind that is newer than this class. */
    record Unknown(int kind) implements Delta {}

    /** Copies the delta of a {@code dw_delta}. */
    static Delta at(long address) {
        int kind = NATIVE.getInt(address + Struct.Delta.KIND);
        int choice = NATIVE.getInt(address + Struct.Delta.CHOICE);
        return switch (kind) {
            case 1 -> new Start(NATIVE.text(address + Struct.Delta.ID), NATIVE.text(address + Struct.Delta.MODEL),
                    NATIVE.text(address + Struct.Delta.ROLE));
            case 2 -> new Text(choice, NATIVE.text(address + Struct.Delta.TEXT));
            case 3 -> new Reasoning(choice, NATIVE.text(address + Struct.Delta.TEXT));
            case 4 -> new Refusal(choice, NATIVE.text(address + Struct.Delta.TEXT));
            case 5 -> new ToolCallStart(choice, NATIVE.getInt(address + Struct.Delta.INDEX),
                    NATIVE.text(address + Struct.Delta.ID), NATIVE.text(address + Struct.Delta.NAME));
            case 6 -> new ToolCallArguments(choice, NATIVE.getInt(address + Struct.Delta.INDEX),
                    NATIVE.text(address + Struct.Delta.TEXT), has(address, WHOLE));
            case 7 -> new ServerToolCallStart(choice, NATIVE.getInt(address + Struct.Delta.INDEX),
                    NATIVE.text(address + Struct.Delta.ID), NATIVE.text(address + Struct.Delta.NAME));
            case 8 -> new ServerToolCallArguments(choice, NATIVE.getInt(address + Struct.Delta.INDEX),
                    NATIVE.text(address + Struct.Delta.TEXT), has(address, WHOLE));
            case 9 -> new Finish(choice, FinishReason.of(NATIVE.getInt(address + Struct.Delta.FINISH_REASON)),
                    NATIVE.text(address + Struct.Delta.RAW));
            case 10 -> Usage.at(address + Struct.Delta.USAGE);
            case 11 -> new Error(ErrorKind.of(NATIVE.getInt(address + Struct.Delta.ERROR_KIND)),
                    NATIVE.text(address + Struct.Delta.CODE), NATIVE.text(address + Struct.Delta.TEXT),
                    has(address, TRANSIENT), NATIVE.bytes(address + Struct.Delta.RAW));
            case 12 -> new Other(NATIVE.text(address + Struct.Delta.NAME), NATIVE.bytes(address + Struct.Delta.RAW));
            case 13 -> new Done();
            default -> new Unknown(kind);
        };
    }

    /** In {@code dw_delta.flags}. */
    int WHOLE = 1;

    /** In {@code dw_delta.flags}. */
    int TRANSIENT = 2;

    private static boolean has(long address, int flag) {
        return (NATIVE.getInt(address + Struct.Delta.FLAGS) & flag) != 0;
    }
}
