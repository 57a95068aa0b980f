/** Two monitors in two orders, one of them that of a synchronized method. */
public final class TwoMonitors {
    public static void main(String[] args) throws InterruptedException {
        var left = new TwoMonitors();
        var right = new TwoMonitors();
        Thread one = new Thread(() -> left.with(right));
        Thread two = new Thread(() -> right.with(left));
        one.start();
        two.start();
        one.join();
        two.join();
    }

    private synchronized void with(TwoMonitors other) {
        synchronized (other) {
            other.notifyAll();
        }
    }
}
