package deltawire;

/** What went wrong at the provider's. */
public enum ErrorKind {
    /** Nothing. */
    NONE("none"),
    /** The key is missing, wrong or expired. */
    AUTHENTICATION("authentication"),
    /** The key may not do this, or the account has no credit. */
    PERMISSION("permission"),
    /** No such model, path or response. */
    NOT_FOUND("not_found"),
    /** Too many requests or tokens in too short a time. */
    RATE_LIMIT("rate_limit"),
    /** The provider has more to do than it can. */
    OVERLOADED("overloaded"),
    /** The prompt and the reply do not fit in the model's context. */
    CONTEXT_LENGTH("context_length"),
    /** The request is not what the provider understands. */
    INVALID_REQUEST("invalid_request"),
    /** A filter stopped the request or the reply. */
    CONTENT_FILTER("content_filter"),
    /** The provider waited too long for something. */
    TIMEOUT("timeout"),
    /** The provider failed. */
    SERVER("server"),
    /** Anything else. */
    OTHER("other");

    private final String name;

    ErrorKind(String name) {
        this.name = name;
    }

    static ErrorKind of(int code) {
        return code >= 0 && code < OTHER.ordinal() ? values()[code] : OTHER;
    }

    @Override
    public String toString() {
        return name;
    }
}
