/** Who sleeps longer is not always later. */
public final class SleepsForAnOrder {
    private volatile boolean set;

    public static void main(String[] args) throws InterruptedException {
        var flag = new SleepsForAnOrder();
        Thread writer = Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(10);
                flag.set = true;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Thread.sleep(20);
        if (!flag.set) {
            throw new AssertionError("not set yet");
        }
        writer.join();
    }
}
