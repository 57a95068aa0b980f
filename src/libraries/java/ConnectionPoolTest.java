import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HikariCP with a real database from virtual threads: PostgreSQL where it is installed, H2 otherwise. */
@Timeout(60)
class ConnectionPoolTest {

    private static Postgres postgres;

    @BeforeAll
    static void start() throws Exception {
        postgres = Postgres.start().orElse(null);
        try (var pool = pool(1, Duration.ofSeconds(10)); var connection = pool.getConnection();
                var statement = connection.createStatement()) {
            statement.execute("create table account (id int primary key, balance int not null)");
            statement.execute("insert into account values (1, 0)");
        }
    }

    @AfterAll
    static void stop() throws Exception {
        if (postgres != null) {
            postgres.close();
        }
    }

    private static String database() {
        return postgres == null ? "H2" : "PostgreSQL";
    }

    /** Returns when all its connections are there: it opens them in a thread of its own. */
    private static HikariDataSource pool(int size, Duration connectionTimeout) throws InterruptedException {
        // @start region="pool"
        var config = new HikariConfig();
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(size); // a pool of one size: no connecting under load
        config.setConnectionTimeout(connectionTimeout.toMillis());
        // @end region="pool"
        config.setJdbcUrl(postgres == null ? "jdbc:h2:mem:test;DB_CLOSE_DELAY=-1" : postgres.url());
        config.setPoolName(size + " connections");
        var pool = new HikariDataSource(config);
        while (pool.getHikariPoolMXBean().getIdleConnections() < size) {
            Thread.sleep(1);
        }
        return pool;
    }

    /** A query that takes 2 ms in the database, and no processor here. */
    private static int query(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(postgres == null ? "select 1" : "select 1 from pg_sleep(0.002)")) {
            if (postgres == null) {
                Thread.sleep(2);
            }
            rows.next();
            return rows.getInt(1);
        } catch (InterruptedException e) {
            throw new SQLException(e);
        }
    }

    private record Outcome(int succeeded, int timedOut, Duration took) {
    }

    /** So many virtual threads, one call each. */
    private static Outcome flood(int threads, Callable<Integer> call) throws Exception {
        long start = System.nanoTime();
        var calls = new ArrayList<Future<Integer>>();
        int succeeded = 0;
        int timedOut = 0;
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < threads; i++) {
                calls.add(executor.submit(call));
            }
            for (var each : calls) {
                try {
                    succeeded += each.get();
                } catch (ExecutionException e) {
                    assertInstanceOf(SQLTransientConnectionException.class, e.getCause());
                    timedOut++;
                }
            }
        }
        return new Outcome(succeeded, timedOut, Duration.ofNanos(System.nanoTime() - start));
    }

    @Test
    void tenThousandThreadsOnTenConnections() throws Exception {
        try (var pool = pool(10, Duration.ofMillis(250))) {
            var direct = flood(10_000, () -> {
                try (var connection = pool.getConnection()) {
                    return query(connection);
                }
            });
            // @start region="gate"
            var access = new DatabaseAccess(pool, 10, Duration.ofMinutes(1)); // permits before connections
            // @end region="gate"
            var gated = flood(10_000, () -> access.transaction(transaction -> query(transaction.connection())));
            System.out.println(database() + ", 10,000 virtual threads, 10 connections, connectionTimeout 250 ms");
            System.out.println("  straight to the pool:       " + direct);
            System.out.println("  permits before connections: " + gated);
            assertEquals(10_000, gated.succeeded(), "they wait for a permit, not for the pool's timeout");
            assertTrue(direct.timedOut() > 0);
        }
    }

    /** More connections than the database has use for do not make it faster. */
    @Test
    void poolSizes() throws Exception {
        for (int size : new int[] {2, 10, 50}) {
            try (var pool = pool(size, Duration.ofSeconds(30))) {
                var access = new DatabaseAccess(pool, size, Duration.ofMinutes(1));
                Callable<Integer> work = () -> access.transaction(transaction -> {
                    try (var busy = transaction.prepare(postgres == null ? "select 1"
                            : "select count(*) from generate_series(1, 20000)")) {
                        busy.execute();
                        return 1;
                    }
                });
                flood(200, work);
                var outcome = flood(1_000, work);
                System.out.println(database() + ", 1,000 queries that compute, " + size + " connections: "
                        + outcome.took().toMillis() + " ms");
                assertEquals(1_000, outcome.succeeded());
            }
        }
    }

    /** Each holds a connection and waits for a second one: nobody gets it. */
    @Test
    void aConnectionInsideAConnectionExhaustsThePool() throws Exception {
        try (var pool = pool(5, Duration.ofMillis(500))) {
            var holding = new CountDownLatch(5);
            var outcome = flood(5, () -> {
                // @start region="exhaust"
                try (var order = pool.getConnection()) {
                    holding.countDown();
                    holding.await();
                    try (var audit = pool.getConnection()) { // every connection is held by one that waits here
                        return query(audit) + 0 * query(order);
                    }
                }
                // @end region="exhaust"
            });
            System.out.println("a second connection while holding one, 5 threads, 5 connections: " + outcome);
            assertTrue(outcome.timedOut() > 0); // who gives up lets the others through
        }
    }

    @Test
    void anInterruptDestroysTheConnectionUnlessTheStatementIsCancelled() throws Exception {
        Assumptions.assumeTrue(postgres != null, "PostgreSQL is not installed");
        try (var pool = pool(1, Duration.ofSeconds(10))) {
            int before = backend(pool);
            var failure = new AtomicReference<Throwable>();
            Thread direct = Thread.startVirtualThread(() -> {
                try (var connection = pool.getConnection(); var statement = connection.createStatement()) {
                    statement.execute("select pg_sleep(60)");
                } catch (SQLException e) {
                    failure.set(e);
                }
            });
            awaitQuery("select pg_sleep(60)");
            direct.interrupt();
            direct.join();
            System.out.println("interrupt of a virtual thread in a query: " + failure.get() + ", cause "
                    + failure.get().getCause());
            int after = backend(pool);
            assertTrue(before != after, "the pool had to open a new connection");
            int orphans = number(pool, running("select pg_sleep(60)"));
            System.out.println("  queries of nobody that the server still runs: " + orphans);
            assertEquals(1, orphans);

            var access = new DatabaseAccess(pool, 1, Duration.ofSeconds(10));
            var caught = new AtomicReference<Throwable>();
            Thread caller = Thread.startVirtualThread(() -> {
                try {
                    access.transaction(transaction -> {
                        try (var slow = transaction.prepare("select pg_sleep(61)")) {
                            return slow.execute();
                        }
                    });
                } catch (Exception e) {
                    caught.set(e);
                }
            });
            awaitQuery("select pg_sleep(61)"); // a cancel that overtakes it is lost, and the connection aborted
            caller.interrupt();
            caller.join();
            assertInstanceOf(InterruptedException.class, caught.get());
            assertEquals("57014", assertInstanceOf(SQLException.class, caught.get().getSuppressed()[0]).getSQLState());
            assertEquals(after, backend(pool), "the same connection goes on");
        }
    }

    /**
     * 2,000 transactions that change one row, callers interrupted at random: the row counts the commits, the pool
     * stays whole.
     */
    @Test
    void interruptsAtAnyMoment() throws Exception {
        try (var pool = pool(5, Duration.ofSeconds(30))) {
            var access = new DatabaseAccess(pool, 5, Duration.ofMinutes(1));
            int before = balance(pool);
            var committed = new AtomicInteger();
            var interrupted = new AtomicInteger();
            var callers = new ArrayList<Thread>();
            for (int t = 0; t < 20; t++) {
                callers.add(Thread.startVirtualThread(() -> {
                    for (int i = 0; i < 100; i++) {
                        try {
                            access.transaction(transaction -> {
                                try (var update = transaction.prepare("update account set balance = balance + 1 where id = 1")) {
                                    return update.executeUpdate();
                                }
                            });
                            committed.incrementAndGet();
                        } catch (InterruptedException e) {
                            interrupted.incrementAndGet();
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    }
                }));
            }
            for (int i = 0; callers.stream().anyMatch(Thread::isAlive); i++) {
                callers.get(i % callers.size()).interrupt();
                Thread.sleep(1);
            }
            assertEquals(committed.get(), balance(pool) - before);
            assertEquals(2_000, committed.get() + interrupted.get());
            assertEquals(0, pool.getHikariPoolMXBean().getActiveConnections());
            System.out.println(database() + ": " + committed + " committed, " + interrupted
                    + " interrupted and rolled back");
        }
    }

    private static int balance(HikariDataSource pool) throws SQLException {
        return number(pool, "select balance from account where id = 1");
    }

    private static int backend(HikariDataSource pool) throws SQLException {
        return number(pool, "select pg_backend_pid()");
    }

    private static String running(String query) {
        return "select count(*) from pg_stat_activity where state = 'active' and query = '" + query + "'";
    }

    /** Asks over a connection of its own until the server runs the query. */
    private static void awaitQuery(String query) throws Exception {
        try (var pool = pool(1, Duration.ofSeconds(10))) {
            while (number(pool, running(query)) == 0) {
                Thread.sleep(1);
            }
        }
    }

    private static int number(HikariDataSource pool, String query) throws SQLException {
        try (var connection = pool.getConnection(); var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
