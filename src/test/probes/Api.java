import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What there is in a JDK: {@code yes}, {@code preview} or {@code -}. */
public final class Api {

    /** id, then a class, or a class and a method. */
    private static final List<String> NAMES = List.of(
            "scoped-value java.lang.ScopedValue",
            "scoped-value-run-where java.lang.ScopedValue#runWhere",
            "stable-value java.lang.StableValue",
            "lazy-constant java.lang.LazyConstant",
            "lazy-constant-or-else java.lang.LazyConstant#orElse",
            "map-concurrent java.util.stream.Gatherers#mapConcurrent",
            "thread-stop java.lang.Thread#stop",
            "thread-suspend java.lang.Thread#suspend",
            "process-close java.lang.Process#close",
            "process-wait-for-duration java.lang.Process#waitFor(java.time.Duration)",
            "fork-join-pool-schedule java.util.concurrent.ForkJoinPool#schedule",
            "fork-join-pool-submit-with-timeout java.util.concurrent.ForkJoinPool#submitWithTimeout",
            "fork-join-pool-invoke-all-uninterruptibly java.util.concurrent.ForkJoinPool#invokeAllUninterruptibly",
            "fork-join-pool-delayed-task-count java.util.concurrent.ForkJoinPool#getDelayedTaskCount",
            "executor-close java.util.concurrent.ExecutorService#close",
            "future-state java.util.concurrent.Future#state",
            "thread-join-duration java.lang.Thread#join(java.time.Duration)",
            "pool-finalize java.util.concurrent.ThreadPoolExecutor#finalize",
            "http-client-close java.net.http.HttpClient#close",
            "http-option java.net.http.HttpOption",
            "stream-limit-exception java.net.http.StreamLimitException",
            "connection-label java.net.http.HttpResponse#connectionLabel",
            "body-handlers-limiting java.net.http.HttpResponse$BodyHandlers#limiting",
            "publisher-of-file-channel java.net.http.HttpRequest$BodyPublishers#ofFileChannel",
            "http-exchange-rspbody com.sun.net.httpserver.HttpExchange.RSPBODY_EMPTY",
            "scheduler-bean jdk.management.VirtualThreadSchedulerMXBean",
            "scheduler-bean-set-parallelism jdk.management.VirtualThreadSchedulerMXBean#setParallelism",
            "aot-cache-bean jdk.management.HotSpotAOTCacheMXBean",
            "memory-bean-gc-cpu-time java.lang.management.MemoryMXBean#getTotalGcCpuTime",
            "scope java.util.concurrent.StructuredTaskScope",
            "scope-shutdown java.util.concurrent.StructuredTaskScope#shutdown",
            "scope-joinUntil java.util.concurrent.StructuredTaskScope#joinUntil",
            "scope-shutdown-on-failure java.util.concurrent.StructuredTaskScope$ShutdownOnFailure",
            "scope-failed-exception java.util.concurrent.StructuredTaskScope$FailedException",
            "scope-timeout-exception java.util.concurrent.StructuredTaskScope$TimeoutException",
            "scope-cancelled-by-timeout-exception java.util.concurrent.StructuredTaskScope$CancelledByTimeoutException",
            "joiner-any-successful-result-or-throw "
                    + "java.util.concurrent.StructuredTaskScope$Joiner#anySuccessfulResultOrThrow",
            "joiner-any-successful-or-throw java.util.concurrent.StructuredTaskScope$Joiner#anySuccessfulOrThrow",
            "joiner-all-successful-or-throw java.util.concurrent.StructuredTaskScope$Joiner#allSuccessfulOrThrow",
            "joiner-await-all java.util.concurrent.StructuredTaskScope$Joiner#awaitAll",
            "joiner-await-all-successful-or-throw "
                    + "java.util.concurrent.StructuredTaskScope$Joiner#awaitAllSuccessfulOrThrow",
            "joiner-all-until java.util.concurrent.StructuredTaskScope$Joiner#allUntil",
            "joiner-on-timeout java.util.concurrent.StructuredTaskScope$Joiner#onTimeout",
            "joiner-timeout java.util.concurrent.StructuredTaskScope$Joiner#timeout");

    public static void main(String[] args) throws Exception {
        for (String line : NAMES) {
            String[] words = line.split(" ");
            Probe.print("api." + words[0], there(words[1]));
        }
        Probe.print("api.scope-type-parameters", typeParameters());
        Probe.print("api.open-with-configuration-alone", openWithConfiguration());
        Probe.print("api.scoped-value-or-else-null", orElseNull());
        Probe.print("api.class-file-version", System.getProperty("java.class.version").replace(".0", ""));
        Probe.end();
    }

    private static String there(String name) {
        String[] parts = name.split("[#(]");
        try {
            int field = parts[0].lastIndexOf('.');
            if (parts[0].substring(field + 1).startsWith("RSPBODY")) {
                Class.forName(parts[0].substring(0, field)).getField(parts[0].substring(field + 1));
                return "yes";
            }
            Class<?> type = Class.forName(parts[0], false, ClassLoader.getSystemClassLoader());
            String yes = isPreview(type) ? "preview" : "yes";
            if (parts.length == 1) {
                return yes;
            }
            var methods = new ArrayList<Method>(List.of(type.getMethods()));
            methods.addAll(List.of(type.getDeclaredMethods()));
            String parameter = parts.length > 2 ? parts[2].replace(")", "") : "";
            return methods.stream().anyMatch(method -> method.getName().equals(parts[1]) && (parameter.isEmpty()
                    || Arrays.stream(method.getParameterTypes()).map(Class::getName).toList()
                            .equals(List.of(parameter)))
                    && !method.getDeclaringClass().equals(Object.class)) ? yes : "-";
        } catch (ReflectiveOperationException e) {
            return "-";
        }
    }

    /** The annotation is internal and only in the class file: javac knows. */
    private static boolean isPreview(Class<?> type) {
        try (var in = ClassLoader.getSystemResourceAsStream(type.getName().replace('.', '/') + ".class")) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1)
                    .contains("Ljdk/internal/javac/PreviewFeature;");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String typeParameters() throws ReflectiveOperationException {
        Class<?> scope = Class.forName("java.util.concurrent.StructuredTaskScope");
        return (scope.isInterface() ? "interface " : "class ") + Arrays.stream(scope.getTypeParameters())
                .map(Object::toString).toList();
    }

    private static String openWithConfiguration() throws ReflectiveOperationException {
        return Arrays.stream(Class.forName("java.util.concurrent.StructuredTaskScope").getMethods())
                .anyMatch(method -> method.getName().equals("open") && method.getParameterCount() == 1
                        && method.getParameterTypes()[0].getPackageName().equals("java.util.function")) ? "yes" : "-";
    }

    private static String orElseNull() throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.lang.ScopedValue");
        Object value = type.getMethod("newInstance").invoke(null);
        return Probe.outcome(() -> {
            try {
                return type.getMethod("orElse", Object.class).invoke(value, (Object) null);
            } catch (InvocationTargetException e) {
                throw (Exception) e.getCause();
            }
        });
    }
}
