import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** Blocking work that tells when it has begun and when it was interrupted. */
final class Work {

    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch interrupted = new CountDownLatch(1);

    String forever() throws InterruptedException {
        begun.countDown();
        try {
            Thread.sleep(Duration.ofDays(1));
            return "never";
        } catch (InterruptedException e) {
            interrupted.countDown();
            throw e;
        }
    }

    /**
     * Waits until work that {@code stop} ends has been interrupted; with new work, if the first was ended before it
     * began.
     */
    static void awaitInterrupted(Consumer<Work> stop) throws InterruptedException {
        var work = new Work();
        for (stop.accept(work); work.begun.getCount() > 0; stop.accept(work)) {
            work = new Work();
        }
        work.interrupted.await();
    }

    /** Where it ran. */
    static String find(int id) throws InterruptedException {
        Thread.sleep(1);
        return "user " + id + (Thread.currentThread().isVirtual() ? " from a virtual thread" : " from "
                + Thread.currentThread().getName());
    }
}
