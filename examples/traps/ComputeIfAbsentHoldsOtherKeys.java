import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Trap: {@code ConcurrentHashMap.computeIfAbsent} holds the lock of a bin while it loads: other keys of that bin, and
 * everyone who has to help resize it, wait for a load that is not theirs. A loader that asks the same map again fails
 * or hangs, and on 21-23 the waiting virtual threads are pinned as well.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27).
 * Cure: put a future into the map and load outside its lock, below; {@code examples/state/SingleFlight.java} is the
 * production form.
 *
 * <p>Run: {@code java examples/traps/ComputeIfAbsentHoldsOtherKeys.java}
 */
public final class ComputeIfAbsentHoldsOtherKeys {

    private ComputeIfAbsentHoldsOtherKeys() {
    }

    // @start region="wrong"
    static final ConcurrentHashMap<String, String> VALUES = new ConcurrentHashMap<>();

    static String lookUp(String key) {
        return VALUES.computeIfAbsent(key, ComputeIfAbsentHoldsOtherKeys::load);
    }
    // @end region="wrong"

    // @start region="right"
    static final ConcurrentHashMap<String, FutureTask<String>> LOADS = new ConcurrentHashMap<>();

    static String lookUpFreely(String key) throws InterruptedException, ExecutionException {
        var mine = new FutureTask<>(() -> load(key));
        FutureTask<String> first = LOADS.putIfAbsent(key, mine);
        if (first == null) {
            first = mine;
            mine.run(); // the map is not locked while it runs
        }
        try {
            return first.get();
        } catch (ExecutionException e) {
            LOADS.remove(key, first); // a failure is not cached
            throw e;
        }
    }
    // @end region="right"

    private static final int OTHER_KEYS = 64;
    private static volatile CountDownLatch loading;
    private static volatile CountDownLatch answer;

    private static String load(String key) {
        if (key.equals("slow")) {
            try {
                loading.countDown();
                answer.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return key + " loaded";
    }

    public static void main(String[] args) throws Exception {
        long wrong = blockedKeys(ComputeIfAbsentHoldsOtherKeys::lookUp, false);
        System.out.println("wrong: while one key loads, other keys that wait for it: " + wrong + " of " + OTHER_KEYS);
        check(wrong > 0, "other keys are held up");
        check(VALUES.size() == OTHER_KEYS + 1, "they go on when the load has ended");

        long right = blockedKeys(key -> unchecked(() -> lookUpFreely(key)), true);
        System.out.println("right: while one key loads, other keys that wait for it: " + right + " of " + OTHER_KEYS);
        check(right == 0, "no other key waits");
    }

    /** How many of the other keys were not there while "slow" was loading; {@code waitForAll} waits for all of them. */
    private static long blockedKeys(Function<String, String> lookUp, boolean waitForAll) throws InterruptedException {
        loading = new CountDownLatch(1);
        answer = new CountDownLatch(1);
        var found = new CountDownLatch(OTHER_KEYS);
        // platform threads: on 21 virtual ones would be pinned, which is another trap
        try (var executor = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().daemon().factory())) {
            executor.execute(() -> lookUp.apply("slow"));
            loading.await();
            for (int i = 0; i < OTHER_KEYS; i++) {
                String key = "key" + i;
                executor.execute(() -> {
                    lookUp.apply(key);
                    found.countDown();
                });
            }
            boolean all = found.await(waitForAll ? 60_000 : 300, TimeUnit.MILLISECONDS);
            long blocked = all ? 0 : found.getCount();
            answer.countDown();
            return blocked;
        }
    }

    private static <T> T unchecked(Callable<T> call) {
        try {
            return call.call();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
