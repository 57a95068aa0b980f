import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.Locale;
import java.util.TimeZone;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Trap: a {@code ThreadLocal} that keeps an expensive object for the next task of the thread. A virtual thread has no
 * next task: each makes its own, uses it once, and keeps it as long as it lives.
 *
 * <p>Holds for: every JDK (measured on 21, 25, 26, 27). Libraries do it too (buffers, formatters, parsers): what cost
 * 200 objects in a pool of 200 threads costs 100,000 objects in 100,000 threads. Cure: an immutable object shared by
 * all ({@code DateTimeFormatter}); else a few objects that are borrowed, below; else a new one at each use. A {@code
 * ThreadLocal} that carries context is fine.
 *
 * <p>Run: {@code java examples/traps/ThreadLocalPerVirtualThread.java}
 */
public final class ThreadLocalPerVirtualThread {

    private ThreadLocalPerVirtualThread() {
    }

    // @start region="wrong"
    private static final ThreadLocal<SimpleDateFormat> FORMAT =
            ThreadLocal.withInitial(ThreadLocalPerVirtualThread::newFormat);

    static String formatted(Date date) {
        return FORMAT.get().format(date); // made for this call, kept until the thread ends
    }
    // @end region="wrong"

    // @start region="right"
    private static final BlockingQueue<SimpleDateFormat> FORMATS = new ArrayBlockingQueue<>(64);

    static String formattedByBorrowed(Date date) {
        SimpleDateFormat format = FORMATS.poll();
        if (format == null) {
            format = newFormat();
        }
        try {
            return format.format(date);
        } finally {
            FORMATS.offer(format); // one too many is garbage
        }
    }
    // @end region="right"

    private static final AtomicInteger MADE = new AtomicInteger();

    private static SimpleDateFormat newFormat() {
        MADE.incrementAndGet();
        var format = new SimpleDateFormat("yyyy-MM-dd", Locale.ROOT);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format;
    }

    private interface Formatting {
        String of(Date date);
    }

    /** Heap in use, in MB, while this many threads that have formatted a date wait. */
    private static long measure(int threads, Formatting formatting) throws InterruptedException {
        MADE.set(0);
        long before = usedMegabytes();
        var formatted = new CountDownLatch(threads);
        var end = new CountDownLatch(1);
        var ended = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            Thread.startVirtualThread(() -> {
                formatting.of(new Date(0));
                formatted.countDown();
                try {
                    end.await(); // stands for a slow request
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                ended.countDown();
            });
        }
        formatted.await();
        long used = usedMegabytes() - before;
        end.countDown();
        ended.await();
        return used;
    }

    private static long usedMegabytes() {
        System.gc();
        return (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) >> 20;
    }

    public static void main(String[] args) throws Exception {
        int threads = args.length == 0 ? 10_000 : Integer.parseInt(args[0]); // 100000 needs 400 MB of heap
        check(formatted(new Date(0)).equals(formattedByBorrowed(new Date(0))), "both format");
        long wrong = measure(threads, ThreadLocalPerVirtualThread::formatted);
        int perThread = MADE.get();
        System.out.printf("wrong: JDK %d, %,d threads, ThreadLocal: %,d formats made, %d MB held%n",
                Runtime.version().feature(), threads, perThread, wrong);
        check(perThread == threads, "one for each thread, none used twice");
        long right = measure(threads, ThreadLocalPerVirtualThread::formattedByBorrowed);
        System.out.printf("right: JDK %d, %,d threads, borrowed:    %,d formats made, %d MB held%n",
                Runtime.version().feature(), threads, MADE.get(), right);
        check(MADE.get() < threads / 10, "used again and again");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
