import java.util.concurrent.ExecutionException;

/** BackpressureStream: what each rule loses; the end, a failure, an interrupt or leaving ends a wait. */
public final class BackpressureStreamRulesScenario {
    private static final IllegalStateException BOOM = new IllegalStateException("boom");

    public static void main(String[] args) throws InterruptedException {
        rules();
        blocked();
        interrupted();
        leaves();
    }

    private static void rules() throws InterruptedException {
        var stream = new BackpressureStream<Integer>();
        var oldest = stream.subscribe(1, BackpressureStream.WhenFull.DROP_OLDEST);
        var newest = stream.subscribe(1, BackpressureStream.WhenFull.DROP_NEWEST);
        var cut = stream.subscribe(1, BackpressureStream.WhenFull.FAIL);
        for (int i = 1; i <= 3; i++) {
            stream.publish(i);
        }
        check(take(oldest).equals("3") && oldest.dropped() == 2, "the latest");
        check(take(newest).equals("1") && newest.dropped() == 2, "the first");
        check(take(cut).equals("1") && take(cut).startsWith("SlowSubscriber") && cut.dropped() == 1, "cut off");
        Thread reader = Thread.ofVirtual().start(() -> check(take(oldest).equals("IllegalStateException"), "failed"));
        stream.fail(BOOM);
        reader.join();
        oldest.close();
        newest.close();
        try {
            stream.publish(4);
            check(false, "it has ended");
        } catch (IllegalStateException e) {
            check(take(stream.subscribe(1, BackpressureStream.WhenFull.BLOCK)).equals("IllegalStateException"), "end");
        }
    }

    private static void blocked() throws InterruptedException {
        var stream = new BackpressureStream<Integer>();
        var reader = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
        Thread source = Thread.ofVirtual().start(() -> {
            try {
                stream.publish(1);
                stream.publish(2);
                stream.publish(3);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        check(take(reader).equals("1") && take(reader).equals("2") && take(reader).equals("3"), "all, in order");
        source.join();
        check(reader.dropped() == 0, "none lost");
    }

    private static void interrupted() throws InterruptedException {
        var stream = new BackpressureStream<Integer>();
        var full = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
        stream.publish(1);
        Thread source = Thread.ofVirtual().start(() -> {
            try {
                stream.publish(2);
                check(false, "no room");
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "told once");
            }
        });
        source.interrupt();
        source.join();
        stream.close();
        check(full.dropped() <= 1 && take(full).equals("1") && take(full).equals("end"), "missed by who had no room");
    }

    private static void leaves() throws InterruptedException {
        var stream = new BackpressureStream<Integer>();
        var leaving = stream.subscribe(1, BackpressureStream.WhenFull.BLOCK);
        Thread source = Thread.ofVirtual().start(() -> {
            try {
                stream.publish(1);
                stream.publish(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        leaving.close();
        check(take(leaving).equals("end"), "nothing after it has left");
        source.join();
        check(take(leaving).equals("end"), "and later");
    }

    private static String take(BackpressureStream<Integer>.Subscription from) {
        try {
            return from.take().map(String::valueOf).orElse("end");
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
