import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * asyncio: a dictionary of {@code AsyncLimiter}s and {@code Semaphore}s, one for each client. Final API, JDK 21 and
 * later.
 *
 * <p>Use where each client (tenant, host, API key) has its own limit and must not take everything: {@link #reserve}
 * limits the rate, {@link #tryEnter} how many run at a time, per key and in total. Neither waits: answer 429 or 503, or
 * ask again later. Do not use for one limit for all ({@code RateLimiter}) or where callers should wait ({@code
 * Bulkhead}).
 *
 * <p>A key is remembered only while it matters: while it runs something, or has not got its whole burst back. At most
 * {@code maxKeys} are remembered; beyond that, new keys share limits with each other, so invented keys fill no memory
 * and known clients notice nothing. Shorten input from outside before you use it as a key: key sizes are not limited
 * here.
 *
 * <p>Thread-safe, with one short lock, never held while a key's {@code hashCode} or {@code equals} runs. Keys are
 * compared as in a {@code HashMap}.
 *
 * <p>Run: {@code java examples/resilience/KeyedLimits.java}
 */
public final class KeyedLimits<K> {

    // @start region="keyed"
    /** A token bucket for each key: {@code permits} a period, {@code burst} at once after a pause. */
    public record Rate(int permits, Duration period, int burst) {
        /** No effective limit. */
        public static final Rate ANY = new Rate(Integer.MAX_VALUE, Duration.ofNanos(1), Integer.MAX_VALUE);

        public Rate {
            if (permits < 1 || !period.isPositive() || burst < 1) {
                throw new IllegalArgumentException("permits " + permits + ", period " + period + ", burst " + burst
                        + ": must be positive");
            }
        }
    }

    /** At most {@code perKey} calls of a key at a time, and {@code inAll} of all keys together. */
    public record Running(int perKey, int inAll) {
        public static final Running ANY = new Running(Integer.MAX_VALUE, Integer.MAX_VALUE);

        public Running {
            if (perKey < 1 || inAll < 1) {
                throw new IllegalArgumentException("perKey " + perKey + " and inAll " + inAll + " must be positive");
            }
        }
    }

    /** A place; close it however the call ends. Once is enough, from any thread. */
    public final class Permit implements AutoCloseable {
        private Entry entry; // guarded by lock

        private Permit(Entry entry) {
            this.entry = entry;
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (entry != null) {
                    entry.running--;
                    running--;
                    entry = null;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private static final class Entry { // guarded by lock
        private long fullAt;
        private int running;
        private boolean forgotten;

        private boolean idle(long now) {
            return running == 0 && now - fullAt >= 0;
        }
    }

    private record Node<K>(K key, int hash, Entry entry, Node<K> next) { }

    private static final int LONGEST = 16; // chain: keys made to have the same hash must not cost time
    private final long interval; // of one permit, in nanoseconds
    private final int burst;
    private final Running most;
    private final int maxKeys;
    private final LongSupplier nanoTime;
    private final AtomicReferenceArray<Node<K>> bins; // read without, written under the lock
    private final Entry[] shared = new Entry[256]; // of newcomers for whom there is no room
    private final ReentrantLock lock = new ReentrantLock(); // guards what follows
    private int keys;
    private int running;
    private int hand; // the bin to be swept next

    public KeyedLimits(Rate rate, Running most, int maxKeys) {
        this(rate, most, maxKeys, System::nanoTime);
    }

    /**
     * With your own monotonic clock.
     *
     * @param maxKeys 1 or more; each costs some 100 bytes while remembered, and the first million always 8 bytes
     */
    public KeyedLimits(Rate rate, Running most, int maxKeys, LongSupplier nanoTime) {
        if (maxKeys < 1) {
            throw new IllegalArgumentException("maxKeys " + maxKeys + " must be 1 or more");
        }
        interval = Math.ceilDiv(TimeUnit.NANOSECONDS.convert(rate.period), (long) rate.permits);
        burst = rate.burst;
        if (interval > Long.MAX_VALUE / 4 / burst) {
            throw new IllegalArgumentException(rate + ": the whole burst must be back within 73 years");
        }
        this.most = Objects.requireNonNull(most, "most");
        this.maxKeys = maxKeys;
        this.nanoTime = Objects.requireNonNull(nanoTime, "nanoTime");
        bins = new AtomicReferenceArray<>(Integer.highestOneBit(Math.min(maxKeys, 1 << 20)) * 2);
        long now = nanoTime.getAsLong();
        for (int i = 0; i < shared.length; i++) {
            shared[i] = new Entry();
            shared[i].fullAt = now;
        }
    }

    /** Takes a permit of the key's rate and returns zero; or takes none and returns how long until one is free. */
    public Duration reserve(K key) {
        return reserve(key, 1);
    }

    /** @param permits 1 to the burst */
    public Duration reserve(K key, int permits) {
        if (permits < 1 || permits > burst) {
            throw new IllegalArgumentException("permits " + permits + " must be 1 to " + burst);
        }
        long now = nanoTime.getAsLong();
        return Duration.ofNanos(with(key, now, entry -> {
            long full = (now - entry.fullAt > 0 ? now : entry.fullAt) + permits * interval;
            long wait = full - now - burst * interval;
            if (wait <= 0) {
                entry.fullAt = full;
            }
            return Math.max(0, wait);
        }));
    }

    /** A place for one call of the key; empty if the key, or all keys together, are at their limit. */
    public Optional<Permit> tryEnter(K key) {
        return with(key, nanoTime.getAsLong(), entry -> {
            if (entry.running >= most.perKey || running >= most.inAll) {
                return Optional.empty();
            }
            var permit = new Permit(entry);
            entry.running++;
            running++;
            return Optional.of(permit);
        });
    }

    /** How many keys are remembered, for metrics. */
    public int keys() {
        lock.lock();
        try {
            return keys;
        } finally {
            lock.unlock();
        }
    }

    private <R> R with(K key, long now, Function<Entry, R> decision) {
        int hash = key.hashCode();
        hash ^= hash >>> 16;
        int bin = hash & bins.length() - 1;
        for (;;) {
            var chain = bins.get(bin);
            var node = chain;
            while (node != null && !(node.hash == hash && key.equals(node.key))) {
                node = node.next;
            }
            lock.lock();
            try {
                sweep(1, now);
                if (node == null ? bins.get(bin) == chain : !node.entry.forgotten) { // else it has changed meanwhile
                    return decision.apply(node == null ? add(key, hash, bin, now) : node.entry);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private Entry add(K key, int hash, int bin, long now) {
        sweep(4, now); // more than one for one: what is idle never fills the room
        int length = 0;
        for (var node = bins.get(bin); node != null; node = node.next) {
            length++;
        }
        if (keys >= maxKeys || length >= LONGEST) {
            return shared[hash * 0x9E3779B9 >>> 24];
        }
        var entry = new Entry();
        entry.fullAt = now;
        bins.set(bin, new Node<>(key, hash, entry, bins.get(bin)));
        keys++;
        return entry;
    }

    /** Forgets the idle keys of the next few bins. */
    private void sweep(int count, long now) {
        for (int i = 0; i < count; i++, hand = hand + 1 & bins.length() - 1) {
            Node<K> left = null;
            boolean changed = false;
            for (var node = bins.get(hand); node != null; node = node.next) {
                if (node.entry.idle(now)) {
                    node.entry.forgotten = true;
                    keys--;
                    changed = true;
                } else {
                    left = new Node<>(node.key, node.hash, node.entry, left);
                }
            }
            if (changed) {
                bins.set(hand, left);
            }
        }
    }
    // @end region="keyed"

    public static void main(String[] args) {
        var clock = new AtomicLong();
        // @start region="use"
        var limits = new KeyedLimits<String>(new Rate(50, Duration.ofSeconds(1), 100), new Running(8, 200), 10_000,
                clock::get); // without it: the system's
        int answered = 0;
        for (int i = 0; i < 150; i++) {
            Duration wait = limits.reserve("a client");
            if (wait.isZero()) {
                answered++;
            } else if (i == 149) {
                System.out.println("429, Retry-After: " + wait.plusNanos(999_999_999).toSeconds());
            }
        }
        var place = limits.tryEnter("a client").orElseThrow(); // empty: 503
        try {
            System.out.println(answered + " of 150 requests at once; one of 8 places is taken until it is closed");
        } finally {
            place.close(); // or in a callback
        }
        // @end region="use"
        check(answered == 100 && limits.reserve("another").isZero(), "the burst, and each client has its own");
        clock.addAndGet(Duration.ofMillis(20).toNanos());
        check(limits.reserve("a client").isZero() && !limits.reserve("a client").isZero(), "one in 20 ms");

        for (int i = 0; i < 100_000; i++) {
            limits.reserve("invented " + i);
        }
        System.out.println("after 100,000 invented keys " + limits.keys() + " are remembered");
        check(limits.keys() == 10_000, "the memory is bounded");
        check(!limits.reserve("a client").isZero(), "and the client known");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
