/** Two threads count on a plain field. */
public final class LosesAnUpdate {
    private int count;

    public static void main(String[] args) throws InterruptedException {
        var counter = new LosesAnUpdate();
        Thread one = Thread.ofVirtual().start(() -> counter.count++);
        Thread two = new Thread(() -> counter.count++);
        two.start();
        one.join();
        two.join();
        if (counter.count != 2) {
            throw new AssertionError("counted " + counter.count);
        }
    }
}
