import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashMap;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Right, and of everything something: pools, monitors, timers, interrupts, callbacks under locks of the JDK. */
public final class HoldsItsPromises {
    private final ArrayDeque<Integer> items = new ArrayDeque<>();

    private synchronized void put(int item) {
        items.add(item);
        notifyAll();
    }

    private synchronized int take() throws InterruptedException {
        while (items.isEmpty()) {
            wait();
        }
        return items.remove();
    }

    public static void main(String[] args) throws Exception {
        monitors();
        callbacksUnderLocks();
        pools();
        timers();
        interrupts();
        check(IntStream.range(0, 40).parallel().map(i -> i + 1).sum() == 820, "a parallel stream");
    }

    private static void monitors() throws Exception {
        var queue = new HoldsItsPromises();
        var sum = new AtomicInteger();
        Thread taker = new Thread(() -> {
            try {
                sum.addAndGet(queue.take() + queue.take());
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }, "taker");
        taker.start();
        queue.put(1);
        queue.put(2);
        taker.join();
        check(sum.get() == 3 && taker.getState() == Thread.State.TERMINATED && !taker.isAlive(), "both taken");
    }

    private static void callbacksUnderLocks() throws Exception {
        var map = new ConcurrentHashMap<String, Integer>();
        var plain = Collections.synchronizedMap(new HashMap<String, Integer>());
        Runnable both = () -> {
            map.compute("key", (key, old) -> old == null ? 1 : old + 1);
            plain.merge("key", 1, (old, one) -> old + one);
        };
        Thread one = Thread.startVirtualThread(both);
        Thread two = Thread.startVirtualThread(both);
        one.join();
        two.join();
        check(map.get("key") == 2 && plain.get("key") == 2, "computed under the map's own lock");
    }

    private static void pools() throws Exception {
        var count = new AtomicInteger();
        try (var pool = Executors.newFixedThreadPool(2); var own = Executors.newVirtualThreadPerTaskExecutor()) {
            pool.submit(count::incrementAndGet);
            own.submit(count::incrementAndGet);
            check(pool.submit(() -> Thread.currentThread().isVirtual()).get() == Boolean.FALSE, "a platform thread");
        }
        check(count.get() == 2, "all done");
        var handover = new SynchronousQueue<Integer>();
        Thread giver = Thread.startVirtualThread(() -> {
            try {
                handover.put(ThreadLocalRandom.current().nextInt(1, 9));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        check(handover.take() > 0, "handed over");
        giver.join();
    }

    private static void timers() throws Exception {
        var rung = new CountDownLatch(2);
        var timer = new Timer("timer", true);
        timer.schedule(new TimerTask() {
            @Override
            public void run() {
                rung.countDown();
            }
        }, 50);
        try (var pool = Executors.newScheduledThreadPool(1)) {
            pool.schedule(rung::countDown, 50, TimeUnit.MILLISECONDS);
            rung.await();
        }
        timer.cancel();
        long start = System.nanoTime();
        Thread.sleep(86_400_000);
        check(System.nanoTime() - start >= 86_400_000_000_000L, "a day has passed");
    }

    private static void interrupts() throws Exception {
        var flag = new AtomicInteger();
        Thread sleeper = new Thread(() -> {
            try {
                Thread.sleep(3_600_000);
            } catch (InterruptedException e) {
                flag.set(Thread.interrupted() ? 2 : 1);
            }
        });
        sleeper.start();
        sleeper.interrupt();
        sleeper.join();
        check(flag.get() == 1, "interrupted once");
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
