import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

@Timeout(600)
class ConditionVariableTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    private static void awaitWaiting(Thread thread) throws InterruptedException {
        while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
    }

    @Test
    void waitsUntilTheConditionHolds() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        var seen = new AtomicIntegerArray(3);
        var waiters = new ArrayList<Thread>();
        for (int i = 1; i <= 2; i++) {
            int wanted = 3 - i; // the one that comes first is not the one to be woken first
            waiters.add(Thread.startVirtualThread(() -> assertDoesNotThrow(() -> {
                seen.set(wanted, wanted == 1 ? variable.when(s -> s[0] == 1, s -> s[0])
                        : variable.when(s -> s[0] == 2, LONG, s -> s[0]));
            })));
        }
        for (Thread waiter : waiters) {
            awaitWaiting(waiter);
        }
        variable.update(s -> s[0] = 1);
        waiters.get(1).join();
        awaitWaiting(waiters.get(0));
        variable.update(s -> s[0] = 2);
        waiters.get(0).join();
        assertEquals(1, seen.get(1));
        assertEquals(2, seen.get(2));
    }

    @Test
    void anActionThatThrowsWakesTheOthersToo() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        Thread waiter = Thread.startVirtualThread(() -> assertDoesNotThrow(() -> variable.when(s -> s[0] == 1,
                s -> s[0])));
        awaitWaiting(waiter);
        var failure = new IllegalStateException("after the change");
        assertSame(failure, assertThrows(IllegalStateException.class, () -> variable.update(s -> {
            s[0] = 1;
            throw failure;
        })));
        waiter.join();
    }

    @Test
    void whatAConditionThrowsIsThrown() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        assertThrows(ArithmeticException.class, () -> variable.when(s -> 1 / s[0] > 0, s -> s));
        Thread other = Thread.startVirtualThread(() -> assertDoesNotThrow(() -> variable.update(s -> s[0] = 1)));
        other.join(); // the lock is free
        assertEquals(1, variable.<Integer>update(s -> s[0]).intValue());
    }

    @Test
    void timeLimit() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        assertThrows(TimeoutException.class, () -> variable.when(s -> s[0] == 1, Duration.ZERO, s -> s[0] = 9));
        assertThrows(TimeoutException.class, () -> variable.when(s -> s[0] == 1, Duration.ofMillis(5), s -> s[0] = 9));
        assertEquals(0, variable.<Integer>when(s -> s[0] == 0, Duration.ZERO, s -> s[0]).intValue());
        var looks = new AtomicInteger(); // true at the second look, the one at the end: nobody signals
        while (true) {
            try {
                assertEquals("seen", variable.when(s -> looks.incrementAndGet() == 2, Duration.ofMillis(5), s ->
                        "seen"));
                return;
            } catch (TimeoutException e) {
                assertEquals(1, looks.getAndSet(0), "the limit was over at the first look already");
            }
        }
    }

    @Test
    void theLimitCoversTheLock() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        var held = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        Thread slow = Thread.startVirtualThread(() -> assertDoesNotThrow(() -> variable.update(s -> {
            held.countDown();
            return assertDoesNotThrow(() -> go.await(500, TimeUnit.SECONDS));
        })));
        held.await();
        for (Duration limit : List.of(Duration.ZERO, Duration.ofMillis(5), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThrows(TimeoutException.class, () -> variable.when(s -> true, limit, s -> 1));
        }
        go.countDown();
        slow.join();
    }

    @Test
    void reentryAndNonsenseAreRefused() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        List<Executable> inside = List.of(() -> variable.update(s -> 1), () -> variable.when(s -> false, s -> 1),
                () -> variable.when(s -> true, LONG, s -> 1));
        for (Executable call : inside) {
            variable.update(s -> assertThrows(IllegalStateException.class, call));
            variable.when(s -> assertThrows(IllegalStateException.class, call) != null, s -> 1);
        }
        assertThrows(NullPointerException.class, () -> variable.when(null, s -> 1));
        assertThrows(NullPointerException.class, () -> variable.when(s -> false, null));
        assertThrows(NullPointerException.class, () -> variable.when(s -> false, LONG, null));
        assertThrows(NullPointerException.class, () -> variable.when(s -> true, null, s -> 1));
    }

    @Test
    void interruptEndsTheWaitWithoutTheAction() throws Exception {
        var variable = new ConditionVariable<>(new int[1]);
        var interrupted = new AtomicInteger();
        for (Callable<Integer> wait : List.<Callable<Integer>>of(
                () -> variable.when(s -> s[0] == 1, s -> s[0] = 9), () -> variable.when(s -> s[0] == 1, LONG,
                        s -> s[0] = 9))) {
            Thread waiter = Thread.startVirtualThread(() -> {
                assertThrows(InterruptedException.class, wait::call);
                interrupted.incrementAndGet();
            });
            awaitWaiting(waiter);
            waiter.interrupt();
            waiter.join();
        }
        assertEquals(2, interrupted.get());
        assertEquals(0, variable.<Integer>update(s -> s[0]).intValue());
    }

    /**
     * A bounded buffer without interrupts first (an interrupted waiter looks again by itself, which would hide a lost
     * wake-up), then with.
     */
    @Test
    void stress() throws Exception {
        pump(false);
        long interrupts = pump(true);
        System.out.println("ConditionVariable: 2 x 50000 items through a buffer, " + interrupts + " interrupts");
    }

    private static long pump(boolean chaos) throws Exception {
        int producers = 4;
        int each = 12_500;
        int capacity = 4;
        var buffer = new ConditionVariable<>(new ArrayDeque<Integer>());
        var taken = new AtomicIntegerArray(producers * each);
        var left = new AtomicInteger(producers * each);
        var tasks = new ArrayList<Chaos.Task>();
        for (int p = 0; p < producers; p++) {
            int first = p * each;
            tasks.add(() -> {
                for (int i = first; i < first + each; i++) {
                    int item = i;
                    Chaos.insist(() -> buffer.when(queue -> queue.size() < capacity, queue -> queue.add(item)));
                }
            });
            tasks.add(() -> {
                var random = new Random(first);
                while (left.getAndDecrement() > 0) {
                    Chaos.insist(() -> {
                        Integer item = null;
                        while (item == null) {
                            try {
                                item = chaos && random.nextBoolean()
                                        ? buffer.when(queue -> !queue.isEmpty(),
                                                Duration.ofNanos(random.nextInt(50_000)), ArrayDeque::remove)
                                        : buffer.when(queue -> !queue.isEmpty(), ArrayDeque::remove);
                            } catch (TimeoutException e) {
                                // again
                            }
                        }
                        taken.incrementAndGet(item);
                    });
                }
            });
        }
        long interrupts = Chaos.run(tasks, chaos ? Duration.ofNanos(20_000) : null);
        for (int i = 0; i < taken.length(); i++) {
            assertEquals(1, taken.get(i), "item " + i);
        }
        assertTrue(buffer.<Boolean>update(ArrayDeque::isEmpty));
        return interrupts;
    }
}
