import java.util.concurrent.CountDownLatch;

/** A class initializer that waits keeps its carrier, which is everyone's here. */
public final class WaitsInAnInitializer {
    static final CountDownLatch GO = new CountDownLatch(1);

    static final class Slow {
        static final int VALUE;

        static {
            try {
                GO.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            VALUE = 1;
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Thread thread = Thread.startVirtualThread(() -> System.out.println(Slow.VALUE));
        while (thread.getState() == Thread.State.NEW) {
            Thread.onSpinWait();
        }
        Thread.sleep(1);
        GO.countDown();
        thread.join();
    }
}
