import java.util.concurrent.LinkedBlockingQueue;

/** Nobody ends the one that takes. */
public final class LeavesAThread {
    public static void main(String[] args) {
        var queue = new LinkedBlockingQueue<String>();
        Thread.ofVirtual().name("taker").start(() -> {
            try {
                while (!queue.take().isEmpty()) {
                    Thread.yield();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        queue.add("work");
    }
}
