import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Trap: a virtual thread that blocks inside {@code synchronized} keeps its carrier. As many of them as there are
 * processors, and no other virtual thread of the JVM gets a turn, whatever it does.
 *
 * <p>Holds for: JDK 21-23 (measured on 21). Gone in 24 (JEP 491; measured on 25, 26, 27): there {@code synchronized}
 * is as good as a lock, do not rewrite it. Still pinned on every JDK: class initialisers and native frames.
 * Cure: {@code ReentrantLock} where the code must run on 21; no example here blocks inside {@code synchronized}.
 *
 * <p>Run: {@code java examples/traps/PinnedMonitor.java}
 */
public final class PinnedMonitor {

    private final CountDownLatch calling;
    private final CountDownLatch answer = new CountDownLatch(1);

    private PinnedMonitor(int calls) {
        calling = new CountDownLatch(calls);
    }

    /** A connection that carries one call at a time. */
    private final class Connection {
        // @start region="wrong"
        synchronized String askSynchronized() throws InterruptedException {
            return remoteCall(); // on 21-23 the carrier waits too
        }
        // @end region="wrong"

        // @start region="right"
        private final ReentrantLock lock = new ReentrantLock();

        String ask() throws InterruptedException {
            lock.lockInterruptibly();
            try {
                return remoteCall();
            } finally {
                lock.unlock();
            }
        }
        // @end region="right"
    }

    private String remoteCall() throws InterruptedException {
        calling.countDown();
        answer.await();
        return "answer";
    }

    private interface Ask {
        String on(Connection connection) throws InterruptedException;
    }

    /** Turns that another virtual thread gets in 300 ms while {@code calls} of them wait for their answer. */
    private int turnsOfOthers(int calls, Ask ask, boolean expectSome) throws InterruptedException {
        for (int i = 0; i < calls; i++) {
            var connection = new Connection();
            Thread.startVirtualThread(() -> {
                try {
                    ask.on(connection);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        calling.await();
        var turns = new AtomicInteger();
        Thread other = Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    turns.incrementAndGet();
                    Thread.sleep(10);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        do {
            Thread.sleep(300);
        } while (expectSome && turns.get() == 0); // a busy machine may need longer
        int seen = turns.get();
        other.interrupt();
        answer.countDown();
        other.join();
        return seen;
    }

    public static void main(String[] args) throws Exception {
        int jdk = Runtime.version().feature();
        int carriers = Integer.getInteger("jdk.virtualThreadScheduler.parallelism",
                Runtime.getRuntime().availableProcessors());
        String setting = "JDK " + jdk + ", " + carriers + " calls wait; turns of another virtual thread in 300 ms: ";

        int wrong = new PinnedMonitor(carriers).turnsOfOthers(carriers, Connection::askSynchronized, jdk >= 24);
        System.out.println("wrong: synchronized,  " + setting + wrong);
        if (jdk < 24) {
            check(wrong == 0, "every carrier is pinned");
        } else {
            System.out.println("       (JEP 491, JDK 24: the trap is gone here)");
        }
        int right = new PinnedMonitor(carriers).turnsOfOthers(carriers, Connection::ask, true);
        System.out.println("right: ReentrantLock, " + setting + right);
        check(right > 0, "a lock lets the carriers go");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
