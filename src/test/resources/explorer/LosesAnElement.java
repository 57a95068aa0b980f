/** Two threads count on an element of an array that only they know. */
public final class LosesAnElement {
    public static void main(String[] args) throws InterruptedException {
        var counts = new long[1];
        Thread one = Thread.startVirtualThread(() -> counts[0]++);
        Thread two = Thread.startVirtualThread(() -> counts[0]++);
        one.join();
        two.join();
        if (counts[0] != 2) {
            throw new AssertionError("counted " + counts[0]);
        }
    }
}
