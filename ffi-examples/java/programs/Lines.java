import deltawire.Delta;
import deltawire.End;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/**
 * Deltas as the command {@code deltawire deltas} prints them: a JSON object a line, keys in a fixed order, absent ones
 * left out, no spaces, non-ASCII as it is.
 */
final class Lines {
    private Lines() {}

    /** Appends the line of a delta; nothing for {@link Delta.EventError}, which is told on standard error. */
    static void append(StringBuilder to, Delta delta) {
        if (delta instanceof Delta.Start start) {
            type(to, "start");
            some(to, "id", start.id());
            some(to, "model", start.model());
            some(to, "role", start.role());
        } else if (delta instanceof Delta.Text text) {
            piece(to, "text", text.choice(), text.text());
        } else if (delta instanceof Delta.Reasoning text) {
            piece(to, "reasoning", text.choice(), text.text());
        } else if (delta instanceof Delta.Refusal text) {
            piece(to, "refusal", text.choice(), text.text());
        } else if (delta instanceof Delta.ToolCallStart call) {
            start(to, "tool_call_start", call.choice(), call.index(), call.id(), call.name());
        } else if (delta instanceof Delta.ToolCallArguments call) {
            arguments(to, "tool_call_arguments", call.choice(), call.index(), call.fragment(), call.whole());
        } else if (delta instanceof Delta.ServerToolCallStart call) {
            start(to, "server_tool_call_start", call.choice(), call.index(), call.id(), call.name());
        } else if (delta instanceof Delta.ServerToolCallArguments call) {
            arguments(to, "server_tool_call_arguments", call.choice(), call.index(), call.fragment(), call.whole());
        } else if (delta instanceof Delta.Finish finish) {
            type(to, "finish");
            value(to, "choice", finish.choice());
            text(to, "reason", finish.reason().toString());
            text(to, "raw", finish.raw());
        } else if (delta instanceof Delta.Usage usage) {
            type(to, "usage");
            count(to, "input_tokens", usage.inputTokens());
            count(to, "output_tokens", usage.outputTokens());
            count(to, "total_tokens", usage.totalTokens());
            count(to, "cached_tokens", usage.cachedTokens());
            count(to, "cache_creation_tokens", usage.cacheCreationTokens());
            count(to, "reasoning_tokens", usage.reasoningTokens());
        } else if (delta instanceof Delta.Error error) {
            type(to, "error");
            text(to, "kind", error.kind().toString());
            some(to, "code", error.code());
            text(to, "message", error.message());
            value(to, "transient", error.isTransient());
        } else if (delta instanceof Delta.Other other) {
            type(to, "other");
            text(to, "event", other.event());
            // What is not UTF-8 shows as U+FFFD.
            text(to, "raw", new String(other.raw(), StandardCharsets.UTF_8));
        } else if (delta instanceof Delta.Done) {
            type(to, "done");
        } else {
            return;
        }
        to.append("}\n");
    }

    /** Appends the last line. */
    static void appendEnd(StringBuilder to, End end) {
        type(to, "end");
        value(to, "complete", end == End.COMPLETE);
        to.append("}\n");
    }

    private static void type(StringBuilder to, String name) {
        to.append("{\"type\":\"").append(name).append('"');
    }

    private static void piece(StringBuilder to, String type, int choice, String text) {
        type(to, type);
        value(to, "choice", choice);
        text(to, "text", text);
    }

    private static void start(StringBuilder to, String type, int choice, int index, String id, String name) {
        type(to, type);
        value(to, "choice", choice);
        value(to, "index", index);
        some(to, "id", id);
        some(to, "name", name);
    }

    private static void arguments(StringBuilder to, String type, int choice, int index, String text, boolean whole) {
        type(to, type);
        value(to, "choice", choice);
        value(to, "index", index);
        text(to, "fragment", text);
        if (whole) {
            value(to, "whole", true);
        }
    }

    private static void count(StringBuilder to, String key, OptionalLong count) {
        count.ifPresent(value -> value(to, key, Long.toUnsignedString(value)));
    }

    private static void value(StringBuilder to, String key, Object value) {
        to.append(",\"").append(key).append("\":").append(value);
    }

    /** Left out where the provider gave nothing. */
    private static void some(StringBuilder to, String key, String text) {
        if (!text.isEmpty()) {
            text(to, key, text);
        }
    }

    private static void text(StringBuilder to, String key, String text) {
        to.append(",\"").append(key).append("\":\"");
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            switch (c) {
                case '"', '\\' -> to.append('\\').append(c);
                case '\n' -> to.append("\\n");
                case '\r' -> to.append("\\r");
                case '\t' -> to.append("\\t");
                case '\b' -> to.append("\\b");
                case '\f' -> to.append("\\f");
                default -> {
                    if (c < ' ') {
                        to.append(String.format("\\u%04x", (int) c));
                    } else {
                        to.append(c);
                    }
                }
            }
        }
        to.append('"');
    }
}
