import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class InterleavingTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    @Test
    void pointsArePassedInTheOrderGiven() throws Exception {
        for (int round = 0; round < 200; round++) {
            var points = new ArrayList<>(IntStream.range(0, 20).mapToObj(i -> "p" + i % 10).toList()); // each twice
            Collections.shuffle(points);
            var steps = new Interleaving(LONG, points.toArray(String[]::new));
            var seen = Collections.synchronizedList(new ArrayList<String>());
            try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                for (String point : points) {
                    executor.submit(() -> {
                        steps.at(point);
                        return null;
                    });
                }
            }
            // a second walk, in which each thread passes before and after it writes down that it was there
            var order = points.stream().flatMap(point -> List.of("in " + point, "out " + point).stream())
                    .toArray(String[]::new);
            var guarded = new Interleaving(LONG, order);
            try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                for (String point : points) {
                    executor.submit(() -> {
                        guarded.at("in " + point);
                        seen.add(point);
                        guarded.at("out " + point);
                        return null;
                    });
                }
            }
            assertEquals(points, seen);
        }
    }

    @Test
    void saysWhichPointDidNotComeAndFailsTheOthers() throws Exception {
        var steps = new Interleaving(Duration.ofMillis(50), "a", "b", "c");
        steps.at("a");
        var other = new FutureTask<Void>(() -> {
            steps.at("c");
            return null;
        });
        Thread.startVirtualThread(other);
        var e = assertThrows(AssertionError.class, () -> steps.at("c"));
        assertTrue(e.getMessage().contains("\"b\" did not come") && e.getMessage().contains("passed: [a]"),
                e::getMessage);
        assertEquals(AssertionError.class, assertThrows(ExecutionException.class, other::get).getCause().getClass());
        assertThrows(AssertionError.class, () -> steps.at("b"), "it has failed for good");
    }

    @Test
    void aPointThatIsNotInTheOrder() throws Exception {
        var steps = new Interleaving(LONG, "a", "b");
        steps.at("a");
        var waits = new FutureTask<Throwable>(() -> assertThrows(AssertionError.class, () -> steps.at("b again")));
        waits.run();
        assertTrue(waits.get().getMessage().contains("\"b again\" is not in the order"), waits.get()::getMessage);
    }

    @Test
    void aWaitMayBeInterrupted() throws Exception {
        var steps = new Interleaving(LONG, "a", "b");
        Thread thread = Thread.startVirtualThread(() -> assertThrows(InterruptedException.class, () -> steps.at("b")));
        thread.interrupt();
        thread.join();
        steps.at("a");
        steps.at("b");
        assertFalse(Thread.currentThread().isInterrupted());
    }
}
