package deltawire;

/** A call of the library failed for good. What is wrong with one event alone is {@link Delta.EventError}. */
public class DeltawireException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;

    DeltawireException(int status, String message) {
        super(message);
        this.status = status;
    }

    /** What failed, as C names it, such as "DW_ERR_CONNECT"; "DW_OK" of an {@link IncompleteException}. */
    public final String status() {
        return Status.name(status);
    }
}
