import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: on JDK 21 {@code close()} of a virtual-thread-per-task executor does not wait for {@code Callable}s that were
 * cancelled with {@code Future.cancel(true)}: they still run their cleanup while the code after the {@code try}
 * believes that they have ended.
 *
 * <p>Holds for: JDK 21 (measured); fixed in 25 (JDK-8347039; measured on 25, 26, 27). On every JDK a cancelled {@code
 * Future} is done at once, so neither {@code isDone()} nor {@code get()} shows when the task has ended. Cure: {@code
 * shutdownNow()} instead of {@code cancel}, below: {@code close()} then waits, on every JDK; after both it does not on
 * 21. {@code examples/tasks/Gather.java} does so.
 *
 * <p>Run: {@code java examples/traps/CancelledStillRunning.java}
 */
public final class CancelledStillRunning {

    private CancelledStillRunning() {
    }

    // @start region="wrong"
    static <T> void raceLeaking(Iterable<Callable<T>> uploads, CountDownLatch enough) throws InterruptedException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var futures = new ArrayList<Future<T>>();
            for (Callable<T> upload : uploads) {
                futures.add(executor.submit(upload));
            }
            enough.await();
            futures.forEach(future -> future.cancel(true));
        } // on 21 the cancelled uploads are still running here
    }
    // @end region="wrong"

    // @start region="right"
    static <T> void race(Iterable<Callable<T>> uploads, CountDownLatch enough) throws InterruptedException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Callable<T> upload : uploads) {
                executor.submit(upload);
            }
            enough.await();
            executor.shutdownNow();
        } // every upload has ended here
    }
    // @end region="right"

    public static void main(String[] args) throws Exception {
        int jdk = Runtime.version().feature();
        var wrong = new Uploads(4, jdk == 21 ? 30_000 : 500);
        raceLeaking(wrong.tasks, wrong.started);
        int afterClose = wrong.running.get();
        System.out.println("wrong: JDK " + jdk + ", uploads still running after close(): " + afterClose + " of 4");
        if (jdk == 21) {
            check(afterClose > 0, "21 does not wait for cancelled callables");
        } else if (jdk >= 25) {
            System.out.println("       (fixed in JDK 25: the trap is gone here)");
            check(afterClose == 0, "25 and later wait");
        }
        wrong.observed.countDown();
        wrong.ended.await();

        var right = new Uploads(4, 500);
        race(right.tasks, right.started);
        System.out.println("right: JDK " + jdk + ", uploads still running after close(): " + right.running + " of 4");
        check(right.running.get() == 0, "close() waits after shutdownNow()");
    }

    /** Uploads that, told to stop, need so many milliseconds to roll back, or until the program has looked. */
    private static final class Uploads {
        final CountDownLatch started;
        final CountDownLatch ended;
        final CountDownLatch observed = new CountDownLatch(1);
        final AtomicInteger running = new AtomicInteger();
        final ArrayList<Callable<Void>> tasks = new ArrayList<>();
        private final int rollback;

        Uploads(int count, int rollback) {
            this.rollback = rollback;
            started = new CountDownLatch(count);
            ended = new CountDownLatch(count);
            for (int i = 0; i < count; i++) {
                tasks.add(this::upload);
            }
        }

        private Void upload() throws InterruptedException {
            running.incrementAndGet();
            started.countDown();
            try {
                Thread.sleep(60_000);
            } finally {
                observed.await(rollback, TimeUnit.MILLISECONDS);
                running.decrementAndGet();
                ended.countDown();
            }
            return null;
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
