package deltawire;

import static deltawire.Native.C;
import static deltawire.Native.NATIVE;

import java.util.LinkedHashMap;
import java.util.Map;

/** What only the package itself can see. */
public final class CleanerTest {
    /** Each is made and dropped 10,000 times without close. */
    void whatIsDroppedWithoutCloseIsFreed() throws InterruptedException {
        try (Client client = Client.builder().build()) {
            Map<String, Runnable> ways = new LinkedHashMap<>();
            ways.put("decoder", () -> new Decoder().feed("data: x\n\n".getBytes()));
            ways.put("message", Message::new);
            ways.put("stream", () -> client.stream(Request.chat("m")));
            for (Map.Entry<String, Runnable> way : ways.entrySet()) {
                long before = Handle.LIVE.get();
                long highest = 0;
                for (int at = 0; at < 10_000; at++) {
                    way.getValue().run();
                    highest = Math.max(highest, Handle.LIVE.get() - before);
                    if (at % 1000 == 0) {
                        System.gc();
                    }
                }
                for (int wait = 0; Handle.LIVE.get() > before && wait < 500; wait++) {
                    System.gc();
                    Thread.sleep(10);
                }
                // Fewer than before are those that tests before this one have dropped.
                if (Handle.LIVE.get() > before || highest == 0) {
                    throw new AssertionError(Handle.LIVE.get() - before + " of 10,000 are left: " + way.getKey());
                }
            }
        }
    }

    /** The enumerations are in the library's order and have its names. */
    void enumerationsAreTheLibrarys() {
        for (Dialect dialect : Dialect.values()) {
            same(dialect == Dialect.AUTO ? "unknown" : dialect, C.dw_dialect_name(dialect.ordinal()));
        }
        for (FinishReason reason : FinishReason.values()) {
            same(reason == FinishReason.NONE ? "unknown" : reason, C.dw_finish_reason_name(reason.ordinal()));
        }
        same("unknown", C.dw_finish_reason_name(FinishReason.values().length));
        for (ErrorKind kind : ErrorKind.values()) {
            same(kind == ErrorKind.NONE ? "unknown" : kind, C.dw_error_kind_name(kind.ordinal()));
        }
        same("unknown", C.dw_error_kind_name(ErrorKind.values().length));
        same("DW_ERR_CANCELLED", C.dw_status_name(Status.ERR_CANCELLED));
        same("0.1.0", C.dw_version());
    }

    private static void same(Object name, long text) {
        if (!name.toString().equals(NATIVE.string(text))) {
            throw new AssertionError(name + " is " + NATIVE.string(text));
        }
    }

    /** Run with -Ddeltawire.native, or without, this is the way that was meant. */
    void theWayToTheLibraryIsTheOneThatWasMeant() {
        String way = System.getProperty("deltawire.native", Runtime.version().feature() >= 22 ? "ffm" : "jna");
        if (!NATIVE.getClass().getSimpleName().equalsIgnoreCase(way)) {
            throw new AssertionError(NATIVE.getClass() + ", not " + way);
        }
    }
}
