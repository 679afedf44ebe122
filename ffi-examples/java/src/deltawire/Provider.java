package deltawire;

/** Whose conventions a request follows: where it goes, what carries the key, how it is put. */
public enum Provider {
    /** OpenAI, or any server that speaks its API below a base URL of its own. */
    OPENAI,
    /** OpenAI's models on Azure; the base URL is the resource's endpoint. */
    AZURE,
    /** Anthropic's messages. */
    ANTHROPIC,
    /** Google's Gemini. */
    GEMINI,
    /** Ollama's own API, as it runs on this machine. */
    OLLAMA
}
