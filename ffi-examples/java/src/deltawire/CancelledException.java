package deltawire;

/** A stream was cancelled, or closed while a thread waited on it, or that thread was interrupted. */
public final class CancelledException extends TransportException {
    private static final long serialVersionUID = 1;

    CancelledException(Throwable cause) {
        super(Status.ERR_CANCELLED, Status.message(Status.ERR_CANCELLED));
        initCause(cause);
    }
}
