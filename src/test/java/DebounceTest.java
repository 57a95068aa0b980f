import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class DebounceTest {

    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);

    @Test
    void runsTheLastValueWhenQuietHasPassed() throws Exception {
        Duration quiet = Duration.ofMillis(20);
        var ran = new LinkedBlockingQueue<Integer>();
        var ranAt = new AtomicLong();
        try (var debounce = new Debounce<Integer>(quiet, value -> {
            ranAt.set(System.nanoTime());
            ran.add(value);
        })) {
            for (int round = 0; round < 5; round++) {
                long lastCall = 0;
                for (int i = 0; i <= 100; i++) {
                    lastCall = System.nanoTime();
                    debounce.call(i);
                }
                while (ran.take() != 100) {
                    // a stall of this thread may have ended the burst early
                }
                assertTrue(ranAt.get() - lastCall >= quiet.toNanos(), "not before the quiet time is over");
            }
        }
    }

    @Test
    void flushRunsTheLastValueNowAndOnce() throws Exception {
        var ran = new ArrayList<Integer>();
        try (var debounce = new Debounce<Integer>(NEVER, ran::add)) {
            debounce.flush();
            for (int i = 0; i <= 100; i++) {
                debounce.call(i);
            }
            assertEquals(List.of(), ran);
            debounce.flush();
            assertEquals(List.of(100), ran);
            debounce.flush();
            debounce.call(7);
            debounce.flush();
            assertEquals(List.of(100, 7), ran);
        }
    }

    @Test
    void leadingRunsTheFirstAtOnceAndASingleCallOnce() throws Exception {
        BlockingQueue<Integer> ran = new LinkedBlockingQueue<>();
        try (var debounce = new Debounce<Integer>(NEVER, NEVER, true, ran::add)) {
            debounce.call(1);
            assertEquals(1, ran.take());
            debounce.flush();
            assertTrue(ran.isEmpty(), "one call, one run");
            debounce.call(2);
            debounce.call(3);
            debounce.flush();
            assertEquals(List.of(3), List.copyOf(ran));
        }
        try (var debounce = new Debounce<Integer>(Duration.ofMillis(1), NEVER, true, ran::add)) {
            for (int i = 0; i < 1_000; i++) {
                ran.clear();
                debounce.call(1);
                debounce.call(2);
                debounce.flush();
                var runs = List.copyOf(ran);
                assertEquals(2, runs.getLast());
                assertTrue(runs.equals(List.of(1, 2)) || runs.equals(List.of(2)),
                        "the first of a burst is not replaced " + runs);
            }
        }
    }

    @Test
    void aNewBurstIsLedAgain() throws Exception {
        BlockingQueue<Integer> ran = new LinkedBlockingQueue<>();
        var threads = ConcurrentHashMap.<Thread>newKeySet();
        try (var debounce = new Debounce<Integer>(Duration.ofMillis(5), NEVER, true, value -> {
            threads.add(Thread.currentThread());
            ran.add(value);
        })) {
            for (int i = 1; i <= 3; i++) {
                debounce.call(i);
                assertEquals(i, ran.take());
                for (Thread thread : threads) {
                    thread.join(); // the burst is over, nothing left behind
                }
            }
            assertEquals(3, threads.size());
        }
    }

    @Test
    void maxWaitEndsAnEndlessBurst() throws Exception {
        for (boolean leading : new boolean[] {false, true}) {
            BlockingQueue<Integer> ran = new LinkedBlockingQueue<>();
            try (var debounce = new Debounce<Integer>(NEVER, Duration.ofMillis(5), leading, ran::add)) {
                if (leading) {
                    debounce.call(0);
                    assertEquals(0, ran.take());
                    debounce.flush();
                    Thread.sleep(20); // the worker waits out the quiet time
                }
                debounce.call(1);
                assertEquals(1, ran.take());
                debounce.call(2);
                assertEquals(2, ran.take());
            }
        }
    }

    @Test
    void closeDropsWhatWaitsAndInterruptsWhatRuns() throws Exception {
        var begun = new CountDownLatch(1);
        var interrupted = new AtomicInteger();
        var runs = new AtomicInteger();
        var debounce = new Debounce<Integer>(Duration.ZERO, value -> {
            runs.incrementAndGet();
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                Thread.sleep(50); // time for a close() that does not wait to return
                interrupted.incrementAndGet();
            }
        });
        debounce.call(1);
        begun.await();
        debounce.call(2);
        Thread.currentThread().interrupt();
        debounce.close();
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertEquals(1, interrupted.get(), "the action has ended");
        assertEquals(1, runs.get());
        debounce.close();
        debounce.flush();
        assertThrows(IllegalStateException.class, () -> debounce.call(3));

        var idle = new Debounce<Integer>(NEVER, value -> runs.incrementAndGet());
        idle.call(1);
        idle.close(); // does not wait for the quiet time
        assertEquals(1, runs.get());
    }

    @Test
    void closeAndFlushFromWithinTheAction() throws Exception {
        var self = new AtomicReference<Debounce<Integer>>();
        var done = new LinkedBlockingQueue<Boolean>();
        self.set(new Debounce<Integer>(Duration.ZERO, value -> {
            self.get().flush();
            assertThrows(IllegalStateException.class, self.get()::close);
            if (value == 1) {
                self.get().call(2); // not closed
            }
            done.add(Thread.currentThread().isInterrupted());
        }));
        self.get().call(1);
        assertFalse(done.take());
        self.get().close();
    }

    @Test
    void aLeftoverFlagDoesNotReachTheNextRun() throws Exception {
        var flags = new LinkedBlockingQueue<Boolean>();
        var self = new AtomicReference<Debounce<Integer>>();
        try (var debounce = new Debounce<Integer>(Duration.ZERO, value -> {
            flags.add(Thread.currentThread().isInterrupted());
            if (value == 1) {
                self.get().call(2); // run without a wait in between
                self.get().flush();
                Thread.currentThread().interrupt();
            }
        })) {
            self.set(debounce);
            debounce.call(1);
            assertFalse(flags.take());
            assertFalse(flags.take());
        }
    }

    @Test
    void failuresAndLeftoverFlagsEndNothing() throws Exception {
        var reported = new LinkedBlockingQueue<Throwable>();
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            if (thread.getName().equals("debounce")) { // what a thread of another test left behind is not ours
                reported.add(failure);
            }
        });
        try {
            var ran = new ArrayList<Integer>();
            try (var debounce = new Debounce<Integer>(NEVER, value -> {
                ran.add(value);
                Thread.currentThread().interrupt();
                if (value == 1) {
                    throw new StackOverflowError();
                }
            })) {
                for (int i = 1; i <= 3; i++) {
                    debounce.call(i);
                    debounce.flush();
                }
                assertEquals(List.of(1, 2, 3), ran);
                assertTrue(reported.take() instanceof StackOverflowError);
                assertTrue(reported.isEmpty());
            }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    /**
     * Calls, flushes and interrupts from several threads: runs never overlap, end with the last value, leave no thread.
     */
    @Test
    void stress() throws Exception {
        int threads = 4;
        int each = 30_000;
        var inside = new AtomicInteger();
        var overlaps = new AtomicInteger();
        var runs = new AtomicInteger();
        var tickets = new AtomicInteger();
        var last = new AtomicInteger();
        var workers = ConcurrentHashMap.<Thread>newKeySet();
        long interrupts;
        try (var debounce = new Debounce<Integer>(Duration.ofNanos(20_000), Duration.ofNanos(200_000), true, value -> {
            if (inside.incrementAndGet() > 1) {
                overlaps.incrementAndGet();
            }
            workers.add(Thread.currentThread());
            runs.incrementAndGet();
            last.set(value);
            inside.decrementAndGet();
        })) {
            var tasks = new ArrayList<Chaos.Task>();
            for (int t = 0; t < threads; t++) {
                var random = new Random(t);
                tasks.add(() -> {
                    for (int i = 0; i < each; i++) {
                        int odds = random.nextInt(1_000);
                        if (odds < 5) {
                            try {
                                debounce.flush();
                            } catch (InterruptedException e) {
                                // not waited for
                            }
                        } else if (odds < 10) {
                            Thread.yield();
                        } else {
                            debounce.call(tickets.incrementAndGet());
                        }
                    }
                });
            }
            interrupts = Chaos.run(tasks);
            debounce.call(-1);
            debounce.flush();
            assertEquals(-1, last.get());
        }
        for (Thread worker : workers) {
            worker.join();
        }
        assertEquals(0, overlaps.get());
        assertTrue(runs.get() > 1 && runs.get() <= tickets.get() + 1);
        System.out.println("Debounce: " + tickets + " calls, " + runs + " runs in " + workers.size() + " bursts, "
                + interrupts + " interrupts");
    }

    /** close() against calls and a running action: afterwards nothing runs. */
    @Test
    void stressClose() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            var runs = new AtomicInteger();
            var debounce = new Debounce<Integer>(Duration.ofNanos(1_000), value -> runs.incrementAndGet());
            Thread caller = Thread.startVirtualThread(() -> {
                try {
                    for (int i = 0; i < 50; i++) {
                        debounce.call(i);
                    }
                } catch (IllegalStateException e) {
                    // closed
                }
            });
            debounce.call(-1);
            debounce.close();
            int before = runs.get();
            caller.join();
            assertEquals(before, runs.get());
        }
    }

    @Test
    void aSecondCloseWaitsTooAndInterruptsNobodyAgain() throws Exception {
        var work = new OneInterrupt(1);
        var debounce = new Debounce<Integer>(Duration.ZERO, value -> work.work());
        debounce.call(1);
        work.begun.await();
        var first = Thread.startVirtualThread(debounce::close);
        work.cleaning.await();
        var second = Thread.startVirtualThread(() -> {
            Thread.currentThread().interrupt();
            debounce.close();
            assertTrue(Thread.interrupted());
            assertEquals(0, work.running.get());
        });
        var failed = new AtomicReference<Throwable>();
        second.setUncaughtExceptionHandler((thread, e) -> failed.set(e));
        while (second.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        work.release();
        first.join();
        second.join();
        assertEquals(0, work.second.get());
        assertEquals(null, failed.get());
    }

    @Test
    void anUncaughtHandlerThatThrowsEndsNothing() throws Exception {
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            throw new IllegalStateException("the logger is closed");
        });
        try {
            var ran = new LinkedBlockingQueue<Integer>();
            var begun = new CountDownLatch(1);
            var called = new CountDownLatch(1);
            try (var debounce = new Debounce<Integer>(Duration.ZERO, value -> {
                ran.add(value);
                if (value == 1) {
                    begun.countDown();
                    called.await();
                    throw new IllegalStateException("failed");
                }
            })) {
                debounce.call(1);
                begun.await();
                debounce.call(2);
                called.countDown();
                debounce.flush();
                assertEquals(List.of(1, 2), List.copyOf(ran));
            }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void durationsOfAnySizeAndNoNull() throws Exception {
        var ran = new LinkedBlockingQueue<Integer>();
        try (var debounce = new Debounce<Integer>(Duration.ofSeconds(Long.MIN_VALUE), ran::add)) {
            debounce.call(1);
            assertEquals(1, ran.take());
            debounce.call(2);
            assertEquals(2, ran.take());
            assertEquals("value", assertThrows(NullPointerException.class, () -> debounce.call(null)).getMessage());
        }
        assertEquals("action", assertThrows(NullPointerException.class,
                () -> new Debounce<Integer>(Duration.ZERO, null)).getMessage());
    }
}
