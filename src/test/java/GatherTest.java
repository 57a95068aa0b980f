import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
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
    void allIsReadBeforeTheFirstTaskStarts() {
        var started = new AtomicInteger();
        var own = new RejectedExecutionException("the collection's own");
        var broken = new AbstractList<Callable<Integer>>() {
            @Override
            public Callable<Integer> get(int index) {
                if (index == 1) {
                    throw own;
                }
                return started::incrementAndGet;
            }

            @Override
            public int size() {
                return 2;
            }
        };
        assertSame(own, assertThrows(RejectedExecutionException.class, () -> Gather.all(broken)));
        List<Callable<Integer>> withNull = Arrays.asList(started::incrementAndGet, null);
        assertEquals("task", assertThrows(NullPointerException.class, () -> Gather.all(withNull)).getMessage());
        assertEquals(0, started.get());
    }

    @Test
    void eachTaskIsInterruptedOnceAndTheSecondInterruptIsKept() throws Exception {
        OneInterrupt.ofACallerInterruptedTwice(3, work -> Gather.all(Collections.nCopies(3, work.task())));
        OneInterrupt.ofACallerInterruptedAfterwards(3, ExecutionException.class, work -> {
            var tasks = new ArrayList<Callable<Object>>(Collections.nCopies(3, work.task()));
            tasks.add(() -> {
                work.begun.await();
                throw new IllegalStateException("failed");
            });
            Gather.all(tasks);
        });
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
