import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ChunkedProcessingTest {

    @Test
    void eachItemOnceInChunksThatKeepTheirOrder() throws Exception {
        var chunks = new ConcurrentSkipListMap<Long, List<Integer>>();
        var processing = new ChunkedProcessing(3, 2);
        processing.<Integer>run(IntStream.range(0, 10).iterator(), chunks::put);
        assertEquals(new TreeMap<>(java.util.Map.of(0L, List.of(0, 1, 2), 3L, List.of(3, 4, 5), 6L, List.of(6, 7, 8),
                9L, List.of(9))),
                chunks);
        assertEquals(10, processing.done());
        var empty = new ChunkedProcessing(3, 2);
        empty.run(Collections.emptyIterator(), (first, chunk) -> assertTrue(false));
        assertEquals(0, empty.done());
        assertThrows(IllegalStateException.class, () -> empty.run(Collections.emptyIterator(), (first, chunk) -> { }));
        assertThrows(IllegalArgumentException.class, () -> new ChunkedProcessing(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new ChunkedProcessing(1, 0));
    }

    @Test
    void theSourceIsReadOnlyAsFarAsThereIsRoom() throws Exception {
        var read = new AtomicInteger();
        var begun = new CountDownLatch(3);
        var go = new CountDownLatch(1);
        var most = new AtomicInteger();
        Thread.startVirtualThread(() -> {
            try {
                begun.await();
                Thread.sleep(20); // time to read too far
                most.set(read.get());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                go.countDown();
            }
        });
        Iterator<Integer> source = IntStream.range(0, 1_000).peek(i -> read.incrementAndGet()).iterator();
        new ChunkedProcessing(10, 3).run(source, (first, chunk) -> {
            begun.countDown();
            go.await();
        });
        assertEquals(1_000, read.get());
        assertTrue(most.get() <= 31, () -> most + " read, with room for 30"); // hasNext of a stream reads one ahead
    }

    @Test
    void aFailureStopsTheRestAndDoneStaysBeforeIt() {
        var boom = new IOException("boom");
        var ended = new AtomicInteger();
        var begun = new CountDownLatch(2);
        var processing = new ChunkedProcessing(10, 3);
        var thrown = assertThrows(ExecutionException.class, () ->
                processing.run(IntStream.iterate(0, i -> i + 1).iterator(), (first, chunk) -> {
                    if (first == 10) {
                        begun.await();
                        throw boom;
                    }
                    begun.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        Thread.sleep(20);
                        ended.incrementAndGet(); // and returns, as if it were done
                    }
                }));
        assertSame(boom, thrown.getCause());
        assertEquals(2, ended.get());
        assertEquals(0, processing.done(), "an action that was told to stop has not done its chunk");
    }

    @Test
    void chunksDoneOutOfTurnCountOnceTheGapIsClosed() throws Exception {
        var processing = new ChunkedProcessing(1, 2);
        var seen = new AtomicLong(-1);
        var others = new CountDownLatch(9);
        processing.run(IntStream.range(0, 10).iterator(), (first, chunk) -> {
            if (first == 0) {
                others.await();
                seen.set(processing.done());
            } else {
                others.countDown();
            }
        });
        assertEquals(0, seen.get());
        assertEquals(10, processing.done());
    }

    @Test
    void theSourcesExceptionAndTheCallersInterruptAreThrownAfterTheActionsHaveEnded() throws Exception {
        var ended = new AtomicInteger();
        var begun = new CountDownLatch(2);
        ChunkedProcessing.Action<Integer> waiting = (first, chunk) -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                ended.incrementAndGet();
            }
        };
        var boom = new IllegalStateException("boom");
        assertSame(boom, assertThrows(IllegalStateException.class, () ->
                new ChunkedProcessing(1, 10).run(IntStream.range(0, 3).peek(i -> {
                    if (i == 2) {
                        throw boom;
                    }
                }).iterator(), waiting)));
        assertEquals(2 - begun.getCount(), ended.get());
        var atReturn = new AtomicInteger();
        Thread caller = Thread.ofVirtual().start(() -> {
            assertThrows(InterruptedException.class, () -> new ChunkedProcessing(1, 1)
                    .run(IntStream.range(0, 3).iterator(), waiting));
            atReturn.set(ended.get());
        });
        while (caller.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        caller.interrupt();
        caller.join();
        assertEquals(ended.get(), atReturn.get());
    }

    @Test
    void theCallersSecondInterruptIsNotPassedOn() throws Exception {
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        var thrown = new AtomicReference<Throwable>();
        Thread owner = Thread.startVirtualThread(() -> {
            thrown.set(assertThrows(InterruptedException.class, () -> new ChunkedProcessing(1, 1).run(
                    IntStream.range(0, 9).iterator(), (first, chunk) -> {
                        begun.countDown();
                        try {
                            new CountDownLatch(1).await();
                        } finally {
                            cleaning.countDown();
                            try {
                                finish.await();
                            } catch (InterruptedException e) {
                                hits.incrementAndGet();
                            }
                            fail("cleanup");
                        }
                    })));
            hits.addAndGet(Thread.currentThread().isInterrupted() ? 0 : 100);
        });
        begun.await();
        owner.interrupt();
        cleaning.await();
        owner.interrupt();
        while (owner.isInterrupted()) {
            Thread.yield();
        }
        finish.countDown();
        owner.join();
        assertEquals(0, hits.get(), "its cleanup was hit, or the flag of its owner lost");
        assertEquals("cleanup", thrown.get().getSuppressed()[0].getMessage());
    }

    private static void fail(String why) throws IOException {
        throw new IOException(why);
    }

    @Test
    void beginsNothingAfterAFailureWhileTheSourceWasAsked() throws Exception {
        var failing = new AtomicReference<Thread>();
        var begun = new AtomicInteger();
        Iterator<Integer> source = IntStream.range(0, 9).peek(i -> {
            while (i == 1 && (failing.get() == null || failing.get().isAlive())) {
                Thread.yield();
            }
        }).iterator();
        assertThrows(ExecutionException.class, () -> new ChunkedProcessing(1, 4).run(source, (first, chunk) -> {
            begun.incrementAndGet();
            failing.set(Thread.currentThread());
            fail("first");
        }));
        assertEquals(1, begun.get());
        var asked = new CountDownLatch(1);
        var acting = new AtomicReference<Thread>();
        Iterator<Integer> broken = IntStream.range(0, 9).peek(i -> {
            if (i == 1) {
                asked.countDown();
                while (acting.get() == null || acting.get().isAlive()) {
                    Thread.yield();
                }
                throw new IllegalStateException("source");
            }
        }).iterator();
        var e = assertThrows(IllegalStateException.class, () -> new ChunkedProcessing(1, 4)
                .run(broken, (first, chunk) -> {
            acting.set(Thread.currentThread());
            asked.await();
            fail("first");
        }));
        assertEquals("first", e.getSuppressed()[0].getMessage());
    }

    @Test
    void anActionMayChangeItsList() throws Exception {
        var processing = new ChunkedProcessing(10, 2);
        processing.run(IntStream.range(0, 95).boxed().iterator(), (first, chunk) -> {
            chunk.removeIf(i -> i % 2 == 0);
            chunk.addAll(List.of(-1, -2, -3));
            Collections.sort(chunk);
        });
        assertEquals(95, processing.done());
        assertThrows(NullPointerException.class, () -> new ChunkedProcessing(1, 1).run(null, (first, chunk) -> { }));
        assertThrows(NullPointerException.class,
                () -> new ChunkedProcessing(1, 1).run(Collections.emptyIterator(), null));
    }

    @Test
    void stressGoingOnWhereItStopped() throws Exception {
        int items = 200_000;
        int rounds = 0;
        var handled = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        var failures = new AtomicInteger();
        var interrupts = new AtomicInteger();
        for (int t = 0; t < 4; t++) {
            rounds++;
            tasks.add(() -> {
                var seen = new BitSet(items);
                for (long from = 0; from < items; ) {
                    int start = (int) from;
                    var processing = new ChunkedProcessing(ThreadLocalRandom.current().nextInt(1, 50),
                            ThreadLocalRandom.current().nextInt(1, 9));
                    try {
                        processing.run(IntStream.range(start, items).iterator(), (first, chunk) -> {
                            if (ThreadLocalRandom.current().nextInt(2_000) == 0) {
                                throw new IOException();
                            }
                            synchronized (seen) {
                                chunk.forEach(seen::set);
                            }
                            handled.addAndGet(chunk.size());
                        });
                    } catch (ExecutionException e) {
                        failures.incrementAndGet();
                    } catch (InterruptedException e) {
                        interrupts.incrementAndGet();
                    }
                    from += processing.done();
                    synchronized (seen) {
                        assertTrue(seen.nextClearBit(0) >= from, "done counts nothing that is not");
                    }
                }
                assertEquals(items, seen.cardinality());
            });
        }
        Chaos.run(tasks, java.time.Duration.ofMillis(5));
        System.out.printf("ChunkedProcessing: %d rounds of %,d items, %,d failures and %,d interrupts gone on from, %,d handled%n", rounds, items,
                failures.get(), interrupts.get(), handled.get());
    }

    @Test
    void aSourceMayThrowTheActionsOwnFailure() {
        var shared = new IllegalStateException("closed");
        var runs = new CompletableFuture<Thread>();
        var asked = new CountDownLatch(1);
        var source = new Iterator<Integer>() {
            private int items;

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Integer next() {
                if (++items == 1) {
                    return 1;
                }
                asked.countDown();
                try {
                    runs.join().join(); // then the failure is known
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                throw shared;
            }
        };
        assertSame(shared, assertThrows(IllegalStateException.class, () -> new ChunkedProcessing(1, 2).run(source,
                (first, chunk) -> {
                    runs.complete(Thread.currentThread());
                    asked.await();
                    throw shared;
                })));
    }
}
