/** Each call is synchronized, and between two of them another thread comes. */
public final class ChecksThenCalls {
    private int count;

    synchronized int get() {
        return count;
    }

    synchronized void set(int value) {
        count = value;
    }

    public static void main(String[] args) throws InterruptedException {
        var counter = new ChecksThenCalls();
        Runnable adds = () -> counter.set(counter.get() + 1);
        Thread one = Thread.startVirtualThread(adds);
        Thread two = Thread.startVirtualThread(adds);
        one.join();
        two.join();
        if (counter.get() != 2) {
            throw new AssertionError("counted " + counter.get());
        }
    }
}
