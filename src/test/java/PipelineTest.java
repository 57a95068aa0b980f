import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class PipelineTest {

    private static Iterator<Integer> numbers(int n) {
        return IntStream.range(0, n).iterator();
    }

    @Test
    void oneThreadAStepKeepsTheOrderAndAStepSendsAsManyAsItLikes() throws Exception {
        var got = new ArrayList<Integer>();
        Pipeline.from(numbers(100), 1).<Integer>stage("twice", 1, (i, next) -> {
            next.send(i);
            next.send(i);
        }).<Integer>stage("odd", 1, (i, next) -> {
            if (i % 2 == 1) {
                next.send(i);
            }
        }).run(got::add);
        assertEquals(100, got.size());
        assertEquals(got.stream().sorted().toList(), got);
        Pipeline.<Integer>from(List.<Integer>of().iterator(), 3).run(i -> got.clear());
        assertEquals(100, got.size());
    }

    @Test
    void memoryIsBoundedHoweverLongTheSource() throws Exception {
        var read = new AtomicLong();
        var stored = new AtomicLong();
        var most = new AtomicLong();
        Iterator<Long> source = LongStream.range(0, 1_000_000).peek(i -> read.incrementAndGet()).iterator();
        Pipeline.from(source, 8).<Long>stage("a", 3, (i, next) -> next.send(i)).run(i -> {
            most.accumulateAndGet(read.get() - stored.incrementAndGet(), Math::max);
        });
        assertEquals(1_000_000, stored.get());
        assertTrue(most.get() <= 8 + 8 + 3 + 1, "room twice, three threads, one being read: " + most);
    }

    @Test
    void aFailureAnywhereEndsAllOnceAndIsTheCause() throws Exception {
        var broken = new StackOverflowError("source");
        var waiting = new CountDownLatch(2);
        var cleaning = new CountDownLatch(2);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        Iterator<Integer> source = IntStream.range(0, 9).peek(i -> {
            if (i == 2) {
                await(waiting);
                throw broken;
            }
        }).iterator();
        Thread owner = Thread.startVirtualThread(() -> {
            var e = assertThrows(ExecutionException.class, () -> Pipeline.from(source, 1)
                    .<Integer>stage("wait", 2, (i, next) -> {
                        try {
                            waiting.countDown();
                            new CountDownLatch(1).await();
                        } finally {
                            cleaning.countDown();
                            try {
                                finish.await();
                            } catch (InterruptedException second) {
                                hits.incrementAndGet();
                            }
                        }
                    }).run(i -> { }));
            hits.addAndGet(e.getCause() == broken && Thread.currentThread().isInterrupted() ? 0 : 100);
        });
        cleaning.await();
        owner.interrupt(); // is not passed on
        while (owner.isInterrupted()) {
            Thread.yield();
        }
        finish.countDown();
        owner.join();
        assertEquals(0, hits.get());
        var boom = new IllegalStateException("boom");
        assertSame(boom, assertThrows(ExecutionException.class, () -> Pipeline.from(numbers(1_000_000), 5)
                .<Integer>stage("a", 4, (i, next) -> {
                    if (i == 100) {
                        throw boom;
                    }
                    next.send(i);
                }).run(i -> { })).getCause());
        assertSame(boom, assertThrows(ExecutionException.class, () -> Pipeline.from(numbers(1_000_000), 5)
                .<Integer>stage("a", 4, (i, next) -> next.send(i)).run(i -> {
                    throw boom;
                })).getCause());
        assertInstanceOf(NullPointerException.class, assertThrows(ExecutionException.class,
                () -> Pipeline.from(numbers(9), 5).<Integer>stage("a", 4, (i, next) -> next.send(null)).run(i -> { }))
                .getCause());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theCallersInterruptEndsAllAndTellsWhatTheyThrew() throws Exception {
        var begun = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var seen = new AtomicReference<InterruptedException>();
        Thread owner = Thread.startVirtualThread(() -> seen.set(assertThrows(InterruptedException.class,
                () -> Pipeline.from(numbers(100), 1).<Integer>stage("a", 1, (i, next) -> {
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        ended.incrementAndGet();
                        throw new IllegalStateException("cleanup");
                    }
                }).run(i -> { }))));
        begun.await();
        owner.interrupt();
        owner.join();
        assertEquals(1, ended.get());
        assertEquals("cleanup", seen.get().getSuppressed()[0].getMessage());
        assertEquals(1, seen.get().getSuppressed().length);
    }

    @Test
    void aFlagLeftBehindByAStepDoesNotEndIt() throws Exception {
        var sum = new AtomicInteger();
        Pipeline.from(numbers(100), 2).<Integer>stage("a", 2, (i, next) -> {
            next.send(i);
            Thread.currentThread().interrupt();
        }).run(i -> {
            sum.addAndGet(i);
            Thread.currentThread().interrupt();
        });
        assertEquals(4_950, sum.get());
    }

    @Test
    void refusesNonsense() {
        assertThrows(NullPointerException.class, () -> Pipeline.from(null, 1));
        assertThrows(IllegalArgumentException.class, () -> Pipeline.from(numbers(1), 0));
        var read = new AtomicInteger();
        var pipeline = Pipeline.from(IntStream.range(0, 9).peek(i -> read.incrementAndGet()).iterator(), 1);
        assertThrows(IllegalArgumentException.class, () -> pipeline.<Integer>stage("a", 0, (i, next) -> { }));
        assertThrows(NullPointerException.class, () -> pipeline.<Integer>stage("a", 1, null));
        assertThrows(NullPointerException.class, () -> pipeline.<Integer>stage(null, 1, (i, next) -> { }));
        assertThrows(NullPointerException.class, () -> pipeline.run(null));
        pipeline.<Integer>stage("a", 1, (i, next) -> { });
        assertThrows(IllegalStateException.class, () -> pipeline.<Integer>stage("b", 1, (i, next) -> { }));
        assertThrows(IllegalStateException.class, () -> pipeline.run(i -> { }));
        assertEquals(0, read.get());
    }

    /** Rounds with random failures and interrupts: all items go through, or it throws; no thread lives on. */
    @Test
    void stress() throws Exception {
        int rounds = 400;
        int each = 400;
        var random = new Random(3);
        int failed = 0;
        int interrupted = 0;
        for (int round = 0; round < rounds; round++) {
            var threads = ConcurrentHashMap.<Thread>newKeySet();
            var stored = new AtomicIntegerArray(each);
            int odds = random.nextBoolean() ? 5_000 : each;
            int seed = round;
            Thread owner = Thread.currentThread();
            boolean interrupt = random.nextInt(4) == 0;
            try {
                Pipeline.from(numbers(each), 1 + random.nextInt(4)).<Integer>stage("a", 1 + random.nextInt(3),
                        (i, next) -> {
                    threads.add(Thread.currentThread());
                    if (new Random(seed * 31L + i).nextInt(odds) == 0) {
                        throw new IllegalStateException();
                    }
                    next.send(i);
                }).<Integer>stage("b", 1 + random.nextInt(3), (i, next) -> {
                    threads.add(Thread.currentThread());
                    if (interrupt && i == each / 2) {
                        owner.interrupt();
                    }
                    next.send(i);
                }).run(stored::incrementAndGet);
                for (int i = 0; i < each; i++) {
                    assertEquals(1, stored.get(i));
                }
            } catch (ExecutionException e) {
                assertInstanceOf(IllegalStateException.class, e.getCause());
                failed++;
            } catch (InterruptedException e) {
                interrupted++;
            }
            Thread.interrupted(); // it may have come after the end
            for (Thread thread : threads) {
                assertTrue(thread.join(Duration.ofSeconds(500)), "a thread lives on");
            }
        }
        System.out.println("Pipeline: " + rounds + " rounds, " + failed + " failed, " + interrupted + " interrupted");
        assertTrue(failed > 0 && interrupted > 0);
    }

    @Test
    void theRoomMayBeAnyNumber() throws Exception {
        var sum = new AtomicInteger();
        Pipeline.from(List.of(1, 2, 3).iterator(), Integer.MAX_VALUE)
                .<Integer>stage("double", 2, (n, next) -> next.send(2 * n)).run(sum::addAndGet);
        assertEquals(12, sum.get());
    }
}
