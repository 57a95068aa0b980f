import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** The patterns around one another, in the order the reference gives. */
@org.junit.jupiter.api.Timeout(600)
class CompositionTest {

    private final AtomicLong now = new AtomicLong();
    private final List<Duration> slept = new ArrayList<>();
    private final AtomicInteger calls = new AtomicInteger();
    private final Bulkhead bulkhead = new Bulkhead(1, 0, Duration.ZERO);
    private Duration perAttempt = Duration.ofSeconds(30);

    // @start region="policies"
    private final CircuitBreaker breaker = new CircuitBreaker(3, 10, Duration.ofSeconds(30), 1,
            failure -> failure instanceof Bulkhead.FullException ? CircuitBreaker.Verdict.IGNORED
                    : CircuitBreaker.Verdict.FAILURE,
            now::get);
    private final Retry retry = new Retry(new Retry.Policy(5, Duration.ZERO, Duration.ZERO, Duration.ofMinutes(1),
            failure -> Optional.of(failure instanceof CircuitBreaker.OpenException open ? open.retryAfter()
                    : Duration.ZERO)),
            this::sleep, now::get, RandomGenerator.getDefault());
    // @end region="policies"

    private void sleep(Duration duration) {
        slept.add(duration);
        now.addAndGet(duration.toNanos());
    }

    private Fallback.Answer<String> ask(Callable<String> request) throws Exception {
        // @start region="stack"
        return Fallback.<String>of("live", () ->
                retry.call(remaining ->
                        breaker.call(() ->
                                bulkhead.call(() ->
                                        Timeout.call(request, least(remaining, perAttempt))))))
                .or("cache", Exception.class, () -> "cached").call();
        // @end region="stack"
    }

    private static Duration least(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    @Test
    void anOpenCircuitIsWaitedForAndNotHammered() throws Exception {
        var answer = ask(() -> {
            if (calls.incrementAndGet() <= 3) {
                throw new IOException();
            }
            return "live";
        });
        assertEquals("live", answer.source());
        assertEquals(List.of(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(30)), slept);
        assertEquals(4, calls.get());
    }

    @Test
    void aTimeoutInsideOpensTheCircuit() throws Exception {
        perAttempt = Duration.ofMillis(50);
        var answer = ask(() -> {
            calls.incrementAndGet();
            new CountDownLatch(1).await();
            return null;
        });
        assertTrue(answer.degraded());
        assertEquals("cached", answer.value());
        assertEquals(4, calls.get(), "three that time out, then, when it is half-open, one more");
        assertEquals(CircuitBreaker.State.OPEN, breaker.state());
    }

    @Test
    void aFullBulkheadSaysNothingAboutTheOtherSide() throws Exception {
        var answer = bulkhead.call(() -> ask(() -> {
            throw new AssertionError("called");
        }));
        assertTrue(answer.failures().getFirst() instanceof Bulkhead.FullException);
        assertEquals(CircuitBreaker.State.CLOSED, breaker.state());
        assertFalse(ask(() -> "live").degraded());
    }

    /** With the timeout outside as well, no attempt starts after it, and none still runs. */
    @Test
    void aTimeoutOutsideEndsTheRetries() throws Exception {
        var running = new AtomicInteger();
        assertThrows(TimeoutException.class, () -> Timeout.call(() -> retry.call(remaining -> {
            calls.incrementAndGet();
            running.incrementAndGet();
            try {
                new CountDownLatch(1).await();
            } finally {
                running.decrementAndGet();
            }
            return null;
        }), Duration.ofMillis(50)));
        assertEquals(1, calls.get());
        assertEquals(0, running.get());
    }

    /**
     * The place belongs to the call until it has ended, however long ago it timed out: else more run than the bulkhead
     * allows.
     */
    @Test
    void aCallThatTimedOutKeepsItsPlaceUntilItHasEnded() throws Exception {
        var interrupted = new CountDownLatch(1);
        var end = new CountDownLatch(1);
        var caller = Thread.ofVirtual().start(() -> assertDoesNotThrow(() -> bulkhead.call(() -> Timeout.call(() -> {
            while (end.getCount() > 0) {
                try {
                    end.await();
                } catch (InterruptedException e) {
                    interrupted.countDown(); // not heeded
                }
            }
            return null;
        }, Duration.ofMillis(20)))));
        interrupted.await();
        assertThrows(Bulkhead.FullException.class, () -> bulkhead.call(() -> "second"));
        end.countDown();
        caller.join();
        assertEquals("second", bulkhead.call(() -> "second"));
    }

    private final List<String> sources = List.of("quick", "slow");
    private final AtomicInteger slow = new AtomicInteger();
    private final AtomicInteger interrupted = new AtomicInteger();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);

    // @start region="shared"
    private record Ask(String source, String symbol) { }

    private final SingleFlight<Ask, String> asked = new SingleFlight<>(this::fetch, false);

    /** One call for each source and symbol, however many want it; each has what is there at his own deadline. */
    private List<SettledGather.Outcome<String>> quote(String symbol, Timeout.Deadline deadline)
            throws InterruptedException {
        return SettledGather.all(sources.stream().<Callable<String>>map(source ->
                () -> asked.get(new Ask(source, symbol), deadline.remaining())).toList());
    }
    // Failure(TimeoutException): it was late
    // Failure(ExecutionException): it failed, or (cause: TimeoutException) no time was left to ask

    /** Tries again as long as that is in time for one of those who wait. */
    private String fetch(Ask ask) throws Exception {
        return retry.callWithin(asked::left, answer -> Optional.empty(), left -> call(ask, left));
    }
    // @end region="shared"

    private String call(Ask ask, Duration left) throws InterruptedException {
        assertTrue(left.compareTo(Duration.ofHours(1)) <= 0, left::toString);
        if (ask.source.equals("slow")) {
            slow.incrementAndGet();
            begun.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                interrupted.incrementAndGet();
                throw e;
            }
        }
        return ask.source + ' ' + ask.symbol;
    }

    @Test
    void eachCallerTakesWhatIsThereAtHisDeadlineOfOneCall() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var patient = executor.submit(() -> quote("ACME", Timeout.Deadline.after(Duration.ofHours(1))));
            begun.await();
            var there = new SettledGather.Outcome.Success<>("quick ACME");
            List<SettledGather.Outcome<String>> partial;
            long millis = 10;
            do { // on a busy machine the quick one may be late, too
                partial = quote("ACME", Timeout.Deadline.after(Duration.ofMillis(millis *= 2)));
                assertInstanceOf(TimeoutException.class, failure(partial.get(1)));
            } while (!partial.get(0).equals(there));
            go.countDown();
            assertEquals(List.of(there, new SettledGather.Outcome.Success<>("slow ACME")), patient.get());
            assertEquals(1, slow.get());
            assertEquals(0, interrupted.get());
        }
    }

    @Test
    void aSharedCallEndsWithTheLastWhoWaitsForIt() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var callers = new ArrayList<Future<List<SettledGather.Outcome<String>>>>();
            for (int i = 1; i <= 10; i++) {
                int millis = i;
                callers.add(executor.submit(() -> quote("ACME", Timeout.Deadline.after(Duration.ofMillis(millis)))));
            }
            for (var caller : callers) {
                Throwable late = failure(caller.get().get(1));
                // of the load itself, if that began too late, and was over before this caller's own limit was seen
                assertInstanceOf(TimeoutException.class, late instanceof ExecutionException ? late.getCause() : late);
            }
            while (interrupted.get() < slow.get()) {
                Thread.sleep(1);
            }
        }
    }

    private static Throwable failure(SettledGather.Outcome<String> outcome) {
        return assertInstanceOf(SettledGather.Outcome.Failure.class, outcome).cause();
    }
}
