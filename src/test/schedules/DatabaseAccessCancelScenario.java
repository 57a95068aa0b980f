import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/** DatabaseAccess: an interrupt cancels the statement that runs, and aborts a deaf one; neither meets a later user. */
public final class DatabaseAccessCancelScenario {

    private enum Statement { QUICK, CANCELLABLE, DEAF }

    private final Statement kind;
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();
    private final AtomicInteger executed = new AtomicInteger();
    private final AtomicInteger cancels = new AtomicInteger();
    private final AtomicInteger aborts = new AtomicInteger();
    private final AtomicInteger commits = new AtomicInteger();
    private final AtomicInteger rollbacks = new AtomicInteger();
    private final AtomicBoolean ending = new AtomicBoolean();
    private final CountDownLatch sent = new CountDownLatch(1);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread caller = Thread.ofVirtual().unstarted(this::call);

    private DatabaseAccessCancelScenario(Statement kind) {
        this.kind = kind;
    }

    public static void main(String[] args) throws InterruptedException {
        for (var kind : Statement.values()) {
            var scenario = new DatabaseAccessCancelScenario(kind);
            scenario.caller.start();
            scenario.caller.interrupt();
            scenario.sent.countDown();
            scenario.caller.join();
        }
    }

    private void call() {
        var access = new DatabaseAccess(pool(), 1, Duration.ofDays(9));
        boolean told = false;
        try {
            check(access.transaction(transaction -> {
                try (var statement = transaction.prepare("")) {
                    statement.execute();
                    return 1;
                }
            }) == 1 && commits.get() == 1 && rollbacks.get() == 0, "committed, and its result");
        } catch (InterruptedException e) {
            told = true;
            check(commits.get() == 0 && rollbacks.get() == opened.get(), "rolled back");
            check(aborts.get() == (kind == Statement.DEAF ? executed.get() : 0), "aborted once if it is deaf");
            check(kind == Statement.QUICK || cancels.get() >= executed.get(), "cancelled before");
        } catch (ExecutionException | SQLTransientConnectionException e) {
            throw new AssertionError(e);
        }
        check(closed.get() == opened.get(), "the connection is back in the pool");
        while (sent.getCount() > 0) {
            Thread.onSpinWait();
        }
        boolean again = kind == Statement.CANCELLABLE && cancels.get() > 0;
        check(Thread.interrupted() == (!told || again), "each interrupt is told once");
    }

    private DataSource pool() {
        return proxy(DataSource.class, method -> {
            opened.incrementAndGet();
            return proxy(Connection.class, this::connection);
        });
    }

    private Object connection(String method) throws InterruptedException {
        switch (method) {
            case "prepareStatement" -> {
                return proxy(PreparedStatement.class, this::statement);
            }
            case "commit" -> {
                ending.set(true);
                check(cancels.get() == 0, "not committed after a cancel");
                commits.incrementAndGet();
                Thread.sleep(1_100); // longer than a canceller is patient
            }
            case "rollback" -> {
                ending.set(true);
                rollbacks.incrementAndGet();
            }
            case "close" -> {
                ending.set(true);
                closed.incrementAndGet();
                Thread.sleep(1_100);
            }
            case "abort" -> {
                check(!ending.get(), "not aborted while committing, or in the hands of the next one");
                aborts.incrementAndGet();
                stopped.countDown();
            }
            default -> { }
        }
        return null;
    }

    private Object statement(String method) throws InterruptedException, SQLException {
        if (method.equals("execute") && kind != Statement.QUICK) {
            executed.incrementAndGet();
            stopped.await();
            throw new SQLException("stopped");
        } else if (method.equals("cancel")) {
            check(!ending.get(), "not cancelled when the work has ended");
            if (cancels.incrementAndGet() == 1 && kind == Statement.CANCELLABLE) {
                caller.interrupt(); // once more
                stopped.countDown();
            }
        }
        return method.equals("execute") ? true : null;
    }

    private interface Answer {
        Object to(String method) throws Exception;
    }

    private static <T> T proxy(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> answer.to(method.getName())));
    }

    private static void check(boolean expectation, String what) {
        if (!expectation) {
            throw new AssertionError("expected: " + what);
        }
    }
}
