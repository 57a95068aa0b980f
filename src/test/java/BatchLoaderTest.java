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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
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

@Timeout(600)
class BatchLoaderTest {
    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE); // only a full batch begins

    private static Map<Integer, BatchLoader.Outcome<Integer>> doubled(List<Integer> keys) {
        var answer = new HashMap<Integer, BatchLoader.Outcome<Integer>>();
        keys.forEach(key -> answer.put(key, new BatchLoader.Outcome.Success<>(key * 2)));
        return answer;
    }

    /**
     * One caller after the other, each when the one before waits: who came late would wait for another batch, for
     * ever.
     */
    private static List<Future<Integer>> load(BatchLoader<Integer, Integer> loader,
            int... keys) throws InterruptedException {
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
            Thread gone = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () ->
                    loader.load(2)));
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
            Thread gone = Thread.ofVirtual().start(() -> assertThrows(InterruptedException.class, () ->
                    loader.load(99)));
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

    private static Throwable cause(CompletableFuture<?> future) throws Exception {
        return future.handle((value, failure) -> failure).get();
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
            if (broken.get() && n == 1) {
                throw new StackOverflowError("session is closed");
            }
            return value;
        }
    }

    @Test
    void aKeyWhoseCodeThrowsCostsNobodyElse() throws Exception {
        var broken = new AtomicBoolean();
        try (var loader = new BatchLoader<Moody, String>(3, LONG, keys -> {
            var answer = new HashMap<Moody, BatchLoader.Outcome<String>>();
            for (Moody key : keys) {
                if (key.n() != 2) {
                    answer.put(key, new BatchLoader.Outcome.Success<>("v" + key.n()));
                }
            }
            broken.set(true);
            return answer;
        })) {
            var answers = new ArrayList<CompletableFuture<String>>();
            for (int i = 1; i <= 3; i++) {
                answers.add(loader.loadAsync(new Moody(i, broken)));
            }
            assertInstanceOf(StackOverflowError.class, cause(answers.get(0)));
            assertInstanceOf(NoSuchElementException.class, cause(answers.get(1)));
            assertEquals("v3", answers.get(2).get());
            assertThrows(StackOverflowError.class, () -> loader.load(new Moody(1, broken)));
            broken.set(false);
            var again = List.of(loader.loadAsync(new Moody(1, broken)), loader.loadAsync(new Moody(4, broken)),
                    loader.loadAsync(new Moody(5, broken)));
            assertEquals("v5", again.get(2).get());
            assertInstanceOf(StackOverflowError.class, cause(again.get(0)), "and it did not wait for ever");
        }
    }

    @Test
    void keysAreLookedUpInTheMapAsGiven() throws Exception {
        try (var loader = new BatchLoader<String, Integer>(2, LONG, keys -> {
            var answer = new TreeMap<String, BatchLoader.Outcome<Integer>>(String.CASE_INSENSITIVE_ORDER);
            answer.put("A", new BatchLoader.Outcome.Success<>(1));
            return answer;
        })) {
            var one = loader.loadAsync("a");
            var two = loader.loadAsync("A");
            assertEquals(1, one.get());
            assertEquals(1, two.get());
        }
    }

    @Test
    void aFutureDoesNotBlockAndLeavesWhenCancelled() throws Exception {
        var batches = new CopyOnWriteArrayList<List<Integer>>();
        var go = new CountDownLatch(1);
        var loader = new BatchLoader<Integer, Integer>(2, LONG, keys -> {
            batches.add(keys);
            go.await();
            return doubled(keys);
        });
        try (loader) {
            var cancelled = loader.loadAsync(9);
            var shared = loader.loadAsync(1);
            while (batches.isEmpty()) {
                Thread.onSpinWait();
            }
            cancelled.cancel(true);
            go.countDown();
            assertEquals(2, shared.get());
            assertEquals(List.of(List.of(9, 1)), batches);
            var early = loader.loadAsync(8);
            early.cancel(false);
            var next = loader.loadAsync(2);
            while (batches.size() < 2) { // with 8, if that has not left yet
                loader.loadAsync(3);
                Thread.sleep(1); // each has a thread: without a pause they would fill the memory if the batch is slow
            }
            assertEquals(4, next.get());
            assertThrows(NullPointerException.class, () -> loader.loadAsync(null));
        }
        assertThrows(IllegalStateException.class, () -> loader.loadAsync(1));
        try (var other = new BatchLoader<Integer, Integer>(2, LONG, BatchLoaderTest::doubled)) {
            var two = other.loadAsync(2);
            var three = other.loadAsync(3);
            assertEquals("4false", two.thenCombine(three,
                    (a, b) -> a + "" + Thread.currentThread().isInterrupted()).get());
        }
    }

    @Test
    void closeInterruptsOnceAndIsRefusedInAQuery() throws Exception {
        var begun = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        var self = new AtomicReference<BatchLoader<Integer, Integer>>();
        self.set(new BatchLoader<>(1, LONG, keys -> {
            assertThrows(IllegalStateException.class, self.get()::close);
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
            }
            return doubled(keys);
        }));
        var answer = self.get().loadAsync(1);
        begun.await();
        Thread one = Thread.startVirtualThread(() -> {
            self.get().close();
            hits.addAndGet(Thread.currentThread().isInterrupted() ? 0 : 100);
        });
        cleaning.await();
        one.interrupt();
        Thread two = Thread.startVirtualThread(self.get()::close);
        while (two.getState() != Thread.State.WAITING || one.isInterrupted()) {
            Thread.onSpinWait();
        }
        finish.countDown();
        one.join();
        two.join();
        assertEquals(0, hits.get());
        assertInstanceOf(CancellationException.class, cause(answer));
    }

    @Test
    void refusesNonsense() throws Exception {
        assertThrows(NullPointerException.class, () -> new BatchLoader<Integer, Integer>(1, null, keys -> null));
        assertThrows(NullPointerException.class, () -> new BatchLoader<Integer, Integer>(1, LONG, null));
        try (var loader = new BatchLoader<Integer, Integer>(1, Duration.ofSeconds(Long.MIN_VALUE), keys -> null)) {
            assertThrows(NullPointerException.class, () -> loader.load(null));
            assertInstanceOf(NullPointerException.class, cause(loader.loadAsync(1)), "an answer of null");
        }
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
                answer.replaceAll((key, value) -> key % 7 == 3 ? new BatchLoader.Outcome.Failure<>(new IOException())
                        : value);
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

    @Test
    void aFailureWithoutACauseIsAFailure() throws Exception {
        try (var loader = new BatchLoader<Integer, String>(2, LONG, keys -> Map.of(1,
                new BatchLoader.Outcome.Failure<>(null), 2, new BatchLoader.Outcome.Success<>("two")))) {
            var one = loader.loadAsync(1);
            assertEquals("two", loader.loadAsync(2).get());
            assertInstanceOf(NullPointerException.class, assertThrows(ExecutionException.class, one::get).getCause());
        }
    }

    @Test
    void aQueryThatWaitsForItsOwnKeyIsRefused() throws Exception {
        var self = new CompletableFuture<BatchLoader<Integer, String>>();
        var loader = new BatchLoader<Integer, String>(1, Duration.ZERO, keys -> Map.of(keys.getFirst(),
                new BatchLoader.Outcome.Success<>(keys.getFirst() == 3 ? "three" : keys.getFirst() == 2
                ? "two, " + self.join().load(3) : self.join().load(1))));
        try (loader) {
            self.complete(loader);
            assertInstanceOf(IllegalStateException.class,
                    assertThrows(ExecutionException.class, () -> loader.load(1)).getCause());
            assertEquals("two, three", loader.load(2), "another batch's key");
        }
    }

    @Test
    void aCancelDoesNotInterruptADependent() throws Exception {
        var go = new CountDownLatch(1);
        var asked = new CountDownLatch(1);
        var loader = new BatchLoader<Integer, String>(1, Duration.ZERO, keys -> {
            asked.countDown();
            go.await();
            return Map.of(1, new BatchLoader.Outcome.Success<>("value"));
        });
        var answer = loader.loadAsync(1);
        asked.await();
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
        loader.close();
    }
}
