package deltawire;

/** A provider's wire format. */
public enum Dialect {
    /** As an option: recognise it by the first events. As an answer: not known yet. */
    AUTO("auto"),
    OPENAI_CHAT("openai-chat"),
    OPENAI_COMPLETIONS("openai-completions"),
    OPENAI_RESPONSES("openai-responses"),
    OPENAI_ASSISTANTS("openai-assistants"),
    ANTHROPIC("anthropic"),
    ANTHROPIC_COMPLETE("anthropic-complete"),
    GEMINI("gemini"),
    GEMINI_INTERACTIONS("gemini-interactions"),
    COHERE("cohere"),
    OLLAMA("ollama"),
    TGI("tgi"),
    WATSONX("watsonx"),
    REPLICATE("replicate"),
    LLAMACPP("llamacpp"),
    BEDROCK("bedrock"),
    /** One that is newer than this class. */
    UNKNOWN("unknown");

    private final String name;

    Dialect(String name) {
        this.name = name;
    }

    /**
     * The dialect of a name, such as "openai-chat", or "auto".
     *
     * @throws IllegalArgumentException if none has that name
     */
    public static Dialect of(String name) {
        for (Dialect dialect : values()) {
            if (dialect.name.equals(name) && dialect != UNKNOWN) {
                return dialect;
            }
        }
        throw new IllegalArgumentException("no dialect is called \"" + name + '"');
    }

    static Dialect of(int code) {
        return code >= 0 && code < UNKNOWN.ordinal() ? values()[code] : UNKNOWN;
    }

    @Override
    public String toString() {
        return name;
    }
}
