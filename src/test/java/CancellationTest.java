import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class CancellationTest {
    private static final Duration LONG = Duration.ofDays(1);

    @Test
    void resultAndFailure() throws Exception {
        try (var task = Cancellation.Task.start("ok", () -> "value")) {
            assertEquals("value", task.result());
            assertFalse(task.cancel(), "an ended task cannot be cancelled");
            assertEquals("value", task.result());
        }
        var boom = new IOException("boom");
        try (var task = Cancellation.Task.<String>start("bad", () -> {
            throw boom;
        })) {
            assertSame(boom, assertThrows(ExecutionException.class, task::result).getCause());
        }
        assertEquals(0, boom.getSuppressed().length);
    }

    @Test
    void cancelIsOverOnlyWhenTheCleanupIs() throws Exception {
        var working = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var cleaned = new AtomicBoolean();
        try (var task = Cancellation.Task.start("t", () -> {
            try {
                working.countDown();
                Thread.sleep(LONG);
                return "no";
            } finally {
                Cancellation.cleanUp(() -> {
                    cleaning.countDown();
                    finish.await();
                    cleaned.set(true);
                });
            }
        })) {
            working.await();
            assertTrue(task.cancel());
            assertFalse(task.cancel(), "the interrupt is delivered once");
            cleaning.await();
            assertFalse(task.awaitEnd(Duration.ofMillis(1)));
            assertFalse(task.awaitEnd(Duration.ofSeconds(-1)));
            finish.countDown();
            assertTrue(task.awaitEnd(Duration.ofSeconds(Long.MAX_VALUE)));
            assertTrue(cleaned.get());
            assertNull(assertThrows(CancellationException.class, task::result).getCause());
        }
    }

    @Test
    void aResultAfterCancelIsDroppedAndAFailureOfTheCleanupIsTheCause() throws Exception {
        var working = new CountDownLatch(1);
        try (var task = Cancellation.Task.start("late", () -> {
            working.countDown();
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                return "late";
            }
            return "never";
        })) {
            working.await();
            task.cancel();
            assertThrows(CancellationException.class, task::result);
        }
        var boom = new IOException("cleanup");
        var started = new CountDownLatch(1);
        try (var task = Cancellation.Task.start("cleanup fails", () -> {
            started.countDown();
            try {
                Thread.sleep(LONG);
            } finally {
                Cancellation.cleanUp(() -> {
                    throw boom;
                });
            }
            return null;
        })) {
            started.await();
            task.cancel();
            assertSame(boom, assertThrows(CancellationException.class, task::result).getCause());
        }
    }

    @Test
    void cleanUpBlocksWithTheFlagClearedAndSetsItAgain() throws Exception {
        Thread.currentThread().interrupt();
        Cancellation.cleanUp(() -> Thread.sleep(1));
        assertTrue(Thread.interrupted());
        Cancellation.cleanUp(() -> Thread.sleep(1));
        assertFalse(Thread.interrupted(), "no flag where there was none");
        Thread.currentThread().interrupt();
        var boom = new IOException();
        assertSame(boom, assertThrows(IOException.class, () -> Cancellation.cleanUp(() -> {
            throw boom;
        })));
        assertTrue(Thread.interrupted(), "set again after a failing cleanup too");
        assertThrows(InterruptedException.class, () -> Cancellation.cleanUp(() -> {
            Thread.currentThread().interrupt();
            Thread.sleep(1);
        }), "a second interrupt ends the cleanup");
    }

    @Test
    void anInterruptedCloseStillWaitsAndKeepsTheFlag() throws Exception {
        var working = new CountDownLatch(1);
        var ended = new AtomicBoolean();
        var finish = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        var task = Cancellation.Task.start("slow to stop", () -> {
            working.countDown();
            try {
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                interrupted.countDown();
                finish.await();
                ended.set(true);
            }
            return null;
        });
        working.await();
        var flag = new AtomicBoolean();
        var closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            task.close();
            flag.set(Thread.currentThread().isInterrupted() && ended.get());
        });
        interrupted.await();
        closer.interrupt();
        finish.countDown();
        closer.join();
        assertTrue(flag.get());
        task.close(); // idempotent
    }

    @Test
    void aTaskThatWaitsForItselfIsTold() throws Exception {
        var self = new CompletableFuture<Cancellation.Task<String>>();
        try (var task = Cancellation.Task.start("self", () -> {
            self.get().result();
            return "no";
        })) {
            self.complete(task);
            assertInstanceOf(IllegalStateException.class,
                    assertThrows(ExecutionException.class, task::result).getCause());
        }
    }

    @Test
    void waitsThatHeedNoInterrupt() throws Exception {
        var lock = new ReentrantLock();
        lock.lock();
        var flagAfterLock = new CompletableFuture<Boolean>();
        var t = Thread.ofVirtual().start(() -> {
            lock.lock();
            flagAfterLock.complete(Thread.interrupted());
            lock.unlock();
        });
        while (!lock.hasQueuedThread(t)) {
            Thread.onSpinWait();
        }
        t.interrupt();
        lock.unlock();
        assertTrue(flagAfterLock.get(), "lock() went on waiting, the flag still set");

        var value = new CompletableFuture<String>();
        var flagAfterJoin = new CompletableFuture<Boolean>();
        var j = Thread.ofVirtual().start(() -> {
            value.join();
            flagAfterJoin.complete(Thread.interrupted());
        });
        while (value.getNumberOfDependents() == 0) {
            Thread.onSpinWait();
        }
        j.interrupt();
        value.complete("v");
        assertTrue(flagAfterJoin.get());
    }

    @Test
    void interruptClosesTheSocketOfAVirtualThread() throws Exception {
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var client = new Socket(server.getInetAddress(), server.getLocalPort());
                var peer = server.accept()) {
            var flag = new AtomicBoolean();
            var begun = new CountDownLatch(1);
            try (var task = Cancellation.Task.start("reader", () -> {
                begun.countDown();
                try {
                    return client.getInputStream().read();
                } catch (SocketException e) {
                    flag.set(Thread.interrupted() && client.isClosed());
                    throw e;
                }
            })) {
                peer.getOutputStream().flush();
                begun.await(); // one that is cancelled before it begins reads nothing
                task.cancel();
                var e = assertThrows(CancellationException.class, task::result);
                assertInstanceOf(SocketException.class, e.getCause());
                assertTrue(flag.get(), "socket closed, flag still set");
            }
        }
    }

    @Test
    @Timeout(600)
    void stress() throws Exception {
        int rounds = 100_000;
        int callers = 10; // side by side: a round waits more than it computes
        var resources = new Semaphore(0);
        var begun = new AtomicInteger();
        var cleanups = new AtomicInteger();
        var results = new AtomicInteger();
        var failures = new AtomicInteger();
        var cancelled = new AtomicInteger();
        var won = new AtomicInteger();
        Callable<Void> caller = () -> {
            var random = ThreadLocalRandom.current();
            for (int i = 0; i < rounds / callers; i++) {
                int number = i;
                int kind = random.nextInt(4);
                var task = Cancellation.Task.start("stress", () -> {
                    begun.incrementAndGet();
                    resources.release();
                    try {
                        switch (kind) {
                            case 0 -> Thread.yield();
                            case 1 -> throw new IOException("boom");
                            case 2 -> Thread.sleep(Duration.ofNanos(1_000));
                            default -> Thread.sleep(LONG);
                        }
                        return number;
                    } finally {
                        Cancellation.cleanUp(() -> {
                            try {
                                if (kind != 0) {
                                    Thread.sleep(Duration.ofNanos(1));
                                }
                            } finally {
                                assertTrue(resources.tryAcquire());
                                cleanups.incrementAndGet();
                            }
                        });
                    }
                });
                boolean cancel = kind == 3 || random.nextBoolean();
                if (cancel && random.nextBoolean()) {
                    Thread.yield();
                }
                boolean first = cancel && task.cancel();
                if (cancel && random.nextInt(4) == 0) {
                    task.close();
                }
                won.addAndGet(first ? 1 : 0);
                try {
                    assertEquals(number, task.result());
                    assertFalse(first);
                    results.incrementAndGet();
                } catch (CancellationException e) {
                    assertTrue(first, "cancelled exactly if cancel() said so");
                    cancelled.incrementAndGet();
                } catch (ExecutionException e) {
                    assertFalse(first);
                    failures.incrementAndGet();
                }
                assertTrue(task.awaitEnd(Duration.ZERO), "ended");
            }
            return null;
        };
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var each : executor.invokeAll(Collections.nCopies(callers, caller))) {
                each.get();
            }
        }
        System.out.printf("Cancellation: %,d rounds: %,d results, %,d failures, %,d cancelled%n",
                rounds, results.get(), failures.get(), cancelled.get());
        assertEquals(rounds, results.get() + failures.get() + cancelled.get());
        assertEquals(won.get(), cancelled.get());
        assertEquals(begun.get(), cleanups.get(), "every cleanup ran to its end, once");
        assertEquals(0, resources.availablePermits());
    }

    @Test
    void closeByTheWorkIsRefusedAndCancelsNothing() throws Exception {
        var self = new CompletableFuture<Cancellation.Task<String>>();
        try (var task = Cancellation.Task.<String>start("self", () -> {
            assertThrows(IllegalStateException.class, self.get()::close);
            assertFalse(Thread.currentThread().isInterrupted());
            return "not cancelled";
        })) {
            self.complete(task);
            assertEquals("not cancelled", task.result());
        }
    }

    @Test
    void secondCloseInterruptsNobodyAgain() throws Exception {
        var work = new OneInterrupt(1);
        var task = Cancellation.Task.start("work", work.task());
        work.begun.await();
        var first = Thread.startVirtualThread(task::close);
        work.cleaning.await();
        var second = Thread.startVirtualThread(() -> {
            Thread.currentThread().interrupt();
            task.close();
        });
        assertFalse(task.awaitEnd(Duration.ofSeconds(Long.MIN_VALUE)));
        work.release();
        first.join();
        second.join();
        assertTrue(task.awaitEnd(Duration.ofSeconds(Long.MAX_VALUE)));
        assertEquals(0, work.second.get());
    }

    @Test
    void workThatHasNotBegunIsNotRunAndAnAnswerToTheInterruptIsNoCause() throws Exception {
        int ran = 0;
        for (int i = 0; i < 1_000; i++) {
            var begun = new AtomicBoolean();
            var task = Cancellation.Task.start("task", () -> {
                begun.set(true);
                new CountDownLatch(1).await();
                return 1;
            });
            assertTrue(task.cancel());
            assertEquals(null, assertThrows(CancellationException.class, task::result).getCause());
            ran += begun.get() ? 1 : 0;
        }
        System.out.println("Cancellation: begun before the cancel " + ran + " of 1000");
        var reading = new CountDownLatch(1);
        try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                var socket = new Socket(server.getInetAddress(), server.getLocalPort());
                var task = Cancellation.Task.start("reader", () -> {
                    reading.countDown();
                    return socket.getInputStream().read();
                })) {
            reading.await();
            task.cancel();
            assertEquals(null, assertThrows(CancellationException.class, task::result).getCause());
        }
        assertEquals("work", assertThrows(NullPointerException.class,
                () -> Cancellation.Task.start("n", null)).getMessage());
    }
}
