package service;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.ToLongFunction;

/**
 * Keeps all limits of {@link HttpService}, 20 times a second, in a platform thread that no handler starves and no
 * Throwable ends. If virtual threads get no processor, connections that have not begun are served by platform threads:
 * the lane.
 */
final class Sweeper {
    private static final int TICK = 50;
    private final Set<Connection> connections;
    private final BiConsumer<String, Throwable> failed;
    private final ThreadPoolExecutor lane = new ThreadPoolExecutor(0, 64, 10, TimeUnit.SECONDS,
            new SynchronousQueue<>(), Thread.ofPlatform().daemon().name("lane-", 0).factory());
    private volatile boolean ended;
    private volatile long lastBeat = System.nanoTime(); // when a virtual thread got a processor

    /** @param failed told what went wrong; does not throw */
    Sweeper(Set<Connection> connections, BiConsumer<String, Throwable> failed) {
        this.connections = connections;
        this.failed = failed;
    }

    /** Of a limit of any length: 73 years at most. */
    static long nanos(Duration limit) {
        return Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0, Long.MAX_VALUE / 4);
    }

    void start() {
        Thread.ofPlatform().daemon().name("sweeper").start(this::sweep);
    }

    void end() {
        ended = true;
        lane.shutdown();
    }

    /** Nanoseconds. */
    long starvedFor() {
        return Math.max(0, System.nanoTime() - lastBeat);
    }

    boolean isStarving() {
        return starvedFor() > TimeUnit.MILLISECONDS.toNanos(2 * TICK);
    }

    /** In a platform thread. @return false if there are too many */
    boolean inLane(Runnable work) {
        try {
            lane.execute(work);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** When full: drops the connection that has been idle longest, if for a second at least. */
    boolean dropIdle() {
        var oldest = oldest(Connection::idle);
        return oldest != null && oldest.closeIfIdle(TimeUnit.SECONDS.toNanos(1));
    }

    /** When there is no room even for a probe: drops the one beyond the limit that has kept it waiting longest. */
    boolean dropCrowded() {
        var oldest = oldest(Connection::crowdedFor);
        if (oldest != null) {
            oldest.closeSocket();
        }
        return oldest != null;
    }

    private Connection oldest(ToLongFunction<Connection> age) {
        Connection oldest = null;
        long longest = 0;
        for (var connection : connections) {
            long nanos = age.applyAsLong(connection);
            if (nanos > longest) {
                longest = nanos;
                oldest = connection;
            }
        }
        return oldest;
    }

    private void sweep() {
        Thread beat = null;
        long last = System.nanoTime();
        while (!ended) {
            try {
                Thread.sleep(TICK);
                long now = System.nanoTime();
                boolean stoodStill = now - last > TimeUnit.SECONDS.toNanos(1); // we, not the clients: they get a moment
                last = now;
                for (var connection : connections) {
                    sweep(connection, now, stoodStill);
                }
                if (beat == null || !beat.isAlive()) {
                    beat = Thread.ofVirtual().name("beat").start(() -> lastBeat = System.nanoTime());
                }
            } catch (Throwable e) {
                failed.accept("sweeper", e);
            }
        }
    }

    private void sweep(Connection connection, long now, boolean stoodStill) {
        try {
            if (connection.isStarving(now)) {
                inLane(connection);
            }
            if (!stoodStill) {
                connection.sweep(now);
            }
        } catch (Throwable e) { // the others have limits, too
            failed.accept("sweeper", e);
        }
    }
}
