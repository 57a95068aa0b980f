import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** LineLog: a target that takes nothing or throws is tried again; problems are told, and those that come meanwhile. */
public final class LineLogProblemsScenario {
    public static void main(String[] args) throws InterruptedException {
        var told = new CopyOnWriteArrayList<String>();
        var holds = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        var log = new LineLog(lines -> {
            if (told.isEmpty()) {
                return; // takes nothing
            }
            if (lines.get(lines.position()) == 'b' && told.size() == 1) {
                throw new IOException("broken");
            }
            if (lines.get(lines.position()) == 'c') {
                holds.countDown();
                await(release);
            }
            lines.position(lines.limit());
        }, 20, 20, (counts, failure) -> told.add(counts.dropped() + " " + (failure == null ? null
                : failure.getMessage())));
        check(log.offer("a"), "room");
        awaitWritten(log, 1);
        Thread.sleep(Duration.ofHours(1));
        check(log.offer("b"), "room");
        awaitWritten(log, 2);
        check(told.equals(List.of("0 the target takes nothing", "0 broken")), "told once each: " + told);
        Thread.sleep(Duration.ofHours(1));
        check(log.offer("c"), "room");
        holds.await();
        check(!log.offer("more than there is room for"), "too much waits");
        Thread other = Thread.ofVirtual().start(() -> log.offer("another one that is too long"));
        log.offer("and one more that is too long");
        other.join();
        Thread.sleep(Duration.ofHours(1));
        check(log.counts().dropped() == 3 && told.getLast().equals("3 null"), "told of all: " + told);
        release.countDown();
        check(log.close(Duration.ofDays(9)) == 0 && told.size() <= 5, "written: " + told);
    }

    private static void awaitWritten(LineLog log, long lines) throws InterruptedException {
        while (log.counts().written() < lines) {
            Thread.sleep(Duration.ofMinutes(1));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
