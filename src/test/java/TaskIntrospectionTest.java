import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class TaskIntrospectionTest {

    @Test
    void listsWhatRunsTheOldestFirst() throws Exception {
        var tasks = new TaskIntrospection("job");
        var go = new CountDownLatch(1);
        try (var executor = Executors.newThreadPerTaskExecutor(tasks)) {
            for (int i = 0; i < 3; i++) {
                executor.submit(() -> go.await(1, java.util.concurrent.TimeUnit.HOURS));
            }
            while (tasks.running().stream().anyMatch(one -> one.thread().getState() != Thread.State.TIMED_WAITING)) {
                Thread.sleep(1);
            }
            assertEquals(List.of("job-0", "job-1", "job-2"), tasks.running().stream()
                    .map(one -> one.thread().getName()).toList());
            assertTrue(tasks.running().getFirst().toString().matches("#\\d+ \"job-0\" \\d+ ms TIMED_WAITING"),
                    tasks.running()::toString);
            assertTrue(tasks.running().stream().allMatch(one -> one.stack().toString()
                    .contains("TaskIntrospectionTest")));
            assertEquals(3, tasks.olderThan(tasks.running().getLast().age()).size());
            assertEquals(0, tasks.olderThan(Duration.ofDays(1)).size());
            assertEquals(3, tasks.olderThan(Duration.ofSeconds(Long.MIN_VALUE)).size());
            go.countDown();
        }
        while (!tasks.running().isEmpty()) {
            Thread.sleep(1);
        }
    }

    @Test
    void nothingIsLeftHoweverTasksEnd() throws Exception {
        var tasks = new TaskIntrospection("stress");
        var ran = new AtomicInteger();
        int rounds = 100_000;
        try (var executor = Executors.newThreadPerTaskExecutor(tasks)) {
            for (int i = 0; i < rounds; i++) {
                int kind = ThreadLocalRandom.current().nextInt(4);
                var future = executor.submit(() -> {
                    ran.incrementAndGet();
                    switch (kind) {
                        case 0 -> throw new IllegalStateException("fails");
                        case 1 -> Thread.currentThread().setName("renamed");
                        case 2 -> Thread.currentThread().interrupt();
                        default -> Thread.sleep(Duration.ofNanos(1));
                    }
                    return null;
                });
                if (kind == 3) {
                    future.cancel(true);
                }
                if (i % 1_000 == 0) {
                    assertTrue(tasks.running().size() <= i + 1);
                }
            }
        }
        // the executor does not wait for the very end of a thread; on 21 close() does not wait for cancelled tasks
        while (!tasks.running().isEmpty()) {
            Thread.sleep(1);
        }
        System.out.println("TaskIntrospection: " + rounds + " tasks, of which " + ran + " ran; none is left");
    }
}
