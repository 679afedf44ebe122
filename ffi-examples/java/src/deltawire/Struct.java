package deltawire;

/**
 * The structs of {@code deltawire.h}: where each field is. A field that is added to the list comes behind the one
 * before it, aligned as C aligns it; the size has to come out as it is in C.
 */
final class Struct {
    static final int ABI_VERSION = 1;

    private int size;

    private int field(int bytes) {
        int at = (size + bytes - 1) / bytes * bytes;
        size = at + bytes;
        return at;
    }

    private int u32() {
        return field(4);
    }

    /** Also {@code size_t}, {@code double} and pointers. */
    private int u64() {
        return field(8);
    }

    private int slice() {
        int at = u64();
        u64();
        return at;
    }

    private Struct reserved() {
        for (int at = 0; at < 4; at++) {
            u64();
        }
        return this;
    }

    private int end(int expected) {
        if (size != expected) {
            throw new LinkageError("deltawire: a struct has " + size + " bytes, not " + expected);
        }
        return size;
    }

    private Struct() {}

    static final class Usage {
        private static final Struct S = new Struct();
        static final int KNOWN = S.u32();
        static final int RESERVED0 = S.u32();
        /** The first of six counts, in the order of their bits in {@code known}. */
        static final int COUNTS = S.u64();
        static final int SIZE = 56;
    }

    static final class Delta {
        private static final Struct S = new Struct();
        static final int KIND = S.u32();
        static final int CHOICE = S.u32();
        static final int INDEX = S.u32();
        static final int FLAGS = S.u32();
        static final int FINISH_REASON = S.u32();
        static final int ERROR_KIND = S.u32();
        static final int TEXT = S.slice();
        static final int ID = S.slice();
        static final int NAME = S.slice();
        static final int MODEL = S.slice();
        static final int ROLE = S.slice();
        static final int CODE = S.slice();
        static final int RAW = S.slice();
        static final int USAGE = S.usage();
        static final int SIZE = S.reserved().end(224);
    }

    private int usage() {
        int at = u64();
        size = at + Usage.SIZE;
        return at;
    }

    static final class Input {
        private static final Struct S = new Struct();
        static final int DATA = S.u64();
        static final int LEN = S.u64();
        static final int POS = S.u64();
        static final int SIZE = S.end(24);
    }

    static final class Error {
        private static final Struct S = new Struct();
        static final int STATUS = S.u32();
        static final int RESERVED0 = S.u32();
        static final int OFFSET = S.u64();
        static final int AT = S.u64();
        static final int MESSAGE = S.slice();
        static final int SIZE = S.reserved().end(72);
    }

    static final class DecoderOptions {
        private static final Struct S = new Struct();
        static final int STRUCT_SIZE = S.u32();
        static final int DIALECT = S.u32();
        static final int FRAMING = S.u32();
        static final int EOF = S.u32();
        static final int FLAGS = S.u32();
        static final int RESERVED0 = S.u32();
        static final int MAX_EVENT_BYTES = S.u64();
        static final int TEXT_FIELD = S.slice();
        static final int REASONING_FIELD = S.slice();
        static final int SIZE = S.end(64);
    }

    static final class MessageInfo {
        private static final Struct S = new Struct();
        static final int ID = S.slice();
        static final int MODEL = S.slice();
        static final int ROLE = S.slice();
        static final int USAGE = S.usage();
        static final int CHOICES = S.u64();
        static final int TOOL_CALLS = S.u64();
        static final int SERVER_TOOL_CALLS = S.u64();
        static final int END = S.u32();
        static final int IS_COMPLETE = S.u32();
        static final int ERROR_KIND = S.u32();
        static final int ERROR_TRANSIENT = S.u32();
        static final int ERROR_CODE = S.slice();
        static final int ERROR_MESSAGE = S.slice();
        static final int SIZE = S.reserved().end(208);
    }

    static final class Choice {
        private static final Struct S = new Struct();
        static final int INDEX = S.u32();
        static final int FINISH_REASON = S.u32();
        static final int FINISH_RAW = S.slice();
        static final int TEXT = S.slice();
        static final int REASONING = S.slice();
        static final int REFUSAL = S.slice();
        static final int SIZE = S.reserved().end(104);
    }

    static final class ToolCall {
        private static final Struct S = new Struct();
        static final int CHOICE = S.u32();
        static final int INDEX = S.u32();
        static final int ID = S.slice();
        static final int NAME = S.slice();
        static final int ARGUMENTS = S.slice();
        static final int SIZE = S.reserved().end(88);
    }

    static final class ClientOptions {
        private static final Struct S = new Struct();
        static final int STRUCT_SIZE = S.u32();
        static final int PROVIDER = S.u32();
        static final int BASE_URL = S.slice();
        static final int KEY = S.slice();
        static final int API_VERSION = S.slice();
        static final int PROXY = S.slice();
        static final int CA_FILE = S.slice();
        static final int HEADERS = S.u64();
        static final int HEADERS_LEN = S.u64();
        static final int TIMEOUT_CONNECT_MS = S.u64();
        static final int TIMEOUT_FIRST_BYTE_MS = S.u64();
        static final int TIMEOUT_IDLE_MS = S.u64();
        static final int TIMEOUT_CONTENT_MS = S.u64();
        static final int RETRIES = S.u32();
        static final int RESERVED0 = S.u32();
        static final int MAX_RESPONSE_BYTES = S.u64();
        static final int DECODER = S.u64();
        static final int SIZE = S.end(160);
    }

    /** {@code dw_header} and {@code dw_turn}. */
    static final class Pair {
        private static final Struct S = new Struct();
        static final int FIRST = S.slice();
        static final int SECOND = S.slice();
        static final int SIZE = S.end(32);
    }

    static final class Request {
        private static final Struct S = new Struct();
        static final int STRUCT_SIZE = S.u32();
        static final int FLAGS = S.u32();
        static final int MODEL = S.slice();
        static final int TURNS = S.u64();
        static final int TURNS_LEN = S.u64();
        static final int MAX_TOKENS = S.u32();
        static final int N = S.u32();
        static final int TEMPERATURE = S.u64();
        static final int PATH = S.slice();
        static final int JSON = S.slice();
        static final int SIZE = S.end(88);
    }

    static final class Failure {
        private static final Struct S = new Struct();
        static final int STATUS = S.u32();
        static final int HTTP_STATUS = S.u32();
        static final int ERROR_KIND = S.u32();
        static final int TRANSIENT = S.u32();
        static final int RETRY_AFTER_MS = S.u64();
        static final int OFFSET = S.u64();
        static final int MESSAGE = S.slice();
        static final int CODE = S.slice();
        static final int SAID = S.slice();
        static final int REQUEST_ID = S.slice();
        static final int BODY = S.slice();
        static final int SIZE = S.reserved().end(144);
    }
}
