import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class DatabaseAccessTest {

    private static final Duration LONG = Duration.ofDays(1);

    private interface Answer {
        Object to(String method) throws SQLException;
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (proxy, method, arguments) -> answer.to(method.getName())));
    }

    /**
     * Executes until cancelled ("execute") or at once ("executeUpdate"); refuses more than its connections, and use
     * after close.
     */
    private static class Database {
        final int connections;
        final AtomicInteger open = new AtomicInteger();
        final AtomicInteger commits = new AtomicInteger();
        final AtomicInteger rollbacks = new AtomicInteger();
        final AtomicInteger strayCancels = new AtomicInteger();
        volatile Duration closing = Duration.ZERO;
        volatile SQLException onCommit;
        volatile SQLException onRollback;
        volatile CountDownLatch executing = new CountDownLatch(1);
        final CountDownLatch aborted = new CountDownLatch(1);

        Database(int connections) {
            this.connections = connections;
        }

        DataSource source() {
            return fake(DataSource.class, method -> {
                if (open.incrementAndGet() > connections) {
                    throw new AssertionError("too many connections");
                }
                var closed = new boolean[1];
                return fake(Connection.class, called -> switch (called) {
                    case "commit" -> {
                        fail(onCommit);
                        yield commits.incrementAndGet();
                    }
                    case "rollback" -> {
                        fail(onRollback);
                        yield rollbacks.incrementAndGet();
                    }
                    case "close" -> {
                        closed[0] = true;
                        pause(closing);
                        yield open.decrementAndGet();
                    }
                    case "prepareStatement" -> statement(closed);
                    case "abort" -> {
                        aborted.countDown();
                        yield null;
                    }
                    default -> null;
                });
            });
        }

        private static void pause(Duration duration) {
            try {
                Thread.sleep(duration);
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupts the transaction's thread");
            }
        }

        private static void fail(SQLException e) throws SQLException {
            if (e != null) {
                throw e;
            }
        }

        private PreparedStatement statement(boolean[] connectionClosed) {
            var cancelled = new CountDownLatch(1);
            return fake(PreparedStatement.class, called -> switch (called) {
                case "executeUpdate" -> 1;
                case "cancel" -> {
                    if (connectionClosed[0]) {
                        strayCancels.incrementAndGet();
                    }
                    cancelled.countDown();
                    yield null;
                }
                case "executeQuery" -> { // deaf to cancel()
                    try {
                        aborted.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    throw new SQLException("socket closed", "08006");
                }
                case "execute" -> {
                    executing.countDown();
                    try {
                        cancelled.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError("the socket would be closed");
                    }
                    throw new SQLException("canceling statement", "57014");
                }
                default -> null;
            });
        }
    }

    private static int update(DatabaseAccess.Transaction transaction) throws SQLException {
        try (var update = transaction.prepare("update")) {
            return update.executeUpdate();
        }
    }

    private static boolean slow(DatabaseAccess.Transaction transaction) throws SQLException {
        try (var slow = transaction.prepare("slow")) {
            return slow.execute();
        }
    }

    @Test
    void commitsOrRollsBackAndGivesTheConnectionBack() throws Exception {
        var database = new Database(1);
        var access = new DatabaseAccess(database.source(), 1, LONG);
        assertEquals(1, access.transaction(DatabaseAccessTest::update));
        var boom = new IllegalStateException();
        assertSame(boom, assertThrows(ExecutionException.class, () -> access.transaction(transaction -> {
            throw boom;
        })).getCause());
        database.onRollback = new SQLException("rollback");
        var failed = assertThrows(ExecutionException.class, () -> access.transaction(transaction -> {
            throw new Exception("work");
        }));
        assertSame(database.onRollback, failed.getCause().getSuppressed()[0]);
        database.onRollback = null;
        database.onCommit = new SQLException("commit");
        assertSame(database.onCommit, assertThrows(ExecutionException.class, () ->
                access.transaction(DatabaseAccessTest::update)).getCause());
        assertEquals(1, database.commits.get());
        assertEquals(2, database.rollbacks.get());
        assertEquals(0, database.open.get());
    }

    @Test
    void anInterruptCancelsTheStatementAndWaits() throws Exception {
        var database = new Database(1);
        var access = new DatabaseAccess(database.source(), 1, LONG);
        Thread caller = Thread.currentThread();
        Thread.startVirtualThread(() -> {
            try {
                database.executing.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            caller.interrupt();
        });
        var e = assertThrows(InterruptedException.class, () -> access.transaction(DatabaseAccessTest::slow));
        assertEquals("57014", assertInstanceOf(SQLException.class, e.getSuppressed()[0]).getSQLState());
        assertEquals(1, database.rollbacks.get());
        assertEquals(0, database.open.get());
        assertEquals(1, access.transaction(DatabaseAccessTest::update));
    }

    @Test
    void aCancelBetweenTwoStatementsIsNotLost() throws Exception {
        var database = new Database(1);
        var access = new DatabaseAccess(database.source(), 1, LONG);
        Thread caller = Thread.currentThread();
        assertThrows(InterruptedException.class, () -> access.transaction(transaction -> {
            update(transaction);
            caller.interrupt();
            while (true) {
                update(transaction); // refused once the caller has been told
                Thread.yield(); // as a real statement, which waits
            }
        }));
        assertThrows(InterruptedException.class, () -> access.transaction(transaction -> {
            caller.interrupt();
            return slow(transaction); // begins perhaps after the first cancel
        }));
        assertEquals(2, database.rollbacks.get());
        assertEquals(0, database.commits.get());
    }

    @Test
    void noCancelReachesAConnectionThatIsGivenBack() {
        var database = new Database(1);
        database.closing = Duration.ofMillis(100); // longer than it takes until the next cancel
        var access = new DatabaseAccess(database.source(), 1, LONG);
        Thread caller = Thread.currentThread();
        assertThrows(InterruptedException.class, () -> access.transaction(transaction -> {
            try (var slow = transaction.prepare("slow")) {
                caller.interrupt();
                return slow.execute();
            }
        }));
        assertEquals(0, database.strayCancels.get());
    }

    @Test
    void aCancelThatTheDriverLosesEndsInAnAbort() {
        var database = new Database(1);
        var access = new DatabaseAccess(database.source(), 1, LONG);
        Thread caller = Thread.currentThread();
        var e = assertThrows(InterruptedException.class, () -> access.transaction(transaction -> {
            try (var deaf = transaction.prepare("deaf")) {
                caller.interrupt();
                return deaf.executeQuery();
            }
        }));
        assertEquals("08006", assertInstanceOf(SQLException.class, e.getSuppressed()[0]).getSQLState());
        assertEquals(0, database.open.get());
    }

    @Test
    void whatIsCommittedIsReturned() throws Exception {
        var database = new Database(1);
        Thread caller = Thread.currentThread();
        var access = new DatabaseAccess(fake(DataSource.class, method -> {
            var connection = database.source().getConnection();
            return fake(Connection.class, called -> switch (called) {
                case "commit" -> {
                    caller.interrupt();
                    connection.commit();
                    yield null;
                }
                case "close" -> {
                    connection.close();
                    yield null;
                }
                default -> null;
            });
        }), 1, LONG);
        assertEquals("v", access.transaction(transaction -> "v"));
        assertTrue(Thread.interrupted());
        assertEquals(1, database.commits.get());
    }

    @Test
    void refusesWithoutATurnAndInsideAnother() throws Exception {
        var database = new Database(1);
        var access = new DatabaseAccess(database.source(), 1, Duration.ofMillis(1));
        var begun = new CountDownLatch(1);
        var end = new CountDownLatch(1);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var first = executor.submit(() -> access.transaction(transaction -> {
                begun.countDown();
                end.await();
                return 1;
            }));
            begun.await();
            assertThrows(SQLTransientConnectionException.class, () -> access.transaction(transaction -> 2));
            end.countDown();
            assertEquals(1, first.get());
        }
        assertInstanceOf(IllegalStateException.class, assertThrows(ExecutionException.class,
                () -> access.transaction(outer -> access.transaction(inner -> 3))).getCause());
        assertEquals(4, access.<Integer>transaction(transaction -> 4));
        assertEquals(0, access.waiting());
        assertFalse(Thread.currentThread().isInterrupted());
    }

    /**
     * Interrupts at any moment: every transaction either committed and returned, or rolled back; no connection or
     * permit lost.
     */
    @Test
    void stress() throws Exception {
        int rounds = 100_000;
        var database = new Database(5);
        var access = new DatabaseAccess(database.source(), 5, LONG);
        var returned = new AtomicInteger();
        var failed = new AtomicInteger();
        var interrupted = new AtomicInteger();
        var tasks = new ArrayList<Chaos.Task>();
        for (int t = 0; t < 20; t++) {
            tasks.add(() -> {
                for (int i = 0; i < rounds / 20; i++) {
                    int kind = ThreadLocalRandom.current().nextInt(100);
                    try {
                        access.transaction(transaction -> {
                            update(transaction);
                            if (kind == 0) {
                                return slow(transaction); // until somebody interrupts
                            } else if (kind < 10) {
                                throw new IllegalStateException();
                            }
                            return update(transaction) > 0;
                        });
                        returned.incrementAndGet();
                    } catch (ExecutionException e) {
                        assertInstanceOf(IllegalStateException.class, e.getCause());
                        failed.incrementAndGet();
                    } catch (InterruptedException e) {
                        interrupted.incrementAndGet();
                    }
                }
            });
        }
        long interrupts = Chaos.run(tasks);
        System.out.println("DatabaseAccess: " + rounds + " transactions, " + interrupts + " interrupts, " + returned
                + " committed, " + failed
                + " failed, " + interrupted + " interrupted");
        assertEquals(rounds, returned.get() + failed.get() + interrupted.get());
        assertEquals(returned.get(), database.commits.get());
        assertEquals(0, database.open.get());
        assertEquals(0, database.strayCancels.get(), "a cancel that reaches the connection's next user");
        var all = new ArrayList<Future<Integer>>();
        var inside = new CountDownLatch(5);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 5; i++) {
                all.add(executor.submit(() -> access.transaction(transaction -> {
                    inside.countDown();
                    inside.await(); // all five permits are there
                    return 1;
                })));
            }
            for (var each : all) {
                each.get();
            }
        }
    }

    @Test
    void theFailureIsTheCauseAsItIs() {
        var access = new DatabaseAccess(new Database(1).source(), 1, LONG);
        for (var failure : List.of(new CancellationException("of the work"),
                new CompletionException(new SQLException()))) {
            assertSame(failure, assertThrows(ExecutionException.class, () -> access.transaction(transaction -> {
                throw failure;
            })).getCause());
        }
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() {
        var source = new Database(1).source();
        assertThrows(IllegalArgumentException.class, () -> new DatabaseAccess(source, 0, LONG));
        assertThrows(NullPointerException.class, () -> new DatabaseAccess(source, 1, null));
        assertThrows(NullPointerException.class, () -> new DatabaseAccess(null, 1, LONG));
        assertThrows(NullPointerException.class, () -> new DatabaseAccess(source, 1, LONG).transaction(null));
    }

    @Test
    void aDriverWithoutAbortIsWaitedFor() throws Exception {
        var tried = new CountDownLatch(1);
        var closed = new AtomicInteger();
        var source = fake(DataSource.class, method -> fake(Connection.class, called -> {
            switch (called) {
                case "abort" -> {
                    tried.countDown();
                    throw new AbstractMethodError("abort");
                }
                case "rollback" -> throw new IllegalStateException("rollback");
                case "close" -> closed.incrementAndGet();
                default -> { }
            }
            return null;
        }));
        var access = new DatabaseAccess(source, 1, LONG);
        Thread caller = Thread.currentThread();
        var e = assertThrows(InterruptedException.class, () -> access.transaction(transaction -> {
            caller.interrupt();
            tried.await();
            throw new SQLException("work");
        }));
        assertEquals("work", e.getSuppressed()[0].getMessage());
        assertEquals("rollback", e.getSuppressed()[0].getSuppressed()[0].getMessage());
        assertEquals(1, closed.get());
    }
}
