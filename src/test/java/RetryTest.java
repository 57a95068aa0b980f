import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class RetryTest {

    private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);
    private static final RandomGenerator LARGEST = new RandomGenerator() {
        @Override
        public long nextLong() {
            throw new AssertionError("bounded only");
        }

        @Override
        public long nextLong(long bound) {
            return bound - 1;
        }
    };
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5); // the monotonic clock may wrap around
    private final List<Duration> slept = new ArrayList<>();
    private int calls;

    @AfterEach
    void noFlagLeft() {
        Thread.interrupted();
    }

    private Retry retry(int attempts, Duration first, Duration max, Duration total, Retry.Rule rule) {
        return new Retry(new Retry.Policy(attempts, first, max, total, rule), duration -> {
            slept.add(duration);
            now.addAndGet(duration.toNanos());
        }, now::get, LARGEST);
    }

    private Retry retry(int attempts) {
        return retry(attempts, Duration.ZERO, Duration.ZERO, FOREVER, Retry.on(e -> true));
    }

    private <T> T failing(Exception e) throws Exception {
        calls++;
        throw e;
    }

    @Test
    void returnsTheFirstResultNullIncluded() throws Exception {
        assertNull(retry(3).<Integer>call(remaining -> {
            if (++calls < 3) {
                throw new IOException();
            }
            return null;
        }));
        assertEquals(3, calls);
    }

    @Test
    void throwsTheLastFailureWithTheEarlierOnesSuppressed() {
        var failures = IntStream.range(0, 4).mapToObj(i -> new IOException("attempt " + i)).toList();
        var thrown = assertThrows(IOException.class, () -> retry(4).call(r -> failing(failures.get(calls))));
        assertSame(failures.get(3), thrown);
        assertArrayEquals(failures.subList(0, 3).toArray(), thrown.getSuppressed());
    }

    @Test
    void aFailureThatIsNotRetriedKeepsTheEarlierOnes() {
        var first = new IOException("retried");
        var thrown = assertThrows(IllegalStateException.class, () -> retry(9, Duration.ZERO, Duration.ZERO, FOREVER,
                Retry.on(IOException.class::isInstance)).call(r -> failing(calls == 0 ? first
                        : new IllegalStateException())));
        assertArrayEquals(new Throwable[] {first}, thrown.getSuppressed());
        assertEquals(2, calls);
    }

    @Test
    void theSameFailureAgainIsNotSuppressedByItselfNorGrowsWithEachCall() {
        var constant = new IOException("constant");
        for (int i = 0; i < 1_000; i++) {
            calls = 0;
            assertSame(constant, assertThrows(IOException.class, () ->
                    retry(3).call(r -> failing(calls == 0 ? new IOException("new") : constant))));
        }
        assertEquals(10, constant.getSuppressed().length);
    }

    @Test
    void manyAttemptsKeepTheLastTenFailures() {
        var thrown = assertThrows(IOException.class, () -> retry(100_000)
                .call(r -> failing(new IOException("" + calls))));
        assertEquals("99999", thrown.getMessage());
        assertEquals(IntStream.range(99_989, 99_999).mapToObj(i -> "" + i).toList(),
                Arrays.stream(thrown.getSuppressed()).map(Throwable::getMessage).toList());
    }

    @Test
    void errorsAreNotRetried() {
        var first = new IOException();
        var error = new AssertionError();
        assertSame(error, assertThrows(AssertionError.class, () -> retry(9).call(r -> {
            if (++calls == 1) {
                throw first;
            }
            throw error;
        })));
        assertEquals(2, calls);
        assertArrayEquals(new Throwable[] {first}, error.getSuppressed());
    }

    @Test
    void interruptsAreNotRetried() {
        var direct = new InterruptedException();
        assertSame(direct, assertThrows(InterruptedException.class, () -> retry(9).call(r -> failing(direct))));
        var wrapped = new IllegalStateException(new RuntimeException(new InterruptedException()));
        assertSame(wrapped, assertThrows(IllegalStateException.class, () -> retry(9).call(r -> failing(wrapped))));
        var closed = new IOException("Closed by interrupt");
        assertSame(closed, assertThrows(IOException.class, () -> retry(9).call(r -> {
            Thread.currentThread().interrupt();
            return failing(closed);
        })));
        assertTrue(Thread.interrupted(), "the flag is left set");
        assertEquals(3, calls);
    }

    @Test
    void aTimeoutIsNoInterrupt() {
        assertThrows(SocketTimeoutException.class, () -> retry(2).call(r -> failing(new SocketTimeoutException())));
        assertThrows(TimeoutException.class, () -> retry(2).call(r -> failing(new TimeoutException())));
        assertEquals(4, calls);
    }

    @Test
    void anInterruptEndsTheWaitAndKeepsTheFailures() throws Exception {
        var waiting = new CountDownLatch(1);
        var real = new Retry(new Retry.Policy(2, Duration.ZERO, Duration.ZERO, FOREVER, e ->
                Optional.of(Duration.ofHours(1))),
                wait -> {
                    waiting.countDown();
                    Thread.sleep(wait);
                }, System::nanoTime, LARGEST);
        var thrown = new CompletableFuture<Throwable>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                real.call(r -> failing(new IOException("first")));
            } catch (Throwable e) {
                thrown.complete(e);
            }
        });
        waiting.await();
        caller.interrupt();
        assertEquals(InterruptedException.class, thrown.get().getClass());
        assertEquals("first", thrown.get().getSuppressed()[0].getMessage());
    }

    @Test
    void backoffDoublesUpToItsMaximumAndNeverOverflows() {
        assertThrows(IOException.class, () -> retry(8, Duration.ofNanos(10), Duration.ofNanos(65), FOREVER,
                Retry.on(IOException.class::isInstance)).call(r -> failing(new IOException())));
        assertEquals(List.of(9, 19, 39, 64, 64, 64, 64), slept.stream().map(Duration::toNanos).map(Long::intValue)
                .toList());
        slept.clear();
        assertThrows(IOException.class, () -> new Retry(new Retry.Policy(200, Duration.ofNanos(3), FOREVER, FOREVER,
                Retry.on(IOException.class::isInstance)), slept::add, () -> 0, LARGEST)
                        .call(r -> failing(new IOException())));
        long before = 0;
        for (Duration wait : slept) {
            assertTrue(wait.toNanos() >= before, () -> slept.toString());
            before = wait.toNanos();
        }
        assertEquals(199, slept.size());
        assertEquals(Long.MAX_VALUE / 2 - 1, before);
    }

    @Test
    void jitterIsAPartOfTheBackoff() {
        for (long seed = 0; seed < 1_000; seed++) {
            var random = new Random(seed);
            var waits = new ArrayList<Duration>();
            assertThrows(IOException.class, () -> new Retry(new Retry.Policy(4, Duration.ofMillis(100),
                    Duration.ofMillis(150),
                    FOREVER, Retry.on(IOException.class::isInstance)), waits::add, System::nanoTime, random)
                    .call(r -> failing(new IOException())));
            for (int i = 0; i < 3; i++) {
                assertTrue(!waits.get(i).isNegative() && waits.get(i).toMillis() < (i == 0 ? 100 : 150));
            }
        }
    }

    @Test
    void theLeastWaitComesBeforeTheJitterAndBeyondTheMaximum() {
        var waits = List.of(Duration.ofSeconds(120), Duration.ofSeconds(-1), Duration.ZERO).iterator();
        assertThrows(IOException.class, () -> retry(4, Duration.ofNanos(10), Duration.ofNanos(10), FOREVER,
                e -> Optional.of(waits.next())).call(r -> failing(new IOException())));
        assertEquals(List.of(Duration.ofNanos(120_000_000_009L), Duration.ofNanos(9), Duration.ofNanos(9)), slept);
    }

    @Test
    void doesNotBeginAWaitThatEndsTooLate() {
        assertThrows(IOException.class, () -> retry(4, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(60),
                e -> Optional.of(Duration.ofSeconds(25))).call(r -> failing(new IOException())));
        assertEquals(List.of(Duration.ofSeconds(25), Duration.ofSeconds(25)), slept);
        assertEquals(3, calls);
        assertThrows(IOException.class, () -> retry(4, Duration.ofDays(1), Duration.ofDays(1), FOREVER,
                e -> Optional.of(FOREVER)).call(r -> failing(new IOException())));
        assertEquals(4, calls);
    }

    @Test
    void doesNotStartAnAttemptAfterTheTotal() {
        var retry = new Retry(new Retry.Policy(9, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(10),
                Retry.on(e -> true)),
                duration -> now.addAndGet(Duration.ofMinutes(1).toNanos()), now::get,
                        LARGEST); // the machine was suspended
        var failure = new IOException();
        assertSame(failure, assertThrows(IOException.class, () -> retry.call(r -> failing(failure))));
        assertEquals(1, calls);
        assertEquals(0, failure.getSuppressed().length);
    }

    @Test
    void anAttemptGetsWhatIsLeft() throws Exception {
        var remaining = new ArrayList<Duration>();
        retry(3, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(10), e -> Optional.of(Duration.ofSeconds(4)))
                .call(r -> {
            remaining.add(r);
            return remaining.size() < 3 ? failing(new IOException()) : 1;
        });
        assertEquals(Stream.of(10, 6, 2).map(Duration::ofSeconds).toList(), remaining);
    }

    @Test
    void aRuleThatFailsHidesNothing() {
        for (Retry.Rule broken : List.<Retry.Rule>of(e -> null, e -> {
            throw new StackOverflowError("rule");
        })) {
            calls = 0;
            var first = new IOException("first");
            var second = new IOException("second");
            var retry = retry(9, Duration.ZERO, Duration.ZERO, FOREVER,
                    e -> e == first ? Optional.of(Duration.ZERO) : broken.leastWait(e));
            assertSame(second, assertThrows(IOException.class, () -> retry.call(r -> failing(calls == 0 ? first
                    : second))));
            assertEquals(2, calls);
            assertEquals(2, second.getSuppressed().length);
            assertSame(first, second.getSuppressed()[1]);
        }
    }

    @Test
    void decidesWithoutWaiting() {
        var retry = retry(3, Duration.ofNanos(10), Duration.ofNanos(15), Duration.ofSeconds(1), e ->
                e.getMessage() == null ? Optional.empty() : Optional.of(Duration.parse(e.getMessage())));
        assertEquals(Optional.of(Duration.ofNanos(9)), retry.next(new IOException("PT0S"), 1, FOREVER));
        assertEquals(Optional.of(Duration.ofNanos(14)), retry.next(new IOException("PT-9S"), 2, FOREVER));
        assertEquals(Optional.empty(), retry.next(new IOException("PT0S"), 3, FOREVER), "three were made");
        assertEquals(Optional.empty(), retry.next(new IOException(), 1, FOREVER), "the rule");
        assertEquals(Optional.empty(), retry.next(new IOException("PT2S"), 1, Duration.ofSeconds(2)),
                "no time is left then");
        assertEquals(Optional.of(Duration.ofNanos(2_000_000_009)),
                retry.next(new IOException("PT2S"), 1, Duration.ofNanos(2_000_000_010)));
        for (var nothing : List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertEquals(Optional.empty(), retry.next(new IOException("PT0S"), 1, nothing));
            assertEquals(Optional.empty(), retry.next(Duration.ZERO, 1, nothing));
        }
        assertEquals(Optional.of(Duration.ofNanos(1_000_000_009)), retry.next(Duration.ofSeconds(1), 1, FOREVER));
        assertEquals(Optional.empty(), retry.next(FOREVER, 1, FOREVER));
        assertEquals(Optional.empty(), retry.next(Duration.ZERO, 3, FOREVER));
        assertEquals(Optional.empty(), retry.next(new RuntimeException("PT0S", new InterruptedException()), 1,
                FOREVER));
        Thread.currentThread().interrupt();
        assertEquals(Optional.empty(), retry.next(new IOException("PT0S"), 1, FOREVER));
        assertTrue(Thread.interrupted());
        assertThrows(IllegalArgumentException.class, () -> retry.next(Duration.ZERO, 0, FOREVER));
        assertEquals(List.of(), slept);
    }

    @Test
    void aResultMayBeTriedAgain() throws Exception {
        var retry = retry(4, Duration.ZERO, Duration.ZERO, FOREVER, Retry.on(IOException.class::isInstance));
        var notYet = new IOException("mixed with failures");
        assertEquals(3, retry.<Integer>call(FOREVER,
                result -> result < 3 ? Optional.of(Duration.ofSeconds(result)) : Optional.empty(),
                remaining -> calls == 1 ? failing(notYet) : ++calls));
        assertEquals(List.of(Duration.ofSeconds(1), Duration.ZERO), slept);
        slept.clear();
        calls = 0;
        assertEquals(4, retry.<Integer>call(FOREVER, result -> Optional.of(Duration.ofSeconds(1)), remaining ->
                ++calls),
                "given up: the latest result");
        assertEquals(3, slept.size());
        calls = 0;
        assertEquals(2, retry.<Integer>call(Duration.ofSeconds(5), result -> Optional.of(Duration.ofSeconds(3)),
                remaining -> ++calls), "the budget of the call");
        var bug = new IllegalStateException("of again");
        assertSame(bug, assertThrows(IllegalStateException.class, () -> retry.call(FOREVER, result -> {
            throw bug;
        }, remaining -> 1)));
    }

    @Test
    void aBudgetIsTheCallersOwn() throws Exception {
        var retry = retry(9, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(10), e ->
                Optional.of(Duration.ofSeconds(4)));
        for (int budget : new int[] {6, 60}) {
            var remaining = new ArrayList<Duration>();
            assertThrows(IOException.class, () -> retry.call(Duration.ofSeconds(budget), r -> Optional.empty(), r -> {
                remaining.add(r);
                return failing(new IOException());
            }));
            assertEquals((budget == 6 ? Stream.of(6, 2) : Stream.of(10, 6, 2)).map(Duration::ofSeconds).toList(),
                    remaining);
        }
        calls = 0;
        for (var nothing : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(TimeoutException.class, () -> retry.call(nothing, r -> Optional.empty(), r -> ++calls));
        }
        assertEquals(0, calls, "not asked when nothing is left");
    }

    @Test
    void aDecoratedTaskIsRetriedOnEachCall() throws Exception {
        var task = retry(3).decorate(() -> calls % 3 == 2 ? ++calls : failing(new IOException()));
        assertEquals(3, task.call());
        assertEquals(6, task.call());
    }

    @Test
    void readsRetryAfter() {
        var now = Instant.parse("2026-01-01T00:00:00Z");
        assertEquals(Optional.of(Duration.ofSeconds(120)), Retry.parseRetryAfter(" 120 ", now));
        assertEquals(Optional.of(Duration.ofSeconds(90)), Retry.parseRetryAfter("Thu, 01 Jan 2026 00:01:30 GMT", now));
        assertEquals(Optional.of(Duration.ZERO), Retry.parseRetryAfter("Wed, 31 Dec 2025 23:59:59 GMT", now));
        for (String bad : List.of("", "-1", "1.5", "soon", "9".repeat(30), "Thu, 99 Jan 2026 00:01:30 GMT")) {
            assertEquals(Optional.empty(), Retry.parseRetryAfter(bad, now), bad);
        }
    }

    @Test
    void refusesBadPolicies() {
        var rule = Retry.on(IOException.class::isInstance);
        var second = Duration.ofSeconds(1);
        assertThrows(IllegalArgumentException.class, () -> new Retry.Policy(0, second, second, second, rule));
        assertThrows(IllegalArgumentException.class, () -> new Retry.Policy(1, second.negated(), second, second, rule));
        assertThrows(IllegalArgumentException.class, () -> new Retry.Policy(1, second, second.negated(), second, rule));
        assertThrows(IllegalArgumentException.class, () -> new Retry.Policy(1, second, second, Duration.ZERO, rule));
        assertThrows(NullPointerException.class, () -> new Retry.Policy(1, null, second, second, rule));
        assertThrows(NullPointerException.class, () -> new Retry.Policy(1, second, second, second, null));
        assertThrows(NullPointerException.class, () -> new Retry(null));
        assertThrows(NullPointerException.class, () -> Retry.on(null));
        assertThrows(NullPointerException.class, () -> retry(1).decorate(null));
        assertThrows(NullPointerException.class, () -> retry(1).call(null));
    }

    /** One Retry, many threads, random outcomes; the attempts and what is thrown are exactly as the script says. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        var sleeps = new AtomicLong();
        var retry = new Retry(new Retry.Policy(5, Duration.ofNanos(1), Duration.ofNanos(100), FOREVER,
                Retry.on(IOException.class::isInstance)),
                duration -> {
                    sleeps.incrementAndGet();
                    Thread.sleep(0);
                }, System::nanoTime, new Random(1));
        var ways = Stream.generate(AtomicInteger::new).limit(5).toList();
        var expectedSleeps = new AtomicLong();
        var failed = new CompletableFuture<Void>();
        var threads = IntStream.range(0, 50).mapToObj(seed -> Thread.ofVirtual().start(() -> {
            var random = new Random(seed);
            for (int round = 0; round < 1_000; round++) {
                int failures = random.nextInt(8);
                int end = random.nextInt(4);
                int made = 0;
                int[] count = {0};
                try {
                    retry.call(remaining -> {
                        if (count[0]++ < failures) {
                            throw new IOException();
                        }
                        switch (end) {
                            case 0 -> throw new IllegalStateException();
                            case 1 -> throw new InterruptedException();
                            case 2 -> throw new AssertionError("scripted");
                            default -> {
                                return null;
                            }
                        }
                    });
                    ways.get(3).incrementAndGet();
                } catch (Throwable e) {
                    try {
                        made = e.getSuppressed().length;
                        assertEquals(Math.min(failures, 4), made);
                        assertEquals(failures > 4 ? IOException.class : List.of(IllegalStateException.class,
                                InterruptedException.class, AssertionError.class).get(end), e.getClass());
                        ways.get(failures > 4 ? 4 : end).incrementAndGet();
                    } catch (Throwable wrong) {
                        failed.completeExceptionally(wrong);
                    }
                }
                expectedSleeps.addAndGet(Math.min(failures, 4));
                if (count[0] != Math.min(failures + 1, 5)) {
                    failed.completeExceptionally(new AssertionError(count[0] + " attempts for " + failures
                            + " failures"));
                }
            }
        })).toList();
        for (var thread : threads) {
            thread.join();
        }
        failed.getNow(null);
        assertEquals(expectedSleeps.get(), sleeps.get());
        assertTrue(sleeps.get() > 100_000 && ways.stream().allMatch(way -> way.get() > 0), () -> sleeps + " " + ways);
        System.out.println("Retry: 50000 calls, " + (50_000 + sleeps.get()) + " attempts");
    }

    @Test
    void aBudgetThatGrowsIsAskedForAnew() throws Exception {
        var ends = new AtomicLong(now.get() + 100); // of the caller who waits longest
        var remaining = new ArrayList<Long>();
        var waiting = retry(9, Duration.ZERO, Duration.ZERO, FOREVER, Retry.on(e -> true));
        assertEquals("late", waiting.callWithin(() -> Duration.ofNanos(ends.get() - now.get()),
                result -> Optional.empty(), left -> {
                    remaining.add(left.toNanos());
                    now.addAndGet(60);
                    ends.addAndGet(remaining.size() == 1 ? 1_000 : 0); // somebody joins during the first attempt
                    return remaining.size() < 3 ? failing(new IOException()) : "late";
                }));
        assertEquals(List.of(100L, 1_040L, 980L), remaining);
    }

    @Test
    void aBudgetThatDoesNotGrowEndsTheAttempts() {
        long end = now.get() + 100;
        var thrown = assertThrows(IOException.class, () -> retry(9).callWithin(
                () -> Duration.ofNanos(end - now.get()), result -> Optional.empty(), left -> {
                    now.addAndGet(60);
                    return failing(new IOException());
                }));
        assertEquals(2, calls);
        assertEquals(1, thrown.getSuppressed().length);
        assertThrows(TimeoutException.class, () -> retry(9).callWithin(() -> Duration.ofSeconds(Long.MIN_VALUE),
                result -> Optional.empty(), left -> failing(new IOException())));
        assertThrows(TimeoutException.class, () -> retry(9).call(Duration.ofSeconds(Long.MIN_VALUE),
                result -> Optional.empty(), left -> failing(new IOException())));
        assertEquals(2, calls, "not asked when nothing is left");
    }

    @Test
    void thePolicysTotalHoldsBesideAnEndlessBudget() {
        assertThrows(IOException.class, () -> retry(9, Duration.ZERO, Duration.ZERO, Duration.ofNanos(100),
                Retry.on(e -> true)).callWithin(() -> FOREVER, result -> Optional.empty(), left -> {
                    now.addAndGet(60);
                    return failing(new IOException());
                }));
        assertEquals(2, calls);
    }

    @Test
    void whatABudgetThrowsComesOutWithTheFailuresBefore() {
        var first = new IOException();
        var thrown = assertThrows(IllegalStateException.class, () -> retry(9).callWithin(() -> {
            if (calls > 0) {
                throw new IllegalStateException();
            }
            return FOREVER;
        }, result -> Optional.empty(), left -> failing(first)));
        assertArrayEquals(new Throwable[] {first}, thrown.getSuppressed());
        assertThrows(NullPointerException.class, () -> retry(9).callWithin(null, result -> Optional.empty(),
                left -> 1));
        assertThrows(NullPointerException.class, () -> retry(9).callWithin(() -> null, result -> Optional.empty(),
                left -> failing(first)));
        assertEquals(1, calls);
    }
}
