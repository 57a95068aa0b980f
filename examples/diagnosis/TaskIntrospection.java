import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * asyncio: {@code all_tasks()}, {@code current_task()}, {@code get_name()}, {@code set_name()}, {@code print_stack()}.
 * Final API, JDK 21 and later.
 *
 * <p>A factory of virtual threads that have names and can be listed, with age and stack; use one per executor. The JDK
 * lists virtual threads only in a thread dump. Use for a page of an admin server, or an alarm on requests that take too
 * long ({@link #olderThan}). Do not use it as a limit (a {@code Semaphore}), nor for a hang in production that has no
 * such page ({@code ThreadDump}).
 *
 * <p>A thread is listed from {@code newThread} until just after its task has ended, in any way; one that was never
 * started, or could not be, forever. Lists are snapshots. Thread-safe. Costs a map entry per thread.
 *
 * <p>Run: {@code java examples/diagnosis/TaskIntrospection.java}
 */
public final class TaskIntrospection implements ThreadFactory {

    // @start region="factory"
    /** @param age since the thread was made */
    public record Running(Thread thread, Duration age) {
        public List<StackTraceElement> stack() {
            return List.of(thread.getStackTrace());
        }

        @Override
        public String toString() {
            return "#" + thread.threadId() + " \"" + thread.getName() + "\" " + age.toMillis() + " ms "
                    + thread.getState();
        }
    }

    private record Entry(Thread thread, long born) {
    }

    private final Set<Entry> entries = ConcurrentHashMap.newKeySet();
    private final AtomicLong number = new AtomicLong();
    private final String name;

    /** @param name of the executor; its threads are named {@code name-0}, {@code name-1}, ... */
    public TaskIntrospection(String name) {
        this.name = Objects.requireNonNull(name, "name");
    }

    @Override
    public Thread newThread(Runnable task) {
        Objects.requireNonNull(task, "task");
        var self = new Entry[1]; // written before the thread is started
        Thread thread = Thread.ofVirtual().name(name + "-" + number.getAndIncrement()).unstarted(() -> {
            try {
                task.run();
            } finally {
                entries.remove(self[0]);
            }
        });
        self[0] = new Entry(thread, System.nanoTime());
        entries.add(self[0]);
        return thread;
    }

    /** The oldest first. */
    public List<Running> running() {
        return olderThan(Duration.ZERO);
    }

    /** Those made at least {@code age} ago, the oldest first. */
    public List<Running> olderThan(Duration age) {
        Objects.requireNonNull(age, "age");
        long now = System.nanoTime();
        return entries.stream().map(entry -> new Running(entry.thread, Duration.ofNanos(now - entry.born)))
                .filter(one -> one.age.compareTo(age) >= 0)
                .sorted(Comparator.comparing(Running::age).reversed()).toList();
    }
    // @end region="factory"

    public static void main(String[] args) throws Exception {
        // @start region="use"
        var requests = new TaskIntrospection("request");
        try (var executor = Executors.newThreadPerTaskExecutor(requests)) {
            var stuck = new CountDownLatch(1);
            var started = new CountDownLatch(1);
            executor.execute(() -> {
                Thread.currentThread().setName("GET /orders/42"); // current_task().set_name
                started.countDown();
                await(stuck);
            });
            // @end region="use"
            executor.submit(() -> System.out.println("a quick one")).get();
            started.await();
            while (requests.running().size() > 1
                    || requests.running().getFirst().thread().getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            for (Running one : requests.olderThan(Duration.ofMillis(1))) {
                System.out.println(one);
                one.stack().stream().filter(frame -> frame.getModuleName() == null)
                        .forEach(frame -> System.out.println("    at " + frame));
                check(one.thread().getName().equals("GET /orders/42"), "the name of what it does");
                check(one.stack().toString().contains("TaskIntrospection.await"), "the stack of a thread that waits");
            }
            stuck.countDown();
        }
        while (!requests.running().isEmpty()) {
            Thread.sleep(1); // the last ones leave the list just after close() has returned
        }
        System.out.println("no thread is left");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
