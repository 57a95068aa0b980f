import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** LineLog: an idle writer is woken; close() waits for the rest or its limit, keeps the flag, and the writer ends. */
public final class LineLogCloseScenario {
    private static final Duration LONG = Duration.ofDays(9);

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        idle();
        hangs();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "woken, not out of time");
    }

    private static void idle() throws InterruptedException {
        var text = new StringBuffer();
        var self = new LineLog[1];
        var writer = new Thread[1];
        var log = new LineLog(lines -> {
            try {
                self[0].close(LONG);
                check(false, "it would wait for itself");
            } catch (IllegalStateException e) {
                writer[0] = Thread.currentThread();
            }
            text.append(text(lines));
        }, 1_000, 16, (counts, failure) -> check(failure == null, "no failure: " + failure));
        self[0] = log;
        check(log.offer("one"), "room");
        awaitWritten(log, 1);
        check(log.offer("twoooooo\u20ac\u20ac\u20ac\u20ac"), "room"); // cut within a character of three bytes
        awaitWritten(log, 2);
        check(log.offer("three"), "room");
        Thread.currentThread().interrupt();
        check(log.close(LONG) == 0, "all is written");
        check(Thread.interrupted(), "the flag is kept");
        check(text.toString().equals("one\ntwoooooo\u20ac...\nthree\n"), "each once, in order: " + text);
        writer[0].join();
        check(!log.offer("four") && log.counts().dropped() == 1, "closed");
    }

    /** Longer than close() waits; what is lost then is not written later. */
    private static void hangs() throws InterruptedException {
        var text = new StringBuffer();
        var begun = new CountDownLatch(1);
        var back = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var writer = new Thread[1];
        var log = new LineLog(lines -> {
            writer[0] = Thread.currentThread();
            begun.countDown();
            try {
                back.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            text.append(text(lines));
            ended.incrementAndGet();
        }, 1_000, 100, (counts, failure) -> { });
        log.offer("first");
        begun.await();
        log.offer("second");
        check(log.close(Duration.ofMillis(10)) == 2, "both are lost");
        back.countDown();
        writer[0].join();
        check(ended.get() == 1 && text.toString().equals("first\n"), "only the write that hung: " + text);
    }

    private static void awaitWritten(LineLog log, long lines) {
        while (log.counts().written() < lines) {
            Thread.onSpinWait();
        }
    }

    private static String text(ByteBuffer lines) {
        byte[] bytes = new byte[lines.remaining()];
        lines.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
