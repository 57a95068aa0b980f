import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Trap: a parallel stream runs in the common pool, one thread a processor with the caller's: blocking calls in it
 * come a few at a time, and meanwhile nothing else that uses the pool gets a turn, other parallel streams computing
 * something included.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27). Called in a virtual thread, a parallel stream blocks the same
 * pool. Cure: a virtual thread a call, below; {@code examples/tasks/BoundedGather.java} with a bound on how many at
 * once.
 *
 * <p>Run: {@code java examples/traps/BlockedParallelStream.java} (starts a JVM that sees two processors)
 */
public final class BlockedParallelStream {

    private BlockedParallelStream() {
    }

    // @start region="wrong"
    static List<String> pages(List<String> urls) {
        return urls.parallelStream().map(BlockedParallelStream::fetch).toList();
    }
    // @end region="wrong"

    // @start region="right"
    static List<String> pagesInVirtualThreads(List<String> urls) throws InterruptedException, ExecutionException {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> fetches = urls.stream().map(url -> executor.submit(() -> fetch(url))).toList();
            var pages = new ArrayList<String>();
            for (var fetch : fetches) {
                pages.add(fetch.get());
            }
            return pages;
        }
    }
    // @end region="right"

    private static final AtomicInteger RUNNING = new AtomicInteger();
    private static final AtomicInteger PEAK = new AtomicInteger();
    private static volatile CountDownLatch begun;

    private static String fetch(String url) {
        PEAK.accumulateAndGet(RUNNING.incrementAndGet(), Math::max);
        begun.countDown();
        try {
            Thread.sleep(50);
            return "page of " + url;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            RUNNING.decrementAndGet();
        }
    }

    private interface Pages {
        List<String> of(List<String> urls) throws Exception;
    }

    /** Milliseconds until the common pool does something else. */
    private static long measure(String name, Pages pages) throws Exception {
        PEAK.set(0);
        begun = new CountDownLatch(2);
        List<String> urls = IntStream.range(0, 16).mapToObj(i -> "url " + i).toList();
        long start = System.nanoTime();
        var done = new long[1];
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                pages.of(urls);
                done[0] = millisSince(start);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        begun.await(); // both threads of the pool are in a call, if it is the pool that calls
        long asked = System.nanoTime();
        ForkJoinPool.commonPool().submit(() -> { }).get();
        long waited = millisSince(asked);
        caller.join();
        System.out.printf("%s: JDK %d, 16 calls of 50 ms, at once %d, done after %d ms; "
                + "another task of the common pool waited %d ms%n",
                name, Runtime.version().feature(), PEAK.get(), done[0], waited);
        return waited;
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0) {
            rerunOnTwoProcessors();
            return;
        }
        measure("wrong", BlockedParallelStream::pages);
        check(PEAK.get() <= 2, "as many calls at once as processors");
        measure("right", BlockedParallelStream::pagesInVirtualThreads);
        check(PEAK.get() > 2, "the calls overlap");
    }

    private static long millisSince(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }

    private static void rerunOnTwoProcessors() throws Exception {
        Path here = Path.of(BlockedParallelStream.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:ActiveProcessorCount=2");
        command.addAll(here.toString().endsWith(".java") ? List.of(here.toString())
                : List.of("-cp", here.toString(), BlockedParallelStream.class.getName()));
        command.add("measure");
        check(new ProcessBuilder(command).inheritIO().start().waitFor() == 0, "the JVM with two processors succeeds");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
