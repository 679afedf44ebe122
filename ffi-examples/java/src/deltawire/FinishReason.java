package deltawire;

/** Why a choice ended. */
public enum FinishReason {
    /** It has not. */
    NONE("none"),
    /** The model was done, or met a stop sequence. */
    STOP("stop"),
    /** The limit on tokens was reached. */
    LENGTH("length"),
    /** The model waits for the results of its tool calls. */
    TOOL_CALLS("tool_calls"),
    /** Something was withheld by a filter. */
    CONTENT_FILTER("content_filter"),
    /** The provider failed. */
    ERROR("error"),
    /** A reason that is none of these, or newer than this class. */
    OTHER("other");

    private final String name;

    FinishReason(String name) {
        this.name = name;
    }

    static FinishReason of(int code) {
        return code >= 0 && code < OTHER.ordinal() ? values()[code] : OTHER;
    }

    @Override
    public String toString() {
        return name;
    }
}
