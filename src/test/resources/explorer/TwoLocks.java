import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/** Two locks in two orders. */
public final class TwoLocks {
    public static void main(String[] args) throws InterruptedException {
        Lock left = new ReentrantLock();
        Lock right = new ReentrantLock();
        Thread one = Thread.startVirtualThread(() -> both(left, right));
        Thread two = Thread.startVirtualThread(() -> both(right, left));
        one.join();
        two.join();
    }

    private static void both(Lock first, Lock second) {
        first.lock();
        try {
            second.lock();
            second.unlock();
        } finally {
            first.unlock();
        }
    }
}
