package deltawire;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Deltas as they come, to be gone through once. Whoever leaves early leaves the rest for the next one. */
public final class Deltas implements Iterable<Delta> {
    /** Gives the next delta, or null behind the last. */
    private final Supplier<Delta> source;

    Deltas(Supplier<Delta> source) {
        this.source = source;
    }

    @Override
    public Iterator<Delta> iterator() {
        return new Iterator<>() {
            private Delta ahead;

            @Override
            public boolean hasNext() {
                if (ahead == null) {
                    ahead = source.get();
                }
                return ahead != null;
            }

            @Override
            public Delta next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Delta next = ahead;
                ahead = null;
                return next;
            }
        };
    }

    /** The same as a stream of the JDK's. */
    public Stream<Delta> stream() {
        return StreamSupport.stream(
                Spliterators.spliteratorUnknownSize(iterator(), Spliterator.ORDERED | Spliterator.NONNULL), false);
    }
}
