package deltawire;

/** How a stream ended. */
public enum End {
    /** Nobody has said yet. */
    UNKNOWN,
    /** All came: the provider's own terminator did, or all of a provider that sends none. */
    COMPLETE,
    /** Something is missing, or an error took its place. */
    TRUNCATED,
    /** It was no stream of a known provider. */
    UNRECOGNISED;

    static End of(int code) {
        return code >= 0 && code < values().length ? values()[code] : UNKNOWN;
    }
}
