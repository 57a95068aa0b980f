package harness;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A null argument is refused by its name, before any code of the user's is called. */
@Timeout(600)
class ArgumentsTest {

    /** What may be null, as the Javadoc says, and the log, which never fails the code that writes to it. */
    private static final Set<String> MAY_BE_NULL = Set.of("service.Json.write value", "service.Json.bytes value",
            "service.JsonBody.response value",
            "service.Router.refuse why", "service.Response.error requestId", "service.Settings.text fallback",
            "service.Log.info event", "service.Log.info namesAndValues", "service.Log.error event",
            "service.Log.error cause", "service.Log.error namesAndValues");

    private static final Map<Class<?>, Supplier<Object>> VALUES = Map.ofEntries(
            entry(int.class, () -> 3), entry(long.class, () -> 3L), entry(double.class, () -> 0.5),
            entry(boolean.class, () -> true), entry(Object.class, () -> "x"), entry(String.class, () -> "x"),
            entry(Comparable.class, () -> "x"), entry(CharSequence.class, () -> "x"),
            entry(Duration.class, () -> Duration.ofSeconds(1)),
            entry(Instant.class, () -> Instant.EPOCH), entry(URI.class, () -> URI.create("http://127.0.0.1:1/")),
            entry(Path.class, () -> Path.of("pom.xml")), entry(Charset.class, () -> StandardCharsets.UTF_8),
            entry(HttpRequest.class, () -> HttpRequest.newBuilder(URI.create("http://127.0.0.1:1/")).build()),
            entry(HttpRequest.Builder.class, () -> HttpRequest.newBuilder(URI.create("http://127.0.0.1:1/"))),
            entry(HttpClient.class, HttpClient::newHttpClient), entry(Class.class, () -> String.class),
            entry(Thread.class, Thread::currentThread), entry(Throwable.class, IOException::new),
            entry(Exception.class, IOException::new), entry(InputStream.class, InputStream::nullInputStream),
            entry(OutputStream.class, OutputStream::nullOutputStream),
            entry(Executor.class, () -> (Executor) Runnable::run),
            entry(ExecutorService.class, Executors::newVirtualThreadPerTaskExecutor),
            entry(CompletableFuture.class, CompletableFuture::new), entry(Future.class, CompletableFuture::new),
            entry(CompletionStage.class, CompletableFuture::new), entry(Collection.class, List::of),
            entry(List.class, List::of), entry(Iterable.class, List::of),
            entry(Iterator.class, () -> List.of().iterator()), entry(Map.class, Map::of),
            entry(LongSupplier.class, () -> (LongSupplier) System::nanoTime), entry(Lock.class, ReentrantLock::new),
            entry(BlockingQueue.class, LinkedBlockingQueue::new),
            entry(RandomGenerator.class, RandomGenerator::getDefault));

    /** Records that callers make; the others are results, made by the class itself. */
    private static final Set<String> GIVEN = Set.of("Retry$Policy", "KeyedLimits$Rate", "PeriodicTask$Plan");

    private static final class Unknown extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unknown(Class<?> type) {
            super("no value of " + type);
        }
    }

    @Test
    void nullIsRefusedByItsName() throws Exception {
        var problems = new ArrayList<String>();
        var unknown = new ArrayList<String>();
        int checked = 0;
        for (Class<?> top : copied()) {
            var all = new ArrayList<Class<?>>(List.of(top.getDeclaredClasses()));
            all.add(top);
            for (Class<?> type : all) {
                if (!Modifier.isPublic(type.getModifiers()) || type.isInterface()) {
                    continue;
                }
                for (Executable executable : executables(type)) {
                    Parameter[] parameters = executable.getParameters();
                    for (int p = 0; p < parameters.length; p++) {
                        if (parameters[p].getType().isPrimitive()) {
                            continue;
                        }
                        String name = executable instanceof Method ? executable.getName() : "new";
                        String what = type.getName() + "." + name + " " + parameters[p].getName();
                        try {
                            String problem = problem(executable, p);
                            checked++;
                            if (problem != null && !MAY_BE_NULL.contains(what)) {
                                problems.add(what + ": " + problem);
                            }
                        } catch (Unknown e) {
                            unknown.add(what + ": " + e.getMessage());
                        }
                    }
                }
            }
        }
        System.out.println("arguments: " + checked + " checked, not: " + String.join("; ", unknown));
        assertTrue(checked > 400, "few are left out for want of a value");
        assertTrue(problems.isEmpty(), () -> problems.size() + "\n" + String.join("\n", problems));
    }

    private static List<Class<?>> copied() throws Exception {
        var types = new ArrayList<Class<?>>();
        for (Path file : Examples.copied()) {
            String name = file.getFileName().toString().replace(".java", "");
            if (file.startsWith(Examples.ROOT)) {
                types.add(Class.forName(name));
            } else if (!Set.of("Main", "Stop", "package-info").contains(name)) { // these end the process
                types.add(Class.forName("service." + name));
            }
        }
        return types;
    }

    private static List<Executable> executables(Class<?> type) {
        var all = new ArrayList<Executable>();
        boolean made = (type.isRecord() || Throwable.class.isAssignableFrom(type)) && !GIVEN.contains(type.getName());
        if (!made && !Modifier.isAbstract(type.getModifiers()) && !type.isEnum()) {
            all.addAll(List.of(type.getConstructors()));
        }
        for (Method method : type.getDeclaredMethods()) {
            if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic() && !method.getName().equals("main")
                    && !List.of("equals", type.isEnum() ? "valueOf" : "").contains(method.getName())) {
                all.add(method);
            }
        }
        return all;
    }

    /** Null if all is well. */
    private static String problem(Executable executable, int p) throws Unknown, ReflectiveOperationException {
        var called = new AtomicInteger();
        Object[] arguments = arguments(executable, p, called, 0);
        executable.setAccessible(true);
        try {
            var result = new CompletableFuture<Object>();
            Thread.ofVirtual().start(() -> {
                try {
                    Object owner = Modifier.isStatic(executable.getModifiers()) || executable instanceof Constructor
                            ? null : value(executable.getDeclaringClass(), new AtomicInteger(), 0); // here: its owner
                    result.complete(executable instanceof Method method ? method.invoke(owner, arguments)
                            : ((Constructor<?>) executable).newInstance(arguments));
                } catch (InvocationTargetException e) {
                    result.completeExceptionally(e.getCause());
                } catch (Throwable e) {
                    result.completeExceptionally(e);
                }
            });
            result.get();
            return "taken";
        } catch (ExecutionException e) {
            Throwable thrown = e.getCause();
            if (thrown instanceof Unknown unknown) {
                throw unknown;
            }
            if (!(thrown instanceof NullPointerException || thrown instanceof IllegalArgumentException)) {
                return "throws " + thrown;
            }
            String name = executable.getParameters()[p].getName();
            if (thrown.getMessage() == null || !thrown.getMessage().contains(name)) {
                return "not by its name: " + thrown;
            }
            return called.get() == 0 ? null : "user code ran before";
        } catch (InterruptedException e) {
            return "hangs";
        }
    }

    /** One for each parameter, null for that at {@code nullAt}. */
    private static Object[] arguments(Executable executable, int nullAt, AtomicInteger called, int depth)
            throws ReflectiveOperationException {
        Parameter[] parameters = executable.getParameters();
        Object[] arguments = new Object[parameters.length];
        for (int i = 0; i < parameters.length; i++) {
            arguments[i] = i == nullAt ? null : switch (parameters[i].getName()) {
                case "status" -> 500;
                case "pattern" -> "/x";
                case "separator" -> new byte[] {10};
                default -> value(parameters[i].getType(), called, depth);
            };
        }
        return arguments;
    }

    private static Object value(Class<?> type, AtomicInteger called, int depth) throws ReflectiveOperationException {
        if (VALUES.containsKey(type)) {
            return VALUES.get(type).get();
        } else if (type.isArray()) {
            return Array.newInstance(type.getComponentType(), 0);
        } else if (type.isEnum()) {
            return type.getEnumConstants()[0];
        } else if (type.isInterface()) {
            return Proxy.newProxyInstance(ArgumentsTest.class.getClassLoader(), new Class<?>[] {type},
                    (self, method, given) -> {
                        if (method.getDeclaringClass() == Object.class) {
                            return VALUES.getOrDefault(method.getReturnType(), () -> null).get();
                        }
                        called.incrementAndGet();
                        return method.getReturnType().isPrimitive() && method.getReturnType() != void.class
                                ? VALUES.get(method.getReturnType()).get() : null;
                    });
        }
        var ways = new ArrayList<Executable>(List.of(type.getConstructors()));
        Stream.of(type.getDeclaredMethods()).filter(method -> Modifier.isStatic(method.getModifiers())
                && Modifier.isPublic(method.getModifiers()) && method.getReturnType() == type).forEach(ways::add);
        for (Executable way : ways) {
            try {
                if (depth < 4) {
                    Object[] arguments = arguments(way, -1, called, depth + 1);
                    return way instanceof Method method ? method.invoke(null, arguments)
                            : ((Constructor<?>) way).newInstance(arguments);
                }
            } catch (InvocationTargetException | Unknown e) {
                // another way, perhaps
            }
        }
        throw new Unknown(type);
    }
}
