import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(600)
class BoundedGatherTest {

    private static Iterable<Integer> range(int end) {
        return () -> IntStream.range(0, end).iterator();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 1000, Integer.MAX_VALUE})
    void keepsTheOrderAndTheLimit(int limit) throws Exception {
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        var results = BoundedGather.map(range(500), limit, i -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            Thread.yield();
            running.decrementAndGet();
            return i * 2;
        });
        assertEquals(IntStream.range(0, 500).map(i -> i * 2).boxed().toList(), results);
        assertTrue(most.get() <= limit, () -> most + " at once, allowed " + limit);
    }

    @Test
    void usesTheWholeLimit() throws Exception {
        var together = new CyclicBarrier(8); // passes only if eight run at once
        assertEquals(16, BoundedGather.map(range(16), 8, i -> together.await()).size());
    }

    @Test
    void waitsForTheLastWithoutInterruptingThem() throws Exception {
        assertEquals(List.of(0, 1, 2), BoundedGather.map(range(3), 8, i -> {
            Thread.sleep(30);
            return i;
        }));
    }

    @Test
    void aFailureStopsTheRestWhateverTheLimit() {
        var started = new CountDownLatch(1);
        assertEquals("boom", assertThrows(ExecutionException.class, () -> BoundedGather.forEach(range(2),
                Integer.MAX_VALUE, i -> {
            if (i == 0) {
                started.countDown();
                new CountDownLatch(1).await();
            }
            started.await();
            throw new Exception("boom");
        })).getCause().getMessage());
    }

    @Test
    void allowsNullAndNothing() throws Exception {
        assertEquals(List.of(), BoundedGather.map(List.of(), 3, i -> i));
        var results = BoundedGather.map(range(2), 3, i -> null);
        assertEquals(java.util.Arrays.asList(null, null), results);
    }

    @Test
    void pullsAnItemOnlyWhenAPermitIsFree() throws Exception {
        var done = new AtomicInteger();
        var ahead = new AtomicInteger();
        BoundedGather.forEach(() -> IntStream.range(0, 10_000)
                .peek(i -> ahead.accumulateAndGet(i - done.get(), Math::max)).iterator(),
                5, i -> done.incrementAndGet());
        assertTrue(ahead.get() <= 6, () -> "the source was read " + ahead
                + " items ahead of the work, with a limit of 5");
    }

    @Test
    void aFailureStopsThePullingAndInterruptsAndAwaitsTheRest() {
        var boom = new Exception("boom");
        var started = new CountDownLatch(3);
        var ended = new AtomicInteger();
        var pulled = new AtomicInteger();
        var thrown = assertThrows(ExecutionException.class, () -> BoundedGather.forEach(
                () -> IntStream.range(0, 1_000_000).peek(i -> pulled.incrementAndGet()).iterator(), 4, i -> {
                    if (i == 3) {
                        started.await();
                        throw boom;
                    }
                    try {
                        started.countDown();
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        Thread.sleep(30);
                        ended.incrementAndGet();
                        throw e;
                    }
                }));
        assertSame(boom, thrown.getCause());
        assertEquals(3, ended.get());
        assertTrue(pulled.get() <= 5, () -> pulled + " items pulled");
    }

    @Test
    void aFailureOfTheSourceIsThrownAsItIs() {
        var ended = new AtomicInteger();
        var started = new CountDownLatch(1);
        assertThrows(NoSuchElementException.class, () -> BoundedGather.forEach(() -> new java.util.Iterator<Integer>() {
            private int next;

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Integer next() {
                if (next == 1) {
                    try {
                        started.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    throw new NoSuchElementException("the source broke");
                }
                return next++;
            }
        }, 4, i -> {
            try {
                started.countDown();
                new CountDownLatch(1).await();
            } finally {
                ended.incrementAndGet();
            }
        }));
        assertEquals(1, ended.get());
    }

    @Test
    void interruptOfTheCallerInterruptsAndAwaitsTheRunning() throws Exception {
        var running = new CountDownLatch(4);
        var ended = new AtomicInteger();
        var endedAtReturn = new CompletableFuture<Integer>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                BoundedGather.forEach(range(1_000_000), 4, i -> {
                    running.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } finally {
                        Thread.sleep(30);
                        ended.incrementAndGet();
                    }
                });
                endedAtReturn.complete(-1);
            } catch (InterruptedException e) {
                endedAtReturn.complete(ended.get());
            } catch (ExecutionException e) {
                endedAtReturn.completeExceptionally(e);
            }
        });
        running.await();
        caller.interrupt();
        assertEquals(4, endedAtReturn.get());
    }

    @Test
    void refusesALimitBelowOne() {
        assertThrows(IllegalArgumentException.class, () -> BoundedGather.map(List.of(1), 0, i -> i));
    }

    @Test
    @Timeout(600)
    void aMillionLazyItemsIn64Megabytes() throws Exception {
        var child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"), Million.class.getName()).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes());
        assertEquals(0, child.waitFor(), output);
        assertEquals("1000000 499999500000", output.strip());
    }

    static final class Million {
        public static void main(String[] args) throws Exception {
            var sum = new AtomicLong();
            BoundedGather.forEach(range(1_000_000), 1_000, i -> sum.addAndGet(i));
            System.out.println(BoundedGather.map(range(1_000_000), 1_000, i -> i % 100).size() + " " + sum);
        }
    }

    /** Random failures and interrupts; each item at most once, all ended, and all done if nothing is thrown. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        var random = new Random(1);
        var me = Thread.currentThread();
        long items = 0;
        int[] ways = new int[3];
        for (int round = 0; round < 2_000; round++) {
            int size = random.nextInt(200);
            int failing = random.nextInt(400);
            int interrupting = random.nextInt(400);
            var alive = new AtomicInteger();
            var done = new AtomicInteger();
            var seen = new ArrayList<AtomicInteger>();
            IntStream.range(0, size).forEach(i -> seen.add(new AtomicInteger()));
            try {
                BoundedGather.forEach(range(size), 1 + random.nextInt(20), i -> {
                    alive.incrementAndGet();
                    try {
                        seen.get(i).incrementAndGet();
                        if (i == failing) {
                            throw new Exception("failing");
                        }
                        if (i == interrupting) {
                            me.interrupt();
                        }
                        Thread.yield();
                        done.incrementAndGet();
                    } finally {
                        alive.decrementAndGet();
                    }
                });
                assertEquals(size, done.get());
                ways[0]++;
            } catch (ExecutionException e) {
                assertEquals("failing", e.getCause().getMessage());
                ways[1]++;
            } catch (InterruptedException e) {
                ways[2]++;
            }
            Thread.interrupted();
            assertEquals(0, alive.get());
            assertTrue(seen.stream().allMatch(n -> n.get() <= 1));
            items += seen.stream().mapToInt(AtomicInteger::get).sum();
        }
        System.out.println("BoundedGather: " + items + " items in 2000 runs, of which " + ways[0] + " succeeded, "
                + ways[1]
                + " failed, " + ways[2] + " were interrupted");
        assertTrue(items > 100_000 && ways[0] > 0 && ways[1] > 0 && ways[2] > 0);
    }

    @Test
    void eachActionIsInterruptedOnceAndTheSecondInterruptIsKept() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(3, work -> BoundedGather.map(List.of(1, 2, 3), 3, i -> work.work()));
        OneInterrupt.ofACallerInterruptedAfterwards(3, ExecutionException.class, work ->
                BoundedGather.forEach(List.of(1, 2, 3, 4), 4, i -> {
                    if (i < 4) {
                        work.work();
                    }
                    work.begun.await();
                    throw new IllegalStateException("failed");
                }));
    }

    @Test
    void nothingIsPulledAfterAFailureThoughTheSourceWasBeingAsked() {
        for (boolean map : new boolean[] {true, false}) {
            var failing = new CompletableFuture<Thread>();
            var pulled = new AtomicInteger();
            var boom = new IllegalStateException("boom");
            Iterable<Integer> items = () -> new Iterator<>() {
                @Override
                public boolean hasNext() {
                    if (pulled.get() == 1) {
                        awaitEnd(failing); // the first action fails meanwhile
                    }
                    return true;
                }

                @Override
                public Integer next() {
                    return pulled.incrementAndGet();
                }
            };
            assertSame(boom, assertThrows(ExecutionException.class, () -> {
                if (map) {
                    BoundedGather.map(items, 10, i -> {
                        failing.complete(Thread.currentThread());
                        throw boom;
                    });
                } else {
                    BoundedGather.forEach(items, 10, i -> {
                        failing.complete(Thread.currentThread());
                        throw boom;
                    });
                }
            }).getCause());
            assertEquals(1, pulled.get());
        }
    }

    @Test
    void aSourceThatFailsDoesNotHideTheFailureOfAnAction() {
        var action = new Exception("of the action");
        var source = new IllegalStateException("of the source");
        var asked = new CountDownLatch(1);
        var failing = new CompletableFuture<Thread>();
        var pulled = new AtomicInteger();
        Iterable<Integer> items = () -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                if (pulled.get() == 1) {
                    asked.countDown();
                    awaitEnd(failing);
                    throw source;
                }
                return true;
            }

            @Override
            public Integer next() {
                return pulled.incrementAndGet();
            }
        };
        assertSame(source, assertThrows(IllegalStateException.class, () -> BoundedGather.forEach(items, 10, i -> {
            asked.await();
            failing.complete(Thread.currentThread());
            throw action;
        })));
        assertSame(action, source.getSuppressed()[0]);
    }

    private static void awaitEnd(CompletableFuture<Thread> failing) {
        try {
            failing.join().join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void nullIsRefused() {
        assertEquals("operation", assertThrows(NullPointerException.class,
                () -> BoundedGather.map(List.of(1), 1, null)).getMessage());
        assertEquals("action", assertThrows(NullPointerException.class,
                () -> BoundedGather.forEach(List.of(1), 1, null)).getMessage());
        assertEquals("items", assertThrows(NullPointerException.class,
                () -> BoundedGather.forEach(null, 1, i -> { })).getMessage());
    }
}
