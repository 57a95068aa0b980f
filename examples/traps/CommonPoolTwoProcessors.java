import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: {@code supplyAsync} without an executor runs on the common pool, which has one thread fewer than there are
 * processors: in a container with two of them blocking calls run one after the other.
 *
 * <p>Holds for: JDK 25, 26, 27 on one or two processors (measured; JDK-8319447): one call at a time. JDK 21 starts a
 * new platform thread for each call there, without limit. On more processors every JDK runs processors - 1 calls at
 * once.
 * Cure: always pass an executor, below; or no {@code CompletableFuture}: {@code examples/tasks/FetchConcurrently.java}.
 *
 * <p>Run: {@code java examples/traps/CommonPoolTwoProcessors.java} (starts a JVM that sees two processors)
 */
public final class CommonPoolTwoProcessors {

    private CommonPoolTwoProcessors() {
    }

    // @start region="wrong"
    static List<String> prices(List<String> shops) {
        var answers = shops.stream().map(shop -> CompletableFuture.supplyAsync(() -> ask(shop))).toList();
        return answers.stream().map(CompletableFuture::join).toList();
    }
    // @end region="wrong"

    // @start region="right"
    static List<String> prices(List<String> shops, ExecutorService executor) {
        var answers = shops.stream().map(shop -> CompletableFuture.supplyAsync(() -> ask(shop), executor)).toList();
        return answers.stream().map(CompletableFuture::join).toList();
    }
    // @end region="right"

    private static final AtomicInteger RUNNING = new AtomicInteger();
    private static final AtomicInteger PEAK = new AtomicInteger();
    private static volatile CountDownLatch allAtOnce;

    /** Answers at once when all four are asked at the same time, after 150 ms otherwise. */
    private static String ask(String shop) {
        PEAK.accumulateAndGet(RUNNING.incrementAndGet(), Math::max);
        try {
            allAtOnce.countDown();
            allAtOnce.await(150, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            RUNNING.decrementAndGet();
        }
        return "price of " + shop;
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            rerunOnTwoProcessors();
            return;
        }
        int jdk = Runtime.version().feature();
        List<String> shops = List.of("a", "b", "c", "d");
        reset();
        prices(shops);
        System.out.println("wrong: JDK " + jdk + ", 2 processors, no executor:      calls at once " + PEAK + " of 4");
        if (jdk >= 25) {
            check(PEAK.get() == 1, "the common pool has one thread");
        } else {
            System.out.println("       (before 25: a new platform thread for each call)");
            check(PEAK.get() > 1, "not the common pool");
        }
        reset();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            prices(shops, executor);
        }
        System.out.println("right: JDK " + jdk + ", 2 processors, own executor:     calls at once " + PEAK + " of 4");
        check(PEAK.get() > 1, "the calls overlap");
    }

    private static void reset() {
        PEAK.set(0);
        allAtOnce = new CountDownLatch(4);
    }

    private static void rerunOnTwoProcessors() throws Exception {
        Path here = Path.of(CommonPoolTwoProcessors.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:ActiveProcessorCount=2");
        command.addAll(here.toString().endsWith(".java") ? List.of(here.toString())
                : List.of("-cp", here.toString(), CommonPoolTwoProcessors.class.getName()));
        command.add("measure");
        check(new ProcessBuilder(command).inheritIO().start().waitFor() == 0, "the JVM with two processors succeeds");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
