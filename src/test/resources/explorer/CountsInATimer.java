import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Two tasks of a scheduled pool are due at once. */
public final class CountsInATimer {
    private int count;

    public static void main(String[] args) throws InterruptedException {
        var counter = new CountsInATimer();
        try (var pool = Executors.newScheduledThreadPool(2)) {
            var done = new CountDownLatch(2);
            for (int i = 0; i < 2; i++) {
                pool.schedule(() -> {
                    counter.count++;
                    done.countDown();
                }, 1, TimeUnit.HOURS);
            }
            done.await();
        }
        if (counter.count != 2) {
            throw new AssertionError("counted " + counter.count);
        }
    }
}
