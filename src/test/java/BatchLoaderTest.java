import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BatchLoaderTest {
    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE); // only a full batch begins

    private static Map<Integer, BatchLoader.Outcome<Integer>> doubled(List<Integer> keys) {
        var answer = new HashMap<Integer, BatchLoader.Outcome<Integer>>();
        keys.forEach(key -> answer.put(key, new BatchLoader.Outcome.Success<>(key * 2)));
        return answer;
    }

    /** One caller after the other, each when the one before waits: who came late would wait for another batch, for ever. */
    private static List<Future<Integer>> load(BatchLoader<Integer, Integer> loader, int... keys) throws InterruptedException {
        var answers = new ArrayList<Future<Integer>>();
        for (int key : keys) {
            var answer = new FutureTask<>(() -> loader.load(key));
            Thread caller = Thread.startVirtualThread(answer);
            while (caller.isAlive() && caller.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            answers.add(answer);
        }
        return answers;
    }

    private static Throwable failure(Future<?> future) {
        return assertInstanceOf(ExecutionException.class,
                assertThrows(ExecutionException.class, future::get).getCause()).getCause();
    }

    @Test
    void aFullBatchBeginsAtOnceWithoutDuplicatesAndTheRestAfterTheDelay() throws Exception {
        var batches = new CopyOnWriteArrayList<Set<Integer>>();
        try (var loader = new BatchLoader<Integer, Integer>(3, LONG, keys -> {
            batches.add(new HashSet<>(keys));
            assertEquals(keys.size(), Set.copyOf(keys).size());
            return doubled(keys);
        })) {
            for (var answer : load(loader, 1, 1, 2, 2, 1, 3)) {
                assertTrue(Set.of(2, 4, 6).contains(answer.get()));
            }
            assertEquals(List.of(Set.of(1, 2, 3)), batches);
        }
        try (var loader = new BatchLoader<Integer, Integer>(3, Duration.ofMillis(1), keys -> doubled(keys))) {
            assertEquals(14, loader.load(7), "a batch that does not fill begins after the delay");
            assertEquals(14, loader.load(7), "and nothing of it is left");
        }
    }

    @Test
    void aFailingKeyFailsAloneAndAMissingOneToo() throws Exception {
        var boom = new IOException("boom");
        try (var loader = new BatchLoader<Integer, Integer>(3, LONG, keys -> {
            var answer = doubled(keys);
            answer.put(1, new BatchLoader.Outcome.Failure<>(boom));
            answer.remove(2);
            answer.put(3, new BatchLoader.Outcome.Success<>(null));
            return answer;
        })) {
            var answers = load(loader, 1, 2, 3);
            assertSame(boom, failure(answers.get(0)));
            assertInstanceOf(NoSuchElementException.class, failure(answers.get(1)));
            assertNull(answers.get(2).get());
        }
    }

    @Test
    void aFailingQueryFailsItsKeysAndNoOthers() throws Exception {
        var boom = new StackOverflowError();
        var first = new AtomicBoolean(true);
        try (var loader = new BatchLoader<Integer, Integer>(2, LONG, keys -> {
            if (first.getAndSet(false)) {
                throw boom;
            }
            return doubled(keys);
        })) {
            for (var answer : load(loader, 1, 2)) {
                assertSame(boom, failure(answer));
            }
            var answers = load(loader, 1, 2);
            assertEquals(2, answers.get(0).get(), "a failure is not kept");
            assertEquals(4, answers.get(1).get());
            var nothing = new BatchLoader<Integer, Integer>(1, LONG, keys -> null);
            assertInstanceOf(NullPointerException.class, failure(load(nothing, 1).getFirst()));
            nothing.close();
        }
    }

    @Test
    void whoIsInterruptedLeavesAndTheOthersGetTheirValue() throws Exception {
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        try (var loader = new BatchLoader<Integer, Integer>(2, LONG, keys -> {
            begun.countDown();
            go.await();
            return doubled(keys);
        })) {
            var answers = load(loader, 1, 1, 2);
            begun.await();
            var third = load(loader, 1).getFirst(); // joins the load that runs
            Thread gone = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () -> loader.load(2)));
            while (gone.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            gone.interrupt();
            gone.join(); // before the batch ends
            go.countDown();
            for (var answer : List.of(answers.get(0), answers.get(1), third)) {
                assertEquals(2, answer.get());
            }
            assertEquals(4, answers.get(2).get());
        }
    }

    @Test
    void aKeyThatNobodyWaitsForIsLeftOut() throws Exception {
        var batches = new CopyOnWriteArrayList<List<Integer>>();
        try (var loader = new BatchLoader<Integer, Integer>(2, LONG, keys -> {
            batches.add(keys);
            return doubled(keys);
        })) {
            Thread gone = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () -> loader.load(99)));
            while (gone.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            gone.interrupt();
            gone.join();
            for (var answer : load(loader, 1, 2)) {
                answer.get();
            }
            assertEquals(Set.of(1, 2), Set.copyOf(batches.getFirst()));
            assertEquals(1, batches.size());
        }
    }

    @Test
    void closeInterruptsWhatRunsAndFailsWhoWaits() throws Exception {
        var begun = new CountDownLatch(1);
        var ended = new AtomicBoolean();
        var loader = new BatchLoader<Integer, Integer>(2, LONG, keys -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.sleep(20);
                ended.set(true);
            }
            return doubled(keys); // too late to count
        });
        var running = load(loader, 1, 2);
        begun.await();
        var cause = new AtomicReference<Throwable>();
        Thread waiting = Thread.ofVirtual().start(() ->
                cause.set(assertThrows(ExecutionException.class, () -> loader.load(3)).getCause()));
        while (waiting.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        loader.close();
        assertTrue(ended.get(), "close waits");
        for (var answer : running) {
            assertInstanceOf(CancellationException.class, failure(answer));
        }
        waiting.join();
        assertInstanceOf(CancellationException.class, cause.get(), "its batch had not begun");
        assertThrows(IllegalStateException.class, () -> loader.load(1));
        loader.close();
        assertThrows(IllegalArgumentException.class, () -> new BatchLoader<Integer, Integer>(0, LONG, keys -> null));
    }

    @Test
    void stress() throws Exception {
        int callers = 32;
        int each = 4_000;
        var queries = new AtomicInteger();
        var asked = new AtomicInteger();
        var values = new AtomicInteger();
        var failures = new AtomicInteger();
        var interrupted = new AtomicInteger();
        var running = new AtomicInteger();
        var loader = new BatchLoader<Integer, Integer>(8, Duration.ofNanos(50_000), keys -> {
            running.incrementAndGet();
            queries.incrementAndGet();
            asked.addAndGet(keys.size());
            try {
                if (keys.isEmpty() || keys.size() > 8 || Set.copyOf(keys).size() != keys.size()) {
                    throw new AssertionError(keys);
                }
                switch (ThreadLocalRandom.current().nextInt(20)) {
                    case 0 -> throw new IOException();
                    case 1 -> Thread.sleep(Duration.ofNanos(100_000));
                    default -> { }
                }
                var answer = doubled(keys);
                answer.replaceAll((key, value) -> key % 7 == 3 ? new BatchLoader.Outcome.Failure<>(new IOException()) : value);
                return answer;
            } finally {
                running.decrementAndGet();
            }
        });
        var tasks = new ArrayList<Chaos.Task>();
        for (int c = 0; c < callers; c++) {
            tasks.add(() -> {
                for (int i = 0; i < each; i++) {
                    int key = ThreadLocalRandom.current().nextInt(50);
                    try {
                        assertEquals(key * 2, loader.load(key));
                        assertTrue(key % 7 != 3);
                        values.incrementAndGet();
                    } catch (ExecutionException e) {
                        assertInstanceOf(IOException.class, e.getCause());
                        failures.incrementAndGet();
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                    }
                }
            });
        }
        Chaos.run(tasks);
        loader.close();
        System.out.printf("BatchLoader: %,d calls: %,d values, %,d failures, %,d interrupted; %,d keys in %,d queries%n", callers * each,
                values.get(), failures.get(), interrupted.get(), asked.get(), queries.get());
        assertEquals(callers * each, values.get() + failures.get() + interrupted.get());
        assertEquals(0, running.get());
        assertTrue(queries.get() < asked.get() && asked.get() < callers * each);
    }
}
