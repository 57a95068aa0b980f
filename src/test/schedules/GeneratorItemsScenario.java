import java.util.NoSuchElementException;
import java.util.concurrent.CompletionException;

/**
 * Generator: every item in order and the end, without a close() beside it; a failure once, when asked or at close().
 */
public final class GeneratorItemsScenario {
    public static void main(String[] args) {
        var all = new Generator<Integer>(out -> {
            for (int i = 1; i <= 3; i++) {
                out.yield(i);
            }
        });
        check(all.hasNext() && all.hasNext() && all.next() == 1, "looking takes nothing");
        check(all.next() == 2 && all.next() == 3 && !all.hasNext(), "in order, then the end");
        try {
            all.next();
            check(false, "no more");
        } catch (NoSuchElementException e) {
            all.close();
        }

        var failing = new Generator<Integer>(out -> {
            out.yield(1);
            throw new IllegalStateException("broken");
        });
        check(failing.next() == 1, "the item before");
        for (int i = 0; i < 2; i++) {
            try {
                failing.hasNext();
                check(false, "it has failed");
            } catch (CompletionException e) {
                check(e.getCause().getMessage().equals("broken"), "its failure");
            }
        }
        failing.close(); // was seen

        var unseen = new Generator<Integer>(out -> {
            try {
                out.yield(1);
                out.yield(2);
            } finally {
                throwing();
            }
        });
        check(unseen.next() == 1, "one");
        try {
            unseen.close();
            check(false, "nobody has seen its failure");
        } catch (CompletionException e) {
            unseen.close(); // once
        }

        var never = new Generator<Integer>(out -> check(false, "asked for nothing"));
        never.close();
    }

    private static void throwing() {
        throw new IllegalArgumentException("in finally");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
