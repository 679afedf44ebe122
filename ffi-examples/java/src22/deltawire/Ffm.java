package deltawire;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.NoSuchElementException;

/** The library by the JDK's own foreign function API. Handles are static and final, so that calls are compiled. */
final class Ffm implements Native, Functions {
    /** All memory, to be read by address. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY = lookup(Native.library());

    private static final MethodHandle CALLOC = handle(LINKER.defaultLookup(), "calloc", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FREE = handle(LINKER.defaultLookup(), "free", null, JAVA_LONG);

    private static final MethodHandle ABI_VERSION = handle("dw_abi_version", JAVA_INT);
    private static final MethodHandle VERSION = handle("dw_version", JAVA_LONG);
    private static final MethodHandle STATUS_NAME = name("dw_status_name");
    private static final MethodHandle STATUS_MESSAGE = name("dw_status_message");
    private static final MethodHandle DELTA_KIND_NAME = name("dw_delta_kind_name");
    private static final MethodHandle DIALECT_NAME = name("dw_dialect_name");
    private static final MethodHandle FINISH_REASON_NAME = name("dw_finish_reason_name");
    private static final MethodHandle ERROR_KIND_NAME = name("dw_error_kind_name");

    private static final MethodHandle DECODER_NEW = handle("dw_decoder_new", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle DECODER_FREE = free("dw_decoder_free");
    private static final MethodHandle DECODER_NEXT_BATCH =
            handle("dw_decoder_next_batch", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle DECODER_FINISH = handle("dw_decoder_finish", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle DECODER_RESET = handle("dw_decoder_reset", JAVA_INT, JAVA_LONG);
    private static final MethodHandle DECODER_END = handle("dw_decoder_end", JAVA_INT, JAVA_LONG);
    private static final MethodHandle DECODER_DIALECT = handle("dw_decoder_dialect", JAVA_INT, JAVA_LONG);
    private static final MethodHandle DECODER_OFFSET = handle("dw_decoder_offset", JAVA_LONG, JAVA_LONG);
    private static final MethodHandle DECODER_EVENTS = handle("dw_decoder_events", JAVA_LONG, JAVA_LONG);
    private static final MethodHandle DECODER_SEEN = handle("dw_decoder_seen", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle DECODER_ERROR = handle("dw_decoder_error", JAVA_INT, JAVA_LONG, JAVA_LONG);

    private static final MethodHandle MESSAGE_NEW = handle("dw_message_new", JAVA_INT, JAVA_LONG);
    private static final MethodHandle MESSAGE_FREE = free("dw_message_free");
    private static final MethodHandle MESSAGE_PUSH = handle("dw_message_push", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MESSAGE_FINISH = handle("dw_message_finish", JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MESSAGE_READ =
            handle("dw_message_read", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MESSAGE_GET = handle("dw_message_get", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MESSAGE_CHOICE =
            handle("dw_message_choice", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MESSAGE_TOOL_CALL =
            handle("dw_message_tool_call", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle MESSAGE_SERVER_TOOL_CALL =
            handle("dw_message_server_tool_call", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final MethodHandle CLIENT_NEW =
            handle("dw_client_new", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle CLIENT_FREE = free("dw_client_free");
    private static final MethodHandle CLIENT_STREAM =
            handle("dw_client_stream", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STREAM_FREE = free("dw_stream_free");
    private static final MethodHandle STREAM_NEXT = handle("dw_stream_next", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STREAM_FETCH = handle("dw_stream_fetch", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STREAM_CANCEL = free("dw_stream_cancel");
    private static final MethodHandle STREAM_END = handle("dw_stream_end", JAVA_INT, JAVA_LONG);
    private static final MethodHandle STREAM_FAILURE = handle("dw_stream_failure", JAVA_INT, JAVA_LONG, JAVA_LONG);

    /** A path is opened as it is, a name is searched for by the system's loader. */
    private static SymbolLookup lookup(String library) {
        return library.contains("/") || library.contains("\\")
                ? SymbolLookup.libraryLookup(Path.of(library), Arena.global())
                : SymbolLookup.libraryLookup(library, Arena.global());
    }

    private static MethodHandle handle(SymbolLookup in, String name, MemoryLayout result, MemoryLayout... arguments) {
        MemorySegment function = in.find(name).orElseThrow(() -> new NoSuchElementException(name));
        return LINKER.downcallHandle(function,
                result == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(result, arguments));
    }

    private static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... arguments) {
        return handle(LIBRARY, name, result, arguments);
    }

    private static MethodHandle name(String name) {
        return handle(name, JAVA_LONG, JAVA_INT);
    }

    private static MethodHandle free(String name) {
        return handle(name, null, JAVA_LONG);
    }

    /** No function of C throws: what comes here is the virtual machine's. */
    private static Error thrown(Throwable thrown) {
        return thrown instanceof Error error ? error : new AssertionError(thrown);
    }

    @Override
    public Functions functions() {
        return this;
    }

    @Override
    public int dw_abi_version() {
        try {
            return (int) ABI_VERSION.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_version() {
        try {
            return (long) VERSION.invokeExact();
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_status_name(int status) {
        try {
            return (long) STATUS_NAME.invokeExact(status);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_status_message(int status) {
        try {
            return (long) STATUS_MESSAGE.invokeExact(status);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_delta_kind_name(int kind) {
        try {
            return (long) DELTA_KIND_NAME.invokeExact(kind);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_dialect_name(int dialect) {
        try {
            return (long) DIALECT_NAME.invokeExact(dialect);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_finish_reason_name(int reason) {
        try {
            return (long) FINISH_REASON_NAME.invokeExact(reason);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_error_kind_name(int kind) {
        try {
            return (long) ERROR_KIND_NAME.invokeExact(kind);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_new(long options, long decoder) {
        try {
            return (int) DECODER_NEW.invokeExact(options, decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public void dw_decoder_free(long decoder) {
        try {
            DECODER_FREE.invokeExact(decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_finish(long decoder, long delta) {
        try {
            return (int) DECODER_FINISH.invokeExact(decoder, delta);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_reset(long decoder) {
        try {
            return (int) DECODER_RESET.invokeExact(decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_end(long decoder) {
        try {
            return (int) DECODER_END.invokeExact(decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_dialect(long decoder) {
        try {
            return (int) DECODER_DIALECT.invokeExact(decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_decoder_offset(long decoder) {
        try {
            return (long) DECODER_OFFSET.invokeExact(decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long dw_decoder_events(long decoder) {
        try {
            return (long) DECODER_EVENTS.invokeExact(decoder);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_seen(long decoder, long seen) {
        try {
            return (int) DECODER_SEEN.invokeExact(decoder, seen);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_decoder_error(long decoder, long error) {
        try {
            return (int) DECODER_ERROR.invokeExact(decoder, error);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_new(long message) {
        try {
            return (int) MESSAGE_NEW.invokeExact(message);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public void dw_message_free(long message) {
        try {
            MESSAGE_FREE.invokeExact(message);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_push(long message, long delta) {
        try {
            return (int) MESSAGE_PUSH.invokeExact(message, delta);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_finish(long message, int end) {
        try {
            return (int) MESSAGE_FINISH.invokeExact(message, end);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_read(long message, long body, long len, long error) {
        try {
            return (int) MESSAGE_READ.invokeExact(message, body, len, error);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_get(long message, long info) {
        try {
            return (int) MESSAGE_GET.invokeExact(message, info);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_choice(long message, long at, long choice) {
        try {
            return (int) MESSAGE_CHOICE.invokeExact(message, at, choice);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_tool_call(long message, long at, long call) {
        try {
            return (int) MESSAGE_TOOL_CALL.invokeExact(message, at, call);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_message_server_tool_call(long message, long at, long call) {
        try {
            return (int) MESSAGE_SERVER_TOOL_CALL.invokeExact(message, at, call);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_client_new(long options, long client, long why, long size) {
        try {
            return (int) CLIENT_NEW.invokeExact(options, client, why, size);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public void dw_client_free(long client) {
        try {
            CLIENT_FREE.invokeExact(client);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_client_stream(long client, long request, long stream) {
        try {
            return (int) CLIENT_STREAM.invokeExact(client, request, stream);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public void dw_stream_free(long stream) {
        try {
            STREAM_FREE.invokeExact(stream);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_stream_next(long stream, long delta) {
        try {
            return (int) STREAM_NEXT.invokeExact(stream, delta);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_stream_fetch(long stream, long message) {
        try {
            return (int) STREAM_FETCH.invokeExact(stream, message);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public void dw_stream_cancel(long stream) {
        try {
            STREAM_CANCEL.invokeExact(stream);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_stream_end(long stream) {
        try {
            return (int) STREAM_END.invokeExact(stream);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int dw_stream_failure(long stream, long failure) {
        try {
            return (int) STREAM_FAILURE.invokeExact(stream, failure);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public int nextBatch(long decoder, long input, long deltas, long capacity, long count) {
        try {
            return (int) DECODER_NEXT_BATCH.invokeExact(decoder, input, deltas, capacity, count);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public void free(long address) {
        try {
            FREE.invokeExact(address);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    @Override
    public long allocate(long size) {
        long address;
        try {
            address = (long) CALLOC.invokeExact(1L, size);
        } catch (Throwable e) {
            throw thrown(e);
        }
        if (address == 0) {
            throw new OutOfMemoryError("deltawire: " + size + " bytes");
        }
        return address;
    }

    @Override
    public byte getByte(long address) {
        return MEMORY.get(JAVA_BYTE, address);
    }

    @Override
    public int getInt(long address) {
        return MEMORY.get(JAVA_INT, address);
    }

    @Override
    public long getLong(long address) {
        return MEMORY.get(JAVA_LONG, address);
    }

    @Override
    public void putInt(long address, int value) {
        MEMORY.set(JAVA_INT, address, value);
    }

    @Override
    public void putLong(long address, long value) {
        MEMORY.set(JAVA_LONG, address, value);
    }

    @Override
    public void putDouble(long address, double value) {
        MEMORY.set(JAVA_DOUBLE, address, value);
    }

    @Override
    public byte[] read(long address, int len) {
        byte[] bytes = new byte[len];
        MemorySegment.copy(MEMORY, JAVA_BYTE, address, bytes, 0, len);
        return bytes;
    }

    @Override
    public void write(byte[] from, int at, int len, long address) {
        MemorySegment.copy(from, at, MEMORY, JAVA_BYTE, address, len);
    }
}
