package service;

import java.net.BindException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * asyncio: {@code loop.add_signal_handler} and what you write in {@code finally}. The steps of a stop, run in the order
 * in which you add them; each is logged as it begins, and runs whatever the others throw. {@link #exitOnSignal} runs
 * them on SIGTERM or SIGINT, in {@code main}.
 *
 * <p>Each step limits its own wait: keep their sum below the time until SIGKILL. A step that never ends changes the
 * exit code but does not prevent the exit: after the limit the hook names it and halts. Needs {@link Log}.
 */
public final class Stop {
    private final List<Step> steps = new ArrayList<>();
    private final AtomicReference<Thread> runner = new AtomicReference<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile String current = "the start";
    private volatile boolean clean = true;

    @FunctionalInterface
    public interface Action {
        /** @return false if something still runs */
        boolean run() throws Exception;
    }

    @FunctionalInterface
    public interface Start {
        void run() throws Exception;
    }

    private record Step(String name, Action action) {
    }

    /** Before {@link #run}. */
    public void step(String name, Action action) {
        steps.add(new Step(name, action));
    }

    /**
     * Runs all steps, once; a second call waits for the first to end. Interrupts are left to the steps.
     *
     * @return false if a step failed or returned false
     * @throws IllegalStateException if called by a step
     */
    public boolean run() {
        if (!runner.compareAndSet(null, Thread.currentThread())) {
            if (runner.get() == Thread.currentThread() && ended.getCount() > 0) {
                throw new IllegalStateException("a step that stops again would wait for itself");
            }
            awaitEnd();
            return clean;
        }
        boolean interrupted = Thread.interrupted(); // what brought us here is not meant for the steps
        long begin = System.nanoTime();
        Log.info("stopping");
        for (var step : steps) {
            current = step.name;
            Log.info("stop: " + step.name, "ms", (System.nanoTime() - begin) / 1_000_000);
            try {
                clean &= step.action.run();
            } catch (Throwable e) {
                clean = false;
                interrupted |= e instanceof InterruptedException;
                Log.error("stop: " + step.name + " failed", e);
            }
        }
        Log.info("stopped", "clean", clean, "ms", (System.nanoTime() - begin) / 1_000_000);
        Log.flush(Duration.ofSeconds(1));
        ended.countDown();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return clean;
    }

    private void awaitEnd() {
        boolean interrupted = false;
        while (ended.getCount() > 0) {
            try {
                ended.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Starts, waits for a signal, runs the steps and ends the JVM: make it the last call of {@code main}. A signal
     * interrupts a running {@code start}; if it ignores that, the steps run when it returns. Exit codes: after a signal
     * 143 (SIGINT: 130), or {@code exitCode} if that is not 143; 1: it could not start, or something still ran at the
     * end. With a code other than 143 it halts: other hooks may be cut short.
     *
     * @param limit for all steps and the rest of the start
     */
    public void exitOnSignal(int exitCode, Duration limit, Start start) {
        var main = Thread.currentThread();
        var code = new AtomicInteger(1);
        var signalled = new AtomicBoolean();
        var codeIsKnown = new CountDownLatch(1);
        var hook = new Thread(() -> {
            signalled.set(true);
            main.interrupt();
            boolean inTime = false;
            try {
                inTime = codeIsKnown.await(TimeUnit.MILLISECONDS.convert(limit), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) { // blocking-ok: the JVM ends here
                // halt
            }
            if (!inTime) {
                say("still stopping after " + TimeUnit.MILLISECONDS.convert(limit) + " ms: " + current);
            }
            if (!inTime || code.get() != 143) {
                Runtime.getRuntime().halt(inTime ? code.get() : 1); // else 128 + signal. System.exit would hang here
            }
        }, "shutdown");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            sleepForEver(); // a signal has come already: the JVM halts
        }
        Throwable failure = null;
        try {
            start.run();
            while (!signalled.get()) {
                Thread.sleep(Duration.ofDays(1));
            }
        } catch (Throwable e) {
            failure = e;
        }
        boolean told = signalled.get() || failure instanceof InterruptedException;
        if (!told) {
            Log.error("not started", failure);
        }
        code.set(run() && told ? exitCode : 1);
        if (!told) {
            say("cannot start: " + (failure instanceof BindException ? failure.getMessage()
                    : failure.getClass().getSimpleName() + ", see the log"));
        }
        codeIsKnown.countDown();
        if (signalled.get()) {
            sleepForEver(); // the hook ends the JVM
        }
        System.exit(code.get());
    }

    /** Does not wait long for a reader of stderr. */
    private static void say(String line) {
        var thread = Thread.ofPlatform().daemon().start(() -> System.err.println(line));
        try {
            thread.join(500);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void sleepForEver() {
        while (true) {
            try {
                Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
                // a second signal
            }
        }
    }
}
