import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class TaskGroupTest {

    private final CountDownLatch never = new CountDownLatch(1);
    private final AtomicInteger ended = new AtomicInteger();

    /** Blocks until interrupted; then cleans up, slowly, so that whoever does not wait for it is caught. */
    private <T> T blocked(CountDownLatch started) throws InterruptedException {
        try {
            started.countDown();
            never.await();
            return null;
        } finally {
            sleepUninterrupted();
            ended.incrementAndGet();
        }
    }

    private static void sleepUninterrupted() {
        try {
            Thread.sleep(30);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted twice", e);
        }
    }

    @Nested
    class FailFast {

        @Test
        void returnsWhenAllHaveSucceeded() throws Exception {
            try (var group = TaskGroup.failFast()) {
                var number = group.fork(() -> 1);
                var text = group.fork(() -> "two");
                var nothing = group.fork(() -> null);
                group.join();
                assertEquals(1, number.get());
                assertEquals("two", text.get());
                assertNull(nothing.get());
                assertEquals(State.SUCCESS, text.state());
            }
        }

        @Test
        void joinsWithoutTasks() throws Exception {
            try (var group = TaskGroup.failFast()) {
                group.join();
            }
        }

        @Test
        void aFailureInterruptsAndAwaitsTheSiblings() throws Exception {
            var started = new CountDownLatch(2);
            var boom = new Exception("boom");
            try (var group = TaskGroup.failFast()) {
                var sibling = group.fork(() -> blocked(started));
                group.fork(() -> blocked(started));
                var failing = group.fork(() -> {
                    started.await();
                    throw boom;
                });
                var thrown = assertThrows(ExecutionException.class, group::join);
                assertEquals(2, ended.get(), "siblings that ended before join returned");
                assertSame(boom, thrown.getCause());
                assertEquals(0, thrown.getSuppressed().length, "an interrupted sibling is not a failure");
                assertEquals(State.CANCELLED, sibling.state());
                assertSame(boom, failing.exception());
                assertSame(boom, assertThrows(IllegalStateException.class, failing::get).getCause());
                assertThrows(IllegalStateException.class, sibling::get);
                assertThrows(IllegalStateException.class, sibling::exception);
            }
        }

        @Test
        void aFailureStopsTheSiblingsBeforeTheOwnerJoins() throws Exception {
            var started = new CountDownLatch(1);
            var stopped = new CountDownLatch(1);
            try (var group = TaskGroup.failFast()) {
                group.fork(() -> {
                    try {
                        return blocked(started);
                    } finally {
                        stopped.countDown();
                    }
                });
                group.fork(() -> {
                    started.await();
                    throw new Exception("boom");
                });
                stopped.await(); // the owner does something else meanwhile
                var late = group.fork(() -> ended.addAndGet(100));
                assertEquals(State.CANCELLED, late.state(), "not run in a cancelled group");
                assertThrows(ExecutionException.class, group::join);
            }
            assertEquals(1, ended.get());
        }

        @Test
        void keepsEveryFailure() throws Exception {
            var started = new CountDownLatch(3);
            var first = new IllegalStateException("first");
            var cleanup = new IllegalArgumentException("cleanup");
            var shared = new AssertionError("an Error counts too");
            try (var group = TaskGroup.failFast()) {
                for (Throwable failure : List.of(cleanup, shared)) {
                    group.fork(() -> {
                        try {
                            return blocked(started);
                        } catch (InterruptedException e) {
                            if (failure instanceof Error error) {
                                throw error;
                            }
                            throw (RuntimeException) failure;
                        }
                    });
                }
                group.fork(() -> blocked(started));
                group.fork(() -> {
                    started.await();
                    throw first;
                });
                var thrown = assertThrows(ExecutionException.class, group::join);
                assertSame(first, thrown.getCause());
                assertEquals(java.util.Set.of(cleanup, shared), java.util.Set.of(thrown.getSuppressed()));
                assertEquals(0, first.getSuppressed().length, "the task's own exception is left alone");
            }
        }

        @Test
        void theSameExceptionTwiceIsNoSelfSuppression() throws Exception {
            var constant = new IllegalStateException("constant");
            var go = new CountDownLatch(2);
            try (var group = TaskGroup.failFast()) {
                for (int i = 0; i < 2; i++) {
                    group.fork(() -> {
                        go.countDown();
                        Chaos.insist(go::await);
                        throw constant;
                    });
                }
                assertSame(constant, assertThrows(ExecutionException.class, group::join).getCause());
            }
        }

        @Test
        void aFailureInTimeIsNoTimeoutHoweverLongTheSiblingsTakeToEnd() throws Exception {
            var started = new CountDownLatch(1);
            var failing = new CompletableFuture<Thread>();
            try (var group = TaskGroup.failFast()) {
                group.fork(() -> {
                    try {
                        return blocked(started);
                    } finally {
                        Thread.sleep(200); // past the deadline
                    }
                });
                group.fork(() -> {
                    failing.complete(Thread.currentThread());
                    started.await();
                    throw new Exception("boom");
                });
                failing.get().join(); // the failure has come in time, and the group knows, however slow the machine
                assertThrows(ExecutionException.class, () -> group.join(Duration.ofMillis(20)));
            }
        }

        @Test
        void anInterruptedExceptionOfTheTasksOwnIsAFailure() throws Exception {
            try (var group = TaskGroup.failFast()) {
                var task = group.fork(() -> {
                    throw new InterruptedException("its own");
                });
                assertInstanceOf(InterruptedException.class, assertThrows(ExecutionException.class, group::join)
                        .getCause());
                assertEquals(State.FAILED, task.state());
            }
        }
    }

    @Nested
    class FirstSuccess {

        @Test
        void theFirstResultStopsTheRest() throws Exception {
            var started = new CountDownLatch(2);
            try (var group = TaskGroup.<String>firstSuccess()) {
                group.fork(() -> blocked(started));
                group.fork(() -> blocked(started));
                group.fork(() -> {
                    throw new Exception("a failure does not win");
                });
                group.fork(() -> {
                    started.await();
                    return "won";
                });
                group.join();
                assertEquals(2, ended.get());
                assertEquals("won", group.first());
            }
        }

        @Test
        void nullIsASuccess() throws Exception {
            try (var group = TaskGroup.<String>firstSuccess()) {
                group.fork(() -> null);
                group.join();
                assertNull(group.first());
            }
        }

        @Test
        void allFailed() throws Exception {
            var first = new Exception("first");
            try (var group = TaskGroup.<String>firstSuccess()) {
                var failed = group.<String>fork(() -> {
                    throw first;
                });
                group.fork(() -> {
                    while (failed.state() == State.RUNNING) {
                        Thread.sleep(1); // not a spin: the other one may need this carrier
                    }
                    throw new Exception("second");
                });
                var thrown = assertThrows(ExecutionException.class, group::join);
                assertSame(first, thrown.getCause());
                assertEquals("second", thrown.getSuppressed()[0].getMessage());
                assertThrows(IllegalStateException.class, group::first);
            }
        }

        @Test
        void withoutTasksJoinIsMisuse() {
            try (var group = TaskGroup.<String>firstSuccess()) {
                assertThrows(IllegalStateException.class, group::join);
            }
        }

        @Test
        void timeout() throws Exception {
            var failed = new Exception("tried");
            try (var group = TaskGroup.<String>firstSuccess()) {
                var failing = group.<String>fork(() -> {
                    throw failed;
                });
                while (failing.state() == State.RUNNING) {
                    Thread.onSpinWait();
                }
                group.fork(() -> blocked(new CountDownLatch(1)));
                var thrown = assertThrows(TimeoutException.class, () -> group.join(Duration.ofMillis(20)));
                assertSame(failed, thrown.getSuppressed()[0]);
            }
        }
    }

    @Nested
    class CollectAll {

        @Test
        void aFailureStopsNobody() throws Exception {
            var failed = new CountDownLatch(1);
            try (var group = TaskGroup.<Integer>collectAll()) {
                var bad = group.<Integer>fork(() -> {
                    try {
                        throw new Exception("bad");
                    } finally {
                        failed.countDown();
                    }
                });
                var good = group.fork(() -> {
                    failed.await();
                    return 1;
                });
                group.join();
                assertEquals(1, good.get());
                assertEquals("bad", bad.exception().getMessage());
            }
        }

        @Test
        void aDeadlineLeavesPartialResults() throws Exception {
            var started = new CountDownLatch(1);
            try (var group = TaskGroup.<Integer>collectAll()) {
                var quick = group.fork(() -> 1);
                var slow = group.<Integer>fork(() -> blocked(started));
                started.await();
                while (quick.state() == State.RUNNING) {
                    Thread.onSpinWait();
                }
                group.join(Duration.ofMillis(20));
                assertEquals(1, ended.get(), "the slow task has ended before join returned");
                assertEquals(1, quick.get());
                assertEquals(State.CANCELLED, slow.state());
            }
        }

        @Test
        void aResultReturnedAfterTheDeadlineIsDropped() throws Exception {
            var started = new CountDownLatch(1);
            try (var group = TaskGroup.<Integer>collectAll()) {
                var stubborn = group.fork(() -> {
                    try {
                        return blocked(started);
                    } catch (InterruptedException swallowed) {
                        return -1;
                    }
                });
                started.await();
                group.join(Duration.ZERO);
                assertEquals(State.CANCELLED, stubborn.state());
            }
        }

        @Test
        void zeroIsEnoughForWhatHasEnded() throws Exception {
            try (var group = TaskGroup.<Integer>collectAll()) {
                var done = group.fork(() -> 1);
                while (done.state() == State.RUNNING) {
                    Thread.onSpinWait();
                }
                group.join(Duration.ofSeconds(-1));
                assertEquals(1, done.get());
            }
        }
    }

    @Test
    void aTimeoutInFailFastKeepsWhatEndedInTime() throws Exception {
        var started = new CountDownLatch(1);
        try (var group = TaskGroup.failFast()) {
            var quick = group.fork(() -> 1);
            while (quick.state() == State.RUNNING) {
                Thread.onSpinWait();
            }
            group.fork(() -> blocked(started));
            started.await();
            assertThrows(TimeoutException.class, () -> group.join(Duration.ofMillis(10)));
            assertEquals(1, ended.get());
            assertEquals(1, quick.get());
        }
    }

    @Test
    void theLongestDurationsDoNotOverflow() throws Exception {
        try (var group = TaskGroup.failFast()) {
            group.fork(() -> {
                Thread.sleep(10);
                return 1;
            });
            group.join(Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
        }
    }

    @Test
    void interruptOfTheOwnerStopsAndAwaitsAll() throws Exception {
        var started = new CountDownLatch(3);
        var seen = new CompletableFuture<Integer>();
        var owner = Thread.ofVirtual().start(() -> {
            try (var group = TaskGroup.collectAll()) {
                for (int i = 0; i < 3; i++) {
                    group.fork(() -> blocked(started));
                }
                group.join();
                seen.complete(-1);
            } catch (InterruptedException e) {
                seen.complete(Thread.currentThread().isInterrupted() ? -2 : ended.get());
            } catch (ExecutionException e) {
                seen.completeExceptionally(e);
            }
        });
        started.await();
        owner.interrupt();
        assertEquals(3, seen.get(), "ended tasks when join threw, with the flag cleared");
    }

    @Test
    void aSecondInterruptDoesNotCutTheWaitShort() throws Exception {
        var started = new CountDownLatch(1);
        var cleaning = new CountDownLatch(1);
        var mayEnd = new CountDownLatch(1);
        var flag = new CompletableFuture<Boolean>();
        var owner = Thread.ofVirtual().start(() -> {
            try (var group = TaskGroup.failFast()) {
                group.fork(() -> {
                    started.countDown();
                    try {
                        never.await();
                    } catch (InterruptedException e) {
                        cleaning.countDown();
                        Chaos.insist(mayEnd::await); // cleanup that ignores interrupts
                        ended.incrementAndGet();
                    }
                    return null;
                });
                group.join();
            } catch (InterruptedException | ExecutionException e) {
                flag.complete(Thread.currentThread().isInterrupted() && ended.get() == 1);
            }
        });
        started.await();
        owner.interrupt();
        cleaning.await();
        owner.interrupt();
        while (owner.isInterrupted()) { // until the wait has seen it
            Thread.onSpinWait();
        }
        mayEnd.countDown();
        assertTrue(flag.get(), "waited for the cleanup, and the second interrupt is kept as the flag");
    }

    @Test
    void cancellationReachesNestedGroups() throws Exception {
        var started = new CountDownLatch(4);
        try (var outer = TaskGroup.failFast()) {
            for (int i = 0; i < 2; i++) {
                outer.fork(() -> {
                    try (var inner = TaskGroup.failFast()) {
                        inner.fork(() -> blocked(started));
                        inner.fork(() -> blocked(started));
                        inner.join();
                        return null;
                    }
                });
            }
            outer.fork(() -> {
                started.await();
                throw new Exception("boom");
            });
            var thrown = assertThrows(ExecutionException.class, outer::join);
            assertEquals("boom", thrown.getCause().getMessage());
            assertEquals(0, thrown.getSuppressed().length);
            assertEquals(4, ended.get());
        }
    }

    @Nested
    class Misuse {

        @Test
        void forkAfterJoinAndAfterClose() throws Exception {
            var group = TaskGroup.failFast();
            try (group) {
                group.join();
                assertThrows(IllegalStateException.class, () -> group.fork(() -> 1));
                assertThrows(IllegalStateException.class, group::join);
            }
            assertThrows(IllegalStateException.class, () -> group.fork(() -> 1));
            group.close();
        }

        @Test
        void outcomeBeforeJoin() throws Exception {
            try (var group = TaskGroup.failFast()) {
                var task = group.fork(() -> 1);
                while (task.state() == State.RUNNING) {
                    Thread.onSpinWait();
                }
                assertThrows(IllegalStateException.class, task::get);
                assertThrows(IllegalStateException.class, task::exception);
                group.join();
                assertEquals(1, task.get());
            }
        }

        @Test
        void closeWithoutJoinStopsTheTasksAndThrows() throws Exception {
            var started = new CountDownLatch(1);
            var group = TaskGroup.failFast();
            group.fork(() -> blocked(started));
            started.await();
            assertThrows(IllegalStateException.class, group::close);
            assertEquals(1, ended.get());
            group.close();
        }

        @Test
        void closeWithoutJoinDoesNotHideTheFailureOfTheBodyNorOfATask() {
            var body = new IllegalArgumentException("body");
            var task = new Exception("task");
            var thrown = assertThrows(IllegalArgumentException.class, () -> {
                try (var group = TaskGroup.failFast()) {
                    var failing = group.fork(() -> {
                        throw task;
                    });
                    while (failing.state() == State.RUNNING) {
                        Thread.onSpinWait();
                    }
                    throw body;
                }
            });
            assertSame(body, thrown);
            assertInstanceOf(IllegalStateException.class, body.getSuppressed()[0]);
            assertSame(task, body.getSuppressed()[0].getSuppressed()[0]);
        }

        @Test
        void useByAnotherThread() throws Exception {
            try (var group = TaskGroup.failFast()) {
                var refused = group.fork(() -> {
                    assertThrows(WrongThreadException.class, () -> group.fork(() -> 1));
                    assertThrows(WrongThreadException.class, group::join);
                    assertThrows(WrongThreadException.class, group::close);
                    return true;
                });
                group.join();
                assertTrue(refused.get());
            }
        }
    }

    /** Random groups in many owners at once; whatever happens, no task is alive when its group is left. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        int owners = 50;
        int rounds = 2_000;
        var alive = new AtomicInteger();
        var outcomes = new java.util.concurrent.ConcurrentHashMap<String, java.util.concurrent.atomic.LongAdder>();
        try (var all = TaskGroup.failFast()) {
            IntStream.range(0, owners).forEach(seed -> all.fork(() -> {
                var random = new java.util.Random(seed);
                for (int round = 0; round < rounds; round++) {
                    String outcome = randomGroup(random, alive);
                    outcomes.computeIfAbsent(outcome, o -> new java.util.concurrent.atomic.LongAdder()).increment();
                }
                return null;
            }));
            all.join();
        }
        assertEquals(0, alive.get());
        System.out.println("TaskGroup: " + owners * rounds + " groups, ended as " + outcomes);
        assertTrue(outcomes.keySet().containsAll(List.of("success", "failed", "timeout", "interrupted")),
                outcomes::toString);
    }

    private static String randomGroup(java.util.Random random, AtomicInteger alive) throws Exception {
        var mine = new AtomicInteger();
        var owner = Thread.currentThread();
        var tasks = new ArrayList<TaskGroup.Task<Integer>>();
        String outcome = "success";
        int policy = random.nextInt(3);
        try (var group = policy == 0 ? TaskGroup.<Integer>failFast()
                : policy == 1 ? TaskGroup.<Integer>firstSuccess() : TaskGroup.<Integer>collectAll()) {
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                int action = random.nextInt(20);
                tasks.add(group.fork(() -> {
                    alive.incrementAndGet();
                    mine.incrementAndGet();
                    try {
                        switch (action) {
                            case 0, 1 -> throw new Exception("failed");
                            case 2 -> Thread.sleep(60_000); // ends only by interrupt
                            case 3 -> owner.interrupt();
                            case 4, 5 -> Thread.sleep(0, 200_000);
                            case 6 -> {
                                try {
                                    Thread.sleep(1);
                                } catch (InterruptedException swallowed) {
                                    Thread.yield();
                                }
                            }
                            default -> Thread.yield();
                        }
                        return action;
                    } finally {
                        mine.decrementAndGet();
                        alive.decrementAndGet();
                    }
                }));
            }
            if (policy != 1 && random.nextInt(4) == 0) {
                tasks.get(random.nextInt(tasks.size())).cancel();
            }
            group.join(random.nextInt(4) == 0 ? Duration.ofNanos(random.nextInt(300_000)) : Duration.ofMillis(20));
            if (policy == 1) {
                assertTrue(group.first() >= 0);
            }
        } catch (ExecutionException e) {
            outcome = "failed";
        } catch (TimeoutException e) {
            outcome = "timeout";
        } catch (InterruptedException e) {
            outcome = "interrupted";
        }
        Thread.interrupted(); // a task may have interrupted the owner after the wait
        assertEquals(0, mine.get(), "tasks alive after their group");
        for (var task : tasks) {
            assertFalse(task.state() == State.RUNNING, "a task left RUNNING");
            if (policy == 0 && outcome.equals("success")) {
                assertFalse(task.state() == State.FAILED);
            }
        }
        return outcome;
    }

    @Nested
    class OneTask {

        @Test
        void cancelledIsNoFailureAndStopsNobodyElse() throws Exception {
            var started = new CountDownLatch(1);
            try (var group = TaskGroup.failFast()) {
                var victim = group.fork(() -> blocked(started));
                started.await();
                assertTrue(victim.cancel());
                assertFalse(victim.cancel(), "told once");
                var other = group.fork(() -> 1);
                group.join();
                assertEquals(State.CANCELLED, victim.state());
                assertEquals(1, other.get());
                assertEquals(1, ended.get(), "its cleanup has ended, undisturbed");
                assertThrows(IllegalStateException.class, victim::get);
                assertFalse(other.cancel());
                assertEquals(State.SUCCESS, other.state());
            }
        }

        @Test
        void isNotInterruptedAgainByTheGroup() throws Exception {
            var started = new CountDownLatch(1);
            var cleanup = new IllegalStateException("cleanup failed");
            try (var group = TaskGroup.failFast()) {
                var victim = group.fork(() -> {
                    try {
                        return blocked(started); // fails the test if its cleanup is interrupted
                    } catch (InterruptedException e) {
                        throw cleanup;
                    }
                });
                started.await();
                victim.cancel();
                group.fork(() -> {
                    throw new Exception("boom");
                });
                var thrown = assertThrows(ExecutionException.class, group::join);
                assertEquals(java.util.Set.of("boom", "cleanup failed"), java.util.Set.of(
                        thrown.getCause().getMessage(), thrown.getSuppressed()[0].getMessage()), "no failure is lost");
                assertEquals(State.CANCELLED, victim.state());
            }
        }

        @Test
        void allOfAFirstSuccessGroup() throws Exception {
            try (var group = TaskGroup.<Integer>firstSuccess()) {
                group.<Integer>fork(() -> blocked(new CountDownLatch(1))).cancel();
                group.join();
                assertThrows(IllegalStateException.class, group::first);
            }
        }
    }

    @Test
    void anInterruptedOwnerGetsTheFailuresAsSuppressed() throws Exception {
        for (var policy : List.<java.util.function.Supplier<TaskGroup<Object>>>of(
                TaskGroup::failFast, TaskGroup::firstSuccess, TaskGroup::collectAll)) {
            var started = new CountDownLatch(2);
            var cleanup = new IllegalStateException("rollback failed");
            var seen = new CompletableFuture<List<Throwable>>();
            var owner = Thread.ofVirtual().start(() -> {
                try (var group = policy.get()) {
                    group.fork(() -> blocked(started));
                    group.fork(() -> {
                        try {
                            return blocked(started);
                        } catch (InterruptedException e) {
                            throw cleanup;
                        }
                    });
                    group.join();
                    seen.complete(List.of());
                } catch (InterruptedException e) {
                    seen.complete(List.of(e.getSuppressed()));
                } catch (ExecutionException e) {
                    seen.completeExceptionally(e);
                }
            });
            started.await();
            owner.interrupt();
            assertEquals(List.of(cleanup), seen.get());
        }
    }

    @Test
    void whateverATaskAnswersItsInterruptWithItIsCancelled() throws Exception {
        try (var server = new java.net.ServerSocket(0, 5, java.net.InetAddress.getLoopbackAddress());
                var socket = new java.net.Socket(server.getInetAddress(), server.getLocalPort());
                var group = TaskGroup.<Integer>firstSuccess()) {
            var begun = new CountDownLatch(2);
            var read = group.fork(() -> {
                begun.countDown();
                return socket.getInputStream().read(); // nobody writes: "Closed by interrupt"
            });
            var iterator = group.<Integer>fork(() -> {
                try {
                    begun.countDown();
                    never.await();
                    return 1;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new java.util.concurrent.CancellationException();
                }
            });
            begun.await();
            var thrown = assertThrows(TimeoutException.class, () -> group.join(Duration.ZERO));
            assertEquals(0, thrown.getSuppressed().length, "an answer to the interrupt is no failure");
            assertEquals(State.CANCELLED, read.state());
            assertEquals(State.CANCELLED, iterator.state());
        }
    }

    /** asyncio cancels the body; here it goes on, so what waits is forked. */
    @Test
    void aFailureDoesNotInterruptTheBody() throws Exception {
        try (var group = TaskGroup.failFast()) {
            var failing = group.fork(() -> {
                throw new Exception("boom");
            });
            while (failing.state() == State.RUNNING) {
                Thread.sleep(1);
            }
            Thread.sleep(5);
            assertFalse(Thread.currentThread().isInterrupted());
            assertThrows(ExecutionException.class, group::join);
        }
    }

    @Test
    void aLimitOfAnySizeInThePastIsZero() throws Exception {
        for (Duration past : List.of(Duration.ofSeconds(Long.MIN_VALUE), Duration.ofDays(-365 * 300))) {
            try (var group = TaskGroup.failFast()) {
                group.fork(() -> blocked(new CountDownLatch(1)));
                assertThrows(TimeoutException.class, () -> group.join(past));
            }
        }
    }

    @Test
    void nullIsRefused() throws Exception {
        try (var group = TaskGroup.failFast()) {
            assertEquals("callable", assertThrows(NullPointerException.class, () -> group.fork(null)).getMessage());
            assertThrows(NullPointerException.class, () -> group.join(null));
            group.join();
        }
    }
}
