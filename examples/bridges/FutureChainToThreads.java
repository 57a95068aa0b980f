import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * asyncio: what is left of callbacks when {@code async def} came: a {@code CompletableFuture} chain turned into plain
 * code in virtual threads, in four steps, each of which runs and gives the same result. Final API, JDK 21 and later.
 *
 * <p>Use as a model for a migration: from the middle outwards, the signature of {@link #quoteWrapped} last. Do not
 * begin with the leaves. If an event loop calls the chain, it stays a future there: wrap step 3 in {@code Offload}.
 *
 * <p>Run: {@code java examples/bridges/FutureChainToThreads.java}
 */
public final class FutureChainToThreads {

    record Quote(String item, int price, int stock) {
    }

    private final ExecutorService executor;
    private final AtomicInteger interrupted = new AtomicInteger();
    private final CountDownLatch slowPrices = new CountDownLatch(3);

    private FutureChainToThreads(ExecutorService executor) {
        this.executor = executor;
    }

    // @start region="step0"
    /** Step 0: the chain as it was. */
    CompletableFuture<Quote> quoteChain(String name) {
        return itemAsync(name)
                .thenCompose(item -> priceAsync(item).thenCombine(stockAsync(item), (price, stock) -> new Quote(item,
                        price, stock)))
                .exceptionally(failure -> new Quote(name, -1, 0))
                .orTimeout(1, TimeUnit.SECONDS);
    }
    // @end region="step0"

    // @start region="step1"
    /** Step 1: the body is plain code. */
    Quote quoteBody(String name) {
        try {
            String item = itemAsync(name).join();
            var price = priceAsync(item); // both begin before the first is waited for
            var stock = stockAsync(item);
            return new Quote(item, price.join(), stock.join());
        } catch (CompletionException e) {
            return new Quote(name, -1, 0);
        }
    }

    CompletableFuture<Quote> quoteWrapped(String name) { // the callers see no difference
        // blocking-ok: as in step 0 nothing stops the work; from step 2 on an interrupt does
        return CompletableFuture.supplyAsync(() -> quoteBody(name), executor).orTimeout(1, TimeUnit.SECONDS);
    }
    // @end region="step1"

    // @start region="step2"
    /**
     * Step 2: blocking leaves in tasks that an interrupt reaches and that have ended at the end ({@code TaskGroup}
     * also fails fast).
     */
    Quote quoteBlocking(String name) throws InterruptedException {
        var tasks = Executors.newVirtualThreadPerTaskExecutor();
        try {
            String item = item(name);
            Future<Integer> price = tasks.submit(() -> price(item));
            Future<Integer> stock = tasks.submit(() -> stock(item));
            return new Quote(item, price.get(), stock.get());
        } catch (ExecutionException | IllegalArgumentException e) {
            return new Quote(name, -1, 0);
        } finally {
            stop(tasks); // interrupts what still runs, once, and waits for it
        }
    }
    // @end region="step2"

    /**
     * Interrupts what a failure or an interrupt left running, once, and waits for it: close() would pass on a second
     * interrupt.
     */
    private static void stop(ExecutorService tasks) {
        tasks.shutdownNow();
        boolean interrupted = false;
        while (!tasks.isTerminated()) {
            try {
                tasks.awaitTermination(1, TimeUnit.DAYS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // @start region="step3"
    /**
     * Step 3: the callers block too; a time limit that stops the work: {@code Timeout.call(() -> quoteBlocking(name),
     * limit)}.
     */
    List<Quote> quotes(List<String> names) throws InterruptedException {
        var quotes = new ArrayList<Quote>();
        for (String name : names) {
            quotes.add(quoteBlocking(name));
        }
        return quotes;
    }
    // @end region="step3"

    private CompletableFuture<String> itemAsync(String name) {
        return CompletableFuture.supplyAsync(() -> unchecked(() -> item(name)), executor);
    }

    private CompletableFuture<Integer> priceAsync(String item) {
        return CompletableFuture.supplyAsync(() -> unchecked(() -> price(item)), executor);
    }

    private CompletableFuture<Integer> stockAsync(String item) {
        return CompletableFuture.supplyAsync(() -> unchecked(() -> stock(item)), executor);
    }

    private String item(String name) throws InterruptedException {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("no such item");
        }
        Thread.sleep(20);
        return name.toUpperCase(Locale.ROOT);
    }

    private int price(String item) throws InterruptedException {
        try {
            if (item.equals("SLOW")) {
                slowPrices.countDown();
                Thread.sleep(60_000);
            }
            Thread.sleep(20);
            return 100;
        } catch (InterruptedException e) {
            interrupted.incrementAndGet();
            throw e;
        }
    }

    private int stock(String item) throws InterruptedException {
        Thread.sleep(20);
        return item.length();
    }

    private static <T> T unchecked(Callable<T> call) {
        try {
            return call.call();
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var shop = new FutureChainToThreads(executor);
            for (String name : List.of("pen", "")) {
                var before = shop.quoteChain(name).join();
                System.out.println(before + ", the same after each step");
                check(before.equals(shop.quoteWrapped(name).join()), "step 1");
                check(before.equals(shop.quoteBlocking(name)), "step 2");
                check(before.equals(shop.quotes(List.of(name)).getFirst()), "step 3");
            }
            var chain = shop.quoteChain("slow");
            var wrapped = shop.quoteWrapped("slow");
            Thread caller = Thread.startVirtualThread(() -> {
                try {
                    shop.quoteBlocking("slow");
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            shop.slowPrices.await();
            chain.cancel(true);
            wrapped.cancel(true);
            System.out.println("steps 0 and 1 cancelled: work interrupted " + shop.interrupted + " times");
            check(shop.interrupted.get() == 0, "a cancel of a CompletableFuture stops nothing");
            caller.interrupt();
            caller.join();
            System.out.println("step 2 interrupted:      work interrupted " + shop.interrupted + " times");
            check(shop.interrupted.get() == 1, "an interrupt stops the work, and it has ended");
            executor.shutdownNow(); // what the chains left running
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
