import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class AsCompletedTest {
    private static final Duration LONG = Duration.ofDays(1);

    private static Iterator<Callable<Long>> source(long count, LongFunction<Callable<Long>> task) {
        return LongStream.range(0, count).mapToObj(task).iterator();
    }

    @Test
    void inTheOrderOfCompletionWithTheIndexOfTheSource() throws Exception {
        var latches = List.of(new CountDownLatch(1), new CountDownLatch(1), new CountDownLatch(1));
        var boom = new IOException("boom");
        try (var results = AsCompleted.start(source(3, i -> () -> {
            latches.get((int) i).await();
            if (i == 1) {
                throw boom;
            }
            return i;
        }), 3)) {
            for (int index : new int[] {2, 1, 0}) {
                assertTrue(results.hasNext());
                latches.get(index).countDown();
                var outcome = results.next();
                assertEquals(index, outcome.index());
                switch (outcome) {
                    case AsCompleted.Outcome.Success<Long> success -> assertEquals(index, success.value());
                    case AsCompleted.Outcome.Failure<Long> failure -> assertSame(boom, failure.cause());
                }
            }
            assertFalse(results.hasNext());
            assertThrows(NoSuchElementException.class, results::next);
        }
    }

    @Test
    void leavingEarlyStopsTheRestAndWaits() throws Exception {
        var begun = new CountDownLatch(9);
        var ended = new AtomicInteger();
        var results = AsCompleted.start(source(10, i -> () -> {
            if (i == 0) {
                return i;
            }
            begun.countDown();
            try {
                Thread.sleep(LONG);
                return i;
            } finally {
                Thread.sleep(5);
                ended.incrementAndGet();
            }
        }), 10);
        try (results) {
            assertEquals(0, results.next().index());
            begun.await();
        }
        assertEquals(9, ended.get());
        assertFalse(results.hasNext());
        assertThrows(NoSuchElementException.class, results::next);
        results.close();
    }

    @Test
    void anInterruptedConsumerGetsOut() throws Exception {
        var begun = new CountDownLatch(1);
        var ended = new AtomicBoolean();
        var out = new AtomicBoolean();
        var consumer = Thread.ofVirtual().start(() -> {
            try (var results = AsCompleted.start(source(1, i -> () -> {
                begun.countDown();
                try {
                    Thread.sleep(LONG);
                    return i;
                } finally {
                    Thread.sleep(5);
                    ended.set(true);
                }
            }), 1)) {
                results.next();
            } catch (InterruptedException e) {
                out.set(ended.get());
            }
        });
        begun.await();
        consumer.interrupt();
        consumer.join();
        assertTrue(out.get(), "out, and the task had ended");
    }

    @Test
    void neverMoreThanLimitStartedAndNotTaken() throws Exception {
        var read = new AtomicInteger();
        try (var results = AsCompleted.start(source(1_000, i -> {
            read.incrementAndGet();
            return () -> i;
        }), 7)) {
            assertEquals(7, read.get());
            for (int taken = 1; results.hasNext(); taken++) {
                results.next();
                assertTrue(read.get() <= taken + 7);
            }
        }
        assertEquals(1_000, read.get());
        assertThrows(IllegalArgumentException.class,
                () -> AsCompleted.start(Collections.<Callable<Long>>emptyIterator(), 0));
        try (var none = AsCompleted.start(Collections.<Callable<Long>>emptyIterator(), 1)) {
            assertFalse(none.hasNext());
        }
    }

    @Test
    void aFailingSourceLosesNoOutcomeAndLeavesNoTask() throws Exception {
        var ended = new AtomicInteger();
        LongFunction<Callable<Long>> broken = i -> {
            if (i == 2) {
                throw new IllegalStateException("source");
            }
            return () -> {
                try {
                    Thread.sleep(LONG);
                    return i;
                } finally {
                    ended.incrementAndGet();
                }
            };
        };
        assertThrows(IllegalStateException.class, () -> AsCompleted.start(source(3, broken), 3).close());
        assertEquals(2, ended.get(), "those started were stopped and awaited");
    }

    @Test
    void aMillionTasks() throws Exception {
        int count = 1_000_000;
        long sum = 0;
        try (var results = AsCompleted.start(source(count, i -> () -> i), 1_000)) {
            while (results.hasNext()) {
                sum += results.next().index();
            }
        }
        assertEquals((long) count * (count - 1) / 2, sum);
    }

    @Test
    void stress() throws Exception {
        int sessions = 1_000;
        int each = 100;
        var begun = new AtomicInteger();
        var ended = new AtomicInteger();
        var threw = new AtomicInteger();
        int taken = 0;
        int left = 0;
        int interrupted = 0;
        var random = ThreadLocalRandom.current();
        for (int s = 0; s < sessions; s++) {
            int limit = 1 + random.nextInt(each);
            int leaveAfter = random.nextInt(3) == 0 ? random.nextInt(each) : each;
            int interruptAt = random.nextInt(5) == 0 ? random.nextInt(each) : -1;
            var seen = new BitSet();
            boolean early = false;
            int failures = 0;
            threw.set(0);
            try (var results = AsCompleted.start(source(each, i -> () -> {
                begun.incrementAndGet();
                try {
                    int kind = ThreadLocalRandom.current().nextInt(3);
                    if (kind == 0) {
                        Thread.sleep(Duration.ofNanos(ThreadLocalRandom.current().nextInt(100_000)));
                    } else if (kind == 1) {
                        threw.incrementAndGet();
                        throw new IOException();
                    }
                    return i;
                } finally {
                    ended.incrementAndGet();
                }
            }), limit)) {
                while (results.hasNext()) {
                    if (seen.cardinality() == leaveAfter) {
                        early = true;
                        break;
                    }
                    if (seen.cardinality() == interruptAt) {
                        Thread.currentThread().interrupt();
                    }
                    var outcome = results.next();
                    assertFalse(seen.get((int) outcome.index()), "no outcome twice");
                    seen.set((int) outcome.index());
                    if (outcome instanceof AsCompleted.Outcome.Success<Long> success) {
                        assertEquals(outcome.index(), success.value());
                    } else {
                        failures++;
                    }
                }
            } catch (InterruptedException e) {
                interrupted++;
                early = true;
            }
            assertEquals(begun.get(), ended.get(), "no task alive after close()");
            taken += seen.cardinality();
            if (early) {
                left++;
            } else {
                assertEquals(each, seen.cardinality(), "no outcome lost");
                assertEquals(threw.get(), failures);
            }
        }
        System.out.printf("AsCompleted: %,d sessions of %d: %,d outcomes taken, %,d left early, %,d interrupted%n",
                sessions, each, taken, left, interrupted);
    }

    @Test
    @SuppressWarnings("try") // close() is called on purpose
    void eachTaskIsInterruptedOnceAndTheFlagIsKept() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(3, work -> {
            try (var results = AsCompleted.start(Collections.nCopies(3, work.task()).iterator(), 3)) {
                results.next();
            }
        });
        OneInterrupt.ofACallerInterruptedTwice(3, work -> {
            try (var results = AsCompleted.start(Collections.nCopies(3, work.task()).iterator(), 3)) {
                try {
                    results.next();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt(); // as usual, and out of the try
                    results.close();
                    throw e;
                }
            }
        });
    }

    @Test
    void inTheOrderOfTheSourceAndNeverMoreThanLimitAhead() throws Exception {
        int limit = 5;
        var taken = new AtomicInteger();
        var ahead = new AtomicInteger();
        var begun = new AtomicInteger();
        var firstMayEnd = new CountDownLatch(1);
        var window = new CountDownLatch(limit);
        var tasks = IntStream.range(0, 1_000).<Callable<Integer>>mapToObj(i -> () -> {
            ahead.accumulateAndGet(begun.incrementAndGet() - taken.get(), Math::max);
            window.countDown();
            if (i == 0) {
                firstMayEnd.await();
            }
            if (i % 10 == 7) {
                throw new IOException("task " + i);
            }
            return i;
        }).iterator();
        try (var results = AsCompleted.inOrder(tasks, limit)) {
            window.await(); // all of the window have begun, and the others wait for the first to be taken
            assertThrows(TimeoutException.class, () -> results.next(Duration.ofMillis(1)));
            assertThrows(TimeoutException.class, () -> results.next(Duration.ofSeconds(Long.MIN_VALUE)));
            assertEquals(limit, begun.get());
            firstMayEnd.countDown();
            for (int i = 0; i < 1_000; i++) {
                assertTrue(results.hasNext());
                var outcome = results.next(Duration.ofSeconds(Long.MAX_VALUE));
                taken.incrementAndGet();
                assertEquals(i, outcome.index());
                switch (outcome) {
                    case AsCompleted.Outcome.Success<Integer> success -> assertEquals(i, success.value());
                    case AsCompleted.Outcome.Failure<Integer> failure ->
                            assertEquals("task " + i, failure.cause().getMessage());
                }
            }
            assertFalse(results.hasNext());
            assertThrows(NoSuchElementException.class, results::next);
            assertThrows(NoSuchElementException.class, () -> results.next(Duration.ZERO));
        }
        assertTrue(ahead.get() <= limit, "ahead: " + ahead);
    }

    @Test
    void aReaderThatLeavesStopsWhatRunsAhead() throws Exception {
        var work = new OneInterrupt(4);
        var tasks = IntStream.range(0, 100).mapToObj(i -> i == 0 ? (Callable<Integer>) () -> 0 : work.<Integer>task());
        var failed = assertThrows(IOException.class, () -> {
            try (var results = AsCompleted.inOrder(tasks.iterator(), 4)) {
                results.next();
                assertThrows(TimeoutException.class, () -> results.next(Duration.ZERO)); // starts the fifth
                work.begun.await();
                work.release();
                throw new IOException("the client has gone");
            }
        });
        assertEquals(0, failed.getSuppressed().length);
        assertEquals(0, work.running.get());
        assertEquals(0, work.second.get());
    }

    @Test
    void aTimeoutLosesNothing() throws Exception {
        var go = new CountDownLatch(1);
        Callable<Integer> task = () -> {
            go.await();
            return 1;
        };
        try (var results = AsCompleted.start(List.of(task, task).iterator(), 2)) {
            assertEquals("no outcome within PT0.001S",
                    assertThrows(TimeoutException.class, () -> results.next(Duration.ofMillis(1))).getMessage());
            go.countDown();
            assertInstanceOf(AsCompleted.Outcome.Success.class, results.next(Duration.ofMinutes(1)));
            assertInstanceOf(AsCompleted.Outcome.Success.class, results.next());
            assertFalse(results.hasNext());
        }
    }

    @Test
    void refusesWhatCannotWork() {
        assertThrows(IllegalArgumentException.class, () -> AsCompleted.start(Collections.emptyIterator(), 0));
        assertEquals("source", assertThrows(NullPointerException.class, () -> AsCompleted.inOrder(null, 1))
                .getMessage());
        List<Callable<Integer>> withNull = Arrays.asList((Callable<Integer>) null);
        assertEquals("task", assertThrows(NullPointerException.class,
                () -> AsCompleted.start(withNull.iterator(), 1)).getMessage());
    }

    @Test
    void closeInATaskIsRefused() throws Exception {
        var self = new java.util.concurrent.CompletableFuture<AsCompleted<Integer>>();
        List<Callable<Integer>> tasks = List.of(() -> {
            self.join().close();
            return 1;
        }, () -> 2);
        try (var results = AsCompleted.inOrder(tasks.iterator(), 2)) {
            self.complete(results);
            var first = assertInstanceOf(AsCompleted.Outcome.Failure.class, results.next());
            assertInstanceOf(IllegalStateException.class, first.cause());
            assertEquals(new AsCompleted.Outcome.Success<>(1, 2), results.next(), "nothing was closed");
        }
    }
}
