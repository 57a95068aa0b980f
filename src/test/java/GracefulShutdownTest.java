import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class GracefulShutdownTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    /** What a child JVM runs; a line that ends in "!" asks for a signal. */
    static final class App {

        public static void main(String[] args) throws Exception {
            var brief = Duration.ofMillis(200);
            switch (args[0]) {
                case "orderly" -> GracefulShutdown.run(LONG, 9, () -> {
                    try (var first = new Closing("first"); var second = new Closing("second")) {
                        first.say("up");
                        second.say("up !");
                        new CountDownLatch(1).await();
                    }
                    return null;
                });
                case "startup" -> GracefulShutdown.run(LONG, 9, () -> {
                    try (var first = new Closing("first")) {
                        first.say("up, next one opening !");
                        new CountDownLatch(1).await();
                        System.out.println("opened");
                    }
                    return null;
                });
                case "late" -> GracefulShutdown.run(brief, 9, App::stubborn);
                case "failing" -> GracefulShutdown.run(LONG, 9, () -> {
                    System.out.println("up !");
                    try {
                        return new CountDownLatch(1).getCount() + waitForever();
                    } catch (InterruptedException e) {
                        throw new IOException("flush failed");
                    }
                });
                case "returning" -> {
                    int result = GracefulShutdown.run(LONG, 9, () -> {
                        System.out.println("up !");
                        try {
                            return waitForever();
                        } catch (InterruptedException e) {
                            return 5;
                        }
                    });
                    System.out.println("after run " + result);
                    System.exit(result);
                }
                case "by itself" -> System.exit(GracefulShutdown.<Integer>run(brief, 9, () -> 3));
                case "exit inside" -> GracefulShutdown.run(brief, 9, () -> {
                    System.exit(5);
                    return null;
                });
                case "exit code 0" -> GracefulShutdown.run(LONG, 0, 9, signal -> {
                    try (var first = new Closing("first")) {
                        System.out.print("up, without a line's end");
                        first.say(" !");
                        signal.await();
                    }
                    return null;
                });
                case "interrupt swallowed" -> GracefulShutdown.run(LONG, 0, 9, signal -> {
                    System.out.println("starting !");
                    try {
                        waitForever();
                    } catch (InterruptedException e) {
                        System.out.println("swallowed");
                    }
                    signal.await();
                    System.out.println("stopped");
                    return null;
                });
                case "fails to stop" -> GracefulShutdown.run(LONG, 0, 9, signal -> {
                    System.out.println("up !");
                    try {
                        signal.await();
                    } finally {
                        throwing();
                    }
                    return null;
                });
                case "nobody reads" -> GracefulShutdown.run(brief, 0, 9, signal -> {
                    System.out.println("up !");
                    new Thread(() -> {
                        while (true) {
                            System.err.println("x".repeat(1_000)); // fills the pipe, and holds the stream's lock
                        }
                    }).start();
                    return stubborn();
                });
                default -> throw new AssertionError(args[0]);
            }
            System.out.println("after run");
        }

        private static int waitForever() throws InterruptedException {
            new CountDownLatch(1).await();
            return 0;
        }

        private static void throwing() throws IOException {
            throw new IOException("flush failed") {
                private static final long serialVersionUID = 1;

                @Override
                public String toString() {
                    throw new IllegalStateException("toString failed");
                }
            };
        }

        private static int stubborn() {
            System.out.println("up !");
            while (true) {
                try {
                    waitForever();
                } catch (InterruptedException e) {
                    continue;
                }
            }
        }
    }

    private record Closing(String name) implements AutoCloseable {
        void say(String what) {
            System.out.println(name + " " + what);
        }

        @Override
        public void close() {
            System.out.println("closing " + name + " !");
            try {
                Thread.sleep(100); // can block, and a second signal does not interrupt it
                System.out.println("closed " + name);
            } catch (InterruptedException e) {
                System.out.println("interrupted twice");
            }
        }
    }

    private record Ended(int exit, List<String> lines) {
        boolean shows(String text) {
            return lines.stream().anyMatch(line -> line.contains(text));
        }
    }

    private static Process start(String mode, boolean together) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), App.class.getName(), mode).redirectErrorStream(together).start();
    }

    private static Ended child(String mode) throws Exception {
        var child = start(mode, true);
        try (var output = child.inputReader()) {
            Assumptions.assumeTrue(child.supportsNormalTermination(), "no signals on this system");
            var lines = new ArrayList<String>();
            for (String line; (line = output.readLine()) != null; ) {
                lines.add(line);
                if (line.endsWith("!")) {
                    child.toHandle().destroy();
                }
            }
            return new Ended(child.waitFor(), lines);
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void closesInReverseOrderAndEndsWithTheSignalsCode() throws Exception {
        assertEquals(new Ended(143,
                List.of("first up", "second up !", "closing second !", "closed second", "closing first !",
                "closed first")), child("orderly"));
    }

    @Test
    void aSignalDuringStartUpClosesWhatIsOpen() throws Exception {
        assertEquals(new Ended(143, List.of("first up, next one opening !", "closing first !", "closed first")),
                child("startup"));
    }

    @Test
    void afterTheGraceItHaltsAndShowsWhere() throws Exception {
        var ended = child("late");
        for (int again = 0; again < 5 && !ended.shows("stubborn"); again++) { // output has a second, then it halts
            assertEquals(9, ended.exit);
            ended = child("late");
        }
        assertEquals(9, ended.exit);
        assertTrue(ended.shows("still runs PT0.2S after the signal"), ended::toString);
        assertTrue(ended.shows("stubborn"), ended::toString);
    }

    @Test
    void aFailureDuringShutdownIsShown() throws Exception {
        var ended = child("failing");
        assertEquals(143, ended.exit);
        assertTrue(ended.lines.get(1).contains("flush failed"), ended::toString);
    }

    @Test
    void theCallerMayAskForExitCodeZero() throws Exception {
        assertEquals(new Ended(0, List.of("up, without a line's endfirst  !", "closing first !", "closed first")),
                child("exit code 0"));
    }

    @Test
    void aSwallowedInterruptIsNotMissed() throws Exception {
        assertEquals(new Ended(0, List.of("starting !", "swallowed", "stopped")), child("interrupt swallowed"));
    }

    @Test
    void aFailureWhileStoppingIsNoSuccessAlsoIfItCannotBePrinted() throws Exception {
        assertEquals(9, child("fails to stop").exit);
    }

    @Test
    void outputThatNobodyReadsDoesNotHoldUpTheEnd() throws Exception {
        var child = start("nobody reads", false);
        try (var output = child.inputReader()) {
            Assumptions.assumeTrue(child.supportsNormalTermination(), "no signals on this system");
            assertEquals("up !", output.readLine());
            child.toHandle().destroy();
            assertEquals(9, child.waitFor());
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void refusesWhatCannotWork() {
        assertThrows(NullPointerException.class, () -> GracefulShutdown.run(null, 1, () -> null));
        assertThrows(NullPointerException.class, () -> GracefulShutdown.run(LONG, 1, null));
        assertThrows(NullPointerException.class, () -> GracefulShutdown.run(LONG, 0, 1, null));
        assertThrows(IllegalArgumentException.class, () -> GracefulShutdown.run(LONG, -1, 1, signal -> null));
        assertThrows(IllegalArgumentException.class, () -> GracefulShutdown.run(LONG, 0, 256, signal -> null));
        assertThrows(IllegalArgumentException.class, () -> GracefulShutdown.run(LONG, -1, () -> null));
    }

    @Test
    void nothingAfterRunIsDoneOnceTheSignalCame() throws Exception {
        assertEquals(new Ended(143, List.of("up !")), child("returning"));
    }

    @Test
    void withoutASignalTheApplicationDecides() throws Exception {
        assertEquals(new Ended(3, List.of()), child("by itself"));
        assertEquals("result", GracefulShutdown.run(LONG, 9, () -> "result"));
        var failure = new IOException();
        assertSame(failure, assertThrows(IOException.class, () -> GracefulShutdown.run(LONG, 9, () -> {
            throw failure;
        })));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    @Test
    void exitFromInsideEndsAfterTheGrace() throws Exception {
        assertEquals(9, child("exit inside").exit);
    }
}
