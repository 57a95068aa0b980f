import java.util.concurrent.CompletableFuture;

/** The common pool's threads. */
public final class CountsInThePool {
    private int count;

    public static void main(String[] args) {
        var counter = new CountsInThePool();
        var one = CompletableFuture.runAsync(() -> counter.count++);
        var two = CompletableFuture.runAsync(() -> counter.count++);
        CompletableFuture.allOf(one, two).join();
        if (counter.count != 2) {
            throw new AssertionError("counted " + counter.count);
        }
    }
}
