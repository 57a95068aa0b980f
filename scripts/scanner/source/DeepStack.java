package scanner.source;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Threads for code that recurses as deeply as sources are nested. */
public final class DeepStack {

    /**
     * The compiler's parser recurses: sources nested 10,000 deep need more than threads have. Only what is used takes
     * memory.
     */
    private static final long STACK = 1L << 29;

    private DeepStack() {
    }

    /** Runs a task in a thread for deeply nested sources; false if there is no room for such a thread. */
    public static boolean start(Runnable task) {
        try {
            Thread.ofPlatform().name("analysis").stackSize(STACK).daemon().start(task);
            return true;
        } catch (OutOfMemoryError e) {
            return false;
        }
    }

    public static <T> T await(FutureTask<T> task) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw (Error) e.getCause();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
