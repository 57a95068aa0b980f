import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** DatabaseAccess: at most as many as connections, each in its turn; a transaction inside a transaction is refused. */
public final class DatabaseAccessScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException,
            SQLTransientConnectionException {
        var database = new Database();
        var access = new DatabaseAccess(database.pool(), 1, Duration.ofMillis(10));
        Thread other = Thread.ofVirtual().start(() -> {
            try {
                access.transaction(transaction -> database.open.get());
            } catch (SQLTransientConnectionException e) {
                check(e.getMessage().startsWith("no turn within"), "no turn");
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        });
        try {
            access.transaction(transaction -> access.transaction(inner -> 1));
            check(false, "a transaction inside a transaction");
        } catch (SQLTransientConnectionException e) {
            check(e.getMessage().startsWith("no turn within"), "no turn");
        } catch (ExecutionException e) {
            check(e.getCause() instanceof IllegalStateException && database.rollbacks.get() == 1, "rolled back");
        }
        other.join();
        check(access.transaction(transaction -> database.open.get()) == 1 && access.waiting() == 0, "one at a time");
    }

    /** Of one connection. */
    private static final class Database {
        final AtomicInteger open = new AtomicInteger();
        final AtomicInteger rollbacks = new AtomicInteger();

        DataSource pool() {
            return proxy(DataSource.class, method -> {
                check(open.incrementAndGet() == 1, "one connection");
                return proxy(Connection.class, this::connection);
            });
        }

        private Object connection(String method) {
            return switch (method) {
                case "rollback" -> rollbacks.incrementAndGet();
                case "close" -> open.decrementAndGet();
                default -> null;
            };
        }
    }

    private interface Answer {
        Object to(String method) throws Exception;
    }

    private static <T> T proxy(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> {
                    Object result = answer.to(method.getName());
                    return method.getReturnType() == void.class ? null : result;
                }));
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
