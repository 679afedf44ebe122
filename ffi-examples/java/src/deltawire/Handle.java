package deltawire;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What owns native memory and outlives, until it is freed, the object that a program holds. Freed by that object's
 * close, else by a cleaner once nobody refers to the object; so it must not refer to it either.
 */
abstract class Handle implements Runnable {
    private static final Cleaner CLEANER = Cleaner.create();

    /** How many there are, for the tests. */
    static final AtomicLong LIVE = new AtomicLong();

    Cleaner.Cleanable ownedBy(Object owner) {
        LIVE.incrementAndGet();
        return CLEANER.register(owner, this);
    }

    /** Frees it. A cleaner calls at most once. */
    abstract void free();

    @Override
    public final void run() {
        free();
        LIVE.decrementAndGet();
    }
}
