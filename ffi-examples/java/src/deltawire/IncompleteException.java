package deltawire;

/** A body ended, but not the stream in it. */
public final class IncompleteException extends DeltawireException {
    private static final long serialVersionUID = 1;

    private final End end;
    private final byte[] seen;

    IncompleteException(End end, byte[] seen) {
        super(Status.OK, end == End.UNRECOGNISED
                ? "the body is no stream of a known provider"
                : "the stream ends without its terminator");
        this.end = end;
        this.seen = seen;
    }

    /** TRUNCATED or UNRECOGNISED. */
    public End end() {
        return end;
    }

    /** The lines that are no part of an event stream, up to 64 KiB of them, such as a web page. */
    public byte[] seen() {
        return seen.clone();
    }
}
