package deltawire;

import static deltawire.Native.C;
import static deltawire.Native.NATIVE;

/** What a call of the library returned. */
final class Status {
    static final int OK = 0;
    static final int DELTA = 1;
    static final int ERR_ARGUMENT = -1;
    static final int ERR_NOT_A_RESPONSE = -5;
    static final int ERR_NOT_JSON = -13;
    static final int ERR_REQUEST = -20;
    static final int ERR_CANCELLED = -33;

    private Status() {}

    static boolean isOfEvent(int status) {
        return status <= -10 && status > -20;
    }

    /** The name in C, such as "DW_ERR_NOT_JSON". */
    static String name(int status) {
        return NATIVE.string(C.dw_status_name(status));
    }

    /** Throws unless it is OK. */
    static void check(int status) {
        if (status == ERR_ARGUMENT) {
            throw new IllegalArgumentException(message(status));
        }
        if (status != OK) {
            throw new DeltawireException(status, message(status));
        }
    }

    static String message(int status) {
        return NATIVE.string(C.dw_status_message(status));
    }

    static IllegalStateException closed() {
        return new IllegalStateException("used after close");
    }
}
