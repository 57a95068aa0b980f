import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class LifespanTest {

    private final List<String> log = new ArrayList<>();

    @AfterEach
    void noFlagLeft() {
        Thread.interrupted();
    }

    private String opening(String name) {
        log.add("+" + name);
        return name;
    }

    private void closing(String name) {
        log.add("-" + name);
    }

    @Test
    void opensInOrderAndClosesInReverse() throws Exception {
        try (var lifespan = new Lifespan()) {
            assertEquals("a", lifespan.open(() -> opening("a"), this::closing));
            lifespan.open(() -> () -> closing("b"));
            lifespan.open(() -> opening("c"), this::closing);
            lifespan.open(() -> null, nothing -> closing("null"));
        }
        assertEquals(List.of("+a", "+c", "-null", "-c", "-b", "-a"), log);
    }

    @Test
    void theThirdFailsToOpen() {
        var failure = new IOException("third");
        var closing = new IllegalStateException("second fails to close");
        assertSame(failure, assertThrows(IOException.class, () -> {
            try (var lifespan = new Lifespan()) {
                lifespan.open(() -> opening("a"), this::closing);
                lifespan.open(() -> opening("b"), b -> {
                    throw closing;
                });
                lifespan.open(() -> {
                    throw failure;
                }, nothing -> closing("never"));
            }
        }));
        assertEquals(List.of("+a", "+b", "-a"), log);
        assertEquals(1, failure.getSuppressed().length);
        assertSame(closing, failure.getSuppressed()[0].getCause());
    }

    @Test
    void startHandsOverOrClosesWhatItOpened() throws Exception {
        var lifespan = Lifespan.start(life -> life.open(() -> opening("a"), this::closing));
        assertEquals(List.of("+a"), log, "still open");
        lifespan.close();
        assertEquals(List.of("+a", "-a"), log);
        log.clear();
        for (Throwable failure : List.of(new IOException(), new StackOverflowError())) {
            assertSame(failure, assertThrows(Throwable.class, () -> Lifespan.start(life -> {
                life.open(() -> opening("a"), this::closing);
                life.open(() -> opening("b"), b -> {
                    throw new IllegalStateException();
                });
                if (failure instanceof Error error) {
                    throw error;
                }
                throw (Exception) failure;
            })));
            assertEquals(1, failure.getSuppressed().length);
        }
        assertEquals(List.of("+a", "+b", "-a", "+a", "+b", "-a"), log);
    }

    @Test
    void everyReleaseRunsAndTheFirstFailureIsThrown() throws Exception {
        var error = new AssertionError("last opened, first closed, and thrown twice");
        var second = new IOException();
        var lifespan = new Lifespan();
        lifespan.open(() -> opening("a"), this::closing);
        lifespan.open(() -> opening("b"), b -> {
            throw error;
        });
        lifespan.open(() -> opening("c"), c -> {
            throw second;
        });
        lifespan.open(() -> opening("d"), d -> {
            throw error;
        });
        var thrown = assertThrows(ExecutionException.class, lifespan::close);
        assertSame(error, thrown.getCause());
        assertArrayEquals(new Throwable[] {second, error}, thrown.getSuppressed());
        assertEquals("-a", log.getLast());
        lifespan.close();
        assertEquals(5, log.size(), "closed once");
    }

    @Test
    void aReleaseCanBlockThoughTheFlagIsSet() throws Exception {
        var lifespan = new Lifespan();
        lifespan.open(() -> opening("a"), a -> {
            Thread.sleep(1);
            closing(a);
        });
        Thread.currentThread().interrupt();
        lifespan.close();
        assertTrue(Thread.interrupted(), "the flag is kept");
        assertEquals(List.of("+a", "-a"), log);
    }

    @Test
    void anInterruptedReleaseDoesNotSkipTheRest() throws Exception {
        var lifespan = new Lifespan();
        lifespan.open(() -> opening("a"), a -> {
            Thread.sleep(1);
            closing(a);
        });
        lifespan.open(() -> opening("b"), b -> {
            Thread.currentThread().interrupt();
            Thread.sleep(10_000);
        });
        assertInstanceOf(InterruptedException.class,
                assertThrows(ExecutionException.class, lifespan::close).getCause());
        assertTrue(Thread.interrupted());
        assertEquals(List.of("+a", "+b", "-a"), log);
    }

    @Test
    void whatIsOpenedTooLateIsReleasedAtOnce() throws Exception {
        var lifespan = new Lifespan();
        assertThrows(IllegalStateException.class, () -> lifespan.open(() -> {
            lifespan.close(); // as a shutdown hook would
            return opening("a");
        }, this::closing));
        assertEquals(List.of("+a", "-a"), log);
        assertThrows(IllegalStateException.class, () -> lifespan.open(() -> opening("b"), this::closing));
        assertFalse(log.contains("+b"));
    }

    /** Threads that open while another closes: whatever was opened is released exactly once. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        var opened = new AtomicInteger();
        var released = new AtomicInteger();
        var twice = new AtomicInteger();
        var refused = new AtomicInteger();
        for (int round = 0; round < 1_000; round++) {
            var lifespan = new Lifespan();
            var half = new CountDownLatch(4);
            var closing = new CountDownLatch(1);
            int size = 20 + new Random(round).nextInt(40);
            var openers = IntStream.range(0, 4).mapToObj(t -> Thread.ofVirtual().start(() -> {
                for (int i = 0; i < size; i++) {
                    try {
                        if (i == size / 2) { // the rest beside close(), also on one processor
                            half.countDown();
                            closing.await();
                        }
                        lifespan.open(() -> {
                            opened.incrementAndGet();
                            return new AtomicInteger();
                        }, resource -> {
                            if (resource.incrementAndGet() > 1) {
                                twice.incrementAndGet();
                            }
                            released.incrementAndGet();
                            throw new IOException();
                        });
                    } catch (Exception e) {
                        refused.incrementAndGet();
                    }
                }
            })).toList();
            half.await();
            closing.countDown();
            try {
                lifespan.close();
            } catch (ExecutionException e) {
                assertTrue(opened.get() > 0);
            }
            for (var opener : openers) {
                opener.join();
            }
        }
        System.out.println("Lifespan: " + (opened.get() + refused.get()) + " times opened or refused, " + released
                + " released");
        assertEquals(opened.get(), released.get());
        assertEquals(0, twice.get());
        assertTrue(refused.get() > 0 && opened.get() > 0 && opened.get() + refused.get() > 100_000);
    }
}
