package deltawire;

import com.sun.jna.Library;
import com.sun.jna.Pointer;

/** The library by JNA, for JDKs that have no foreign function API. */
final class Jna implements Native {
    /** JNA makes an object of this, a table of functions found by name. */
    interface Table extends Functions, Library {}

    /** Mapped to the function itself, which costs a fraction of a call through the table. */
    private static final class Direct {
        static native int dw_decoder_next_batch(long decoder, long input, long deltas, long capacity, long count);
    }

    private final Functions functions = com.sun.jna.Native.load(Native.library(), Table.class);

    Jna() {
        if (com.sun.jna.Native.POINTER_SIZE != 8) {
            throw new UnsupportedOperationException("pointers of " + com.sun.jna.Native.POINTER_SIZE + " bytes");
        }
        com.sun.jna.Native.register(Direct.class, Native.library());
    }

    @Override
    public Functions functions() {
        return functions;
    }

    @Override
    public int nextBatch(long decoder, long input, long deltas, long capacity, long count) {
        return Direct.dw_decoder_next_batch(decoder, input, deltas, capacity, count);
    }

    @Override
    public long allocate(long size) {
        long address = com.sun.jna.Native.malloc(size);
        if (address == 0) {
            throw new OutOfMemoryError("deltawire: " + size + " bytes");
        }
        new Pointer(address).setMemory(0, size, (byte) 0);
        return address;
    }

    @Override
    public void free(long address) {
        com.sun.jna.Native.free(address);
    }

    @Override
    public byte getByte(long address) {
        return new Pointer(address).getByte(0);
    }

    @Override
    public int getInt(long address) {
        return new Pointer(address).getInt(0);
    }

    @Override
    public long getLong(long address) {
        return new Pointer(address).getLong(0);
    }

    @Override
    public void putInt(long address, int value) {
        new Pointer(address).setInt(0, value);
    }

    @Override
    public void putLong(long address, long value) {
        new Pointer(address).setLong(0, value);
    }

    @Override
    public void putDouble(long address, double value) {
        new Pointer(address).setDouble(0, value);
    }

    @Override
    public byte[] read(long address, int len) {
        return len == 0 ? new byte[0] : new Pointer(address).getByteArray(0, len);
    }

    @Override
    public void write(byte[] from, int at, int len, long address) {
        new Pointer(address).write(0, from, at, len);
    }
}
