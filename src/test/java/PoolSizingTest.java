import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class PoolSizingTest {

    @Test
    void littlesLaw() {
        assertEquals(8, PoolSizing.connections(2_000, Duration.ofMillis(4)));
        assertEquals(9, PoolSizing.connections(2_001, Duration.ofMillis(4)));
        assertEquals(0, PoolSizing.connections(0, Duration.ofMillis(4)));
    }

    @Test
    void theBoundHoldsAndTheFiguresObeyTheLaw() throws Exception {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        PoolSizing.Measured measured;
        do { // again, if the machine was too busy to begin
            measured = PoolSizing.measure(3, 10, Duration.ofMillis(300), () -> {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                try {
                    Thread.sleep(1);
                } finally {
                    running.decrementAndGet();
                }
            });
        } while (most.get() < 3 || measured.perSecond() == 0);
        assertEquals(3, most.get());
        assertEquals(0, running.get(), "all threads have ended");
        assertTrue(measured.perSecond() > 0 && measured.perSecond() <= 3_000, measured.toString());
        assertTrue(PoolSizing.connections(measured.perSecond(), measured.held()) <= 3, measured.toString());
        assertTrue(measured.waiting().toNanos() > 0);
    }

    @Test
    void aFailingQueryIsTold() {
        var boom = new IOException("boom");
        var thrown = assertThrows(ExecutionException.class, () -> PoolSizing.measure(2, 5, Duration.ofDays(1), () -> {
            throw boom;
        }));
        assertSame(boom, thrown.getCause());
    }

    @Test
    void refusesNonsense() {
        PoolSizing.Query query = () -> {
            throw new AssertionError("begun");
        };
        var day = Duration.ofDays(1);
        assertThrows(IllegalArgumentException.class, () -> PoolSizing.measure(0, 1, day, query));
        assertThrows(IllegalArgumentException.class, () -> PoolSizing.measure(1, 0, day, query));
        assertThrows(NullPointerException.class, () -> PoolSizing.measure(1, 1, null, query));
        assertThrows(NullPointerException.class, () -> PoolSizing.measure(1, 1, day, null));
        assertThrows(IllegalArgumentException.class, () -> PoolSizing.connections(-1, day));
        assertThrows(IllegalArgumentException.class, () -> PoolSizing.connections(Double.NaN, day));
        assertThrows(IllegalArgumentException.class, () -> PoolSizing.connections(1, day.negated()));
    }

    @Test
    void aCancellationIsAFailureAndACleanupIsInterruptedOnce() throws Exception {
        var boom = new CancellationException("the query's own");
        assertSame(boom, assertThrows(ExecutionException.class,
                () -> PoolSizing.measure(1, 1, Duration.ofSeconds(Long.MAX_VALUE), () -> {
                    throw boom;
                })).getCause());
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        Thread caller = Thread.ofVirtual().start(() -> {
            assertThrows(InterruptedException.class, () -> PoolSizing.measure(1, 1, Duration.ofDays(1), () -> {
                begun.countDown();
                try {
                    new CountDownLatch(1).await();
                } finally {
                    cleaning.countDown();
                    try {
                        finish.await();
                    } catch (InterruptedException e) {
                        hits.incrementAndGet();
                    }
                }
            }));
            hits.addAndGet(Thread.currentThread().isInterrupted() ? 0 : 100);
        });
        begun.await();
        caller.interrupt();
        cleaning.await();
        caller.interrupt();
        while (caller.isInterrupted()) {
            Thread.yield();
        }
        finish.countDown();
        caller.join();
        assertEquals(0, hits.get());
    }

    @Test
    void interruptedItEndsItsThreads() throws Exception {
        var running = new AtomicInteger();
        var begun = new CountDownLatch(2);
        Thread caller = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () ->
                PoolSizing.measure(2, 5, Duration.ofDays(1), () -> {
                    begun.countDown();
                    running.incrementAndGet();
                    try {
                        new CountDownLatch(1).await();
                    } finally {
                        running.decrementAndGet();
                    }
                })));
        begun.await();
        caller.interrupt();
        caller.join();
        assertEquals(0, running.get());
    }
}
