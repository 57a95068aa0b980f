import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BulkheadTest {

    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final CountDownLatch go = new CountDownLatch(1);

    @AfterEach
    void close() {
        executor.shutdownNow();
        executor.close();
    }

    private static void await(int expected, java.util.function.IntSupplier actual) {
        while (actual.getAsInt() != expected) {
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    private Future<?> occupy(Bulkhead bulkhead) {
        int running = bulkhead.running();
        var future = executor.submit(() -> bulkhead.call(() -> {
            go.await();
            return 1;
        }));
        await(running + 1, bulkhead::running);
        return future;
    }

    private static void refused(Bulkhead bulkhead) {
        assertThrows(Bulkhead.FullException.class, () -> bulkhead.call(() -> {
            throw new AssertionError("called");
        }));
    }

    @Test
    void boundsThoseThatRunAndThoseThatWait() throws Exception {
        var bulkhead = new Bulkhead(2, 3, LONG);
        occupy(bulkhead);
        occupy(bulkhead);
        var waiting = new ArrayList<Future<Integer>>();
        for (int i = 1; i <= 3; i++) {
            waiting.add(executor.submit(() -> bulkhead.call(() -> 7)));
            await(i, bulkhead::waiting);
        }
        refused(bulkhead);
        go.countDown();
        for (var future : waiting) {
            assertEquals(7, future.get());
        }
        assertEquals(0, bulkhead.waiting());
    }

    @Test
    void servesInTheOrderTheyCame() throws Exception {
        var bulkhead = new Bulkhead(1, 100, LONG);
        occupy(bulkhead);
        var order = new ArrayList<Integer>(); // one at a time
        var waiting = new ArrayList<Future<?>>();
        for (int i = 0; i < 100; i++) {
            int mine = i;
            waiting.add(executor.submit(() -> bulkhead.call(() -> order.add(mine))));
            await(i + 1, bulkhead::waiting);
        }
        go.countDown();
        for (var future : waiting) {
            future.get();
        }
        assertEquals(IntStream.range(0, 100).boxed().toList(), order);
    }

    @Test
    void aWaitInVainTakesNoPlace() throws Exception {
        for (Duration patience : List.of(Duration.ofMillis(1), Duration.ZERO, Duration.ofSeconds(-1))) {
            var bulkhead = new Bulkhead(1, 1, patience);
            var end = new CountDownLatch(1);
            var running = executor.submit(() -> bulkhead.call(() -> {
                end.await();
                return null;
            }));
            await(1, bulkhead::running);
            for (int i = 0; i < 10; i++) {
                refused(bulkhead);
                assertEquals(0, bulkhead.waiting());
            }
            end.countDown();
            running.get();
            assertEquals(0, bulkhead.running());
            assertEquals(1, bulkhead.<Integer>call(() -> 1));
        }
    }

    @Test
    void anInterruptedWaiterLeaves() throws Exception {
        var bulkhead = new Bulkhead(1, 1, LONG);
        var first = occupy(bulkhead);
        var waiter = new AtomicReference<Thread>();
        var waiting = executor.submit(() -> {
            waiter.set(Thread.currentThread());
            return bulkhead.call(() -> 1);
        });
        await(1, bulkhead::waiting);
        waiter.get().interrupt();
        assertInstanceOf(InterruptedException.class, assertThrows(ExecutionException.class, waiting::get).getCause());
        assertEquals(0, bulkhead.waiting());
        go.countDown();
        first.get();
        assertEquals(0, bulkhead.running());
    }

    @Test
    void failuresAreTheCallsOwnAndFreeThePlace() {
        var bulkhead = new Bulkhead(1, 0, LONG);
        for (Throwable failure : List.of(new IOException(), new IllegalStateException(), new StackOverflowError())) {
            assertSame(failure, assertThrows(Throwable.class, () -> bulkhead.call(() -> {
                if (failure instanceof Error error) {
                    throw error;
                }
                throw (Exception) failure;
            })));
            assertEquals(0, bulkhead.running());
        }
    }

    @Test
    void aFreePlaceIsTakenThoughTheFlagIsSet() throws Exception {
        Thread.currentThread().interrupt();
        assertTrue(new Bulkhead(1, 0, LONG).<Boolean>call(Thread::interrupted), "the call decides what to do about it");
    }

    @Test
    void refusesBadNumbers() {
        assertThrows(IllegalArgumentException.class, () -> new Bulkhead(0, 1, LONG));
        assertThrows(IllegalArgumentException.class, () -> new Bulkhead(1, -1, LONG));
        assertThrows(NullPointerException.class, () -> new Bulkhead(1, 1, null));
    }

    @Test
    void aPermitIsClosedOnceFromAnyThread() throws Exception {
        var bulkhead = new Bulkhead(3, 0, LONG);
        var permit = bulkhead.tryEnter(2).orElseThrow();
        assertEquals(2, bulkhead.running());
        assertTrue(bulkhead.tryEnter(2).isEmpty());
        var last = bulkhead.tryEnter().orElseThrow();
        assertTrue(bulkhead.tryEnter().isEmpty());
        var closers = IntStream.range(0, 10).mapToObj(i -> executor.submit(permit::close)).toList();
        for (var closer : closers) {
            closer.get();
        }
        assertEquals(1, bulkhead.running());
        last.close();
        bulkhead.enter(LONG, 3, 0).close();
        for (int bad : new int[] {0, -1, 4, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> bulkhead.tryEnter(bad));
            assertThrows(IllegalArgumentException.class, () -> bulkhead.enter(LONG, bad, 0));
        }
        assertThrows(NullPointerException.class, () -> bulkhead.enter(null));
        assertThrows(NullPointerException.class, () -> bulkhead.call(null));
        assertEquals(0, bulkhead.running());
    }

    private Future<?> waiting(Bulkhead bulkhead, int weight, int priority, List<Integer> order) {
        int waiting = bulkhead.waiting();
        var future = executor.submit(() -> {
            try (var permit = bulkhead.enter(LONG, weight, priority)) {
                order.add(priority * 1_000 + weight);
                assertTrue(permit != null);
            }
            return null;
        });
        await(waiting + 1, bulkhead::waiting);
        return future;
    }

    @Test
    void theUrgentGoFirstThenTheOrderTheyCame() throws Exception {
        var bulkhead = new Bulkhead(3, 100, LONG);
        var all = bulkhead.tryEnter(3).orElseThrow();
        var order = java.util.Collections.synchronizedList(new ArrayList<Integer>());
        var futures = new ArrayList<Future<?>>(); // weight 3, or 2: one at a time
        futures.add(waiting(bulkhead, 2, 5, order));
        futures.add(waiting(bulkhead, 3, 5, order));
        futures.add(waiting(bulkhead, 3, -1, order));
        futures.add(waiting(bulkhead, 2, 0, order));
        futures.add(waiting(bulkhead, 3, 0, order));
        assertTrue(bulkhead.tryEnter().isEmpty());
        all.close();
        for (var future : futures) {
            future.get();
        }
        assertEquals(List.of(-997, 2, 3, 5_002, 5_003), order);
    }

    @Test
    void nobodyOvertakesTheHeavyOneAndItsGoingLetsTheOthersIn() throws Exception {
        var bulkhead = new Bulkhead(3, 100, LONG);
        var two = bulkhead.tryEnter(2).orElseThrow();
        var heavy = new AtomicReference<Thread>();
        var first = executor.submit(() -> {
            heavy.set(Thread.currentThread());
            return bulkhead.enter(LONG, 3, 0);
        });
        await(1, bulkhead::waiting);
        assertTrue(bulkhead.tryEnter().isEmpty(), "there is room for one, but somebody waits");
        var light = executor.submit(() -> bulkhead.enter(LONG, 1, 0));
        await(2, bulkhead::waiting);
        bulkhead.enter(LONG, 1, -1).close(); // before both, and it fits
        heavy.get().interrupt();
        assertInstanceOf(InterruptedException.class, assertThrows(ExecutionException.class, first::get).getCause());
        light.get().close();
        two.close();
        assertEquals(0, bulkhead.running());
    }

    @Test
    void theUrgentDisplaceTheLastOfThoseWhoWait() throws Exception {
        var bulkhead = new Bulkhead(1, 2, LONG);
        occupy(bulkhead);
        var urgent = executor.submit(() -> bulkhead.enter(LONG, 1, 1));
        await(1, bulkhead::waiting);
        var bulk = executor.submit(() -> bulkhead.enter(LONG, 1, 9));
        await(2, bulkhead::waiting);
        assertThrows(Bulkhead.FullException.class, () -> bulkhead.enter(LONG, 1, 9), "not more urgent than the last");
        var more = executor.submit(() -> bulkhead.enter(LONG, 1, 8));
        assertInstanceOf(Bulkhead.FullException.class, assertThrows(ExecutionException.class, bulk::get).getCause());
        assertEquals(2, bulkhead.waiting());
        go.countDown();
        urgent.get().close();
        more.get().close();
        await(0, bulkhead::running);
    }

    /** Random waits, failures and interrupts; both bounds always hold, a refusal means full, no place is lost. */
    @Test
    @Timeout(600)
    void stress() throws Exception {
        int maxRunning = 3;
        var ways = Stream.generate(AtomicInteger::new).limit(4).toList();
        var calls = new AtomicInteger();
        var inside = new AtomicInteger();
        for (int run = 0; run < 3; run++) {
            int maxWaiting = run == 0 ? 4 : 30; // refused at once; for want of patience; only interrupts
            var bulkhead = new Bulkhead(maxRunning, maxWaiting, List.of(LONG, Duration.ofNanos(30_000), LONG).get(run));
            var callers = new ArrayList<Future<?>>();
            var threads = new ArrayList<Thread>();
            var ready = new Semaphore(0);
            for (int seed = 0; seed < 20; seed++) {
                var random = new Random(seed);
                callers.add(executor.submit(() -> {
                    synchronized (threads) {
                        threads.add(Thread.currentThread());
                    }
                    ready.release();
                    for (int i = 0; i < 2_000 || ways.get(3).get() == 0; i++) { // until an interrupt has come, too
                        calls.incrementAndGet();
                        boolean failing = random.nextInt(4) == 0;
                        boolean sleeping = random.nextInt(8) == 0;
                        try {
                            bulkhead.call(() -> {
                                assertTrue(inside.incrementAndGet() <= maxRunning, "too many run");
                                try {
                                    if (sleeping) {
                                        Thread.sleep(0, 20_000);
                                    }
                                    Thread.yield();
                                    if (failing) {
                                        throw new IOException();
                                    }
                                } finally {
                                    inside.decrementAndGet();
                                }
                                return null;
                            });
                            ways.get(0).incrementAndGet();
                        } catch (IOException e) {
                            ways.get(1).incrementAndGet();
                        } catch (Bulkhead.FullException e) {
                            ways.get(2).incrementAndGet();
                        } catch (InterruptedException e) {
                            ways.get(3).incrementAndGet();
                        }
                        assertTrue(bulkhead.waiting() <= maxWaiting, "too many wait");
                    }
                    return null;
                }));
            }
            ready.acquire(20);
            var random = new Random(1);
            while (callers.stream().anyMatch(caller -> !caller.isDone())) {
                threads.get(random.nextInt(20)).interrupt();
                Thread.yield();
            }
            for (var caller : callers) {
                caller.get();
            }
            assertEquals(0, bulkhead.running(), "a place was lost");
            assertEquals(0, bulkhead.waiting());
        }
        System.out.println("Bulkhead: " + calls + " calls, ended/failed/refused/interrupted: " + ways);
        assertTrue(calls.get() >= 120_000);
        assertEquals(calls.get(), ways.stream().mapToInt(AtomicInteger::get).sum());
        assertTrue(ways.stream().allMatch(way -> way.get() > 0), ways::toString);
    }

    /** Weights, priorities, short patience and interrupts: never too much, and in the end all room is there. */
    @Test
    @Timeout(600)
    void stressOfWeights() throws Exception {
        int room = 5;
        var bulkhead = new Bulkhead(room, 6, LONG);
        var inside = new AtomicInteger();
        var ways = Stream.generate(AtomicInteger::new).limit(4).toList();
        var threads = new ArrayList<Thread>();
        var ready = new Semaphore(0);
        var callers = new ArrayList<Future<?>>();
        for (int seed = 0; seed < 12; seed++) {
            var random = new Random(seed);
            callers.add(executor.submit(() -> {
                synchronized (threads) {
                    threads.add(Thread.currentThread());
                }
                ready.release();
                for (int i = 0; i < 3_000; i++) {
                    int weight = 1 + random.nextInt(room);
                    Bulkhead.Permit permit;
                    try {
                        if (random.nextInt(4) == 0) {
                            permit = bulkhead.tryEnter(weight).orElse(null);
                        } else {
                            var patience = random.nextBoolean() ? LONG : Duration.ofNanos(random.nextInt(50_000));
                            permit = bulkhead.enter(patience, weight, random.nextInt(3));
                        }
                    } catch (Bulkhead.FullException e) {
                        ways.get(0).incrementAndGet();
                        continue;
                    } catch (InterruptedException e) {
                        ways.get(1).incrementAndGet();
                        continue;
                    }
                    if (permit == null) {
                        ways.get(2).incrementAndGet();
                        continue;
                    }
                    assertTrue(inside.addAndGet(weight) <= room, "too much runs");
                    Thread.yield();
                    inside.addAndGet(-weight);
                    permit.close();
                    permit.close();
                    ways.get(3).incrementAndGet();
                    assertTrue(bulkhead.waiting() <= 6, "too many wait");
                }
                return null;
            }));
        }
        ready.acquire(12);
        var random = new Random(1);
        while (callers.stream().anyMatch(caller -> !caller.isDone())) {
            threads.get(random.nextInt(12)).interrupt();
            Thread.yield();
        }
        for (var caller : callers) {
            caller.get();
        }
        System.out.println("Bulkhead: 36000 weighed calls, refused/interrupted/no room/ended: " + ways);
        assertEquals(0, bulkhead.running());
        assertEquals(0, bulkhead.waiting());
        assertEquals(36_000, ways.stream().mapToInt(AtomicInteger::get).sum());
    }

    /** With as many places as callers nobody is ever refused: no moment at which a place is counted twice. */
    @Test
    @Timeout(600)
    void neverRefusesWhileThereIsRoom() throws Exception {
        var bulkhead = new Bulkhead(2, 3, LONG);
        var callers = IntStream.range(0, 5).mapToObj(t -> executor.submit(() -> {
            for (int i = 0; i < 20_000; i++) {
                bulkhead.call(() -> null);
            }
            return null;
        })).toList();
        for (var caller : callers) {
            caller.get();
        }
        System.out.println("Bulkhead: 100000 calls, none refused");
    }

    @Test
    void allThatWaitAreRefusedAndPermitsStayAsTheyAre() throws Exception {
        var bulkhead = new Bulkhead(2, 100, LONG);
        var running = List.of(occupy(bulkhead), occupy(bulkhead));
        for (int round = 0; round < 2; round++) {
            var waiting = new ArrayList<Future<?>>();
            for (int i = 0; i < 100; i++) {
                int mine = i;
                waiting.add(executor.submit(() -> bulkhead.enter(LONG, 1 + mine % 2, mine % 3)));
                await(i + 1, bulkhead::waiting);
            }
            assertEquals(100, bulkhead.refuseWaiters());
            for (var future : waiting) {
                assertInstanceOf(Bulkhead.FullException.class,
                        assertThrows(ExecutionException.class, future::get).getCause());
            }
            assertEquals(0, bulkhead.waiting());
            assertEquals(2, bulkhead.running());
        }
        assertEquals(0, bulkhead.refuseWaiters());
        var later = executor.submit(() -> bulkhead.call(() -> 7)); // waits as ever
        await(1, bulkhead::waiting);
        go.countDown();
        assertEquals(7, later.get());
        for (var future : running) {
            future.get();
        }
        assertEquals(0, bulkhead.running());
    }

    @Test
    void refusedWhileOthersComeAndGo() throws Exception {
        var bulkhead = new Bulkhead(3, 8, LONG);
        var inside = new AtomicInteger();
        var over = new AtomicInteger();
        var callers = new ArrayList<Future<?>>();
        for (int i = 0; i < 8; i++) {
            int seed = i;
            callers.add(executor.submit(() -> {
                var random = new Random(seed);
                for (int n = 0; n < 2_000; n++) {
                    int weight = 1 + random.nextInt(3);
                    Bulkhead.Permit permit;
                    try {
                        permit = bulkhead.enter(LONG, weight, random.nextInt(3));
                    } catch (Bulkhead.FullException e) {
                        continue;
                    }
                    over.addAndGet(inside.addAndGet(weight) > 3 ? 1 : 0);
                    if (n % 7 == 0) {
                        Thread.yield();
                    }
                    inside.addAndGet(-weight);
                    permit.close();
                }
                return null;
            }));
        }
        while (!callers.stream().allMatch(Future::isDone)) {
            bulkhead.refuseWaiters();
            Thread.yield();
        }
        for (var future : callers) {
            future.get();
        }
        assertEquals(0, over.get());
        assertEquals(0, bulkhead.running());
        assertEquals(0, bulkhead.waiting());
        assertEquals(3, bulkhead.<Integer>call(() -> 3));
    }
}
