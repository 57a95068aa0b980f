import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class CarrierWatchdogTest {

    private static final Duration SHORT = Duration.ofMillis(5);
    private static final int CARRIERS = Runtime.getRuntime().availableProcessors();
    private final BlockingQueue<CarrierWatchdog.Report> reports = new LinkedBlockingQueue<>();

    /** Takes every carrier until {@code stop}. */
    private static List<Thread> starve(AtomicBoolean stop) throws InterruptedException {
        var taken = new CountDownLatch(CARRIERS);
        var threads = IntStream.range(0, CARRIERS).mapToObj(i -> Thread.ofVirtual().name("hog " + i).start(() ->
                computes(taken, stop))).toList();
        taken.await();
        return threads;
    }

    private static void computes(CountDownLatch taken, AtomicBoolean stop) {
        taken.countDown();
        while (!stop.get()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void tellsWhoHasTheCarriersAndWhenItIsOver() throws Exception {
        var stop = new AtomicBoolean();
        var waits = new CountDownLatch(1);
        Thread innocent = Thread.ofVirtual().name("innocent").start(() -> {
            try {
                waits.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        while (innocent.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        var hogs = starve(stop);
        var watchdog = CarrierWatchdog.start(SHORT, Duration.ofMillis(100), reports::add);
        try (watchdog) {
            var starved = (CarrierWatchdog.Starved) reports.take();
            assertTrue(starved.waited().compareTo(Duration.ofMillis(100)) >= 0, starved::toString);
            assertEquals(CARRIERS, starved.holding().stream()
                    .filter(one -> one.contains("hog ") && one.contains("Test.computes")).count(),
                    starved::toString);
            assertTrue(starved.holding().stream().noneMatch(one -> one.contains("innocent")
                    || one.contains("heartbeat")),
                    starved::toString);
            assertEquals(Runtime.version().feature() >= 24, starved.scheduler().contains("Parallelism=" + CARRIERS),
                    starved.scheduler());
            assertEquals(null, reports.poll(300, TimeUnit.MILLISECONDS), "one report for one starvation");
            stop.set(true);
            var recovered = (CarrierWatchdog.Recovered) reports.take();
            assertTrue(recovered.starved().compareTo(starved.waited()) >= 0, recovered::toString);
        }
        waits.countDown();
        for (Thread hog : hogs) {
            hog.join();
        }
    }

    @Test
    void aListenerThatFailsEndsNothing() throws Exception {
        var calls = new AtomicInteger();
        var uncaught = new LinkedBlockingQueue<Throwable>();
        var watchdog = CarrierWatchdog.start(SHORT, Duration.ofMillis(50), report -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> uncaught.add(e));
            Thread.currentThread().interrupt(); // left behind
            calls.incrementAndGet();
            throw new IllegalStateException("listener");
        });
        try (watchdog) {
            for (int round = 1; round <= 2; round++) {
                var stop = new AtomicBoolean();
                var hogs = starve(stop);
                while (calls.get() < 2 * round - 1) {
                    Thread.sleep(1);
                }
                stop.set(true);
                for (Thread hog : hogs) {
                    hog.join();
                }
                while (calls.get() < 2 * round) {
                    Thread.sleep(1);
                }
            }
        }
        assertTrue(uncaught.size() >= 4, uncaught::toString);
    }

    @Test
    void closeEndsItsThreadAlsoWhileStarvedAndWhenInterrupted() throws Exception {
        var stop = new AtomicBoolean();
        var hogs = starve(stop);
        var watchdog = CarrierWatchdog.start(SHORT, Duration.ofMillis(20), reports::add);
        reports.take();
        Thread.currentThread().interrupt();
        watchdog.close();
        assertTrue(Thread.interrupted(), "the flag is kept");
        assertFalse(Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().equals("carrier-watchdog")));
        stop.set(true);
        for (Thread hog : hogs) {
            hog.join();
        }
    }

    @Test
    void closeInTheListenerIsRefusedAndNothingItThrowsEndsTheWatchdog() throws Exception {
        var watchdog = new AtomicReference<CarrierWatchdog>();
        var refused = new LinkedBlockingQueue<Throwable>();
        var started = new CountDownLatch(1);
        watchdog.set(CarrierWatchdog.start(SHORT, Duration.ofNanos(1), report -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {
                refused.add(e);
                throw new IllegalStateException("the handler");
            });
            try {
                started.await();
            } catch (InterruptedException e) {
                return;
            }
            watchdog.get().close();
        }));
        started.countDown();
        var open = watchdog.get();
        try (open) {
            for (int i = 0; i < 3; i++) {
                assertEquals(IllegalStateException.class, refused.take().getClass());
            }
        }
    }

    @Test
    void aListenerThatSwallowsTheInterruptOfCloseDoesNotOutliveIt() throws Exception {
        var told = new CountDownLatch(1);
        var never = new CountDownLatch(1);
        var watchdog = CarrierWatchdog.start(SHORT, Duration.ofNanos(1), report -> {
            told.countDown();
            try {
                never.await();
            } catch (InterruptedException e) {
                // lost
            }
        });
        told.await();
        watchdog.close();
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() {
        for (Duration absurd : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(IllegalArgumentException.class, () -> CarrierWatchdog.start(absurd, SHORT, reports::add));
            assertThrows(IllegalArgumentException.class, () -> CarrierWatchdog.start(SHORT, absurd, reports::add));
        }
        assertThrows(NullPointerException.class, () -> CarrierWatchdog.start(SHORT, null, reports::add));
        assertThrows(NullPointerException.class, () -> CarrierWatchdog.start(SHORT, SHORT, null));
    }
}
