import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class CircuitBreakerTest {

    private static final Duration OPEN_FOR = Duration.ofSeconds(30);
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5); // the monotonic clock may wrap around
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void close() {
        Thread.interrupted();
        executor.shutdownNow();
        executor.close();
    }

    private CircuitBreaker breaker(int failures, int window, int trials) {
        return new CircuitBreaker(failures, window, OPEN_FOR, trials, e -> e instanceof IOException
                ? CircuitBreaker.Verdict.FAILURE
                : e instanceof IllegalStateException ? CircuitBreaker.Verdict.IGNORED
                        : CircuitBreaker.Verdict.SUCCESS, now::get);
    }

    private static void fail(CircuitBreaker breaker) {
        var failure = new IOException();
        assertSame(failure, assertThrows(IOException.class, () -> breaker.call(() -> {
            throw failure;
        })));
    }

    private static void succeed(CircuitBreaker breaker) throws Exception {
        assertEquals(1, breaker.<Integer>call(() -> 1));
    }

    private static Duration refused(CircuitBreaker breaker) {
        return assertThrows(CircuitBreaker.OpenException.class, () -> breaker.call(() -> {
            throw new AssertionError("called");
        })).retryAfter();
    }

    private CircuitBreaker halfOpen(int trials) {
        var breaker = breaker(1, 1, trials);
        fail(breaker);
        pass(OPEN_FOR);
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state());
        return breaker;
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    /** A call that has started and ends when told to. */
    private final class Running {
        private final CountDownLatch started = new CountDownLatch(1);
        private final CountDownLatch go = new CountDownLatch(1);
        private final Callable<?> end;
        private final Future<?> future;
        private volatile Thread thread;

        Running(CircuitBreaker breaker, Callable<?> end) throws Exception {
            this.end = end;
            future = executor.submit(() -> breaker.call(() -> {
                thread = Thread.currentThread();
                started.countDown();
                go.await();
                return this.end.call();
            }));
            started.await();
        }

        void end() throws InterruptedException {
            go.countDown();
            settle();
        }

        void interrupt() throws InterruptedException {
            thread.interrupt();
            settle();
        }

        private void settle() throws InterruptedException {
            try {
                future.get();
            } catch (ExecutionException e) {
                assertTrue(!(e.getCause() instanceof AssertionError), e::toString);
            }
        }
    }

    private static Callable<?> failing() {
        return () -> {
            throw new IOException();
        };
    }

    @Test
    void opensAtSoManyFailuresOfTheLatestCalls() throws Exception {
        var breaker = breaker(3, 5, 1);
        for (int i = 0; i < 20; i++) { // two of any five
            fail(breaker);
            fail(breaker);
            for (int j = 0; j < 3; j++) {
                succeed(breaker);
            }
        }
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        fail(breaker);
        succeed(breaker);
        fail(breaker);
        succeed(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        fail(breaker);
        assertEquals(CircuitBreaker.State.OPEN, breaker.state());
        assertEquals(OPEN_FOR, refused(breaker));
    }

    @Test
    void whatIsNoFailureDoesNotOpenIt() throws Exception {
        var breaker = breaker(2, 2, 1);
        for (Throwable answer : List.of(new IllegalArgumentException("404"), new IllegalStateException("says nothing"),
                new AssertionError("an Error"), new InterruptedException())) {
            fail(breaker);
            for (int i = 0; i < 5; i++) {
                assertSame(answer, assertThrows(Throwable.class, () -> breaker.call(() -> {
                    if (answer instanceof Error error) {
                        throw error;
                    }
                    throw (Exception) answer;
                })));
            }
            succeed(breaker);
        }
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void whatIsIgnoredDoesNotPushFailuresOutOfTheWindow() {
        var breaker = breaker(2, 2, 1);
        fail(breaker);
        for (int i = 0; i < 5; i++) {
            assertThrows(IllegalStateException.class, () -> breaker.call(() -> {
                throw new IllegalStateException();
            }));
        }
        fail(breaker);
        assertEquals(CircuitBreaker.State.OPEN, breaker.state());
    }

    @Test
    void staysOpenForItsTime() {
        var breaker = breaker(1, 1, 1);
        fail(breaker);
        pass(OPEN_FOR.minusNanos(1));
        assertEquals(Duration.ofNanos(1), refused(breaker));
        assertEquals(CircuitBreaker.State.OPEN, breaker.state());
        pass(Duration.ofNanos(1));
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state(), "by time alone");
    }

    @Test
    void halfOpenClosesAfterSoManySuccessesWithAnEmptyWindow() throws Exception {
        var breaker = new CircuitBreaker(2, 2, OPEN_FOR, 3, e -> CircuitBreaker.Verdict.FAILURE, now::get);
        fail(breaker);
        fail(breaker);
        pass(OPEN_FOR);
        succeed(breaker);
        succeed(breaker);
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state());
        succeed(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        fail(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state(), "old failures are forgotten");
    }

    @Test
    void oneFailedTrialOpensItForTheWholeTimeAgain() throws Exception {
        var breaker = halfOpen(3);
        succeed(breaker);
        pass(Duration.ofSeconds(10));
        fail(breaker);
        assertEquals(OPEN_FOR, refused(breaker));
        pass(OPEN_FOR);
        succeed(breaker);
        succeed(breaker);
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state(), "the success before the failure does not count");
        succeed(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void halfOpenLetsExactlySoManyOf1000CallersThrough() throws Exception {
        for (int round = 0; round < 20; round++) {
            int trials = 1 + round % 7;
            var breaker = halfOpen(trials);
            var barrier = new CyclicBarrier(1_000);
            var inside = new AtomicInteger();
            var go = new CountDownLatch(1);
            var refused = new CountDownLatch(1_000 - trials);
            var callers = IntStream.range(0, 1_000).mapToObj(i -> executor.submit(() -> {
                barrier.await();
                try {
                    return breaker.call(() -> {
                        inside.incrementAndGet();
                        go.await();
                        return "done";
                    });
                } catch (CircuitBreaker.OpenException e) {
                    refused.countDown();
                    return "refused";
                }
            })).toList();
            refused.await();
            go.countDown();
            int done = 0;
            for (var caller : callers) {
                done += caller.get().equals("done") ? 1 : 0;
            }
            assertEquals(trials, inside.get());
            assertEquals(trials, done);
            assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        }
    }

    @Test
    void lateResultsOfAnEarlierStateAreIgnored() throws Exception {
        var breaker = breaker(1, 1, 2);
        var lateSuccess = new Running(breaker, () -> 1);
        var lateFailures = List.of(new Running(breaker, failing()), new Running(breaker, failing()));
        fail(breaker);
        lateFailures.get(0).end();
        pass(OPEN_FOR.dividedBy(2));
        assertEquals(OPEN_FOR.dividedBy(2), refused(breaker), "a late failure does not prolong it");
        pass(OPEN_FOR.dividedBy(2));
        succeed(breaker);
        lateSuccess.end();
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state(), "a late success is no trial");
        lateFailures.get(1).end();
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state(), "nor a late failure");
        succeed(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void lateTrialsOfAnEarlierHalfOpenStateAreIgnored() throws Exception {
        var breaker = halfOpen(3);
        var failing = new Running(breaker, failing());
        var succeeding = new Running(breaker, () -> 1);
        fail(breaker);
        pass(OPEN_FOR);
        succeed(breaker);
        succeed(breaker);
        succeeding.end();
        failing.end();
        assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state());
        succeed(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void aTrialThatSaysNothingGivesItsPlaceBack() throws Exception {
        var breaker = halfOpen(1);
        for (int i = 0; i < 3; i++) {
            var trial = new Running(breaker, () -> 1);
            refused(breaker);
            trial.interrupt();
            for (Callable<?> nothing : List.<Callable<?>>of(() -> {
                throw new IllegalStateException("the bulkhead was full");
            }, () -> {
                throw new AssertionError("an Error of ours");
            }, () -> {
                Thread.currentThread().interrupt();
                throw new IOException("Closed by interrupt");
            })) {
                assertThrows(Throwable.class, () -> breaker.call(nothing));
                Thread.interrupted();
                assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state());
            }
        }
        succeed(breaker);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void aJudgeThatThrowsGivesThePlaceBackAndHidesNothing() throws Exception {
        for (boolean asNull : new boolean[] {false, true}) {
            var breaker = new CircuitBreaker(1, 1, OPEN_FOR, 1, e -> {
                if (e instanceof IOException) {
                    return CircuitBreaker.Verdict.FAILURE;
                }
                if (asNull) {
                    return null;
                }
                throw new StackOverflowError("judge");
            }, now::get);
            fail(breaker);
            pass(OPEN_FOR);
            var failure = new Exception("of the call");
            for (int i = 0; i < 20; i++) { // a shared exception does not grow without end
                assertSame(failure, assertThrows(Exception.class, () -> breaker.call(() -> {
                    throw failure;
                })));
            }
            assertEquals(10, failure.getSuppressed().length);
            assertSame(asNull ? NullPointerException.class : StackOverflowError.class,
                    failure.getSuppressed()[0].getClass());
            succeed(breaker);
            assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        }
    }

    @Test
    void aTrialKeepsTheOthersOutUntilItReports() throws Exception {
        var breaker = halfOpen(1);
        var hanging = new Running(breaker, () -> 1);
        for (int i = 0; i < 5; i++) {
            pass(OPEN_FOR.multipliedBy(100));
            assertEquals(OPEN_FOR, refused(breaker), "as if it failed now");
        }
        hanging.end();
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void aTrialBeyondItsOwnLimitIsWrittenOff() throws Exception {
        var breaker = halfOpen(2);
        var limit = Duration.ofSeconds(7);
        var lost = breaker.tryAcquire(limit).orElseThrow();
        assertTrue(lost.isTrial() && lost.isValid());
        succeed(breaker);
        pass(limit.minusNanos(1));
        assertEquals(Duration.ofNanos(1), refused(breaker));
        pass(Duration.ofNanos(1));
        assertEquals(Duration.ZERO, breaker.retryAfter());
        var second = new Running(breaker, () -> 1);
        refused(breaker);
        assertEquals(false, lost.failed(), "its late failure is not heard");
        refused(breaker);
        second.end();
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state(), "the success before still counts");
        assertThrows(IllegalArgumentException.class, () -> breaker.tryAcquire(Duration.ZERO));
        assertThrows(NullPointerException.class, () -> breaker.tryAcquire(null));
        breaker.tryAcquire(Duration.ofSeconds(Long.MAX_VALUE)).orElseThrow().close();
    }

    @Test
    void aPermitIsToldOnceFromAnyThread() throws Exception {
        var breaker = new CircuitBreaker(2, Duration.ofDays(1)); // of the real clock: it is not to be over
        for (int round = 0; round < 2_000; round++) {
            var permit = breaker.tryAcquire().orElseThrow();
            var barrier = new CyclicBarrier(2);
            var other = executor.submit(() -> {
                barrier.await();
                return permit.failed();
            });
            barrier.await();
            assertEquals(false, permit.failed(), "told twice it would count twice, and open");
            assertEquals(false, other.get());
            permit.succeeded();
            permit.close();
            assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
            breaker.tryAcquire().orElseThrow().succeeded(); // in a row no more
        }
        breaker.tryAcquire().orElseThrow().failed();
        var late = breaker.tryAcquire().orElseThrow();
        assertEquals(true, breaker.tryAcquire().orElseThrow().failed(), "this one opened it");
        assertEquals(false, late.isValid() || late.failed());
        assertTrue(breaker.tryAcquire().isEmpty());
    }

    @Test
    void tellsWhenItMayBeTried() throws Exception {
        var breaker = breaker(1, 1, 1);
        assertEquals(Duration.ZERO, breaker.retryAfter());
        fail(breaker);
        assertEquals(OPEN_FOR, breaker.retryAfter());
        pass(Duration.ofSeconds(10));
        assertEquals(OPEN_FOR.minusSeconds(10), breaker.retryAfter());
        pass(OPEN_FOR);
        assertEquals(Duration.ZERO, breaker.retryAfter());
        try (var trial = breaker.tryAcquire().orElseThrow()) {
            assertTrue(trial.isTrial());
            assertEquals(OPEN_FOR, breaker.retryAfter());
        }
        assertEquals(Duration.ZERO, breaker.retryAfter());
        succeed(breaker);
    }

    /** Against a plain list of all calls: opens exactly when enough of the recent ones have failed. */
    @Test
    void opensByRateOverATime() {
        for (int seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            int least = 1 + random.nextInt(10);
            double rate = (1 + random.nextInt(10)) / 10.0;
            var breaker = CircuitBreaker.byRate(rate, least, Duration.ofSeconds(10), OPEN_FOR, 1,
                    e -> CircuitBreaker.Verdict.FAILURE, now::get);
            long start = now.get();
            var calls = new ArrayList<long[]>(); // second, failed
            for (int step = 0; step < 100; step++) {
                if (random.nextInt(3) == 0) {
                    pass(Duration.ofMillis(random.nextInt(random.nextInt(20) == 0 ? 30_000 : 2_000)));
                }
                long second = (now.get() - start) / 1_000_000_000L;
                boolean failing = random.nextDouble() < rate;
                calls.add(new long[] {second, failing ? 1 : 0});
                var recent = calls.stream().filter(call -> call[0] > second - 10).toList();
                long failures = recent.stream().mapToLong(call -> call[1]).sum();
                boolean opens = failing && recent.size() >= least && failures >= rate * recent.size();
                var permit = breaker.tryAcquire().orElseThrow();
                if (failing) {
                    assertEquals(opens, permit.failed());
                } else {
                    permit.succeeded();
                }
                if (opens) {
                    break;
                }
            }
        }
        for (double bad : new double[] {0, -1, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> CircuitBreaker.byRate(bad, 1, OPEN_FOR, OPEN_FOR, 1,
                    e -> CircuitBreaker.Verdict.FAILURE, now::get));
        }
    }

    @Test
    void argumentsThatCannotWorkAreRefusedAndCountForNothing() throws Exception {
        var breaker = new CircuitBreaker(1, OPEN_FOR);
        assertThrows(NullPointerException.class, () -> breaker.call(null));
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        assertThrows(NullPointerException.class, () -> new CircuitBreaker(1, 1, OPEN_FOR, 1, null));
        assertThrows(NullPointerException.class, () -> new CircuitBreaker(1, 1, OPEN_FOR, 1, e -> null, null));
        assertThrows(NullPointerException.class, () -> new CircuitBreaker(1, null));
        for (var endless : List.of(Duration.ofSeconds(Long.MAX_VALUE), Duration.ofNanos(Long.MAX_VALUE))) {
            var never = new CircuitBreaker(1, 1, endless, 1, e -> CircuitBreaker.Verdict.FAILURE, now::get);
            fail(never);
            pass(Duration.ofDays(1));
            refused(never);
        }
    }

    @Test
    void fewCallsInALongTimeCloseItToo() throws Exception {
        var breaker = halfOpen(3);
        for (int i = 0; i < 3; i++) {
            assertEquals(CircuitBreaker.State.HALF_OPEN, breaker.state());
            pass(Duration.ofDays(1));
            succeed(breaker);
        }
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
    }

    @Test
    void noLockIsHeldDuringTheCall() throws Exception {
        var breaker = breaker(3, 3, 1);
        var running = new Running(breaker, () -> 1);
        succeed(breaker); // from another thread
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        assertEquals("nested", breaker.call(() -> breaker.call(() -> "nested")));
        running.end();
    }

    @Test
    void refusesBadNumbers() {
        for (int[] bad : new int[][] {{0, 1, 1}, {2, 1, 1}, {1, 1, 0}}) {
            assertThrows(IllegalArgumentException.class, () -> breaker(bad[0], bad[1], bad[2]));
        }
        assertThrows(IllegalArgumentException.class, () -> new CircuitBreaker(1, 1, Duration.ZERO, 1, e -> null));
    }

    /** Against a plain model of the contract: one thread, time that passes at random. */
    @Test
    @Timeout(600)
    void agreesWithAModel() throws Exception {
        int calls = 0;
        var states = new int[3];
        for (int seed = 0; seed < 400; seed++) {
            var random = new Random(seed);
            int failures = 1 + random.nextInt(4);
            int window = failures + random.nextInt(4);
            int trials = 1 + random.nextInt(3);
            var breaker = breaker(failures, window, trials);
            var latest = new ArrayList<Boolean>();
            boolean closed = true;
            long openUntil = 0;
            int successes = 0;
            for (int step = 0; step < 300; step++) {
                boolean isOpen = !closed && now.get() - openUntil < 0;
                states[breaker.state().ordinal()]++;
                assertEquals(closed ? CircuitBreaker.State.CLOSED
                        : isOpen ? CircuitBreaker.State.OPEN : CircuitBreaker.State.HALF_OPEN, breaker.state());
                switch (random.nextInt(6)) {
                    case 0, 1, 2 -> {
                        calls++;
                        boolean failing = random.nextInt(3) == 0;
                        try {
                            breaker.call(failing ? failing() : () -> 1);
                        } catch (CircuitBreaker.OpenException e) {
                            assertTrue(isOpen);
                            continue;
                        } catch (IOException e) {
                            assertTrue(failing);
                        }
                        assertTrue(!isOpen);
                        latest.add(failing);
                        if (closed ? latest.stream().skip(Math.max(0, latest.size() - window)).filter(f -> f)
                                .count() >= failures
                                : failing) {
                            closed = false;
                            openUntil = now.get() + OPEN_FOR.toNanos();
                            successes = 0;
                        } else if (!closed && ++successes == trials) {
                            closed = true;
                            latest.clear();
                        }
                    }
                    case 3 -> assertSame(isOpen ? CircuitBreaker.OpenException.class : IllegalStateException.class,
                            assertThrows(RuntimeException.class, () -> breaker.call(() -> {
                                throw new IllegalStateException();
                            })).getClass());
                    default -> pass(Duration.ofSeconds(random.nextInt(20)));
                }
            }
        }
        System.out.println("CircuitBreaker: " + calls + " calls agree with the model, states met: "
                + java.util.Arrays.toString(states));
        assertTrue(calls > 50_000);
    }

    /** Many threads, random outcomes and interrupts: no trial's place is lost or doubled, whatever ended it. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        int trials = 5;
        var ways = Stream.generate(AtomicInteger::new).limit(4).toList();
        int calls = 0;
        for (int round = 0; round < 200; round++) {
            var breaker = halfOpen(trials);
            var inside = new AtomicInteger();
            var callers = new ArrayList<Future<?>>();
            for (int t = 0; t < 20; t++) {
                long seed = round * 20L + t;
                callers.add(executor.submit(() -> {
                    var random = new Random(seed);
                    for (int i = 0; i < 30; i++) {
                        int way = random.nextInt(3);
                        try {
                            breaker.call(() -> {
                                try {
                                    assertTrue(inside.incrementAndGet() <= trials, "more trials than allowed");
                                    if (way == 0) {
                                        Thread.currentThread().interrupt();
                                    }
                                    Thread.sleep(0, 1);
                                    if (way == 1) {
                                        throw new IllegalStateException();
                                    }
                                    throw new StackOverflowError();
                                } finally {
                                    inside.decrementAndGet();
                                }
                            });
                        } catch (CircuitBreaker.OpenException e) {
                            ways.get(3).incrementAndGet();
                        } catch (InterruptedException | IllegalStateException | StackOverflowError e) {
                            ways.get(way).incrementAndGet();
                        }
                        Thread.interrupted();
                    }
                    return null;
                }));
            }
            for (var caller : callers) {
                caller.get();
                calls += 30;
            }
            var running = new ArrayList<Running>();
            for (int i = 0; i < trials; i++) {
                running.add(new Running(breaker, () -> 1));
            }
            refused(breaker);
            for (var trial : running) {
                trial.end();
            }
            assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        }
        System.out.println("CircuitBreaker: " + calls + " half-open calls: " + ways);
        assertTrue(calls >= 100_000 && ways.stream().allMatch(way -> way.get() > 0));
    }

    @Test
    void aClockThatThrowsKeepsNoTrialsPlace() throws Exception {
        var now = new AtomicLong();
        var broken = new AtomicBoolean();
        var breaker = new CircuitBreaker(1, 1, Duration.ofNanos(10), 1, e -> CircuitBreaker.Verdict.FAILURE, () -> {
            if (broken.get()) {
                throw new IllegalStateException("clock");
            }
            return now.get();
        });
        breaker.tryAcquire().orElseThrow().failed();
        now.set(10);
        var trial = breaker.tryAcquire().orElseThrow();
        broken.set(true);
        assertThrows(IllegalStateException.class, trial::succeeded);
        broken.set(false);
        assertTrue(breaker.tryAcquire().isPresent());
    }
}
