import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class FallbackTest {

    private final AtomicInteger asked = new AtomicInteger();

    @AfterEach
    void noFlagLeft() {
        Thread.interrupted();
    }

    private <T> T fail(Throwable failure) throws Exception {
        asked.incrementAndGet();
        if (failure instanceof Error error) {
            throw error;
        }
        throw (Exception) failure;
    }

    @Test
    void theFirstAnswerEndsTheChain() throws Exception {
        var answer = Fallback.of("first", () -> null).or("second", Exception.class, () -> fail(new AssertionError()))
                .call();
        assertNull(answer.value(), "null is an answer");
        assertEquals("first", answer.source());
        assertFalse(answer.degraded());
    }

    @Test
    void asksInOrderAndSaysWhatFailed() throws Exception {
        var first = new SocketTimeoutException("an InterruptedIOException, but no interrupt");
        var second = new IllegalStateException();
        var answer = Fallback.of("first", () -> fail(first))
                .or("second", IOException.class, () -> fail(second))
                .or("third", RuntimeException.class, () -> 3)
                .or("fourth", Exception.class, () -> fail(new AssertionError())).call();
        assertEquals(new Fallback.Answer<Object>(3, "third", List.of(first, second)), answer);
        assertTrue(answer.degraded());
    }

    @Test
    void allFailed() {
        var failures = List.of(new IOException("1"), new IOException("2"), new IOException("3"));
        var chain = Fallback.of("1", () -> fail(failures.get(0)))
                .or("2", IOException.class, () -> fail(failures.get(1)))
                .or("3", IOException.class, () -> fail(failures.get(2)));
        assertSame(failures.get(2), assertThrows(IOException.class, chain::call));
        assertArrayEquals(failures.subList(0, 2).toArray(), failures.get(2).getSuppressed());
    }

    @Test
    void anotherExceptionEndsTheChainAndKeepsTheFailuresBefore() {
        var first = new IOException();
        var bug = new NullPointerException();
        var chain = Fallback.of("1", () -> fail(first)).or("2", IOException.class, () -> fail(bug))
                .or("3", IOException.class, () -> fail(new AssertionError()));
        assertSame(bug, assertThrows(NullPointerException.class, chain::call));
        assertArrayEquals(new Throwable[] {first}, bug.getSuppressed());
        assertEquals(2, asked.get());
    }

    @Test
    void errorsAndInterruptsEndTheChain() {
        for (Throwable end : List.of(new StackOverflowError(), new InterruptedException(),
                new RuntimeException(new InterruptedException()))) {
            assertSame(end, assertThrows(Throwable.class,
                    Fallback.of("1", () -> fail(end)).or("2", Exception.class, () ->
                            fail(new AssertionError()))::call));
        }
        assertThrows(IOException.class, Fallback.of("1", () -> {
            Thread.currentThread().interrupt();
            return fail(new IOException("Closed by interrupt"));
        }).or("2", Exception.class, () -> fail(new AssertionError()))::call);
        assertTrue(Thread.interrupted(), "the flag is left set");
        assertEquals(4, asked.get());
    }

    @Test
    void aSharedExceptionIsNotSuppressedByItselfNorGrows() {
        var constant = new IOException("constant");
        var chain = Fallback.of("1", () -> fail(constant)).or("2", IOException.class, () -> fail(new IOException()))
                .or("3", IOException.class, () -> fail(constant));
        for (int i = 0; i < 100; i++) {
            assertSame(constant, assertThrows(IOException.class, chain::call));
        }
        assertEquals(10, constant.getSuppressed().length);
    }

    @Test
    void aChainIsImmutable() throws Exception {
        var shorter = Fallback.of("1", () -> fail(new IOException()));
        assertEquals("2", shorter.or("2", IOException.class, () -> 1).call().source());
        assertEquals("other", shorter.or("other", IOException.class, () -> 1).call().source());
        assertThrows(IOException.class, shorter::call);
    }

    @Test
    void nullIsRefusedBeforeAnythingIsAsked() {
        assertThrows(NullPointerException.class, () -> Fallback.of(null, () -> 1));
        assertThrows(NullPointerException.class, () -> Fallback.of("first", null));
        var chain = Fallback.of("first", () -> 1);
        assertThrows(NullPointerException.class, () -> chain.or(null, Exception.class, () -> 2));
        assertThrows(NullPointerException.class, () -> chain.or("second", null, () -> 2));
        assertThrows(NullPointerException.class, () -> chain.or("second", Exception.class, null));
    }
}
