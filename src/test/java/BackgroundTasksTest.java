import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BackgroundTasksTest {
    private static final Duration LONG = Duration.ofDays(1);

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
    void closeAndDrainFromInsideATaskAreRefusedAtOnceAndChangeNothing() throws Exception {
        var closing = new BackgroundTasks[1];
        var refused = new CountDownLatch(3);
        closing[0] = tasks(10, LONG);
        closing[0].start("closer", () -> {
            assertThrows(IllegalStateException.class, closing[0]::close);
            refused.countDown();
            assertThrows(IllegalStateException.class, () -> closing[0].drain(LONG));
            refused.countDown();
            assertFalse(Thread.currentThread().isInterrupted());
            closing[0].start("not closed", refused::countDown);
        });
        refused.await();
        closing[0].close();

        var told = new CompletableFuture<Throwable>();
        var broken = new BackgroundTasks[1];
        broken[0] = new BackgroundTasks(1, LONG, (task, cause) -> { // in the failed task's thread
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> told.complete(e));
            broken[0].close();
        });
        broken[0].start("bad", () -> {
            throw new IOException();
        });
        assertInstanceOf(IllegalStateException.class, told.get());
        assertTrue(broken[0].drain(LONG));
    }

    @Test
    void aHandlerThatThrowsHidesNoLateTaskAndTheFlagIsKept() throws Exception {
        var late = new CopyOnWriteArrayList<String>();
        var uncaught = new AtomicInteger();
        var flags = new CopyOnWriteArrayList<Boolean>();
        var end = new CountDownLatch(1);
        Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {
            uncaught.incrementAndGet();
            throw new IllegalStateException("the logger is closed");
        });
        try {
            var tasks = new BackgroundTasks(3, Duration.ofSeconds(Long.MIN_VALUE), (task, cause) -> {
                late.add(task);
                flags.add(Thread.currentThread().isInterrupted());
                throw new StackOverflowError();
            });
            for (String name : List.of("one", "two", "three")) {
                tasks.start(name, () -> Chaos.insist(end::await));
            }
            Thread.currentThread().interrupt();
            tasks.close();
            assertTrue(Thread.interrupted());
        } finally {
            Thread.currentThread().setUncaughtExceptionHandler(null);
            end.countDown();
        }
        assertEquals(List.of("one", "two", "three"), late);
        assertEquals(List.of(false, false, false), flags);
        assertEquals(3, uncaught.get());
    }

    @Test
    void aSocketReadThatIsCancelledIsNoFailure() throws Exception {
        var reported = new CopyOnWriteArrayList<Throwable>();
        try (var server = new java.net.ServerSocket(0, 5, java.net.InetAddress.getLoopbackAddress());
                var socket = new java.net.Socket(server.getInetAddress(), server.getLocalPort())) {
            var begun = new CountDownLatch(1);
            var tasks = new BackgroundTasks(2, LONG, (task, cause) -> reported.add(cause));
            tasks.start("reader", () -> {
                begun.countDown();
                socket.getInputStream().read(); // nobody writes: SocketException "Closed by interrupt"
            });
            begun.await();
            tasks.close();
        }
        assertEquals(List.of(), reported);
    }

    @Test
    void nullIsRefusedBeforeATaskStarts() {
        var tasks = tasks(1, LONG);
        assertEquals("work", assertThrows(NullPointerException.class, () -> tasks.start("n", null)).getMessage());
        assertEquals("name", assertThrows(NullPointerException.class, () -> tasks.start(null, () -> { })).getMessage());
        assertEquals("grace", assertThrows(NullPointerException.class, () -> tasks(1, null)).getMessage());
        assertEquals(List.of(), tasks.running());
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
                                    throw new IllegalStateException();
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

    @Test
    void noHandlersFlagMeetsTheNext() throws Exception {
        var flags = new CopyOnWriteArrayList<Boolean>();
        var end = new CountDownLatch(1);
        var tasks = new BackgroundTasks(9, Duration.ZERO, (task, cause) -> {
            flags.add(Thread.currentThread().isInterrupted());
            Thread.currentThread().interrupt();
        });
        for (int i = 0; i < 3; i++) {
            tasks.start("deaf", () -> {
                while (end.getCount() > 0) {
                    try {
                        end.await();
                    } catch (InterruptedException e) {
                        continue;
                    }
                }
            });
        }
        tasks.close();
        assertTrue(Thread.interrupted());
        assertEquals(List.of(false, false, false), flags);
        end.countDown();
    }
}
