import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class SharedStateTest {

    @Test
    void whatTheActionThrowsIsThrownAndTheLockIsFree() throws Exception {
        var state = new SharedState<>(new int[1]);
        var failure = new IllegalStateException("action");
        assertSame(failure, assertThrows(IllegalStateException.class, () -> state.locked(s -> {
            throw failure;
        })));
        assertSame(failure, assertThrows(IllegalStateException.class, () -> state.locked(Duration.ZERO, s -> {
            throw failure;
        })));
        assertTrue(freeForOthers(state));
    }

    @Test
    void aNullActionIsRefusedAtOnce() {
        var state = new SharedState<>(new int[1]);
        assertThrows(NullPointerException.class, () -> state.locked(null));
        assertThrows(NullPointerException.class, () -> state.locked(Duration.ZERO, null));
        assertThrows(NullPointerException.class, () -> state.locked(null, s -> 1));
    }

    @Test
    void reentryIsRefused() throws Exception {
        var state = new SharedState<>(new int[1]);
        state.locked(s -> {
            assertThrows(IllegalStateException.class, () -> state.locked(t -> t));
            assertThrows(IllegalStateException.class, () -> state.locked(Duration.ZERO, t -> t));
            return null;
        });
        assertTrue(freeForOthers(state));
    }

    @Test
    void aWaitEndsByInterruptOrTimeoutWithoutTheAction() throws Exception {
        var state = new SharedState<>(new int[1]);
        var held = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        Thread holder = Thread.startVirtualThread(() -> {
            try {
                state.locked(s -> {
                    held.countDown();
                    try {
                        return release.await(500, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        held.await();
        assertThrows(TimeoutException.class, () -> state.locked(Duration.ZERO, s -> s[0]++));
        assertThrows(TimeoutException.class, () -> state.locked(Duration.ofMillis(5), s -> s[0]++));
        var interrupted = new AtomicInteger();
        var waiters = new ArrayList<Thread>();
        for (boolean timed : new boolean[] {false, true}) {
            waiters.add(Thread.startVirtualThread(() -> {
                assertThrows(InterruptedException.class,
                        () -> {
                            if (timed) {
                                state.locked(Duration.ofSeconds(Long.MAX_VALUE), s -> s[0]++);
                            } else {
                                state.locked(s -> s[0]++);
                            }
                        });
                interrupted.incrementAndGet();
            }));
        }
        for (Thread waiter : waiters) {
            while (waiter.getState() != Thread.State.WAITING && waiter.getState() != Thread.State.TIMED_WAITING) {
                Thread.sleep(1);
            }
            waiter.interrupt();
            waiter.join();
        }
        release.countDown();
        holder.join();
        assertEquals(2, interrupted.get());
        assertEquals(0, state.<Integer>locked(s -> s[0]).intValue());
    }

    /**
     * Transfers between accounts under random interrupts, time limits and failures: the sum and the number of transfers
     * stay exact.
     */
    @Test
    void stress() throws Exception {
        int threads = 8;
        int each = 25_000;
        var accounts = new SharedState<>(new long[10]);
        var succeeded = new AtomicInteger();
        var timeouts = new AtomicInteger();
        var transfers = new long[1]; // guarded by the lock too
        var inside = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int t = 0; t < threads; t++) {
            var random = new Random(t);
            tasks.add(() -> {
                for (int i = 0; i < each; i++) {
                    try {
                        int amount = random.nextInt(100);
                        boolean fail = random.nextInt(50) == 0;
                        boolean slow = random.nextInt(200) == 0;
                        Function<long[], Long> transfer = balance -> {
                            assertEquals(1, inside.incrementAndGet(), "two actions at once");
                            try {
                                if (fail) {
                                    throw new IllegalStateException("refused");
                                }
                                balance[amount % 10] -= amount;
                                if (slow) {
                                    LockSupport.parkNanos(10_000);
                                }
                                balance[(amount + 3) % 10] += amount;
                                return transfers[0]++;
                            } finally {
                                inside.decrementAndGet();
                            }
                        };
                        if (random.nextBoolean()) {
                            accounts.locked(transfer);
                        } else {
                            accounts.locked(Duration.ofNanos(random.nextInt(20_000)), transfer);
                        }
                        succeeded.incrementAndGet();
                    } catch (TimeoutException e) {
                        timeouts.incrementAndGet();
                    } catch (InterruptedException e) {
                        // did not run
                    } catch (IllegalStateException e) {
                        assertEquals("refused", e.getMessage());
                    }
                }
            });
        }
        long interrupts = Chaos.run(tasks);
        assertTrue(freeForOthers(accounts));
        assertEquals(0L, accounts.<Long>locked(balance -> Arrays.stream(balance).sum()).longValue());
        assertEquals(succeeded.get(), accounts.<Long>locked(balance -> transfers[0]).longValue());
        System.out.println("SharedState: " + threads * each + " calls, " + succeeded + " succeeded, " + timeouts
                + " timed out, "
                + interrupts + " interrupts");
    }

    private static boolean freeForOthers(SharedState<?> state) throws InterruptedException {
        var free = new AtomicBoolean();
        Thread other = Thread.startVirtualThread(() -> {
            try {
                free.set(state.locked(Duration.ZERO, s -> true));
            } catch (TimeoutException | InterruptedException e) {
                free.set(false);
            }
        });
        other.join();
        return free.get();
    }
}
