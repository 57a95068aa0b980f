import java.util.concurrent.locks.ReentrantLock;

/** A wait may end for nothing: if instead of while. */
public final class TakesAfterAnIf {
    public static void main(String[] args) throws InterruptedException {
        var lock = new ReentrantLock();
        var filled = lock.newCondition();
        var box = new String[1];
        Thread taker = Thread.startVirtualThread(() -> {
            lock.lock();
            try {
                if (box[0] == null) {
                    filled.await();
                }
                box[0].length();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                lock.unlock();
            }
        });
        lock.lock();
        try {
            box[0] = "x";
            filled.signal();
        } finally {
            lock.unlock();
        }
        taker.join();
    }
}
