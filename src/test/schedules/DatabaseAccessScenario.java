import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** DatabaseAccess: at most as many as connections; an interrupt cancels the statement, all is rolled back or done. */
public final class DatabaseAccessScenario {
    public static void main(String[] args) throws InterruptedException, ExecutionException,
            SQLTransientConnectionException {
        long start = System.nanoTime();
        interrupted();
        turns();
        check(System.nanoTime() - start < Duration.ofDays(1).toNanos(), "cancelled, not out of time");
    }

    private static void interrupted() throws InterruptedException {
        var database = new Database();
        var access = new DatabaseAccess(database.pool(), 1, Duration.ofDays(9));
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                check(access.transaction(transaction -> {
                    try (var statement = transaction.prepare("sleep")) {
                        statement.execute();
                        return 1;
                    }
                }) == 1, "its result");
                check(database.commits.get() == 1 && Thread.interrupted(), "committed, and the flag is set again");
            } catch (InterruptedException e) {
                check(database.commits.get() == 0 && !Thread.currentThread().isInterrupted(), "rolled back, told once");
                check(database.rollbacks.get() == database.opened.get(), "each that was begun");
            } catch (ExecutionException | SQLTransientConnectionException e) {
                throw new AssertionError(e);
            }
            check(database.open.get() == 0, "the connection is back in the pool");
        });
        caller.interrupt();
        caller.join();
        check(database.open.get() == 0, "the connection is back in the pool");
    }

    private static void turns() throws InterruptedException, ExecutionException, SQLTransientConnectionException {
        var database = new Database();
        database.cancelled.countDown(); // its statements end at once
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

    /** Of one connection, whose statements wait until they are cancelled. */
    private static final class Database {
        final AtomicInteger open = new AtomicInteger();
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger commits = new AtomicInteger();
        final AtomicInteger rollbacks = new AtomicInteger();
        final CountDownLatch cancelled = new CountDownLatch(1);

        DataSource pool() {
            return (DataSource) proxy(DataSource.class, method -> {
                check(open.incrementAndGet() == 1, "one connection");
                opened.incrementAndGet();
                return connection();
            });
        }

        private Connection connection() {
            return (Connection) proxy(Connection.class, method -> switch (method) {
                case "prepareStatement" -> statement();
                case "commit" -> commits.incrementAndGet();
                case "rollback" -> rollbacks.incrementAndGet();
                case "close" -> open.decrementAndGet();
                case "abort" -> {
                    cancelled.countDown();
                    yield null;
                }
                default -> null;
            });
        }

        private PreparedStatement statement() {
            return (PreparedStatement) proxy(PreparedStatement.class, method -> {
                switch (method) {
                    case "execute" -> {
                        cancelled.await();
                        throw new SQLException("cancelled");
                    }
                    case "cancel" -> cancelled.countDown();
                    default -> {
                        return null;
                    }
                }
                return null;
            });
        }
    }

    private interface Answer {
        Object to(String method) throws Exception;
    }

    private static Object proxy(Class<?> type, Answer answer) {
        return Proxy.newProxyInstance(DatabaseAccessScenario.class.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> {
                    Object result = answer.to(method.getName());
                    return method.getReturnType() == void.class ? null : result;
                });
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
