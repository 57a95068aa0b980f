import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class SettledGatherTest {

    @Test
    void keepsEveryOutcomeInOrder() throws Exception {
        var boom = new Exception("boom");
        var error = new AssertionError("an Error stops nobody either");
        var outcomes = SettledGather.<Integer>all(List.of(() -> 1, () -> {
            throw boom;
        }, () -> null, () -> {
            throw error;
        }));
        assertEquals(List.of(new SettledGather.Outcome.Success<>(1), new SettledGather.Outcome.Failure<>(boom),
                new SettledGather.Outcome.Success<>(null), new SettledGather.Outcome.Failure<>(error)), outcomes);
        assertSame(boom, ((SettledGather.Outcome.Failure<Integer>) outcomes.get(1)).cause());
    }

    @Test
    void aFailureStopsNobody() throws Exception {
        var failed = new CountDownLatch(1);
        var outcomes = SettledGather.<Integer>all(List.of(() -> {
            failed.await();
            return 1;
        }, () -> {
            failed.countDown();
            throw new Exception("boom");
        }));
        assertEquals(new SettledGather.Outcome.Success<>(1), outcomes.getFirst());
    }

    @Test
    void runsAllAtOnce() throws Exception {
        var together = new CyclicBarrier(50);
        var outcomes = SettledGather.all(IntStream.range(0, 50).<Callable<Integer>>mapToObj(i -> together::await)
                .toList());
        assertTrue(outcomes.stream().allMatch(SettledGather.Outcome.Success.class::isInstance), outcomes::toString);
    }

    @Test
    void interruptOfTheCallerInterruptsAndAwaitsAllTasks() throws Exception {
        var running = new CountDownLatch(10);
        var ended = new AtomicInteger();
        Callable<Void> task = () -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
                return null;
            } finally {
                Thread.sleep(30);
                ended.incrementAndGet();
            }
        };
        var endedAtReturn = new CompletableFuture<Integer>();
        var caller = Thread.ofVirtual().start(() -> {
            try {
                SettledGather.all(IntStream.range(0, 10).mapToObj(i -> task).toList());
                endedAtReturn.complete(-1);
            } catch (InterruptedException e) {
                endedAtReturn.complete(ended.get());
            }
        });
        running.await();
        caller.interrupt();
        assertEquals(10, endedAtReturn.get());
    }

    @Test
    void eachTaskIsInterruptedOnceAndTheSecondInterruptIsKept() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(3, work -> SettledGather.all(Collections.nCopies(3, work.task())));
    }

    @Test
    void nullIsRefusedBeforeATaskStarts() {
        var started = new AtomicInteger();
        List<Callable<Integer>> withNull = Arrays.asList(started::incrementAndGet, null);
        assertEquals("task", assertThrows(NullPointerException.class, () -> SettledGather.all(withNull)).getMessage());
        assertEquals(0, started.get());
    }
}
