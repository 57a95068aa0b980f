package service;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What probes are told: {@code starting}, then what the readiness checks say, then {@code stopping}. Clients see which
 * check failed; the log says why. Thread-safe. Needs {@link Log}.
 */
public final class Health {
    private static final String STARTING = "starting";
    private final Map<String, Check> checks = new ConcurrentHashMap<>();
    private final AtomicReference<String> state = new AtomicReference<>(STARTING);

    /**
     * Check this instance, not what all instances share, or all become unready at once. A check that hangs counts as
     * failed, and is not started again.
     *
     * @param check throws if this instance cannot serve
     */
    public void readiness(String name, Duration limit, Tasks.Task check) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(limit, "limit");
        Objects.requireNonNull(check, "check");
        checks.put(name, new Check(name, limit, check));
    }

    /** No effect after {@link #stopping}. */
    public void started() {
        state.compareAndSet(STARTING, "");
    }

    public void stopping() {
        state.set("stopping");
    }

    public boolean isStarting() {
        return state.get().equals(STARTING);
    }

    /** What is not ready, and why; empty if ready. Takes as long as the slowest check, or its limit. */
    public Map<String, Object> failures() throws InterruptedException {
        var report = new TreeMap<String, Object>();
        String now = state.get();
        if (!now.isEmpty()) {
            report.put("service", now);
            return report;
        }
        checks.values().forEach(Check::begin);
        for (var check : checks.entrySet()) {
            String failure = check.getValue().result();
            if (failure != null) {
                report.put(check.getKey(), failure);
            }
        }
        return report;
    }

    /** Uses at most one thread. */
    private static final class Check {
        private final String name;
        private final Duration limit;
        private final Tasks.Task task;
        private final ReentrantLock lock = new ReentrantLock();
        private CompletableFuture<String> run = CompletableFuture.completedFuture(null);
        private long deadline; // guarded by lock, as is the last

        private Check(String name, Duration limit, Tasks.Task task) {
            this.name = name;
            this.limit = limit;
            this.task = task;
        }

        private void begin() {
            lock.lock();
            try {
                if (run.isDone()) {
                    var next = new CompletableFuture<String>();
                    deadline = System.nanoTime() + Math.clamp(TimeUnit.NANOSECONDS.convert(limit), 0,
                            Long.MAX_VALUE / 4);
                    Thread.ofVirtual().name("readiness").start(() -> check(next));
                    run = next;
                }
            } finally {
                lock.unlock();
            }
        }

        private void check(CompletableFuture<String> result) {
            try {
                task.run();
                result.complete(null);
            } catch (Throwable e) {
                result.complete("failed, see the log");
                Log.error("not ready: " + name, e);
            }
        }

        private String result() throws InterruptedException {
            CompletableFuture<String> current;
            long end;
            lock.lock();
            try {
                current = run;
                end = deadline;
            } finally {
                lock.unlock();
            }
            try {
                return current.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (ExecutionException | TimeoutException e) {
                return "no answer within " + TimeUnit.MILLISECONDS.convert(limit) + " ms";
            }
        }
    }
}
