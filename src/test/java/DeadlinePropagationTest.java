import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class DeadlinePropagationTest {
    private static final Duration LONG = Duration.ofDays(1);
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 100); // wraps around soon

    private DeadlinePropagation.Deadline after(Duration budget) {
        return DeadlinePropagation.Deadline.after(budget, now::get);
    }

    @Test
    void theNearerWins() throws Exception {
        assertEquals(50, after(Duration.ofNanos(50)).within(Duration.ofNanos(200)).nanos(), "across the wrap");
        var outer = after(Duration.ofNanos(1_000));
        var less = outer.within(Duration.ofNanos(400));
        var more = outer.within(Duration.ofDays(1));
        assertEquals(400, less.nanos());
        assertEquals(1_000, more.nanos());
        now.addAndGet(300);
        assertEquals(Duration.ofNanos(100), less.remaining());
        assertEquals(Duration.ofNanos(700), more.remainingOrThrow());
        assertEquals(100, less.within(Duration.ofNanos(200)).nanos());
        now.addAndGet(100);
        assertEquals(0, less.nanos());
        assertThrows(TimeoutException.class, less::remainingOrThrow);
        now.addAndGet(10_000);
        assertEquals(Duration.ZERO, less.remaining());
        assertEquals(0, more.within(Duration.ofDays(1)).nanos(), "what has passed stays passed");
    }

    @Test
    void extremes() {
        var forever = after(Duration.ofSeconds(Long.MAX_VALUE));
        assertEquals(Long.MAX_VALUE / 2, forever.nanos());
        now.addAndGet(1_000);
        assertEquals(Long.MAX_VALUE / 2 - 1_000, forever.nanos());
        assertEquals(Long.MAX_VALUE / 2 - 1_000, forever.within(Duration.ofSeconds(Long.MAX_VALUE)).nanos());
        assertEquals(5, forever.within(Duration.ofNanos(5)).nanos());
        assertEquals(0, forever.within(Duration.ofSeconds(Long.MIN_VALUE)).nanos());
        assertEquals(0, after(Duration.ofSeconds(-5)).nanos());
    }

    @Test
    void locksAndQueues() throws Exception {
        var lock = new ReentrantLock();
        var queue = new ArrayBlockingQueue<String>(1);
        var passed = DeadlinePropagation.Deadline.after(Duration.ZERO);
        var open = DeadlinePropagation.Deadline.after(LONG);
        open.lock(lock);
        assertTrue(lock.isHeldByCurrentThread());
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var other = executor.submit(() -> assertThrows(TimeoutException.class, () -> passed.lock(lock)));
            other.get();
        }
        assertThrows(TimeoutException.class, () -> passed.take(queue));
        queue.add("a");
        assertEquals("a", passed.take(queue), "what is there needs no time");
    }

    @Test
    void allReturnsInOrderAndHandsTheDeadlineDown() throws Exception {
        var deadline = DeadlinePropagation.Deadline.after(LONG);
        var second = new CountDownLatch(1);
        assertEquals(List.of("one", "two"), deadline.all(List.of(d -> {
            assertSame(deadline, d);
            second.await();
            return "one";
        }, d -> {
            second.countDown();
            return "two";
        })));
        assertEquals(List.of(), deadline.all(List.of()));
    }

    @Test
    void atTheDeadlineAllAreStoppedAndAwaited() {
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        DeadlinePropagation.Call<String> endless = d -> {
            begun.incrementAndGet();
            try {
                Thread.sleep(LONG);
                return "no";
            } finally {
                try {
                    Thread.sleep(5); // may be interrupted again: an interrupted close() passes it on
                } finally {
                    ended.incrementAndGet();
                }
            }
        };
        var deadline = DeadlinePropagation.Deadline.after(Duration.ofMillis(20));
        assertThrows(TimeoutException.class, () -> deadline.all(List.of(endless,
                d -> d.within(LONG).all(List.of(endless, endless)).getFirst())));
        assertEquals(begun.get(), ended.get());
        int before = begun.get();
        assertThrows(TimeoutException.class, () -> deadline.all(List.of(endless)));
        assertEquals(before, begun.get(), "nothing is started after the deadline");
    }

    @Test
    void aCallThatNoticesTheDeadlineFirstLooksTheSame() throws Exception {
        var started = new CountDownLatch(1);
        var deadline = after(Duration.ofHours(1));
        var owner = Thread.currentThread();
        var passing = Thread.ofVirtual().start(() -> {
            try {
                started.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            while (owner.getState() != Thread.State.TIMED_WAITING) { // else the owner notices first
                Thread.yield();
            }
            now.addAndGet(Duration.ofHours(2).toNanos());
        });
        var e = assertThrows(TimeoutException.class, () -> deadline.all(List.of(d -> {
            started.countDown();
            passing.join();
            return d.remainingOrThrow();
        })));
        assertInstanceOf(TimeoutException.class, e.getCause());
        var own = new TimeoutException("the call's own limit");
        assertSame(own, assertThrows(ExecutionException.class,
                () -> DeadlinePropagation.Deadline.after(LONG).all(List.of(d -> {
                    throw own;
                }))).getCause(), "the deadline has not passed: a failure");
    }

    @Test
    void failureAndInterruptStopTheOthers() throws Exception {
        var deadline = DeadlinePropagation.Deadline.after(LONG);
        var boom = new IOException("boom");
        var ended = new AtomicInteger();
        var running = new CountDownLatch(1);
        DeadlinePropagation.Call<String> endless = d -> {
            running.countDown();
            try {
                Thread.sleep(LONG);
                return "no";
            } finally {
                ended.incrementAndGet();
            }
        };
        assertSame(boom, assertThrows(ExecutionException.class, () -> deadline.all(List.of(endless, d -> {
            running.await();
            throw boom;
        }))).getCause());
        assertEquals(1, ended.get());
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> deadline.all(List.of(endless)));
        assertEquals(2, ended.get());
        assertFalse(Thread.interrupted());
    }

    @Test
    void stressTheArithmetic() {
        int rounds = 100_000;
        var random = ThreadLocalRandom.current();
        for (int i = 0; i < rounds; i++) {
            long passed = 0;
            long budget = random.nextLong(1_000_000);
            long nearest = budget;
            var deadline = after(Duration.ofNanos(budget));
            for (int level = random.nextInt(6); level > 0; level--) {
                long time = random.nextLong(200_000);
                now.addAndGet(time);
                passed += time;
                budget = random.nextLong(-10, 1_000_000);
                nearest = Math.min(nearest, passed + Math.max(0, budget));
                deadline = deadline.within(Duration.ofNanos(budget));
                assertEquals(Math.max(0, nearest - passed), deadline.nanos());
            }
        }
        System.out.printf("DeadlinePropagation: %,d chains%n", rounds);
    }

    @Test
    void stress() throws Exception {
        int rounds = 20_000;
        int each = 5;
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        var more = new AtomicInteger();
        int answers = 0;
        int failures = 0;
        int timeouts = 0;
        int interrupts = 0;
        var random = ThreadLocalRandom.current();
        for (int i = 0; i < rounds; i++) {
            var calls = new ArrayList<DeadlinePropagation.Call<Integer>>();
            for (int c = 0; c < each; c++) {
                int kind = random.nextInt(12);
                int number = c;
                calls.add(d -> {
                    begun.incrementAndGet();
                    try {
                        var inner = d.within(Duration.ofNanos(ThreadLocalRandom.current().nextInt(200_000)));
                        if (inner.nanos() > d.nanos() + 1_000_000_000L) {
                            more.incrementAndGet();
                        }
                        switch (kind) {
                            case 0 -> throw new IOException();
                            case 1 -> Thread.sleep(inner.remaining());
                            case 2 -> inner.take(new ArrayBlockingQueue<>(1));
                            default -> Thread.yield();
                        }
                        return number;
                    } finally {
                        ended.incrementAndGet();
                    }
                });
            }
            if (random.nextInt(20) == 0) {
                Thread.currentThread().interrupt();
            }
            try {
                var deadline = DeadlinePropagation.Deadline.after(Duration.ofNanos(random.nextInt(300_000)));
                assertEquals(List.of(0, 1, 2, 3, 4), deadline.all(calls));
                answers++;
            } catch (ExecutionException e) {
                failures++;
            } catch (TimeoutException e) {
                timeouts++;
            } catch (InterruptedException e) {
                interrupts++;
            }
            Thread.interrupted();
            assertEquals(begun.get(), ended.get(), "no call alive afterwards");
        }
        System.out.printf("DeadlinePropagation: %,d x %d calls: %,d answers, %,d failed, %,d timeouts, %,d interrupts%n",
                rounds, each, answers, failures, timeouts, interrupts);
        assertEquals(rounds, answers + failures + timeouts + interrupts);
        assertEquals(0, more.get());
    }

    @Test
    void eachCallIsInterruptedOnceHoweverManyLayersShareTheDeadline() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(3, work -> DeadlinePropagation.Deadline.after(LONG)
                .all(Collections.nCopies(3, d -> work.work())));
        var begun = new CountDownLatch(4);
        var asked = ConcurrentHashMap.<Thread>newKeySet();
        // passes once all have begun: for that waits who asks again, now that its own calls are started
        var passing = DeadlinePropagation.Deadline.after(Duration.ofNanos(1), () -> {
            boolean again = !asked.add(Thread.currentThread());
            while (again && begun.getCount() > 0) {
                LockSupport.parkNanos(1_000_000); // not WAITING, by which the caller's last wait is told
            }
            return begun.getCount() > 0 ? 0 : 1;
        });
        OneInterrupt.ofACallerInterruptedAfterwards(4, TimeoutException.class, work ->
                passing.all(Collections.nCopies(2, outer -> outer.all(Collections.nCopies(2, d -> {
                    begun.countDown();
                    return work.work();
                })))));
    }

    @Test
    void decidesWithoutWaiting() {
        var now = new AtomicLong(Long.MAX_VALUE - 5); // wraps around
        var deadline = DeadlinePropagation.Deadline.after(Duration.ofNanos(10), now::get);
        assertTrue(deadline.fits(Duration.ofNanos(9)));
        assertFalse(deadline.fits(Duration.ofNanos(10)));
        assertTrue(deadline.fits(Duration.ofSeconds(Long.MIN_VALUE)));
        assertFalse(deadline.fits(Duration.ofSeconds(Long.MAX_VALUE)));
        assertFalse(deadline.hasPassed());
        now.addAndGet(10);
        assertTrue(deadline.hasPassed());
        assertFalse(deadline.fits(Duration.ZERO), "nothing fits into nothing");
        assertEquals(Duration.ZERO, deadline.remaining());
    }

    @Test
    void nullIsRefusedBeforeACallStarts() {
        var started = new AtomicInteger();
        var calls = Arrays.<DeadlinePropagation.Call<Integer>>asList(d -> started.incrementAndGet(), null);
        assertEquals("call", assertThrows(NullPointerException.class,
                () -> DeadlinePropagation.Deadline.after(Duration.ofMinutes(1)).all(calls)).getMessage());
        assertEquals(0, started.get());
    }
}
