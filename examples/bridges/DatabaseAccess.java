import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;

/**
 * asyncio: {@code async with pool.acquire() as c, c.transaction()} of asyncpg. Final API, JDK 21 and later; {@code
 * java.sql} alone.
 *
 * <p>Use for JDBC from any number of virtual threads. Callers take a permit before a connection: a thousand wait in
 * order for their turn, instead of a few getting a connection and the rest the pool's timeout. The transaction runs in
 * a thread that nobody interrupts: interrupting a virtual thread that waits for a database closes its socket and loses
 * the connection; here the statement is cancelled instead. Do not use where a framework manages transactions: there put
 * a {@code Bulkhead} around the call.
 *
 * <p>Run: {@code java examples/bridges/DatabaseAccess.java}
 */
public final class DatabaseAccess {

    // @start region="access"
    @FunctionalInterface
    public interface Work<T> {
        T in(Transaction transaction) throws Exception;
    }

    private final DataSource pool;
    private final Semaphore permits;
    private final Duration patience;
    private final Set<Thread> inside = ConcurrentHashMap.newKeySet();

    /** @param connections as many as the pool has. @param patience the longest wait for a turn */
    public DatabaseAccess(DataSource pool, int connections, Duration patience) {
        if (connections < 1) {
            throw new IllegalArgumentException("connections " + connections + ", must be 1 or more");
        }
        this.pool = Objects.requireNonNull(pool, "pool");
        this.permits = new Semaphore(connections, true);
        this.patience = Objects.requireNonNull(patience, "patience");
    }

    /** How many callers wait for a turn, for metrics. */
    public int waiting() {
        return permits.getQueueLength();
    }

    /**
     * Runs one transaction: committed when {@code work} returns, rolled back when it throws or the caller is
     * interrupted. Callers wait in order. When it returns or throws, the work has ended and the connection is back in
     * the pool. Thread-safe.
     *
     * @throws ExecutionException              the work, the pool or the commit failed, which is the cause. What rolling
     *         back threw is suppressed
     * @throws InterruptedException            the caller was interrupted: the statement that ran was cancelled ({@link
     *                                         Statement#cancel}), all rolled back. What the work then threw is
     *                                         suppressed; if it had committed, it is returned, flag set. If that has no
     *                                         effect for a second, the connection is aborted: drivers lose a cancel
     *                                         that overtakes its statement
     * @throws SQLTransientConnectionException no turn within {@code patience}; nothing was done
     * @throws IllegalStateException           if called in a transaction: second connections exhaust pools
     */
    public <T> T transaction(Work<T> work) throws InterruptedException, ExecutionException,
            SQLTransientConnectionException {
        Objects.requireNonNull(work, "work");
        if (inside.contains(Thread.currentThread())) {
            throw new IllegalStateException("a transaction inside a transaction: pass the first one on");
        }
        // half: on 21 a wait of Long.MAX_VALUE in a virtual thread can stop the timers of all the others
        if (!permits.tryAcquire(Math.min(TimeUnit.NANOSECONDS.convert(patience), Long.MAX_VALUE / 2),
                TimeUnit.NANOSECONDS)) {
            throw new SQLTransientConnectionException("no turn within " + patience + ", " + waiting() + " others wait");
        }
        try {
            var transaction = new Transaction();
            var result = new FutureTask<>(() -> run(work, transaction));
            Thread worker = Thread.ofVirtual().name("transaction").start(() -> {
                inside.add(Thread.currentThread());
                try {
                    result.run();
                } finally {
                    inside.remove(Thread.currentThread());
                }
            });
            try {
                return result.get();
            } catch (InterruptedException e) {
                stop(worker, transaction);
                if (result.state() == Future.State.SUCCESS) {
                    Thread.currentThread().interrupt();
                    return result.resultNow();
                }
                e.addSuppressed(result.exceptionNow());
                throw e;
            }
        } finally {
            permits.release();
        }
    }

    private <T> T run(Work<T> work, Transaction transaction) throws Exception {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            transaction.begin(connection);
            try {
                T value = work.in(transaction);
                transaction.finish(true);
                connection.commit();
                return value;
            } catch (Throwable e) {
                transaction.finish(false);
                try {
                    connection.rollback();
                } catch (Throwable rollback) {
                    if (rollback != e) {
                        e.addSuppressed(rollback);
                    }
                }
                throw e;
            } finally {
                transaction.leave();
            }
        }
    }

    /**
     * Not in the caller's thread: a second interrupt would break off the cancel, which would then hit the connection's
     * next user.
     */
    private static void stop(Thread worker, Transaction transaction) {
        Thread canceller = Thread.ofVirtual().name("cancel").start(() -> {
            try {
                for (int tries = 0; !worker.join(Duration.ofMillis(20)); tries++) {
                    transaction.cancel(tries >= 50); // repeatedly: between two statements there is nothing to cancel
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e); // nobody knows this thread
            }
        });
        boolean again = false;
        while (canceller.isAlive()) {
            try {
                canceller.join();
            } catch (InterruptedException e) {
                again = true;
            }
        }
        if (again) {
            Thread.currentThread().interrupt();
        }
    }

    /** For the work's own thread, one statement at a time. That thread has none of the caller's thread-locals. */
    public static final class Transaction {
        // held while cancelling: the connection must not go to the next one
        private final ReentrantLock lock = new ReentrantLock();
        private Connection connection;
        private Statement current; // guarded by lock, as is the next
        private boolean cancelled;
        private boolean abortable;

        private void begin(Connection begun) {
            lock.lock();
            connection = begun;
            abortable = true;
            lock.unlock();
        }

        /** For anything but statements, such as savepoints: calls on it are not cancelled. */
        public Connection connection() {
            return connection;
        }

        /** A statement that an interrupt of the caller cancels. The work must close it. */
        public PreparedStatement prepare(String sql) throws SQLException {
            PreparedStatement statement = connection.prepareStatement(sql);
            lock.lock();
            try {
                current = statement;
                checkNotCancelled();
                return statement;
            } catch (SQLException e) {
                statement.close();
                throw e;
            } finally {
                lock.unlock();
            }
        }

        /** From here on no statement is cancelled; when committing, the connection is not aborted either. */
        private void finish(boolean committing) throws SQLException {
            lock.lock();
            try {
                current = null;
                if (committing) {
                    checkNotCancelled();
                    abortable = false;
                }
            } finally {
                lock.unlock();
            }
        }

        private void leave() {
            lock.lock();
            abortable = false;
            lock.unlock();
        }

        private void checkNotCancelled() throws SQLException {
            if (cancelled) {
                throw new SQLException("cancelled by an interrupt of the caller", "57014");
            }
        }

        private void cancel(boolean abort) {
            lock.lock();
            try {
                cancelled = true;
                if (abort && abortable) {
                    abortable = false;
                    connection.abort(Runnable::run);
                } else if (current != null) {
                    current.cancel();
                }
            } catch (Throwable e) { // of a driver: an old one has no abort, and an AbstractMethodError
                // closed, or the network is down: then the statement ends by itself
            } finally {
                lock.unlock();
            }
        }
    }
    // @end region="access"

    public static void main(String[] args) throws Exception {
        var database = new FakeDatabase(3);
        var access = new DatabaseAccess(database.pool(), 3, Duration.ofSeconds(10));
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var rows = new ArrayList<Future<Integer>>();
            for (int i = 0; i < 1_000; i++) {
                int id = i;
                // @start region="use"
                rows.add(executor.submit(() -> access.transaction(transaction -> {
                    try (var update = transaction.prepare("update account set balance = balance - 1 where id = ?")) {
                        update.setInt(1, id);
                        return update.executeUpdate();
                    }
                })));
                // @end region="use"
            }
            int updated = 0;
            for (var row : rows) {
                updated += row.get();
            }
            System.out.println(updated + " transactions from a thousand threads, connections at once: "
                    + database.peak);
            check(updated == 1_000 && database.peak.get() <= 3, "never more than the pool has");
        }
        Thread caller = Thread.currentThread();
        Thread.startVirtualThread(() -> {
            database.running.join();
            caller.interrupt();
        });
        try {
            access.transaction(transaction -> {
                try (var slow = transaction.prepare("select pg_sleep(60)")) {
                    return slow.execute();
                }
            });
            check(false, "cancelled");
        } catch (InterruptedException e) {
            System.out.println("interrupted: " + e.getSuppressed()[0].getMessage() + "; rolled back: "
                    + database.rollbacks
                    + ", connections in use: " + database.inUse);
            check(database.rollbacks.get() == 1 && database.inUse.get() == 0,
                    "the connection is back in the pool, unharmed");
        }
    }

    /** Answers each update with 1; "select pg_sleep" waits until it is cancelled. */
    private static final class FakeDatabase {
        final int connections;
        final AtomicInteger inUse = new AtomicInteger();
        final AtomicInteger peak = new AtomicInteger();
        final AtomicInteger rollbacks = new AtomicInteger();
        final CompletableFuture<Void> running = new CompletableFuture<>();
        final CompletableFuture<Void> cancelled = new CompletableFuture<>();

        FakeDatabase(int connections) {
            this.connections = connections;
        }

        DataSource pool() {
            return fake(DataSource.class, (method, arguments) -> {
                peak.accumulateAndGet(inUse.incrementAndGet(), Math::max);
                check(inUse.get() <= connections, "no more connections than the pool has");
                return connection();
            });
        }

        private Connection connection() {
            return fake(Connection.class, (method, arguments) -> switch (method) {
                case "prepareStatement" -> fake(PreparedStatement.class, this::statement);
                case "rollback" -> rollbacks.incrementAndGet();
                case "close" -> inUse.decrementAndGet();
                default -> null;
            });
        }

        private Object statement(String method, Object[] arguments) throws SQLException {
            return switch (method) {
                case "executeUpdate" -> 1;
                case "cancel" -> cancelled.complete(null);
                case "execute" -> {
                    running.complete(null);
                    cancelled.join();
                    throw new SQLException("canceling statement due to user request", "57014");
                }
                default -> null;
            };
        }

        private interface Answer {
            Object to(String method, Object[] arguments) throws SQLException;
        }

        private static <T> T fake(Class<T> type, Answer answer) {
            return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                    (proxy, method, arguments) -> answer.to(method.getName(), arguments)));
        }
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
