import java.util.concurrent.atomic.AtomicBoolean;

/** Both wait for the other one's flag. */
public final class NeverEnds {
    public static void main(String[] args) throws InterruptedException {
        var one = new AtomicBoolean();
        var two = new AtomicBoolean();
        Thread thread = Thread.startVirtualThread(() -> {
            while (!one.get()) {
                Thread.onSpinWait();
            }
            two.set(true);
        });
        while (!two.get()) {
            Thread.onSpinWait();
        }
        one.set(true);
        thread.join();
    }
}
