package deltawire;

import java.util.List;

/**
 * What a message has at the time.
 *
 * @param usage           of each count the last that came
 * @param choices         in the order of their indexes
 * @param toolCalls       of all choices, in the order in which they began
 * @param serverToolCalls the same of tools that the provider ran itself
 * @param end             UNKNOWN until {@link Message#finish}
 * @param isComplete      whether the stream came to its end and reported no error
 * @param error           the first error that the provider reported, or null
 */
public record Reply(String id, String model, String role, Delta.Usage usage, List<Choice> choices,
        List<ToolCall> toolCalls, List<ToolCall> serverToolCalls, End end, boolean isComplete, Error error) {

    /** One of the replies to a prompt. */
    public record Choice(int index, FinishReason finishReason, String finishRaw, String text, String reasoning,
            String refusal) {}

    /** A call of a tool. The arguments are JSON text, if the model wrote it right. */
    public record ToolCall(int choice, int index, String id, String name, String arguments) {}

    /** An error that the provider reported in place of a reply, or within one. */
    public record Error(ErrorKind kind, String code, String message, boolean isTransient) {}

    /** The text of the first choice; empty where there is none. */
    public String text() {
        return choices.isEmpty() ? "" : choices.get(0).text();
    }
}
