import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

@org.junit.jupiter.api.Timeout(600)
class TimeoutTest {

    private static final Duration LONG = Duration.ofDays(1);

    @Test
    void returnsTheResultInTime() throws Exception {
        assertEquals(1, Timeout.call(() -> 1, Duration.ofSeconds(Long.MAX_VALUE)));
        assertNull(Timeout.call(() -> null, LONG));
    }

    @Test
    void interruptsAndAwaitsTheTask() {
        var ended = new AtomicInteger();
        assertThrows(TimeoutException.class, () -> Timeout.call(() -> {
            try {
                new CountDownLatch(1).await();
            } finally {
                Thread.sleep(30); // cleanup is not interrupted a second time
                ended.incrementAndGet();
            }
            return null;
        }, Duration.ofMillis(10)));
        assertEquals(1, ended.get());
    }

    @Test
    void aFailureIsTheCause() {
        var boom = new Exception("boom");
        assertSame(boom, assertThrows(ExecutionException.class, () -> Timeout.call(() -> {
            throw boom;
        }, LONG)).getCause());
    }

    @Test
    void aTimeoutOfTheTasksOwnIsAFailure() {
        var thrown = assertThrows(ExecutionException.class, () -> Timeout.call(() -> {
            throw new TimeoutException("its own");
        }, LONG));
        assertInstanceOf(TimeoutException.class, thrown.getCause());
    }

    @Test
    void aFailedCleanupIsSuppressedAndAnInterruptedExceptionIsNot() {
        var cleanup = new IllegalStateException("cleanup failed");
        var thrown = assertThrows(TimeoutException.class, () -> Timeout.call(() -> {
            try {
                return new CountDownLatch(1).getCount() + take();
            } catch (InterruptedException e) {
                throw cleanup;
            }
        }, Duration.ofMillis(10)));
        assertSame(cleanup, thrown.getSuppressed()[0]);
        thrown = assertThrows(TimeoutException.class, () -> Timeout.call(TimeoutTest::take, Duration.ZERO));
        assertEquals(0, thrown.getSuppressed().length);
    }

    private static int take() throws InterruptedException {
        new CountDownLatch(1).await();
        return 0;
    }

    @Test
    void aResultThatComesAtTheLimitOrAfterItIsReturned() throws Exception {
        assertEquals(-1, Timeout.call(() -> {
            try {
                return take();
            } catch (InterruptedException swallowed) {
                return -1;
            }
        }, Duration.ofMillis(10)));
    }

    @Test
    void aResultThatComesWithTheCallersInterruptIsReturnedAndTheFlagSet() throws Exception {
        var queue = new java.util.concurrent.LinkedBlockingQueue<String>();
        var caller = Thread.currentThread();
        String item = Timeout.call(() -> {
            caller.interrupt();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                queue.add("taken at this moment");
            }
            return queue.take();
        }, LONG);
        assertTrue(Thread.interrupted());
        assertEquals("taken at this moment", item);
    }

    @Test
    void theTaskIsInterruptedOnce() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(1, work -> Timeout.call(work.task(), LONG));
        OneInterrupt.ofACallerInterruptedAfterwards(1, TimeoutException.class,
                work -> Timeout.call(work.task(), Duration.ofMillis(10)));
    }

    @Test
    void aFailedCleanupIsSuppressedOnTheInterruptToo() throws Exception {
        var caller = Thread.currentThread();
        var cleanup = new IllegalStateException("cleanup failed");
        var thrown = assertThrows(InterruptedException.class, () -> Timeout.call(() -> {
            caller.interrupt();
            try {
                return take();
            } catch (InterruptedException e) {
                throw cleanup;
            }
        }, LONG));
        assertSame(cleanup, thrown.getSuppressed()[0]);
        assertEquals("task", assertThrows(NullPointerException.class,
                () -> Timeout.call(null, LONG)).getMessage());
    }

    @Test
    void interruptOfTheCallerInterruptsAndAwaitsTheTask() throws Exception {
        var started = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var seen = new CompletableFuture<Integer>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                Timeout.call(() -> {
                    try {
                        started.countDown();
                        return take();
                    } finally {
                        ended.incrementAndGet();
                    }
                }, LONG);
            } catch (InterruptedException e) {
                seen.complete(ended.get());
            } catch (ExecutionException | TimeoutException e) {
                seen.completeExceptionally(e);
            }
        });
        started.await();
        caller.interrupt();
        assertEquals(1, seen.get());
    }

    @Test
    void deadlineSaturatesAndIsNeverNegative() {
        assertTrue(Timeout.Deadline.after(Duration.ofSeconds(Long.MAX_VALUE)).remaining().toDays() > 50_000);
        assertEquals(Duration.ZERO, Timeout.Deadline.after(Duration.ofSeconds(-5)).remaining());
        assertEquals(Duration.ZERO, Timeout.Deadline.after(Duration.ofSeconds(Long.MIN_VALUE)).remaining());
        assertThrows(TimeoutException.class, () -> Timeout.Deadline.after(Duration.ZERO).call(TimeoutTest::take));
    }

    @Test
    @org.junit.jupiter.api.Timeout(300)
    void stress() throws Exception {
        var ways = new AtomicInteger[] {new AtomicInteger(), new AtomicInteger(), new AtomicInteger(),
                new AtomicInteger()};
        try (var group = TaskGroup.failFast()) {
            IntStream.range(0, 50).forEach(seed -> group.fork(() -> {
                var random = new Random(seed);
                var caller = Thread.currentThread();
                for (int round = 0; round < 2_000; round++) {
                    var alive = new AtomicInteger();
                    int action = random.nextInt(10);
                    try {
                        Timeout.call(() -> {
                            alive.incrementAndGet();
                            try {
                                switch (action) {
                                    case 0 -> throw new Exception("failed");
                                    case 1 -> take();
                                    case 2 -> {
                                        caller.interrupt();
                                        take();
                                    }
                                    default -> Thread.yield();
                                }
                                return null;
                            } finally {
                                alive.decrementAndGet();
                            }
                        }, action == 1 || random.nextInt(4) == 0 ? Duration.ofNanos(random.nextInt(300_000)) : LONG);
                        ways[0].incrementAndGet();
                    } catch (ExecutionException e) {
                        ways[1].incrementAndGet();
                    } catch (TimeoutException e) {
                        ways[2].incrementAndGet();
                    } catch (InterruptedException e) {
                        ways[3].incrementAndGet();
                    }
                    Thread.interrupted();
                    assertEquals(0, alive.get(), "the task is alive after the call");
                }
                return null;
            }));
            group.join();
        }
        System.out.println("Timeout: 100000 calls, of which " + ways[0] + " returned, " + ways[1] + " failed, "
                + ways[2]
                + " timed out, " + ways[3] + " were interrupted");
        for (var way : ways) {
            assertTrue(way.get() > 0);
        }
    }

    @Test
    void theAnswerOfASocketToTheInterruptIsNotSuppressed() throws Exception {
        try (var server = new java.net.ServerSocket(0, 5, java.net.InetAddress.getLoopbackAddress());
                var socket = new java.net.Socket(server.getInetAddress(), server.getLocalPort())) {
            var thrown = assertThrows(TimeoutException.class,
                    () -> Timeout.call(() -> socket.getInputStream().read(), Duration.ofMillis(10)));
            assertEquals(0, thrown.getSuppressed().length);
        }
    }
}
