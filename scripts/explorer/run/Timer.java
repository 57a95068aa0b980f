package explorer.run;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** What is to happen when the clock of the schedule shows a time. */
final class Timer implements Future<Void>, Comparable<Timer> {

    final long at;
    private final long number;
    private final Schedule schedule;
    final Runnable action;

    Timer(Schedule schedule, long at, long number, Runnable action) {
        this.schedule = schedule;
        this.at = at;
        this.number = number;
        this.action = action;
    }

    @Override
    public int compareTo(Timer other) {
        int first = Long.compare(at, other.at);
        return first != 0 ? first : Long.compare(number, other.number);
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        return schedule.timers.remove(this);
    }

    @Override
    public boolean isCancelled() {
        return false;
    }

    @Override
    public boolean isDone() {
        return false;
    }

    @Override
    public Void get() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Void get(long timeout, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }
}
