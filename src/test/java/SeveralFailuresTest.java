import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class SeveralFailuresTest {

    private static <E extends Throwable> E suppressing(E exception, Throwable... suppressed) {
        for (Throwable one : suppressed) {
            exception.addSuppressed(one);
        }
        return exception;
    }

    @Test
    void findsEachFailureOnceNestedOnesToo() {
        var closing = new IOException("closing");
        var first = suppressing(new IOException("first", new Exception("an ordinary cause")), closing);
        var second = new TimeoutException("second");
        var third = new AssertionError("third");
        var fourth = new IllegalStateException("fourth");
        var nested = suppressing(new CompletionException(new ExecutionException(second)), third, first);
        var group = suppressing(new ExecutionException(first), nested, fourth, second);
        assertEquals(List.of(first, closing, second, third, fourth), SeveralFailures.of(group).all());
        assertEquals(List.of(fourth), SeveralFailures.of(fourth).all(), "a single failure is a group of one");
        var empty = new ExecutionException("no cause", null);
        assertEquals(List.of(empty), SeveralFailures.of(empty).all());
    }

    @Test
    void theRemarkThatAGroupWasNotJoinedIsNoFailureButThoseOfItsTasksAre() throws Exception {
        for (String remark : List.of("the group was closed without join()",
                "Owner did not join after forking subtasks")) {
            var task = new IOException("of a task");
            var body = suppressing(new IllegalArgumentException("of the body"),
                    suppressing(new IllegalStateException(remark), task));
            assertEquals(List.of(body, task), SeveralFailures.of(body).all());
            var alone = new IllegalStateException(remark);
            assertEquals(List.of(alone), SeveralFailures.of(alone).all(), "who forgot join() is told");
        }
        var other = suppressing(new IOException(), new IllegalStateException("already closed"),
                new IllegalStateException());
        assertEquals(3, SeveralFailures.of(other).all().size());
    }

    @Test
    void argumentsThatCannotWorkAreRefusedFirst() {
        var ran = new ArrayList<String>();
        assertThrows(NullPointerException.class, () ->
                SeveralFailures.runAll(java.util.Arrays.asList(() -> ran.add("a"), null)));
        assertEquals(List.of(), ran);
        assertThrows(NullPointerException.class, () -> SeveralFailures.of(new IOException()).on(Error.class, null));
        assertThrows(NullPointerException.class, () -> SeveralFailures.of(null));
    }

    @Test
    void aCircleEnds() {
        var a = new IOException("a");
        var b = suppressing(new IOException("b"), a);
        a.addSuppressed(b);
        var wrapper = new ExecutionException(a);
        a.addSuppressed(wrapper);
        assertEquals(List.of(a, b), SeveralFailures.of(wrapper).all());
    }

    @Test
    void handlesByTypeTheFirstHandlerThatFits() throws Exception {
        var log = new ArrayList<String>();
        var missing = new NoSuchFileException("missing");
        var io = new IOException("io");
        var bug = new NullPointerException();
        SeveralFailures.of(suppressing(new ExecutionException(io), bug, missing, new NoSuchFileException("too")))
                .on(NoSuchFileException.class, failures -> log.add("missing " + failures.size()))
                .on(IOException.class, failures -> log.add("io " + failures))
                .on(TimeoutException.class, failures -> log.add("never called"))
                .on(RuntimeException.class, failures -> assertSame(bug, failures.getFirst()))
                .throwUnhandled();
        assertEquals(List.of("missing 2", "io [" + io + "]"), log);
    }

    @Test
    void whatNobodyHandlesIsThrown() {
        var io = new IOException();
        var first = new IllegalStateException();
        var second = new StackOverflowError();
        var group = suppressing(new ExecutionException(first), io, second);
        var thrown = assertThrows(ExecutionException.class, () -> SeveralFailures.of(group)
                .on(IOException.class, e -> { }).throwUnhandled());
        assertSame(first, thrown.getCause());
        assertArrayEquals(new Throwable[] {second}, thrown.getSuppressed());
        assertEquals(0, first.getSuppressed().length, "a task's own exception is left alone");
    }

    @Test
    void whatAHandlerThrowsIsKeptAndNotHandledAgain() {
        var unhandled = new IllegalStateException("unhandled");
        var thrownByHandler = new IOException("by a handler");
        var group = suppressing(new ExecutionException(new TimeoutException()), unhandled);
        var thrown = assertThrows(ExecutionException.class, () -> SeveralFailures.of(group)
                .on(TimeoutException.class, e -> {
                    throw thrownByHandler;
                })
                .on(IOException.class, e -> {
                    throw new AssertionError("called");
                }).throwUnhandled());
        assertSame(unhandled, thrown.getCause());
        assertArrayEquals(new Throwable[] {thrownByHandler}, thrown.getSuppressed());
    }

    @Test
    void anInterruptedHandlerLeavesTheFlagSet() {
        var several = SeveralFailures.of(new IOException()).on(IOException.class, e -> {
            throw new InterruptedException();
        });
        assertTrue(Thread.interrupted());
        assertThrows(ExecutionException.class, several::throwUnhandled);
    }

    @Test
    void runsEveryStep() throws Exception {
        var ran = new ArrayList<Integer>();
        var first = new IOException();
        var second = new AssertionError();
        var thrown = assertThrows(ExecutionException.class, () ->
                SeveralFailures.runAll(List.of(() -> ran.add(1), () -> {
            throw first;
        }, () -> ran.add(2), () -> {
            throw second;
        }, () -> {
            throw first; // the same again
        }, () -> ran.add(3))));
        assertEquals(List.of(1, 2, 3), ran);
        assertSame(first, thrown.getCause());
        assertArrayEquals(new Throwable[] {second, first}, thrown.getSuppressed());
        SeveralFailures.runAll(List.of(() -> ran.add(4)));
    }

    @Test
    void anInterruptedStepDoesNotSkipTheRestAndLeavesTheFlagSet() {
        var ran = new ArrayList<Integer>();
        Thread.currentThread().interrupt();
        assertThrows(ExecutionException.class, () -> SeveralFailures.runAll(List.of(() -> Thread.sleep(10_000), () ->
                ran.add(2))));
        assertTrue(Thread.interrupted());
        assertEquals(List.of(2), ran);
    }
}
