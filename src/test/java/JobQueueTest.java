import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.Thread.UncaughtExceptionHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class JobQueueTest {
    private static final Duration LONG = Duration.ofSeconds(Long.MAX_VALUE);

    private static void untilWaiting(Thread thread) throws InterruptedException {
        while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.sleep(1);
        }
    }

    @Test
    void handlesInOrderAndTellsFailuresAndGoesOn() throws Exception {
        var handled = new ArrayList<Integer>();
        var failed = new ConcurrentLinkedQueue<String>();
        try (var jobs = new JobQueue<Integer>(2, 1, job -> {
            if (job % 3 == 0) {
                throw new StackOverflowError("job " + job);
            }
            Thread.currentThread().interrupt(); // left behind: no other job meets it
            if (job % 3 == 1) {
                Thread.interrupted();
            }
            handled.add(job);
        }, (job, cause) -> failed.add(job + cause.getMessage()))) {
            for (int i = 0; i < 10; i++) {
                jobs.put(i);
            }
            assertTrue(jobs.drain(LONG));
            assertEquals(0, jobs.size());
            assertThrows(IllegalStateException.class, () -> jobs.put(10));
            assertThrows(IllegalStateException.class, () -> jobs.offer(10));
            assertTrue(jobs.drain(Duration.ZERO), "again");
        }
        assertEquals(List.of(1, 2, 4, 5, 7, 8), handled);
        assertEquals(List.of("0job 0", "3job 3", "6job 6", "9job 9"), List.copyOf(failed));
    }

    /** Jobs that fail, and a failure handler that throws. */
    private static void fail(int count, UnaryOperator<RuntimeException> thrown, UncaughtExceptionHandler uncaught)
            throws InterruptedException {
        var before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
            if (thread.getName().startsWith("worker-")) { // what a thread of another test left behind is not ours
                uncaught.uncaughtException(thread, failure);
            }
        });
        try (var jobs = new JobQueue<Integer>(count, 1, job -> {
            throw new IllegalArgumentException();
        }, (job, cause) -> {
            throw thrown.apply((RuntimeException) cause);
        })) {
            for (int i = 0; i < count; i++) {
                jobs.put(i);
            }
            assertTrue(jobs.drain(LONG));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void aFailureHandlerThatThrowsCostsNoWorker() throws Exception {
        var uncaught = new AtomicInteger();
        fail(5, cause -> new IllegalStateException("handler"), (thread, e) -> {
            if (e.getMessage().equals("handler") && e.getSuppressed().length == 1) {
                uncaught.incrementAndGet();
            }
            throw new IllegalStateException("this one, too");
        });
        assertEquals(5, uncaught.get());
    }

    @Test
    void fullMakesWaitOrRefuses() throws Exception {
        var begun = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        try (var jobs = new JobQueue<Integer>(1, 1, job -> {
            begun.countDown();
            go.await();
        }, (job, cause) -> { })) {
            jobs.put(1);
            begun.await();
            assertTrue(jobs.offer(2));
            assertFalse(jobs.offer(3));
            assertEquals(2, jobs.size());
            Thread producer = Thread.startVirtualThread(
                    () -> assertThrows(IllegalStateException.class, () -> jobs.put(3)));
            untilWaiting(producer);
            var refused = new AtomicReference<Exception>();
            Thread interrupted = Thread.startVirtualThread(() -> refused.set(
                    assertThrows(InterruptedException.class, () -> jobs.put(4))));
            untilWaiting(interrupted);
            interrupted.interrupt();
            interrupted.join();
            assertInstanceOf(InterruptedException.class, refused.get());
            assertFalse(jobs.drain(Duration.ofMillis(5)));
            producer.join(); // refused by drain
            go.countDown();
            assertTrue(jobs.drain(LONG));
        }
    }

    @Test
    void stopReturnsWhatIsNotDoneAndInterruptsOnce() throws Exception {
        var begun = new CountDownLatch(3);
        var cleaning = new CountDownLatch(2);
        var finish = new CountDownLatch(1);
        var hits = new AtomicInteger();
        var failed = new ConcurrentLinkedQueue<Integer>();
        var jobs = new JobQueue<Integer>(9, 3, job -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                cleaning.countDown();
                try {
                    finish.await();
                } catch (InterruptedException second) {
                    hits.incrementAndGet();
                }
                if (job != 1) { // that one gets done all the same
                    throw e;
                }
            }
        }, (job, cause) -> failed.add(job));
        for (int i = 0; i < 6; i++) {
            jobs.put(i);
        }
        begun.await();
        var left = new ConcurrentLinkedQueue<Integer>();
        Thread stopping = Thread.startVirtualThread(() -> {
            left.addAll(jobs.stop(LONG));
            hits.addAndGet(Thread.currentThread().isInterrupted() ? 0 : 100);
        });
        untilWaiting(stopping);
        assertFalse(jobs.drain(LONG), "stopped meanwhile");
        stopping.interrupt(); // ends the grace
        cleaning.await();
        stopping.interrupt(); // and is not passed on
        Thread second = Thread.startVirtualThread(() -> left.addAll(jobs.stop(Duration.ofSeconds(Long.MIN_VALUE))));
        untilWaiting(second);
        finish.countDown();
        stopping.join();
        second.join();
        assertEquals(0, hits.get());
        assertEquals(List.of(0, 2, 3, 4, 5), left.stream().sorted().toList());
        assertEquals(List.of(), List.copyOf(failed));
        assertEquals(List.of(), jobs.stop(LONG));
        jobs.close();
    }

    @Test
    void closeTellsOfWhatIsLeftAndAJobCannotStopItsQueue() throws Exception {
        var refused = new AtomicInteger();
        var begun = new CountDownLatch(1);
        var told = new ConcurrentLinkedQueue<Integer>();
        var self = new AtomicReference<JobQueue<Integer>>();
        var ready = new CountDownLatch(1);
        self.set(new JobQueue<>(9, 1, job -> {
            ready.await();
            for (Chaos.Task task : List.<Chaos.Task>of(() -> self.get().drain(LONG), () -> self.get().stop(LONG),
                    () -> self.get().close())) {
                assertThrows(IllegalStateException.class, task::run);
                refused.incrementAndGet();
            }
            begun.countDown();
            new CountDownLatch(1).await();
        }, (job, cause) -> {
            assertInstanceOf(CancellationException.class, cause);
            told.add(job);
        }));
        self.get().put(1);
        self.get().put(2);
        ready.countDown();
        begun.await();
        self.get().close();
        assertEquals(3, refused.get());
        assertEquals(List.of(1, 2), List.copyOf(told));
    }

    @Test
    void refusesNonsense() {
        assertThrows(IllegalArgumentException.class, () -> new JobQueue<String>(0, 1, job -> { }, (job, cause) -> { }));
        assertThrows(IllegalArgumentException.class, () -> new JobQueue<String>(1, 0, job -> { }, (job, cause) -> { }));
        assertThrows(NullPointerException.class, () -> new JobQueue<String>(1, 1, null, (job, cause) -> { }));
        assertThrows(NullPointerException.class, () -> new JobQueue<String>(1, 1, job -> { }, null));
        try (var jobs = new JobQueue<String>(1, 1, job -> { }, (job, cause) -> { })) {
            assertThrows(NullPointerException.class, () -> jobs.put(null));
            assertThrows(NullPointerException.class, () -> jobs.offer(null));
            assertThrows(NullPointerException.class, () -> jobs.drain(null));
        }
    }

    /**
     * Rounds with jobs that fail, stray interrupts, a stop at any time: each job is handled, told or returned, once.
     */
    @Test
    void stress() throws Exception {
        int rounds = 300;
        int each = 300;
        var random = new Random(5);
        int returned = 0;
        for (int round = 0; round < rounds; round++) {
            var seen = new AtomicIntegerArray(each);
            var put = new AtomicInteger();
            var threads = ConcurrentHashMap.<Thread>newKeySet();
            int odds = 2 + random.nextInt(20);
            var jobs = new JobQueue<Integer>(1 + random.nextInt(8), 1 + random.nextInt(4), job -> {
                threads.add(Thread.currentThread());
                if (job % odds == 0) {
                    Thread.sleep(0, 20_000);
                    throw new IllegalStateException();
                }
                seen.incrementAndGet(job);
            }, (job, cause) -> seen.incrementAndGet(job));
            Thread producer = Thread.startVirtualThread(() -> {
                try {
                    for (int i = 0; i < each; i++) {
                        if (i % 7 == 0) {
                            threads.forEach(Thread::interrupt);
                        }
                        jobs.put(i);
                        put.incrementAndGet();
                    }
                } catch (IllegalStateException | InterruptedException e) {
                    // stopped
                }
            });
            if (random.nextBoolean()) {
                producer.join();
                assertTrue(jobs.drain(LONG));
            } else {
                Thread.sleep(0, random.nextInt(900_000));
            }
            List<Integer> left = jobs.stop(Duration.ofNanos(random.nextInt(100_000)));
            returned += left.size();
            left.forEach(seen::incrementAndGet);
            producer.join();
            for (Thread thread : threads) {
                assertTrue(thread.join(Duration.ofSeconds(500)), "a worker lives on");
            }
            for (int i = 0; i < each; i++) {
                assertEquals(i < put.get() ? 1 : 0, seen.get(i), "round " + round + " job " + i);
            }
        }
        System.out.println("JobQueue: " + rounds + " rounds of " + each + " jobs, returned by stop: " + returned);
        assertTrue(returned > 0);
    }

    @Test
    void aFailureHandlerThatRethrowsItsCauseCostsNoWorker() throws Exception {
        var uncaught = new AtomicInteger();
        fail(5, cause -> cause, (thread, e) -> uncaught.incrementAndGet());
        assertEquals(5, uncaught.get());
    }

    @Test
    void aFailureHandlersSharedExceptionDoesNotGrow() throws Exception {
        var shared = new IllegalStateException("logger is closed");
        fail(99, cause -> shared, (thread, e) -> { });
        assertEquals(10, shared.getSuppressed().length);
    }

    @Test
    void noFlagMeetsTheFailureHandler() throws Exception {
        var flags = new ConcurrentLinkedQueue<Boolean>();
        var begun = new CountDownLatch(1);
        var jobs = new JobQueue<Integer>(9, 1, job -> {
            if (job == 1) {
                begun.countDown();
                Thread.sleep(LONG.toSeconds());
            }
            Thread.currentThread().interrupt();
            throw new IllegalArgumentException();
        }, (job, cause) -> {
            flags.add(Thread.currentThread().isInterrupted());
            Thread.currentThread().interrupt();
        });
        for (int job = 0; job < 4; job++) {
            jobs.put(job);
        }
        begun.await();
        Thread.currentThread().interrupt();
        jobs.close();
        assertTrue(Thread.interrupted(), "kept");
        assertEquals(List.of(false, false, false, false), List.copyOf(flags));
    }

    @Test
    void drainIsFalseIfStopReturnedJobs() throws Exception {
        var begun = new CountDownLatch(1);
        var jobs = new JobQueue<Integer>(9, 1, job -> {
            begun.countDown();
            Thread.sleep(LONG.toSeconds());
        }, (job, cause) -> { });
        jobs.put(1);
        jobs.put(2);
        begun.await();
        assertEquals(List.of(1, 2), jobs.stop(Duration.ZERO));
        assertFalse(jobs.drain(LONG));
    }
}
