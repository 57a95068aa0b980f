import java.util.concurrent.CompletableFuture;

/**
 * Generator: an interrupt of the body, by whoever it is, is told to it once: as an exception, and then the item was not
 * taken, or as its flag.
 */
public final class GeneratorWithdrawnScenario {
    public static void main(String[] args) {
        var body = new CompletableFuture<Thread>();
        var state = new Object() {
            volatile boolean withdrawn;
        };
        Thread stranger = Thread.ofVirtual().start(() -> body.join().interrupt());
        var generator = new Generator<Integer>(out -> {
            boolean told = false;
            body.complete(Thread.currentThread());
            try {
                out.yield(1);
            } catch (InterruptedException e) {
                state.withdrawn = true;
                told = true;
            }
            try {
                stranger.join();
            } catch (InterruptedException e) {
                check(!told, "told once");
                told = true;
                stranger.join();
            }
            check(told ^ Thread.interrupted(), "told once");
            out.yield(2);
        });
        int first = generator.next();
        check(first == (state.withdrawn ? 2 : 1), "the first that was not withdrawn: " + first);
        check(first == 2 || generator.next() == 2, "then the other");
        check(!generator.hasNext(), "the end");
        generator.close();
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
