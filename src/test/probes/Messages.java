import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;

/** The texts of exceptions. */
public final class Messages {

    public static void main(String[] args) throws Exception {
        var virtual = Executors.newVirtualThreadPerTaskExecutor();
        virtual.close();
        print("closed-virtual-executor", () -> virtual.submit(() -> 1));
        var pool = Executors.newFixedThreadPool(1);
        pool.close();
        print("closed-pool", () -> pool.submit(() -> 1));
        var forkJoin = new ForkJoinPool(1);
        forkJoin.close();
        print("closed-fork-join-pool", () -> forkJoin.submit(() -> 1));
        print("resultNow-of-future-task", new FutureTask<>(() -> 1)::resultNow);
        print("resultNow-of-completable-future", new CompletableFuture<>()::resultNow);
        print("condition-notify", () -> {
            new ReentrantLock().newCondition().notify();
            return "";
        });
        print("unlock-by-another", () -> {
            new ReentrantLock().unlock();
            return "";
        });
        print("set-daemon-false", () -> {
            Thread.ofVirtual().unstarted(() -> { }).setDaemon(false);
            return "";
        });
        print("started-twice-virtual", () -> startTwice(Thread.ofVirtual().unstarted(() -> { })));
        print("started-twice-platform", () -> startTwice(Thread.ofPlatform().unstarted(() -> { })));
        print("sleep-interrupted", () -> {
            Thread.currentThread().interrupt();
            Thread.sleep(1);
            return "";
        });
        print("sleep-negative", () -> {
            Thread.sleep(-1);
            return "";
        });
        print("add-suppressed-itself", () -> {
            var failure = new Exception();
            failure.addSuppressed(failure);
            return "";
        });
        print("null-in-queue", () -> new LinkedBlockingQueue<>().offer(null));
        print("compute-in-compute-same-key", () -> {
            var map = new ConcurrentHashMap<String, Integer>();
            return map.computeIfAbsent("a", key -> map.computeIfAbsent("a", same -> 1));
        });
        print("compute-in-compute-same-bin", () -> {
            var map = new ConcurrentHashMap<String, Integer>();
            return map.computeIfAbsent("AaAa", key -> map.computeIfAbsent("BBBB", sameHash -> 1));
        });
        print("compute-in-compute-other-bin", () -> {
            var map = new ConcurrentHashMap<String, Integer>();
            return map.computeIfAbsent("a", key -> map.computeIfAbsent("b", other -> 1));
        });
        Probe.print("messages.compute-ring-of-two-threads", ring());
        Probe.end();
    }

    private static void print(String id, java.util.concurrent.Callable<?> call) {
        Probe.print("messages." + id, Probe.outcome(call));
    }

    private static String startTwice(Thread thread) {
        thread.start();
        thread.start();
        return "";
    }

    /** a asks for b while b asks for a. */
    private static String ring() throws Exception {
        var map = new ConcurrentHashMap<String, Integer>();
        var inside = new CyclicBarrier(2);
        var threads = new ArrayList<Thread>();
        for (List<String> keys : List.of(List.of("a", "b"), List.of("b", "a"))) {
            threads.add(Probe.daemon(() -> map.computeIfAbsent(keys.get(0), key -> {
                Probe.outcome(inside::await);
                return map.computeIfAbsent(keys.get(1), other -> 1);
            })));
        }
        return Probe.happens(() -> threads.stream().noneMatch(Thread::isAlive)) ? "ends" : "hangs";
    }
}
