import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class JfrMonitorTest {

    private static final Duration MILLIS = Duration.ofMillis(50);
    private final ConcurrentLinkedQueue<JfrMonitor.Wait> waits = new ConcurrentLinkedQueue<>();

    private List<JfrMonitor.Wait> of(String event) {
        return waits.stream().filter(wait -> wait.event().equals(event)).toList();
    }

    private static final class First {
        static {
            sleep();
        }

        static void touch() {
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void tellsOfPinnedThreadsAndOfWaits() throws Exception {
        var lock = new ReentrantLock();
        var permits = new Semaphore(0);
        var monitor = JfrMonitor.start(MILLIS, MILLIS, Duration.ofMinutes(1), waits::add);
        try (monitor) {
            Thread.ofVirtual().name("initialises").start(First::touch).join();
            lock.lock();
            Thread platform = Thread.ofPlatform().name("platform").start(() -> {
                lock.lock();
                lock.unlock();
            });
            Thread virtual = Thread.ofVirtual().name("unmounted").start(() -> {
                lock.lock();
                lock.unlock();
            });
            Thread timed = Thread.ofVirtual().name("timed").start(() -> {
                try {
                    JfrMonitor.timed("permit", permits::acquire);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            while (!lock.hasQueuedThread(platform) || platform.getState() != Thread.State.WAITING
                    || !lock.hasQueuedThread(virtual) || !permits.hasQueuedThreads()) {
                Thread.sleep(1);
            }
            Thread.sleep(100);
            lock.unlock();
            permits.release();
            platform.join();
            virtual.join();
            timed.join();
        }
        var pinned = of("jdk.VirtualThreadPinned").stream().filter(wait -> wait.thread().endsWith(" initialises"))
                .toList();
        assertEquals(1, pinned.size(), waits::toString);
        assertTrue(pinned.getFirst().thread().matches("virtual #\\d+ initialises"), waits::toString);
        assertEquals("JfrMonitorTest.sleep", pinned.getFirst().frames().getFirst().replaceFirst(":.*", ""));
        var locks = of("jdk.ThreadPark").stream().filter(wait -> wait.detail().contains("ReentrantLock"))
                .map(JfrMonitor.Wait::thread).toList();
        assertTrue(locks.stream().anyMatch(thread -> thread.endsWith(" platform")), waits::toString);
        assertTrue(locks.stream().noneMatch(thread -> thread.endsWith(" unmounted")),
                "the JDK records no such wait; if it does now, say so");
        assertEquals(List.of("permit"), of("app.Wait").stream().map(JfrMonitor.Wait::detail).toList());
        assertTrue(of("app.Wait").getFirst().duration().compareTo(MILLIS) >= 0);
    }

    @Test
    void whatIsBelowTheThresholdIsNotTold() throws Exception {
        var monitor = JfrMonitor.start(MILLIS, Duration.ofHours(1), Duration.ZERO, waits::add);
        try (monitor) {
            JfrMonitor.timed("short", () -> Thread.sleep(1));
        }
        assertEquals(List.of(), of("app.Wait"));
    }

    @Test
    void onePlaceIsToldOnceInAWhile() throws Exception {
        var monitor = JfrMonitor.start(MILLIS, Duration.ofNanos(1), Duration.ofDays(1), waits::add);
        try (monitor) {
            for (int i = 0; i < 2_000; i++) {
                JfrMonitor.timed("here", () -> Thread.sleep(Duration.ofNanos(1)));
            }
            JfrMonitor.timed("there", () -> Thread.sleep(Duration.ofNanos(1)));
        }
        assertEquals(List.of("here", "there"), of("app.Wait").stream().map(JfrMonitor.Wait::detail).sorted().toList());
    }

    @Test
    @Timeout(600)
    void theNextOneSaysHowManyWereSkipped() throws Exception {
        var monitor = JfrMonitor.start(MILLIS, Duration.ofNanos(1), Duration.ofMillis(1), waits::add);
        long events = 5_000;
        try (monitor) {
            for (int i = 0; i < events; i++) {
                JfrMonitor.timed("here", () -> Thread.onSpinWait());
            }
        }
        long told = of("app.Wait").stream().mapToLong(wait -> 1 + wait.skipped()).sum();
        assertTrue(told <= events && of("app.Wait").stream().anyMatch(wait -> wait.skipped() > 0), () -> told + " of "
                + events);
    }

    @Test
    void whatTheWaitThrowsComesThrough() {
        var monitor = JfrMonitor.start(MILLIS, Duration.ofNanos(1), Duration.ofDays(1), waits::add);
        try (monitor) {
            assertThrows(InterruptedException.class, () -> JfrMonitor.timed("interrupted", () -> {
                throw new InterruptedException();
            }));
        }
        assertEquals("interrupted", of("app.Wait").getFirst().detail());
    }

    @Test
    void closeInTheListenerIsRefused() throws Exception {
        var refused = new java.util.concurrent.CompletableFuture<Throwable>();
        var monitor = new java.util.concurrent.CompletableFuture<JfrMonitor>();
        monitor.complete(JfrMonitor.start(MILLIS, MILLIS, Duration.ZERO, wait -> {
            try {
                monitor.join().close();
            } catch (IllegalStateException e) {
                refused.complete(e);
            }
        }));
        var open = monitor.join();
        try (open) {
            JfrMonitor.timed("anything", JfrMonitorTest::sleep);
            assertEquals(IllegalStateException.class, refused.get().getClass());
        }
        assertThrows(NullPointerException.class, () -> JfrMonitor.start(MILLIS, MILLIS, MILLIS, null));
    }

    @Test
    void anErrorOfTheListenerEndsNothingAndCloseTellsAll() throws Exception {
        var told = new Semaphore(0);
        var monitor = JfrMonitor.start(MILLIS, Duration.ofNanos(1), Duration.ZERO, wait -> {
            if (wait.event().equals("app.Wait")) {
                told.release();
                throw new AssertionError("the listener's");
            }
        });
        for (int i = 0; i < 2; i++) {
            JfrMonitor.timed("anything", () -> Thread.sleep(1));
            told.acquire();
        }
        JfrMonitor.timed("last", () -> Thread.sleep(1));
        Thread.currentThread().interrupt();
        monitor.close();
        assertTrue(Thread.interrupted(), "kept");
        assertTrue(told.tryAcquire(), "told before close() returned");
        monitor.close();
    }
}
