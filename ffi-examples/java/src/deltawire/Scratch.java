package deltawire;

import static deltawire.Native.NATIVE;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Native memory for the time of a call: structs that are handed to the library, and what they point to. */
final class Scratch implements AutoCloseable {
    private final List<Long> blocks = new ArrayList<>();

    /** Memory full of zeros. */
    long block(long size) {
        long address = NATIVE.allocate(Math.max(size, 1));
        blocks.add(address);
        return address;
    }

    /** Options, which begin with their size. */
    long options(int size) {
        long address = block(size);
        NATIVE.putInt(address, size);
        return address;
    }

    /** Writes a {@code dw_slice} of a text; nothing where there is none. */
    void slice(long at, String text) {
        if (text != null && !text.isEmpty()) {
            slice(at, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    void slice(long at, byte[] bytes) {
        NATIVE.putLong(at, bytes(bytes));
        NATIVE.putLong(at + 8, bytes.length);
    }

    long bytes(byte[] bytes) {
        long address = block(bytes.length);
        NATIVE.write(bytes, 0, bytes.length, address);
        return address;
    }

    @Override
    public void close() {
        blocks.forEach(NATIVE::free);
        blocks.clear();
    }
}
