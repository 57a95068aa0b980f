package explorer.run;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The monitors of a schedule. */
final class Monitors {

    private final Schedule schedule;
    private final Map<Object, Monitor> monitors = new IdentityHashMap<>();

    Monitors(Schedule schedule) {
        this.schedule = schedule;
    }

    void enter(Task task, Object object) {
        if (object == null) {
            throw new NullPointerException();
        }
        acquire(task, object, 1);
    }

    private void acquire(Task task, Object object, int count) {
        Monitor monitor = monitor(object);
        while (monitor.owner != null && monitor.owner != task) {
            monitor.entering.add(task);
            task.monitor = monitor;
            schedule.suspend(task, false, "the monitor of " + Waits.text(object));
            task.monitor = null;
            monitor = monitor(object);
        }
        monitor.owner = task;
        monitor.count += count;
    }

    private Monitor monitor(Object object) {
        Monitor monitor = monitors.get(object);
        if (monitor == null) {
            monitor = new Monitor(object);
            monitors.put(object, monitor);
        }
        return monitor;
    }

    void exit(Task task, Object object) {
        Monitor monitor = owned(task, object);
        if (--monitor.count == 0) {
            release(monitor);
        }
    }

    private void release(Monitor monitor) {
        monitor.owner = null;
        for (Task next : monitor.entering) {
            schedule.wake(next);
        }
        monitor.entering.clear();
        if (monitor.unused()) {
            monitors.remove(monitor.of);
        }
    }

    void await(Task task, Object object, long millis) throws InterruptedException {
        if (millis < 0) {
            throw new IllegalArgumentException("timeout value is negative");
        }
        Monitor monitor = owned(task, object);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        int count = monitor.count;
        monitor.count = 0;
        monitor.waiting.add(task);
        release(monitor);
        long nothing = schedule.forNothing(task);
        long nanos = nothing > 0 ? nothing : millis * 1_000_000;
        Timer timer = nanos == 0 ? null : schedule.timer(nanos, new Wake(schedule, task));
        schedule.suspend(task, true, "to be notified on " + Waits.text(object));
        if (timer != null) {
            timer.cancel(false);
        }
        boolean notified = !monitor.waiting.remove(task);
        boolean interrupted = !notified && Thread.interrupted();
        acquire(task, object, count);
        if (interrupted) {
            throw new InterruptedException();
        }
    }

    void signal(Task task, Object object, boolean all) {
        Monitor monitor = owned(task, object);
        while (!monitor.waiting.isEmpty()) {
            schedule.wake(monitor.waiting.remove(0));
            if (!all) {
                return;
            }
        }
    }

    boolean holds(Task task, Object object) {
        Monitor monitor = monitors.get(object);
        return monitor != null && monitor.owner == task;
    }

    /** Those that the task holds. */
    List<Object> of(Task task) {
        List<Object> held = new ArrayList<>();
        monitors.values().stream().filter(monitor -> monitor.owner == task).forEach(one -> held.add(one.of));
        return held;
    }

    private Monitor owned(Task task, Object object) {
        Monitor monitor = monitors.get(object);
        if (monitor == null || monitor.owner != task) {
            throw new IllegalMonitorStateException("current thread is not owner");
        }
        return monitor;
    }

    /** The time of a wait is over. */
    record Wake(Schedule schedule, Task task) implements Runnable {
        @Override
        public void run() {
            schedule.wake(task);
        }
    }
}
