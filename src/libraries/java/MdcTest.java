import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;
import reactor.core.publisher.Mono;

/** Logback's diagnostic context across the bridges. */
@Timeout(60)
class MdcTest {

    // @start region="carry"
    /**
     * The task with the logging context of the thread that calls this; what the executing thread had is there again
     * afterwards.
     */
    static <T> Callable<T> withMdc(Callable<T> task) {
        Map<String, String> carried = MDC.getCopyOfContextMap();
        return () -> {
            Map<String, String> before = MDC.getCopyOfContextMap();
            set(carried);
            try {
                return task.call();
            } finally {
                set(before);
            }
        };
    }

    private static void set(Map<String, String> context) {
        if (context == null) {
            MDC.clear(); // setContextMap(null) throws in some backends
        } else {
            MDC.setContextMap(context);
        }
    }
    // @end region="carry"

    @AfterEach
    void clear() {
        MDC.clear();
    }

    @Test
    void isNotInheritedAndIsCarried() throws Exception {
        MDC.put("request", "r-1");
        try (var offload = new Offload(10, 10); var pool = Executors.newFixedThreadPool(1)) {
            assertNull(offload.call(() -> MDC.get("request")).get(), "a virtual thread starts with none");
            assertEquals("r-1", offload.call(withMdc(() -> MDC.get("request"))).get());
            assertEquals("r-1", pool.submit(withMdc(() -> MDC.get("request"))).get());
            assertNull(pool.submit(() -> MDC.get("request")).get(), "nothing stays behind in the pool");
            var gathered = Gather.all(List.of(withMdc(() -> MDC.get("request")), withMdc(() -> MDC.get("request"))));
            assertEquals("[r-1, r-1]", gathered.toString());
        }
    }

    /** In Reactor the context belongs to the subscription, not to a thread: taken out where the bridge begins. */
    @Test
    void fromReactorsContext() {
        try (var offload = new Offload(10, 10)) {
            // @start region="reactor"
            Mono<String> find = Mono.deferContextual(context -> Mono.fromFuture(() -> offload.call(() -> {
                MDC.put("request", context.get("request")); // the thread ends with the call: nothing to clear
                return MDC.get("request");
            })));
            // @end region="reactor"
            assertEquals("r-2", find.contextWrite(context -> context.put("request", "r-2")).block());
        }
    }

    /** Many requests in few threads: each log line has its own request. */
    @Test
    void stress() throws Exception {
        int requests = 20_000;
        var wrong = new AtomicInteger();
        // offload is closed first: its calls go on in the pool
        try (var pool = Executors.newFixedThreadPool(3); var offload = new Offload(100, requests)) {
            for (int i = 0; i < requests; i++) {
                String id = "r-" + i;
                MDC.put("request", id);
                offload.call(withMdc(() -> id.equals(MDC.get("request")) ? 0 : wrong.incrementAndGet()))
                        .thenAcceptAsync(result -> wrong.addAndGet(MDC.get("request") == null ? 0 : 1), pool);
                if (i % 3 == 0) {
                    pool.submit(withMdc(() -> id.equals(MDC.get("request")) ? 0 : wrong.incrementAndGet()));
                }
            }
        }
        assertEquals(0, wrong.get());
    }
}
