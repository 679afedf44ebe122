package deltawire;

import static deltawire.Native.NATIVE;

import java.util.ArrayList;
import java.util.List;

/**
 * What is asked: a conversation, which is put as the provider wants it, or JSON that the caller wrote. Its methods
 * change it and return it.
 */
public final class Request {
    private record Turn(String role, String content) {}

    private String model;
    private String path;
    private String json;
    private final List<Turn> turns = new ArrayList<>();
    private int maxTokens;
    private int n;
    private Double temperature;
    private boolean includeUsage;

    private Request() {}

    /** A conversation with a model. */
    public static Request chat(String model) {
        Request request = new Request();
        request.model = model;
        return request;
    }

    /**
     * JSON as it is, which asks for a stream itself.
     *
     * @param path where to post to, below the base URL, such as "/chat/completions", or a whole URL
     */
    public static Request post(String path, String json) {
        Request request = new Request();
        request.path = path;
        request.json = json;
        return request;
    }

    /** Adds a message; the role is "system", "user" or "assistant". */
    public Request push(String role, String content) {
        turns.add(new Turn(role, content));
        return this;
    }

    /** The most tokens that a choice may have. */
    public Request maxTokens(int max) {
        maxTokens = max;
        return this;
    }

    /** How many choices. */
    public Request n(int count) {
        n = count;
        return this;
    }

    /** How much chance there is in the reply. */
    public Request temperature(double value) {
        temperature = value;
        return this;
    }

    /** Asks for token counts, which some providers send only then. */
    public Request includeUsage() {
        includeUsage = true;
        return this;
    }

    long write(Scratch scratch) {
        long request = scratch.options(Struct.Request.SIZE);
        NATIVE.putInt(request + Struct.Request.FLAGS, (includeUsage ? 1 : 0) | (temperature != null ? 2 : 0));
        scratch.slice(request + Struct.Request.MODEL, model);
        scratch.slice(request + Struct.Request.PATH, path);
        scratch.slice(request + Struct.Request.JSON, json);
        NATIVE.putInt(request + Struct.Request.MAX_TOKENS, maxTokens);
        NATIVE.putInt(request + Struct.Request.N, n);
        if (temperature != null) {
            NATIVE.putDouble(request + Struct.Request.TEMPERATURE, temperature);
        }
        long at = scratch.block((long) turns.size() * Struct.Pair.SIZE);
        NATIVE.putLong(request + Struct.Request.TURNS, at);
        NATIVE.putLong(request + Struct.Request.TURNS_LEN, turns.size());
        for (Turn turn : turns) {
            scratch.slice(at + Struct.Pair.FIRST, turn.role());
            scratch.slice(at + Struct.Pair.SECOND, turn.content());
            at += Struct.Pair.SIZE;
        }
        return request;
    }
}
