import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** Runs tasks in virtual threads and interrupts one of them at random, over and over, until all have ended. */
final class Chaos {

    @FunctionalInterface
    interface Task {
        void run() throws Exception;
    }

    private Chaos() {
    }

    /**
     * Returns the number of interrupts sent. Throws what a task threw: an InterruptedException too is for the task to
     * handle.
     */
    static long run(List<? extends Task> tasks) throws InterruptedException {
        return run(tasks, Duration.ofNanos(20_000));
    }

    /**
     * {@code pause}: between two interrupts; null: none is sent, so that they do not hide a lost wake-up by waking the
     * waiter.
     */
    static long run(List<? extends Task> tasks, Duration pause) throws InterruptedException {
        var failure = new AtomicReference<Throwable>();
        var threads = new ArrayList<Thread>();
        for (Task task : tasks) {
            threads.add(Thread.startVirtualThread(() -> {
                try {
                    task.run();
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                }
            }));
        }
        var random = new Random(42);
        long interrupts = 0;
        while (threads.stream().anyMatch(Thread::isAlive)) {
            if (failure.get() != null) {
                threads.forEach(Thread::interrupt);
                throw new AssertionError("a task failed", failure.get());
            }
            if (pause != null) {
                threads.get(random.nextInt(threads.size())).interrupt();
                interrupts++;
            }
            LockSupport.parkNanos(pause == null ? 1_000_000 : pause.toNanos());
            if (Thread.interrupted()) {
                throw new InterruptedException("still running: " + threads.stream().filter(Thread::isAlive).count());
            }
        }
        if (failure.get() != null) {
            throw new AssertionError("a task failed", failure.get());
        }
        return interrupts;
    }

    /** Calls until not interrupted. */
    static void insist(Task task) throws Exception {
        while (true) {
            try {
                task.run();
                return;
            } catch (InterruptedException e) {
                // again
            }
        }
    }
}
