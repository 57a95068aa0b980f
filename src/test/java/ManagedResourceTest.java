import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class ManagedResourceTest {

    private final AtomicInteger released = new AtomicInteger();

    @Test
    void releasesOnceAfterTheBody() throws Exception {
        var resource = ManagedResource.<String, RuntimeException>acquire(() -> "r", r -> released.incrementAndGet());
        try (resource) {
            assertEquals("r", resource.get());
            assertEquals(0, released.get());
        }
        resource.close();
        assertEquals(1, released.get());
    }

    @Test
    void aFailedAcquireHasNothingToRelease() {
        assertThrows(IOException.class, () -> ManagedResource.<String, RuntimeException>acquire(() -> {
            throw new IOException("refused");
        }, r -> released.incrementAndGet()));
        assertEquals(0, released.get());
    }

    @Test
    void aFailedReleaseIsSuppressedOnTheBodysException() {
        var body = new IllegalStateException("body");
        var release = new IOException("release");
        var thrown = assertThrows(IllegalStateException.class, () -> {
            try (var resource = ManagedResource.<String, IOException>acquire(() -> "r", r -> {
                throw release;
            })) {
                assertEquals("r", resource.get());
                throw body;
            }
        });
        assertSame(body, thrown);
        assertSame(release, thrown.getSuppressed()[0]);
    }

    @Test
    void theReleaseMayBlockAlthoughTheTaskWasInterrupted() throws Exception {
        var resource = ManagedResource.<String, RuntimeException>acquire(() -> "r", r -> {
            assertFalse(Thread.currentThread().isInterrupted());
            released.incrementAndGet();
            throw new IllegalStateException("and it may fail");
        });
        Thread.currentThread().interrupt();
        assertThrows(IllegalStateException.class, resource::close);
        assertTrue(Thread.interrupted(), "the flag is set again");
        assertEquals(1, released.get());
    }

    @Test
    void manyThreadsCloseItOnce() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            var resource = ManagedResource.<String, RuntimeException>acquire(() -> "r", r ->
                    released.incrementAndGet());
            var together = new CyclicBarrier(4);
            Gather.all(IntStream.range(0, 4).<java.util.concurrent.Callable<Void>>mapToObj(i -> () -> {
                together.await();
                resource.close();
                return null;
            }).toList());
        }
        assertEquals(2_000, released.get());
    }

    @Test
    void nullIsRefusedBeforeTheResourceIsTaken() {
        var opened = new AtomicInteger();
        assertEquals("release", assertThrows(NullPointerException.class,
                () -> ManagedResource.acquire(opened::incrementAndGet, null)).getMessage());
        assertThrows(NullPointerException.class, () -> ManagedResource.acquire(null, resource -> { }));
        assertEquals(0, opened.get());
    }

    /** What is {@code except: rollback; else: commit} around a {@code yield}. */
    @Test
    void theBodySaysThatItHasComeToItsEnd() throws Exception {
        class Transaction {
            String ended = "rolled back";

            void commit() {
                ended = "committed";
            }
        }
        var log = new ArrayList<String>();
        try (var transaction = ManagedResource.acquire(Transaction::new, t -> log.add(t.ended))) {
            transaction.get().commit(); // the last line of the body
        }
        assertThrows(IllegalStateException.class, () -> {
            try (var transaction = ManagedResource.acquire(Transaction::new, t -> log.add(t.ended))) {
                throw new IllegalStateException("before " + transaction.get());
            }
        });
        assertEquals(List.of("committed", "rolled back"), log);
    }
}
