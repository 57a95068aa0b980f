import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class SingleFlightTest {
    private static final Duration LONG = Duration.ofDays(1);
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void close() {
        executor.shutdownNow();
        executor.close();
    }

    private static void awaitWaiters(SingleFlight<?, ?> flight, int count) {
        while (flight.waiters() != count) {
            Thread.yield();
        }
    }

    @Test
    void oneLoadForAllWhoWaitAndANewOneAfterIt() throws Exception {
        var loads = new AtomicInteger();
        var go = new CountDownLatch(1);
        var flight = new SingleFlight<String, Integer>(key -> {
            go.await();
            return loads.incrementAndGet();
        }, false);
        var answers = new ArrayList<Future<Integer>>();
        for (int i = 0; i < 100; i++) {
            answers.add(executor.submit(() -> flight.get("k")));
        }
        awaitWaiters(flight, 100);
        go.countDown();
        for (var answer : answers) {
            assertEquals(1, answer.get());
        }
        assertEquals(2, flight.get("k"));
        assertEquals(0, flight.waiters());
    }

    @Test
    void aKeptValueStaysUntilForgottenAFailureDoesNot() throws Exception {
        var loads = new AtomicInteger();
        var boom = new IOException("boom");
        var flight = new SingleFlight<String, Integer>(key -> {
            if (loads.incrementAndGet() == 1) {
                throw boom;
            }
            return key.equals("null") ? null : loads.get();
        }, true);
        assertSame(boom, assertThrows(ExecutionException.class, () -> flight.get("k")).getCause());
        assertEquals(2, flight.get("k"));
        assertEquals(2, flight.get("k"));
        flight.forget("k");
        assertEquals(3, flight.get("k"));
        assertNull(flight.get("null"));
        assertNull(flight.get("null"));
        assertEquals(4, loads.get());
        var cancelling = new SingleFlight<String, Integer>(key -> {
            throw new CancellationException("the load's own");
        }, false);
        assertInstanceOf(CancellationException.class,
                assertThrows(ExecutionException.class, () -> cancelling.get("k")).getCause());
    }

    @Test
    void forgetDuringALoadGivesLaterCallersANewOne() throws Exception {
        var loads = new AtomicInteger();
        var go = new CountDownLatch(1);
        var flight = new SingleFlight<String, Integer>(key -> {
            int load = loads.incrementAndGet();
            if (load == 1) {
                go.await();
            }
            return load;
        }, true);
        var stale = executor.submit(() -> flight.get("k"));
        while (loads.get() == 0) {
            Thread.yield();
        }
        flight.forget("k");
        assertEquals(2, flight.get("k"));
        go.countDown();
        assertEquals(1, stale.get());
        assertEquals(2, flight.get("k"), "the stale value did not replace the new one");

        var fail = new CountDownLatch(1);
        var failing = new SingleFlight<String, Integer>(key -> {
            int load = loads.incrementAndGet();
            if (load == 3) {
                fail.await();
                throw new IOException();
            }
            return load;
        }, true);
        var old = executor.submit(() -> failing.get("k"));
        while (loads.get() < 3) {
            Thread.yield();
        }
        failing.forget("k");
        assertEquals(4, failing.get("k"));
        fail.countDown();
        assertThrows(ExecutionException.class, old::get);
        assertEquals(4, failing.get("k"), "the old load's failure did not drop the new value");
    }

    @Test
    void theInterruptOfOneWaiterHurtsNoOther() throws Exception {
        var go = new CountDownLatch(1);
        var interrupted = new AtomicBoolean();
        var flight = new SingleFlight<String, String>(key -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
            return "v";
        }, false);
        var first = executor.submit(() -> flight.get("k")); // the one that started the load
        awaitWaiters(flight, 1);
        var second = executor.submit(() -> flight.get("k"));
        awaitWaiters(flight, 2);
        first.cancel(true);
        awaitWaiters(flight, 1);
        go.countDown();
        assertEquals("v", second.get());
        assertEquals(false, interrupted.get());
    }

    @Test
    void theLastToLeaveStopsTheLoadAndANewcomerGetsANewOne() throws Exception {
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var loads = new AtomicInteger();
        var running = new AtomicInteger();
        var cleaned = new AtomicBoolean();
        var firstEnded = new AtomicBoolean();
        var flight = new SingleFlight<String, Integer>(key -> {
            assertEquals(1, running.incrementAndGet(), "never two loads of a key");
            int load = loads.incrementAndGet();
            try {
                if (load == 1) {
                    begun.countDown();
                    try {
                        Thread.sleep(LONG);
                    } catch (InterruptedException e) {
                        cleaning.countDown();
                        finish.await();
                        cleaned.set(true);
                    }
                }
                return load;
            } finally {
                running.decrementAndGet();
                firstEnded.compareAndSet(false, load == 1);
            }
        }, true);
        var ended = new AtomicBoolean();
        var only = Thread.ofVirtual().start(() -> {
            try {
                flight.get("k");
            } catch (InterruptedException e) {
                ended.set(firstEnded.get()); // the second load may be running
            } catch (ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        begun.await();
        only.interrupt();
        cleaning.await();
        var newcomer = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () -> flight.get("k")));
        awaitWaiters(flight, 2); // the one that leaves, and the newcomer
        var impatient = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () -> flight.get("k")));
        awaitWaiters(flight, 3);
        impatient.interrupt();
        impatient.join();
        assertTrue(only.isAlive(), "waits for the end of the load");
        newcomer.interrupt(); // last again
        while (newcomer.isInterrupted()) {
            Thread.yield();
        }
        Thread.sleep(5); // time to do it wrong: to interrupt the load a second time
        var another = executor.submit(() -> flight.get("k"));
        finish.countDown();
        assertEquals(2, another.get());
        only.join();
        newcomer.join();
        assertTrue(cleaned.get(), "the load was interrupted once");
        assertTrue(ended.get(), "the first load, before its caller left");
        assertEquals(2, loads.get());
    }

    @Test
    void recursionIsToldDirectlyAndThroughOtherKeys() throws Exception {
        var self = new AtomicReference<SingleFlight<Integer, Integer>>();
        self.set(new SingleFlight<>(key -> self.get().get(key), false));
        var direct = assertThrows(ExecutionException.class, () -> self.get().get(1));
        assertInstanceOf(IllegalStateException.class, direct.getCause());

        var ring = new AtomicReference<SingleFlight<Integer, Integer>>();
        ring.set(new SingleFlight<>(key -> ring.get().get((key + 1) % 5), false));
        Throwable cause = assertThrows(ExecutionException.class, () -> ring.get().get(0));
        while (cause instanceof ExecutionException) {
            cause = cause.getCause();
        }
        assertEquals("the load of 0 needs 0", assertInstanceOf(IllegalStateException.class, cause).getMessage());

        // two loads that were started apart and then ask for each other
        var both = new CountDownLatch(2);
        var crossed = new AtomicReference<SingleFlight<Integer, Integer>>();
        crossed.set(new SingleFlight<>(key -> {
            both.countDown();
            both.await();
            return crossed.get().get(1 - key);
        }, false));
        var zero = executor.submit(() -> crossed.get().get(0));
        var one = executor.submit(() -> crossed.get().get(1));
        assertThrows(ExecutionException.class, zero::get);
        assertThrows(ExecutionException.class, one::get);

        var fibonacci = new AtomicReference<SingleFlight<Integer, Long>>();
        fibonacci.set(new SingleFlight<>(
                n -> n < 2 ? n : fibonacci.get().get(n - 1) + fibonacci.get().get(n - 2), true));
        assertEquals(12586269025L, fibonacci.get().get(50), "recursion into other keys is fine");
    }

    @Test
    void otherKeysAreNotHeldUpAndThreadLocalsNotInherited() throws Exception {
        var go = new CountDownLatch(1);
        var inherited = new InheritableThreadLocal<String>();
        var flight = new SingleFlight<String, String>(key -> {
            if (key.equals("slow")) {
                go.await();
            }
            return key + " " + inherited.get();
        }, false);
        inherited.set("of the caller");
        var slow = executor.submit(() -> flight.get("slow"));
        awaitWaiters(flight, 1);
        for (int i = 0; i < 1_000; i++) { // in one table of computeIfAbsent some of these would share the bin
            assertEquals(i + " null", flight.get("" + i));
        }
        go.countDown();
        assertEquals("slow null", slow.get());
        inherited.remove();
    }

    private record Moody(int n, AtomicBoolean broken) {
        @Override
        public int hashCode() {
            return fail(n);
        }

        @Override
        public String toString() {
            return "" + fail(n);
        }

        private int fail(int value) {
            if (broken.get()) {
                throw new IllegalStateException("session is closed");
            }
            return value;
        }
    }

    @Test
    void aKeyWhoseCodeThrowsCostsNobodyElse() throws Exception {
        for (boolean keep : new boolean[] {false, true}) {
            var broken = new AtomicBoolean();
            var go = new CountDownLatch(1);
            var flight = new SingleFlight<Moody, String>(key -> {
                go.await();
                if (key.n() == 2) {
                    throw new IOException();
                }
                return "v";
            }, keep);
            var answers = new ArrayList<Future<String>>();
            for (int i = 0; i < 6; i++) {
                var key = new Moody(i % 2 + 1, broken);
                answers.add(executor.submit(() -> flight.get(key)));
            }
            awaitWaiters(flight, 6);
            broken.set(true);
            go.countDown();
            for (int i = 0; i < 6; i += 2) {
                assertEquals("v", answers.get(i).get());
                assertThrows(ExecutionException.class, answers.get(i + 1)::get);
            }
            assertThrows(IllegalStateException.class, () -> flight.get(new Moody(1, broken)));
            broken.set(false);
            assertEquals("v", flight.get(new Moody(1, broken)), "what could not be removed is not in the way");
        }
    }

    @Test
    void eachWaiterHasItsOwnLimit() throws Exception {
        var go = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var flight = new SingleFlight<String, String>(key -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                interrupts.incrementAndGet();
                throw e;
            }
            return "v";
        }, true);
        assertThrows(TimeoutException.class, () -> flight.get("k", Duration.ZERO));
        assertThrows(TimeoutException.class, () -> flight.get("k", Duration.ofSeconds(Long.MIN_VALUE)));
        var patient = executor.submit(() -> flight.get("k", Duration.ofSeconds(Long.MAX_VALUE)));
        awaitWaiters(flight, 1);
        assertThrows(TimeoutException.class, () -> flight.get("k", Duration.ofMillis(5)));
        assertThrows(TimeoutException.class, () -> flight.get("k", Duration.ZERO), "nothing is kept yet");
        awaitWaiters(flight, 1);
        go.countDown();
        assertEquals("v", patient.get());
        assertEquals("v", flight.get("k", Duration.ZERO), "kept");
        assertEquals(0, interrupts.get());
        assertThrows(NullPointerException.class, () -> flight.get("k", null));
    }

    @Test
    void aLoadSeesThatTheTimeOfAllIsOver() throws Exception {
        Duration left = null;
        while (left == null) { // a caller that a busy machine holds up for so long starts no load
            var seen = new LinkedBlockingQueue<Duration>();
            var flight = new AtomicReference<SingleFlight<String, String>>();
            flight.set(new SingleFlight<>(key -> {
                try {
                    new CountDownLatch(1).await();
                    return key;
                } finally {
                    seen.add(flight.get().left());
                }
            }, false));
            assertThrows(TimeoutException.class, () -> flight.get().get("k", Duration.ofMillis(5)));
            left = seen.poll(10, TimeUnit.SECONDS);
        }
        assertEquals(Duration.ZERO, left);
    }

    @Test
    void aLoadSeesHowLongTheMostPatientWaits() throws Exception {
        var seen = new LinkedBlockingQueue<Duration>();
        var look = new Semaphore(0);
        var flight = new AtomicReference<SingleFlight<String, String>>();
        flight.set(new SingleFlight<>(key -> {
            try {
                while (true) {
                    look.acquire();
                    seen.add(flight.get().left());
                }
            } finally {
                seen.add(flight.get().left());
            }
        }, false));
        var hour = Duration.ofHours(1);
        var first = executor.submit(() -> flight.get().get("k", hour));
        look.release();
        assertTrue(seen.take().compareTo(hour) <= 0);
        var second = executor.submit(() -> flight.get().get("k", LONG));
        awaitWaiters(flight.get(), 2);
        look.release();
        assertTrue(seen.take().compareTo(hour) > 0);
        second.cancel(true);
        awaitWaiters(flight.get(), 1);
        look.release();
        assertTrue(seen.take().compareTo(hour) > 0, "of those who have asked so far");
        first.cancel(true);
        assertTrue(seen.take().compareTo(hour) > 0, "they have left, it is not over");

        var endless = executor.submit(() -> flight.get().get("k"));
        look.release();
        assertTrue(seen.take().compareTo(Duration.ofDays(365 * 100)) > 0);
        endless.cancel(true);
        assertThrows(IllegalStateException.class, () -> flight.get().left());
    }

    @Test
    void theLastOutOfTimeInterruptsTheLoadOnceAndDoesNotWaitForIt() throws Exception {
        var finish = new CountDownLatch(1);
        var hit = new CountDownLatch(1);
        var interrupts = new AtomicInteger();
        var loads = new AtomicInteger();
        var flight = new SingleFlight<String, Integer>(key -> {
            int load = loads.incrementAndGet();
            while (load == 1 && finish.getCount() > 0) {
                try {
                    finish.await(); // a clean-up that takes its time
                } catch (InterruptedException e) {
                    interrupts.incrementAndGet();
                    hit.countDown();
                }
            }
            return load;
        }, true);
        do { // a caller that a busy machine holds up for so long starts no load
            assertThrows(TimeoutException.class, () -> flight.get("k", Duration.ofMillis(20)));
        } while (!hit.await(1, TimeUnit.SECONDS));
        assertThrows(TimeoutException.class, () -> flight.get("k", Duration.ofMillis(5)), "no second load beside it");
        var next = executor.submit(() -> flight.get("k"));
        awaitWaiters(flight, 1);
        assertEquals(1, loads.get());
        finish.countDown();
        assertEquals(2, next.get(), "and what was abandoned is not kept");
        assertEquals(1, interrupts.get());
    }

    @Test
    void aFutureLeavesWhenItIsCancelled() throws Exception {
        var go = new CountDownLatch(1);
        var stopped = new CountDownLatch(1);
        var flight = new SingleFlight<String, String>(key -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                stopped.countDown();
            }
            if (key.equals("bad")) {
                throw new CancellationException("the load's own");
            }
            return key;
        }, false);
        var one = flight.getAsync("k");
        var two = flight.getAsync("k");
        awaitWaiters(flight, 2);
        one.cancel(false);
        awaitWaiters(flight, 1);
        assertEquals(1, stopped.getCount());
        two.orTimeout(1, TimeUnit.MILLISECONDS);
        stopped.await();
        awaitWaiters(flight, 0);
        go.countDown();
        var flagged = flight.getAsync("k").thenApply(value -> value + Thread.currentThread().isInterrupted());
        assertEquals("kfalse", flagged.get());
        assertThrows(CancellationException.class, flight.getAsync("bad")::join);
    }

    @Test
    void stress() throws Exception {
        int keys = 8;
        int callers = 16;
        int each = 10_000;
        var running = new AtomicIntegerArray(keys);
        var clock = new AtomicLong();
        var seen = new AtomicLongArray(keys);
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        var values = new AtomicInteger();
        var failures = new AtomicInteger();
        var interrupted = new AtomicInteger();
        var problems = new AtomicInteger();
        var flight = new SingleFlight<Integer, Long>(key -> {
            begun.incrementAndGet();
            if (running.incrementAndGet(key) != 1) {
                problems.incrementAndGet();
            }
            try {
                switch (ThreadLocalRandom.current().nextInt(4)) {
                    case 0 -> Thread.sleep(Duration.ofNanos(ThreadLocalRandom.current().nextInt(100_000)));
                    case 1 -> throw new IOException();
                    default -> Thread.yield();
                }
                return clock.incrementAndGet();
            } finally {
                running.decrementAndGet(key);
                ended.incrementAndGet();
            }
        }, false);
        var done = new AtomicBoolean();
        var threads = new ArrayList<Thread>();
        for (int c = 0; c < callers; c++) {
            threads.add(Thread.ofVirtual().start(() -> {
                for (int i = 0; i < each; i++) {
                    int key = ThreadLocalRandom.current().nextInt(keys);
                    long before = seen.get(key);
                    try {
                        long value = i % 3 > 0 ? flight.get(key)
                                : flight.get(key, Duration.ofNanos(ThreadLocalRandom.current().nextInt(200_000)));
                        if (value <= before) {
                            problems.incrementAndGet(); // a load that had ended before the question
                        }
                        seen.accumulateAndGet(key, value, Math::max);
                        values.incrementAndGet();
                    } catch (ExecutionException e) {
                        if (!(e.getCause() instanceof IOException)) {
                            problems.incrementAndGet(); // somebody else's cancellation
                        }
                        failures.incrementAndGet();
                    } catch (InterruptedException | TimeoutException e) {
                        interrupted.incrementAndGet();
                    }
                }
            }));
        }
        var interrupter = Thread.ofVirtual().start(() -> {
            while (!done.get()) {
                threads.get(ThreadLocalRandom.current().nextInt(callers)).interrupt();
                try {
                    Thread.sleep(Duration.ofNanos(10_000));
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        for (var thread : threads) {
            thread.join();
        }
        done.set(true);
        interrupter.join();
        System.out.printf("SingleFlight: %,d calls: %,d values, %,d failures, %,d interrupted, %,d loads%n",
                callers * each, values.get(), failures.get(), interrupted.get(), begun.get());
        assertEquals(0, problems.get());
        assertEquals(callers * each, values.get() + failures.get() + interrupted.get());
        while (begun.get() != ended.get()) {
            Thread.yield(); // who is out of time does not wait for the end of what it has interrupted
        }
        assertEquals(0, flight.waiters());
        assertTrue(begun.get() < callers * each);
        for (int key = 0; key < keys; key++) { // a load that was left before it began may still come: wait for its end
            try {
                flight.get(key);
            } catch (ExecutionException e) {
                // may fail as any
            }
        }
        for (int key : List.of(0, 7)) {
            int before = begun.get();
            try {
                flight.get(key);
            } catch (ExecutionException e) {
                // may fail as any
            }
            assertEquals(before + 1, begun.get(), "nothing was left in the table");
        }
    }

    @Test
    void aCancelDoesNotInterruptADependent() throws Exception {
        var go = new CountDownLatch(1);
        var loads = new SingleFlight<Integer, String>(key -> {
            go.await();
            return "value";
        }, false);
        var answer = loads.getAsync(1);
        while (loads.waiters() == 0) {
            Thread.sleep(1);
        }
        var cancelling = new CountDownLatch(1);
        var cancel = new CountDownLatch(1);
        var running = new CountDownLatch(1);
        var over = new CountDownLatch(1);
        var hit = new AtomicBoolean();
        var second = answer.whenComplete((value, failure) -> { // by the thread that waited for the outcome
            running.countDown();
            try {
                over.await();
            } catch (InterruptedException e) {
                hit.set(true);
            }
        });
        var first = answer.whenComplete((value, failure) -> { // by the one that cancels: the latest is the first
            cancelling.countDown();
            try {
                cancel.await();
            } catch (InterruptedException e) {
                hit.set(true);
            }
        });
        Thread canceller = Thread.startVirtualThread(() -> answer.cancel(true));
        cancelling.await();
        go.countDown();
        running.await();
        cancel.countDown();
        canceller.join();
        over.countDown();
        for (var dependent : List.of(first, second)) {
            assertThrows(CancellationException.class, () -> {
                try {
                    dependent.get();
                } catch (ExecutionException e) {
                    throw e.getCause();
                }
            });
        }
        assertFalse(hit.get());
    }

    @Test
    void whoAsksForAnAbandonedLoadDoesNotProlongIt() throws Exception {
        var loads = new AtomicInteger();
        var look = new Semaphore(0);
        var seen = new LinkedBlockingQueue<Duration>();
        var loading = new AtomicReference<SingleFlight<String, String>>();
        loading.set(new SingleFlight<>(key -> {
            if (loads.incrementAndGet() > 1) {
                return "value";
            }
            try {
                new CountDownLatch(1).await();
                return "never";
            } finally {
                look.acquire();
                seen.add(loading.get().left());
            }
        }, false));
        for (long millis = 5; loads.get() == 0; millis *= 2) { // a slow machine may not even begin
            var limit = Duration.ofMillis(millis);
            assertThrows(TimeoutException.class, () -> loading.get().get("k", limit));
        }
        var next = executor.submit(() -> loading.get().get("k", LONG));
        awaitWaiters(loading.get(), 1);
        look.release();
        assertEquals(Duration.ZERO, seen.take(), "the time of those whom it was for is over");
        assertEquals("value", next.get());
    }
}
