import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeriodicTaskTest {

    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);
    private final AtomicInteger runs = new AtomicInteger();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    private PeriodicTask start(Duration first, Duration delay, PeriodicTask.Job job) {
        return PeriodicTask.start("periodic", first, delay, job, (task, cause) -> {
            assertEquals("periodic", task);
            failures.add(cause);
        });
    }

    @Test
    void runsAgainAndAgain() throws Exception {
        var five = new CountDownLatch(5);
        var task = start(Duration.ZERO, Duration.ofMillis(1), five::countDown);
        try (task) {
            five.await();
        }
        assertEquals(List.of(), List.copyOf(failures));
    }

    @Test
    void theDelayCountsFromTheEndOfARunAndNothingIsCaughtUp() throws Exception {
        var ends = new ArrayList<Long>();
        var gaps = new ArrayList<Long>();
        var done = new CountDownLatch(6);
        var task = start(Duration.ofMillis(-1), Duration.ofMillis(20), () -> {
            if (!ends.isEmpty()) {
                gaps.add(System.nanoTime() - ends.getLast());
            }
            Thread.sleep(runs.incrementAndGet() == 2 ? 200 : 0); // as long as ten delays
            ends.add(System.nanoTime());
            done.countDown();
            Thread.currentThread().interrupt(); // a leftover flag does not shorten the delay
        });
        try (task) {
            done.await();
        }
        assertTrue(gaps.stream().allMatch(gap -> gap >= 20_000_000), gaps::toString);
    }

    @Test
    void nothingTheJobDoesEndsTheRuns() throws Exception {
        var done = new CountDownLatch(1);
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            switch (runs.incrementAndGet()) {
                case 1 -> throw new IOException();
                case 2 -> throw new StackOverflowError();
                case 3 -> throw new InterruptedException("its own");
                case 4 -> Thread.currentThread().interrupt();
                case 5 -> {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException();
                }
                case 6 -> {
                    failures.add(new Throwable("flag left: " + Thread.currentThread().isInterrupted()));
                    done.countDown();
                }
                default -> {
                }
            }
        });
        try (task) {
            done.await();
        }
        assertEquals(List.of("IOException", "StackOverflowError", "InterruptedException", "IllegalStateException", "Throwable"),
                failures.stream().map(failure -> failure.getClass().getSimpleName()).toList());
        assertEquals("flag left: false", List.copyOf(failures).getLast().getMessage());
    }

    @Test
    void anInterruptFromElsewhereEndsNeitherTheDelayNorTheRuns() throws Exception {
        var thread = new CompletableFuture<Thread>();
        var first = new CompletableFuture<Long>();
        var second = new CompletableFuture<Long>();
        var task = start(Duration.ZERO, Duration.ofMillis(50), () -> {
            thread.complete(Thread.currentThread());
            if (!first.complete(System.nanoTime())) {
                second.complete(System.nanoTime());
            }
        });
        try (task) {
            thread.get();
            while (!second.isDone()) {
                thread.get().interrupt();
                Thread.sleep(1);
            }
            assertTrue(second.get() - first.get() >= 50_000_000);
        }
    }

    @Test
    void aHandlerThatFailsDoesNotEndTheRuns() throws Exception {
        var done = new CountDownLatch(3);
        var uncaught = new ConcurrentLinkedQueue<Throwable>();
        var error = new AssertionError("handler");
        var task = PeriodicTask.start("handler fails", Duration.ZERO, Duration.ZERO, () -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> uncaught.add(e));
            Thread.currentThread().interrupt();
            throw new IOException();
        }, (name, cause) -> {
            assertFalse(Thread.currentThread().isInterrupted(), "the handler may block");
            done.countDown();
            throw error;
        });
        try (task) {
            done.await();
        }
        assertEquals(error, uncaught.peek());
    }

    @Test
    void withoutADelayItStarvesNobody() throws Exception {
        int many = 2 * Runtime.getRuntime().availableProcessors() + 2;
        var all = new CountDownLatch(many);
        var tasks = IntStream.range(0, many).mapToObj(i -> {
            var ran = new AtomicInteger();
            return start(Duration.ZERO, Duration.ZERO, () -> {
                if (ran.getAndIncrement() == 0) {
                    all.countDown();
                }
            });
        }).toList();
        all.await();
        tasks.forEach(PeriodicTask::close);
    }

    @Test
    void closeEndsTheDelayAtOnce() throws Exception {
        for (Duration first : List.of(NEVER, Duration.ofDays(1))) {
            var waiting = start(first, Duration.ZERO, runs::incrementAndGet);
            waiting.close();
            waiting.close();
        }
        assertEquals(0, runs.get());
        var ran = new CountDownLatch(1);
        var task = start(Duration.ZERO, NEVER, ran::countDown);
        try (task) {
            ran.await();
        }
    }

    @Test
    void closeInterruptsARunOnceAndAwaitsItsCleanup() throws Exception {
        var running = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            try {
                running.countDown();
                new CountDownLatch(1).await();
            } finally {
                Thread.sleep(30); // not interrupted a second time
                ended.incrementAndGet();
            }
        });
        running.await();
        var others = IntStream.range(0, 5).mapToObj(i -> Thread.ofVirtual().start(task::close)).toList();
        task.close();
        assertEquals(1, ended.get());
        for (var other : others) {
            other.join();
        }
        assertEquals(List.of(), List.copyOf(failures), "an interrupted run is no failure");
    }

    @Test
    void aFailedCleanupIsReported() throws Exception {
        var running = new CountDownLatch(1);
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            running.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                throw new IOException("cleanup");
            }
        });
        running.await();
        task.close();
        assertEquals("cleanup", failures.remove().getMessage());
    }

    @Test
    void closeFromInsideTheJob() throws Exception {
        var self = new CompletableFuture<PeriodicTask>();
        var after = new CompletableFuture<Boolean>();
        var task = start(Duration.ZERO, Duration.ZERO, () -> {
            runs.incrementAndGet();
            self.get().close();
            Thread.sleep(1);
            after.complete(Thread.currentThread().isInterrupted());
        });
        self.complete(task);
        assertFalse(after.get(), "the run goes on to its end");
        task.close();
        assertEquals(1, runs.get());
        assertEquals(List.of(), List.copyOf(failures));
    }

    @Test
    void anInterruptOfTheCloserDoesNotEndTheWait() throws Exception {
        var running = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var ended = new AtomicInteger();
        var task = start(Duration.ZERO, NEVER, () -> {
            running.countDown();
            for (boolean waited = false; !waited; ) {
                try {
                    go.await(); // ignores its interrupt
                    waited = true;
                } catch (InterruptedException e) {
                    continue;
                }
            }
            ended.incrementAndGet();
        });
        running.await();
        var seen = new CompletableFuture<String>();
        var closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            task.close();
            seen.complete(ended + " " + Thread.currentThread().isInterrupted());
        });
        closer.interrupt();
        go.countDown();
        assertEquals("1 true", seen.get());
    }

    /** Many tasks that throw, leave flags and are closed at any moment, from inside too: no overlap, no run after close, none dies early. */
    @Test
    @Timeout(300)
    void stress() throws Exception {
        var total = new AtomicInteger();
        var overlaps = new AtomicInteger();
        var afterClose = new AtomicInteger();
        var reported = new AtomicInteger();
        var thrown = new AtomicInteger();
        var ways = Stream.generate(AtomicInteger::new).limit(5).toList();
        int rounds = 0;
        for (; total.get() < 120_000; rounds++) {
            var enough = new Semaphore(0);
            var tasks = new ArrayList<PeriodicTask>();
            for (int t = 0; t < 200; t++) {
                var random = new Random(rounds * 200L + t);
                var inside = new AtomicInteger();
                var closed = new AtomicInteger();
                int target = 20 + random.nextInt(60);
                boolean selfClosing = t % 2 == 0;
                var self = new CompletableFuture<PeriodicTask>();
                var count = new AtomicInteger();
                var task = PeriodicTask.start("t" + t, Duration.ZERO, Duration.ofNanos(random.nextInt(2)), () -> {
                    overlaps.addAndGet(inside.getAndIncrement());
                    try {
                        total.incrementAndGet();
                        afterClose.addAndGet(closed.get());
                        int run = count.incrementAndGet();
                        if (run == target) {
                            enough.release();
                            if (selfClosing) {
                                closed.set(1);
                                self.get().close();
                            }
                        }
                        int way = random.nextInt(5);
                        ways.get(way).incrementAndGet();
                        switch (way) {
                            case 0 -> Thread.currentThread().interrupt();
                            case 1 -> {
                                thrown.incrementAndGet();
                                throw new IOException();
                            }
                            case 2 -> {
                                thrown.incrementAndGet();
                                throw new AssertionError();
                            }
                            case 3 -> Thread.yield();
                            default -> {
                            }
                        }
                    } finally {
                        inside.decrementAndGet();
                    }
                }, (name, cause) -> reported.incrementAndGet());
                self.complete(task);
                tasks.add(task);
            }
            enough.acquire(200); // each made its runs: none died
            tasks.forEach(PeriodicTask::close);
            int atClose = total.get();
            Thread.yield();
            assertEquals(atClose, total.get(), "a run after close()");
        }
        System.out.println("PeriodicTask: " + total + " runs in " + rounds * 200 + " tasks, " + reported + " failures");
        assertEquals(0, overlaps.get());
        assertEquals(0, afterClose.get());
        assertTrue(Math.abs(thrown.get() - reported.get()) == 0, () -> thrown + " thrown, " + reported + " reported");
        assertTrue(ways.stream().allMatch(way -> way.get() > 0));
    }
}
