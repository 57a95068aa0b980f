import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.AbstractList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GatherTest {

    @Test
    void runsAllAtOnceAndKeepsTheOrder() throws Exception {
        var together = new CyclicBarrier(100); // passes only if all hundred run at the same time
        var tasks = IntStream.range(0, 100).<Callable<Integer>>mapToObj(i -> () -> {
            together.await();
            return i;
        }).toList();
        assertEquals(IntStream.range(0, 100).boxed().toList(), Gather.all(tasks));
    }

    @Test
    void allowsNullResultsAndNoTasks() throws Exception {
        assertEquals(List.of(), Gather.all(List.of()));
        assertNull(Gather.all(List.of(() -> null)).getFirst());
    }

    @Test
    void failureInterruptsTheSiblingsAndAwaitsThem() throws Exception {
        var started = new CountDownLatch(2);
        var ended = new AtomicInteger();
        var boom = new IllegalStateException("boom");
        Callable<Integer> sibling = () -> {
            try {
                started.countDown();
                new CountDownLatch(1).await();
                return 0;
            } catch (InterruptedException e) {
                Thread.sleep(50); // slow cleanup: gather must not return before it
                ended.incrementAndGet();
                throw e;
            }
        };
        var thrown = assertThrows(ExecutionException.class, () -> Gather.all(List.of(sibling, sibling, () -> {
            started.await();
            throw boom;
        })));
        assertSame(boom, thrown.getCause());
        assertEquals(2, ended.get());
    }

    @Test
    void aFailureBeforeAllAreStartedStopsTheRest() {
        var boom = new IllegalStateException("boom");
        var failed = new CompletableFuture<Thread>();
        var started = new AtomicInteger();
        Callable<Integer> first = () -> {
            failed.complete(Thread.currentThread());
            throw boom;
        };
        var tasks = new AbstractList<Callable<Integer>>() {
            @Override
            public Callable<Integer> get(int index) {
                if (index == 0) {
                    return first;
                }
                try {
                    failed.join().join(); // the failed task's thread has ended
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return started::incrementAndGet;
            }

            @Override
            public int size() {
                return 1_000;
            }
        };
        assertSame(boom, assertThrows(ExecutionException.class, () -> Gather.all(tasks)).getCause());
        assertEquals(0, started.get());
        var own = new RejectedExecutionException("the collection's own");
        assertSame(own, assertThrows(RejectedExecutionException.class, () -> Gather.all(new AbstractList<Callable<Integer>>() {
            @Override
            public Callable<Integer> get(int index) {
                throw own;
            }

            @Override
            public int size() {
                return 1;
            }
        })));
    }

    @Test
    void anErrorIsTheCauseToo() {
        var error = new StackOverflowError();
        var thrown = assertThrows(ExecutionException.class, () -> Gather.all(List.of(() -> {
            throw error;
        })));
        assertSame(error, thrown.getCause());
    }

    @Test
    void interruptOfTheCallerInterruptsAndAwaitsAllTasks() throws Exception {
        var running = new CountDownLatch(10);
        var ended = new AtomicInteger();
        Callable<Void> task = () -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
                return null;
            } finally {
                ended.incrementAndGet();
            }
        };
        var endedAtReturn = new AtomicInteger(-1);
        var caller = Thread.ofVirtual().start(() -> {
            try {
                Gather.all(IntStream.range(0, 10).mapToObj(i -> task).toList());
            } catch (InterruptedException e) {
                endedAtReturn.set(ended.get());
            } catch (ExecutionException e) {
                endedAtReturn.set(-2);
            }
        });
        running.await();
        caller.interrupt();
        caller.join();
        assertEquals(10, endedAtReturn.get());
    }
}
