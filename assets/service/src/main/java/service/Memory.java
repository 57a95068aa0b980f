package service;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A limit on bytes in memory that many holders share, such as the bodies of all requests. It never waits: what does not
 * fit is refused. Count what memory will hold, not what is on the wire, and take it before you allocate. Thread-safe.
 * Needs no other file.
 */
public final class Memory {
    private final long most;
    private final AtomicLong used = new AtomicLong();

    /** @param most bytes of all leases together; a quarter of {@code Runtime.maxMemory()} leaves room for the rest */
    public Memory(long most) {
        if (most < 1) {
            throw new IllegalArgumentException("most must be positive: " + most);
        }
        this.most = most;
    }

    public long used() {
        return used.get();
    }

    /** For what one holder takes, piece by piece. Close it, or its bytes stay taken. */
    public Lease lease() {
        return new Lease();
    }

    /** Thrown if the bytes do not fit. */
    public static final class FullException extends RejectedExecutionException {
        private static final long serialVersionUID = 1;
        /** True if they would not fit even if nothing else were held: trying again later does not help. */
        public final boolean never;

        private FullException(long bytes, boolean never) {
            super("no memory for " + bytes + " bytes");
            this.never = never;
        }
    }

    /** Thread-safe. */
    public final class Lease implements AutoCloseable {
        private static final long CLOSED = -1;
        private final AtomicLong held = new AtomicLong();

        private Lease() {
        }

        /** @throws FullException nothing was taken @throws IllegalStateException closed */
        public void take(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("bytes must not be negative: " + bytes);
            }
            if (held.get() == CLOSED) {
                throw new IllegalStateException("closed");
            }
            if (bytes > most - Math.max(0, held.get())) {
                throw new FullException(bytes, true);
            }
            long before = used.getAndUpdate(now -> bytes <= most - now ? now + bytes : now);
            if (bytes > most - before) {
                throw new FullException(bytes, false);
            }
            if (held.getAndUpdate(now -> now == CLOSED ? CLOSED : now + bytes) == CLOSED) {
                used.addAndGet(-bytes);
                throw new IllegalStateException("closed");
            }
        }

        /** Takes what is missing so that this lease holds at least {@code bytes}. */
        public void atLeast(long bytes) {
            long missing = bytes - held.get();
            if (missing > 0) {
                take(missing);
            }
        }

        /** Gives some back early; no more than is held. */
        public void give(long bytes) {
            if (bytes <= 0) { // most heads: not the counter that all connections share
                return;
            }
            long before = held.getAndUpdate(now -> now == CLOSED ? CLOSED : now - Math.min(now, bytes));
            if (before != CLOSED) {
                used.addAndGet(-Math.min(before, bytes));
            }
        }

        /** Gives everything back. A second call does nothing. */
        @Override
        public void close() {
            used.addAndGet(-Math.max(0, held.getAndSet(CLOSED)));
        }
    }
}
