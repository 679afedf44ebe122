package deltawire;

import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;

/**
 * How the library and its memory are reached: by the foreign function API ({@code Ffm}, JDK 22 and later) or by
 * JNA ({@code Jna}). The system property {@code deltawire.native}, "ffm" or "jna", chooses in place of the JDK.
 *
 * <p>Addresses are numbers. Nobody checks them, so nothing outside this package sees one.
 */
interface Native {
    /** The one that is used. */
    Native NATIVE = load();

    /** The library's functions. */
    Functions C = NATIVE.functions();

    Functions functions();

    /** {@code dw_decoder_next_batch}, apart from the others since it is called for every chunk. */
    int nextBatch(long decoder, long input, long deltas, long capacity, long count);

    /** Memory full of zeros, to be given to {@link #free}. */
    long allocate(long size);

    void free(long address);

    byte getByte(long address);

    int getInt(long address);

    long getLong(long address);

    void putInt(long address, int value);

    void putLong(long address, long value);

    void putDouble(long address, double value);

    /** A copy of {@code len} bytes. */
    byte[] read(long address, int len);

    void write(byte[] from, int at, int len, long address);

    /** A copy of a {@code dw_slice}. */
    default byte[] bytes(long slice) {
        return read(getLong(slice), Math.toIntExact(getLong(slice + 8)));
    }

    /** A copy of a {@code dw_slice} of UTF-8. */
    default String text(long slice) {
        return new String(bytes(slice), StandardCharsets.UTF_8);
    }

    /** A copy of NUL-terminated text. */
    default String string(long address) {
        int len = 0;
        while (getByte(address + len) != 0) {
            len++;
        }
        return new String(read(address, len), StandardCharsets.UTF_8);
    }

    /** Where the library is: the variable DELTAWIRE_LIBRARY, else what the system's loader finds by name. */
    static String library() {
        String path = System.getenv("DELTAWIRE_LIBRARY");
        if (path != null && !path.isEmpty()) {
            return path;
        }
        String system = System.getProperty("os.name");
        return system.startsWith("Mac") ? "libdeltawire.0.1.dylib"
                : system.startsWith("Windows") ? "deltawire.dll" : "libdeltawire.so.0.1";
    }

    private static Native load() {
        String way = System.getProperty("deltawire.native", Runtime.version().feature() >= 22 ? "ffm" : "jna");
        Native made;
        try {
            made = (Native) Class.forName(way.equals("jna") ? "deltawire.Jna" : "deltawire.Ffm")
                    .getDeclaredConstructor().newInstance();
        } catch (InvocationTargetException e) {
            throw new LinkageError("deltawire: " + library() + " cannot be loaded", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("deltawire: no class for " + way, e);
        }
        int abi = made.functions().dw_abi_version();
        if (abi != Struct.ABI_VERSION) {
            throw new LinkageError("deltawire: the library has ABI " + abi + ", this is for " + Struct.ABI_VERSION);
        }
        return made;
    }
}
