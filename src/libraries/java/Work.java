import java.time.Duration;
import java.util.concurrent.CountDownLatch;

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

    /** Where it ran. */
    static String find(int id) throws InterruptedException {
        Thread.sleep(1);
        return "user " + id + (Thread.currentThread().isVirtual() ? " from a virtual thread" : " from " + Thread.currentThread().getName());
    }
}
