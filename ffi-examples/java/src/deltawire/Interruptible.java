package deltawire;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.spi.AbstractInterruptibleChannel;

/**
 * Lets an interrupt end a wait that knows nothing of interrupts: one in the library, or in a body. The JDK does so for
 * channels, by closing them; so this is one, and what closing it means ends the wait.
 */
abstract class Interruptible extends AbstractInterruptibleChannel {
    /** What may wait. */
    interface Wait {
        int run() throws IOException;
    }

    /**
     * Waits.
     *
     * @throws CancelledException if the thread was interrupted, and still is
     */
    final int await(Wait wait) throws IOException {
        try {
            begin();
            return wait.run();
        } catch (IOException e) {
            // A body that knows of interrupts may be faster than the one who interrupts. That other one is a timeout.
            if (Thread.currentThread().isInterrupted()
                    || e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException)) {
                Thread.currentThread().interrupt();
                throw new CancelledException(e);
            }
            throw e;
        } finally {
            try {
                end(true);
            } catch (ClosedByInterruptException e) {
                // Some waits clear it.
                Thread.currentThread().interrupt();
                throw new CancelledException(e);
            }
        }
    }

    /** Ends the wait. A second time does nothing. */
    final void cancel() {
        try {
            close();
        } catch (IOException e) {
            // Whoever waits is told.
        }
    }
}
