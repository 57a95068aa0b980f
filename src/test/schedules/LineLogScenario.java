import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** LineLog: what is accepted is written once, in the order of each thread, although a write fails, beside close(). */
public final class LineLogScenario {

    public static void main(String[] args) throws InterruptedException {
        var text = new StringBuffer();
        var calls = new AtomicInteger();
        var log = new LineLog(lines -> {
            if (calls.incrementAndGet() == 1) {
                text.append((char) lines.get());
                throw new IOException("half a line");
            }
            byte[] bytes = new byte[lines.remaining()];
            lines.get(bytes);
            text.append(new String(bytes, StandardCharsets.UTF_8));
        }, 1_000, 100, (counts, failure) -> { });
        var accepted = new boolean[2];
        Thread other = Thread.ofVirtual().start(() -> {
            accepted[0] = log.offer("b");
            accepted[1] = log.offer("c");
        });
        boolean first = log.offer("a");
        long lost = log.close(Duration.ofDays(1));
        other.join();
        var counts = log.counts();
        String written = text.toString();
        int lines = 1 + (accepted[0] ? 1 : 0) + (accepted[1] ? 1 : 0);
        if (!first || lost != 0 || counts.accepted() != lines || counts.written() != lines
                || counts.dropped() != 3 - lines
                || !accepted[0] && accepted[1] || !written.replaceAll("[bc]\n", "").equals("a\n")
                || written.length() != 2 * lines || accepted[1] && written.indexOf('b') > written.indexOf('c')) {
            throw new AssertionError(counts + ", lost " + lost + ": " + written.replace('\n', '|'));
        }
        if (log.offer("late")) {
            throw new AssertionError("accepted after close()");
        }
    }
}
