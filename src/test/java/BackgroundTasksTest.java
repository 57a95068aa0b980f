import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BackgroundTasksTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private record Report(String task, Throwable cause) {
    }

    private final List<Report> reports = new CopyOnWriteArrayList<>();

    private BackgroundTasks tasks(int limit, Duration grace) {
        return new BackgroundTasks(limit, grace, (task, cause) -> reports.add(new Report(task, cause)));
    }

    @Test
    void failuresAreReportedWithTheirName() throws Exception {
        var boom = new IOException("boom");
        var tasks = tasks(10, LONG);
        tasks.start("bad", () -> {
            throw boom;
        });
        tasks.start("worse", () -> {
            throw new AssertionError("an Error too");
        });
        tasks.start("interrupted by itself", () -> {
            throw new InterruptedException("nobody cancelled it");
        });
        tasks.start("fine", () -> { });
        assertTrue(tasks.drain(LONG));
        assertEquals(3, reports.size(), reports::toString);
        assertTrue(reports.contains(new Report("bad", boom)));
        assertEquals(List.of(), tasks.running());
        tasks.close();
    }

    @Test
    void closeStopsAndAwaitsAndReportsFailedCleanupsOnly() throws Exception {
        var cleaned = new AtomicInteger();
        var ready = new CountDownLatch(3);
        var tasks = tasks(10, LONG);
        for (int i = 0; i < 2; i++) {
            tasks.start("poller", () -> {
                try {
                    ready.countDown();
                    Thread.sleep(LONG);
                } finally {
                    Thread.sleep(10);
                    cleaned.incrementAndGet();
                }
            });
        }
        tasks.start("broken", () -> {
            ready.countDown();
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                throw new IOException("flush failed", e);
            }
        });
        ready.await();
        assertEquals(List.of("poller", "poller", "broken"), tasks.running());
        tasks.close();
        tasks.close();
        assertEquals(2, cleaned.get());
        assertEquals(List.of("broken"), reports.stream().map(Report::task).toList());
        assertEquals(List.of(), tasks.running());
        assertThrows(RejectedExecutionException.class, () -> tasks.start("late", () -> { }));
    }

    @Test
    void theLimitRefusesAndAnEndedTaskMakesRoom() throws Exception {
        var go = new CountDownLatch(1);
        try (var tasks = tasks(2, LONG)) {
            tasks.start("a", go::await);
            tasks.start("b", go::await);
            var refused = assertThrows(RejectedExecutionException.class, () -> tasks.start("c", () -> { }));
            assertEquals("c: 2 tasks are running", refused.getMessage());
            go.countDown();
            while (!tasks.running().isEmpty()) {
                Thread.yield();
            }
            tasks.start("c", () -> { });
        }
        assertThrows(IllegalArgumentException.class, () -> tasks(0, LONG));
    }

    @Test
    void aTaskThatIgnoresItsInterruptIsReportedAfterTheGrace() throws Exception {
        var go = new CountDownLatch(1);
        var tasks = tasks(10, Duration.ofMillis(20));
        tasks.start("deaf", () -> {
            while (go.getCount() > 0) {
                Thread.onSpinWait();
                Thread.yield();
            }
        });
        tasks.close();
        assertEquals(List.of("deaf"), tasks.running());
        assertEquals("deaf", reports.getFirst().task());
        assertInstanceOf(TimeoutException.class, reports.getFirst().cause());
        go.countDown();
        assertTrue(tasks.drain(LONG));
    }

    @Test
    void drainLetsThemEndAndGivesUpInTime() throws Exception {
        var go = new CountDownLatch(1);
        var finished = new AtomicBoolean();
        var tasks = tasks(10, LONG);
        tasks.start("job", () -> {
            go.await();
            finished.set(true);
        });
        assertFalse(tasks.drain(Duration.ofMillis(5)));
        assertFalse(tasks.drain(Duration.ofSeconds(-1)));
        assertThrows(RejectedExecutionException.class, () -> tasks.start("late", () -> { }));
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> tasks.drain(LONG));
        go.countDown();
        assertTrue(tasks.drain(Duration.ofSeconds(Long.MAX_VALUE)));
        assertTrue(finished.get());
        tasks.close();
    }

    @Test
    void closeFromInsideATaskDoesNotWaitForItself() throws Exception {
        var returned = new CountDownLatch(2);
        var ready = new CountDownLatch(2);
        var tasks = tasks(10, LONG);
        for (int i = 0; i < 2; i++) {
            tasks.start("closer", () -> {
                ready.countDown();
                try {
                    ready.await();
                } catch (InterruptedException e) {
                    // the other one was first
                }
                tasks.close();
                returned.countDown();
            });
        }
        returned.await();
        assertTrue(tasks.drain(LONG));
        // nor from the failure handler
        var closing = new BackgroundTasks[1];
        var handled = new CountDownLatch(1);
        closing[0] = new BackgroundTasks(1, LONG, (task, cause) -> {
            closing[0].close();
            handled.countDown();
        });
        closing[0].start("bad", () -> {
            throw new IOException();
        });
        handled.await();
        assertTrue(closing[0].drain(LONG));
    }

    @Test
    void aCancelledTaskIsNoFailureAndTheHandlerIsNotInterrupted() throws Exception {
        var ready = new CountDownLatch(1);
        var inHandler = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var flag = new AtomicBoolean(true);
        var handled = new AtomicBoolean();
        var tasks = new BackgroundTasks(10, LONG, (task, cause) -> {
            flag.set(Thread.currentThread().isInterrupted());
            inHandler.countDown();
            try {
                go.await();
                handled.set(true);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        var task = tasks.start("stopped", () -> {
            ready.countDown();
            Thread.sleep(LONG);
        });
        ready.await();
        task.cancel();
        var bad = tasks.start("bad", () -> {
            Thread.currentThread().interrupt();
            throw new IOException();
        });
        inHandler.await();
        bad.cancel();
        var closer = Thread.ofVirtual().start(tasks::close);
        go.countDown();
        closer.join();
        assertFalse(flag.get(), "cleared for the handler");
        assertTrue(handled.get(), "not interrupted while it works");
        assertEquals(List.of(), tasks.running());
    }

    @Test
    void anInterruptedCloseStillWaits() throws Exception {
        var ready = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var tasks = tasks(10, LONG);
        tasks.start("slow", () -> {
            ready.countDown();
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                interrupted.countDown();
                finish.await();
            }
        });
        ready.await();
        var kept = new AtomicBoolean();
        var closer = Thread.ofVirtual().start(() -> {
            tasks.close();
            kept.set(Thread.interrupted() && tasks.running().isEmpty());
        });
        interrupted.await();
        closer.interrupt();
        finish.countDown();
        closer.join();
        assertTrue(kept.get());
    }

    @Test
    void aTaskIsInterruptedOnce() throws Exception {
        var ready = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var cleaned = new AtomicBoolean();
        var tasks = tasks(1, LONG);
        var task = tasks.start("t", () -> {
            ready.countDown();
            try {
                Thread.sleep(LONG);
            } finally {
                cleaning.countDown();
                finish.await();
                cleaned.set(true);
            }
        });
        ready.await();
        task.cancel();
        cleaning.await();
        task.cancel();
        var closer = Thread.ofVirtual().start(tasks::close);
        finish.countDown();
        closer.join();
        assertTrue(cleaned.get(), "the cleanup was not interrupted again");
    }

    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var random = ThreadLocalRandom.current();
        var failed = new AtomicInteger();
        var threw = new AtomicInteger();
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        int accepted = 0;
        int refused = 0;
        int managers = 0;
        for (int i = 0; i < rounds; managers++) {
            int limit = 1 + random.nextInt(50);
            var tasks = new BackgroundTasks(limit, LONG, (task, cause) -> failed.incrementAndGet());
            for (int n = 0; n < 100; n++, i++) {
                int kind = random.nextInt(5);
                try {
                    var task = tasks.start("t", () -> {
                        begun.incrementAndGet();
                        try {
                            switch (kind) {
                                case 0 -> Thread.yield();
                                case 1 -> {
                                    threw.incrementAndGet();
                                    throw new IOException();
                                }
                                case 2 -> Thread.sleep(Duration.ofNanos(1_000));
                                case 3 -> {
                                    try {
                                        Thread.sleep(LONG);
                                    } catch (InterruptedException e) {
                                        threw.incrementAndGet();
                                        throw new IllegalStateException(e);
                                    }
                                }
                                default -> Thread.sleep(LONG);
                            }
                        } finally {
                            ended.incrementAndGet();
                        }
                    });
                    accepted++;
                    if (random.nextInt(3) == 0) {
                        task.cancel();
                    }
                } catch (RejectedExecutionException e) {
                    refused++;
                }
                assertTrue(tasks.running().size() <= limit);
            }
            if (random.nextInt(3) == 0) {
                Thread.currentThread().interrupt();
            }
            boolean closeTwice = random.nextBoolean();
            var other = closeTwice ? Thread.ofVirtual().start(tasks::close) : null;
            tasks.close();
            Thread.interrupted();
            if (other != null) {
                other.join();
            }
            assertEquals(List.of(), tasks.running());
            assertEquals(accepted, begun.get());
            assertEquals(accepted, ended.get(), "none alive after close()");
            assertEquals(threw.get(), failed.get(), "each failure reported once, before close() returns");
        }
        System.out.printf("BackgroundTasks: %,d starts in %,d managers: %,d accepted, %,d refused, %,d failures%n",
                rounds, managers, accepted, refused, failed.get());
        assertEquals(rounds, accepted + refused);
    }
}
