/** Nobody looks whether what is waited for has been. */
public final class NotifiesTooEarly {
    public static void main(String[] args) throws InterruptedException {
        var bell = new Object();
        Thread waiter = Thread.startVirtualThread(() -> {
            synchronized (bell) {
                try {
                    bell.wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        synchronized (bell) {
            bell.notifyAll();
        }
        waiter.join();
    }
}
