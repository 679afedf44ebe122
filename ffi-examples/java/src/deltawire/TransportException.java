package deltawire;

import static deltawire.Native.NATIVE;

import java.time.Duration;

/**
 * Why a request was not answered, or not to its end. What does not apply is empty or zero. No key is shown in any of
 * it.
 */
public class TransportException extends DeltawireException {
    private static final long serialVersionUID = 1;

    private final int httpStatus;
    private final ErrorKind kind;
    private final boolean isTransient;
    private final Duration retryAfter;
    private final String code;
    private final String said;
    private final String requestId;
    private final String body;

    TransportException(int status, String message) {
        super(status, message);
        httpStatus = 0;
        kind = ErrorKind.NONE;
        isTransient = false;
        retryAfter = Duration.ZERO;
        code = said = requestId = body = "";
    }

    /** Copies a {@code dw_failure}. */
    TransportException(long failure) {
        super(NATIVE.getInt(failure + Struct.Failure.STATUS), NATIVE.text(failure + Struct.Failure.MESSAGE));
        httpStatus = NATIVE.getInt(failure + Struct.Failure.HTTP_STATUS);
        kind = ErrorKind.of(NATIVE.getInt(failure + Struct.Failure.ERROR_KIND));
        isTransient = NATIVE.getInt(failure + Struct.Failure.TRANSIENT) != 0;
        retryAfter = Duration.ofMillis(NATIVE.getLong(failure + Struct.Failure.RETRY_AFTER_MS));
        code = NATIVE.text(failure + Struct.Failure.CODE);
        said = NATIVE.text(failure + Struct.Failure.SAID);
        requestId = NATIVE.text(failure + Struct.Failure.REQUEST_ID);
        body = NATIVE.text(failure + Struct.Failure.BODY);
    }

    /** The HTTP status, such as 429, of a refusal; else 0. */
    public int httpStatus() {
        return httpStatus;
    }

    /** What the provider says went wrong, of a refusal. */
    public ErrorKind kind() {
        return kind;
    }

    /** Whether the same request may succeed later. */
    public boolean isTransient() {
        return isTransient;
    }

    /** How long the server asks to wait before another attempt. */
    public Duration retryAfter() {
        return retryAfter;
    }

    /** The provider's code, else its type. */
    public String code() {
        return code;
    }

    /** The provider's message. */
    public String said() {
        return said;
    }

    /** What the provider calls the request, for its support. */
    public String requestId() {
        return requestId;
    }

    /** The body of the refusal as text, up to 64 KiB of it. */
    public String body() {
        return body;
    }
}
