/** Who sleeps for an hour longer is later. */
public final class SleepsLongEnough {
    private volatile boolean set;

    public static void main(String[] args) throws InterruptedException {
        var flag = new SleepsLongEnough();
        long start = System.currentTimeMillis();
        Thread writer = Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(10);
                flag.set = true;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Thread.sleep(3_600_000);
        if (!flag.set || System.currentTimeMillis() - start < 3_600_000) {
            throw new AssertionError("not set yet, or no time has passed");
        }
        writer.join();
    }
}
