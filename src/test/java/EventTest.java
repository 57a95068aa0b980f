import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class EventTest {

    @Test
    void setLetsThroughUntilCleared() throws Exception {
        var event = new Event();
        assertFalse(event.isSet());
        event.clear();
        assertFalse(event.await(Duration.ZERO));
        event.set();
        event.set();
        assertTrue(event.isSet());
        event.await();
        assertTrue(event.await(Duration.ofSeconds(Long.MIN_VALUE)));
        event.clear();
        assertFalse(event.isSet());
        assertFalse(event.await(Duration.ofMillis(5)));
        event.set();
        assertTrue(event.await(Duration.ofSeconds(Long.MAX_VALUE)));
    }

    @Test
    void interruptEndsAWaitAndIsSeenEvenIfSet() {
        var event = new Event();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, event::await);
        event.set();
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, event::await);
        assertFalse(Thread.interrupted());
    }

    @Test
    void clearOfAnUnsetEventStrandsNobody() throws Exception {
        var event = new Event();
        Thread waiter = Thread.startVirtualThread(() -> assertDoesNotThrow(() -> event.await()));
        while (waiter.getState() != Thread.State.WAITING) {
            Thread.yield();
        }
        event.clear();
        event.set();
        waiter.join();
    }

    private int item; // plain: only the event orders the two threads

    /**
     * The producer writes and sets a set event; the consumer clears and looks: it sees the item, or the event is set.
     */
    @Test
    void setOnASetEventIsOrderedWithClear() throws Exception {
        var round = new AtomicInteger();
        var ended = new AtomicInteger();
        var box = new Event[1];
        Thread producer = Thread.ofPlatform().daemon().start(() -> {
            for (int n = 1; round.get() >= 0; ) {
                if (round.get() == n) {
                    item = n;
                    box[0].set();
                    ended.set(n);
                    n++;
                }
            }
        });
        long stop = System.nanoTime() + 5_000_000_000L; // on a busy machine few rounds, each worth a time slice
        for (int n = 1; n <= 50_000 && System.nanoTime() < stop; n++) {
            var event = new Event();
            event.set();
            box[0] = event;
            round.set(n);
            for (int k = n % 40; k > 0; k--) {
                Thread.onSpinWait();
            }
            event.clear();
            boolean seen = item == n;
            while (ended.get() < n) {
                Thread.onSpinWait();
            }
            assertTrue(seen || event.isSet(), "lost in round " + n);
        }
        round.set(-1);
        producer.join();
    }

    @Test
    void setThenClearReleasesAllWhoWait() throws Exception {
        int rounds = 50;
        int waiters = 400;
        var event = new Event();
        for (int round = 0; round < rounds; round++) {
            var released = new AtomicInteger();
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < waiters; i++) {
                boolean timed = i % 2 == 0;
                threads.add(Thread.startVirtualThread(() -> {
                    try {
                        if (timed) {
                            assertTrue(event.await(Duration.ofHours(1)));
                        } else {
                            event.await();
                        }
                        released.incrementAndGet();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
                    Thread.yield();
                }
            }
            event.set();
            event.clear();
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(waiters, released.get(), "round " + round);
        }
    }

    /**
     * Two events opened in turn; who passes one before its round, or is never let through, is found. Waits time out
     * and are interrupted.
     */
    @Test
    void stress() throws Exception {
        int rounds = 25_000;
        int waiters = 4;
        Event[] events = {new Event(), new Event()};
        var opened = new AtomicInteger(-1);
        var passed = new Semaphore(0); // no spinning: yield() alone can keep the others from the only processor
        var tasks = new ArrayList<Chaos.Task>();
        for (int w = 0; w < waiters; w++) {
            var random = new Random(w);
            tasks.add(() -> {
                for (int r = 0; r < rounds; r++) {
                    int round = r;
                    Chaos.insist(() -> {
                        if (random.nextBoolean()) {
                            events[round % 2].await();
                        } else {
                            while (!events[round % 2].await(Duration.ofNanos(random.nextInt(100_000)))) {
                                Thread.onSpinWait();
                            }
                        }
                    });
                    assertTrue(opened.get() >= round, "let through before set()");
                    passed.release();
                }
            });
        }
        tasks.add(() -> {
            for (int round = 0; round < rounds; round++) {
                opened.set(round);
                events[round % 2].set();
                Chaos.insist(() -> passed.acquire(waiters));
                events[round % 2].clear();
            }
        });
        long interrupts = Chaos.run(tasks);
        System.out.println("Event: " + rounds * waiters + " waits, " + interrupts + " interrupts");
    }
}
