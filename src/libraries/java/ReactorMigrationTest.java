import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** From Reactor to virtual threads, one layer after the other, from the middle outwards: after each step it runs. */
@org.junit.jupiter.api.Timeout(60)
class ReactorMigrationTest {

    record Profile(String user, List<String> orders, int credit) {
    }

    /** What the application calls; before the last step only its reactive methods exist. */
    static class Clients {
        final CompletableFuture<Void> asked = new CompletableFuture<>();
        final CountDownLatch cancelled = new CountDownLatch(1);

        Mono<String> user(int id) {
            return id < 0 ? Mono.error(new IllegalArgumentException("no user " + id)) : Mono.just("user " + id)
                    .delayElement(Duration.ofMillis(5));
        }

        Mono<List<String>> orders(String user) {
            return Mono.just(List.of("a", "b")).delayElement(Duration.ofMillis(5));
        }

        Mono<Integer> credit(String user) {
            return user.equals("user 0")
                    ? Mono.<Integer>never().doOnCancel(cancelled::countDown).doOnSubscribe(s -> asked.complete(null))
                    : Mono.just(100).delayElement(Duration.ofMillis(5));
        }

        String blockingUser(int id) throws InterruptedException {
            Thread.sleep(5);
            return "user " + id;
        }

        List<String> blockingOrders(String user) throws InterruptedException {
            Thread.sleep(5);
            return List.of("a", "b");
        }

        int blockingCredit(String user) throws InterruptedException {
            Thread.sleep(5);
            return 100;
        }
    }

    private final Clients clients = new Clients();

    // @start region="step0"
    Mono<Profile> reactive(int id) {
        return clients.user(id)
                .flatMap(user -> Mono.zip(clients.orders(user), clients.credit(user))
                        .map(both -> new Profile(user, both.getT1(), both.getT2())))
                .timeout(Duration.ofSeconds(10));
    }
    // @end region="step0"

    // @start region="step1"
    /** Step 1: the body is plain code in a virtual thread; the leaves stay reactive. */
    Profile body(int id) throws Exception {
        String user = FutureBridge.await(clients.user(id).toFuture());
        try (var group = TaskGroup.failFast()) {
            var orders = group.fork(() -> FutureBridge.await(clients.orders(user).toFuture()));
            var credit = group.fork(() -> FutureBridge.await(clients.credit(user).toFuture()));
            group.join();
            return new Profile(user, orders.get(), credit.get());
        }
    }

    /** Its callers see no difference: cancelling the Mono interrupts the body, which cancels the leaves. */
    Mono<Profile> wrapped(Offload offload, int id) {
        return Mono.fromFuture(() -> offload.call(() -> body(id))).timeout(Duration.ofSeconds(10));
    }
    // @end region="step1"

    // @start region="step2"
    /** Step 2: the callers block too, one after the other, until none wants a Mono: wrapped() and Offload go. */
    Profile called(int id) throws Exception {
        return Timeout.call(() -> body(id), Duration.ofSeconds(10));
    }
    // @end region="step2"

    // @start region="step3"
    /** Step 3: leaf by leaf to a blocking client (JDBC, HttpClient.send); Reactor leaves the build. */
    Profile plain(int id) throws Exception {
        String user = clients.blockingUser(id);
        try (var group = TaskGroup.failFast()) {
            var orders = group.fork(() -> clients.blockingOrders(user));
            var credit = group.fork(() -> clients.blockingCredit(user));
            group.join();
            return new Profile(user, orders.get(), credit.get());
        }
    }
    // @end region="step3"

    @Test
    void eachStepGivesTheSame() throws Exception {
        try (var offload = new Offload(100, 1_000)) {
            var expected = reactive(7).block();
            assertEquals(expected, wrapped(offload, 7).block());
            assertEquals(expected, called(7));
            assertEquals(expected, plain(7));
            assertThrows(IllegalArgumentException.class, () -> reactive(-1).block());
            var wrapped = assertThrows(RuntimeException.class, () -> wrapped(offload, -1).block());
            assertEquals(ExecutionException.class, wrapped.getCause().getClass(),
                    "a failure arrives wrapped: unwrap at the edge");
            assertThrows(ExecutionException.class, () -> called(-1));
        }
    }

    @Test
    void theTimeoutReachesTheReactiveLeafThroughEveryLayer() throws Exception {
        try (var offload = new Offload(100, 1_000)) {
            wrapped(offload, 0).timeout(Mono.fromFuture(clients.asked)).onErrorComplete().block();
            clients.cancelled.await();
        }
        var again = new ReactorMigrationTest();
        for (int millis = 50; again.clients.cancelled.getCount() > 0; millis *= 2) { // longer: it did not come so far
            var limit = Duration.ofMillis(millis);
            assertThrows(TimeoutException.class, () -> Timeout.call(() -> again.body(0), limit));
        }
    }
}
