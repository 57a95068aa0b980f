package explorer.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Why nothing goes on: who waits for what, and who has it. */
final class Waits {

    private Waits() { }

    /** Null if all have ended who should. */
    static Verdict verdict(Schedule schedule) {
        List<Task> waiting = new ArrayList<>();
        for (Task task : schedule.tasks) {
            if (!task.ended && (task.virtual == task.shown || !task.shown.isDaemon())) {
                waiting.add(task);
            }
        }
        if (waiting.isEmpty()) {
            return null;
        }
        Task outside = null;
        for (Task task : waiting) { // one of the code under test before one of the JDK
            outside = outside(task) != null && (outside == null || place(outside).isEmpty()) ? task : outside;
        }
        if (outside != null) {
            return new Verdict(Verdict.Kind.NOT_CONTROLLED, outside.name() + " waits for " + outside(outside)
                    + place(outside), of(schedule));
        }
        if (!schedule.foreign.isEmpty()) {
            return new Verdict(Verdict.Kind.NOT_CONTROLLED, "threads wait, maybe for " + schedule.foreign.get(0),
                    of(schedule));
        }
        if (schedule.tasks.get(0).ended) {
            return new Verdict(Verdict.Kind.LEFT_OVER, "the scenario has ended, and " + waiting.get(0).name()
                    + " waits" + place(waiting.get(0)), of(schedule));
        }
        for (Task task : waiting) {
            Task holder = holder(schedule, task);
            if (holder != null && inCircle(schedule, task)) {
                return new Verdict(Verdict.Kind.DEADLOCK, task.name() + " waits" + place(task) + " for what "
                        + holder.name() + " holds", of(schedule));
            }
        }
        for (Task task : waiting) {
            if (waitsToBeWoken(task)) {
                return new Verdict(Verdict.Kind.LOST_WAKE_UP, task.name() + " waits" + place(task)
                        + " and nobody is left to wake it", of(schedule));
            }
        }
        return new Verdict(Verdict.Kind.DEADLOCK, "all wait; " + waiting.get(0).name() + place(waiting.get(0)),
                of(schedule));
    }

    static boolean blockedInJdk(Schedule schedule) {
        for (Task task : schedule.tasks) {
            if (!task.ended && !task.aside && task.virtual.getState() == Thread.State.BLOCKED) {
                return true;
            }
        }
        return false;
    }

    /** A line for each thread that has not ended. */
    static List<String> of(Schedule schedule) {
        List<String> lines = new ArrayList<>();
        for (Task task : schedule.tasks) {
            if (!task.ended) {
                Task holder = holder(schedule, task);
                Object blocker = LockSupport.getBlocker(task.virtual);
                String what = task.waitsFor != null ? " for " + task.waitsFor
                        : blocker != null ? " for " + blocker.getClass().getName() : "";
                lines.add(task.name() + (task.ready ? " can go on" : " waits") + place(task) + what
                        + (holder == null ? "" : ", held by " + holder.name()));
            }
        }
        return lines;
    }

    static Verdict failed(String who, Throwable e) {
        List<String> frames = new ArrayList<>();
        for (Throwable one = e; one != null && frames.size() < 30; one = one.getCause()) {
            frames.add(one == e ? "in " + who : "caused by " + one);
            for (StackTraceElement frame : one.getStackTrace()) {
                if (frame.getModuleName() == null && !frame.getClassName().startsWith("explorer.")
                        && frames.size() < 30) {
                    frames.add("  at " + frame);
                }
            }
        }
        return new Verdict(Verdict.Kind.FAILED, String.valueOf(e), frames);
    }

    private static boolean inCircle(Schedule schedule, Task first) {
        Task task = first;
        for (int i = 0; i <= schedule.tasks.size() && task != null; i++) {
            task = holder(schedule, task);
            if (task == first) {
                return true;
            }
        }
        return false;
    }

    private static Task holder(Schedule schedule, Task task) {
        if (task.monitor != null) {
            return task.monitor.owner;
        }
        if (task.target != null) {
            return task.target;
        }
        Thread owner = Internals.owner(LockSupport.getBlocker(task.virtual));
        return owner == null ? null : schedule.task(owner);
    }

    private static boolean waitsToBeWoken(Task task) {
        return task.waitsFor != null && task.waitsFor.startsWith("to be notified")
                || String.valueOf(LockSupport.getBlocker(task.virtual)).contains("ConditionObject");
    }

    /** What cannot be controlled, or null. */
    private static String outside(Task task) {
        if (!task.aside && task.virtual.getState() == Thread.State.BLOCKED) {
            return "a monitor of the JDK";
        }
        for (StackTraceElement frame : task.virtual.getStackTrace()) {
            String name = frame.getClassName();
            if (name.startsWith("sun.nio.") || name.startsWith("java.net.") || name.startsWith("java.nio.channels.")
                    || name.startsWith("jdk.internal.net.")) {
                return "a socket or a channel";
            }
            if (name.startsWith("java.lang.Process") || name.startsWith("java.lang.ref.")) {
                return name;
            }
            if (frame.getModuleName() == null) {
                return null;
            }
        }
        return null;
    }

    private static String place(Task task) {
        for (StackTraceElement frame : task.virtual.getStackTrace()) {
            if (frame.getModuleName() == null && !frame.getClassName().startsWith("explorer.")) {
                return " at " + frame.getFileName() + ":" + frame.getLineNumber();
            }
        }
        return "";
    }

    /** Short, and without a call of the code under test. */
    static String text(Object value) {
        if (value instanceof String || value instanceof Number || value instanceof Boolean
                || value instanceof Character || value == null) {
            String text = String.valueOf(value);
            return text.length() > 30 ? text.substring(0, 30) + "..." : text;
        }
        if (value instanceof Enum<?> constant) {
            return constant.name();
        }
        if (value instanceof Class<?> type) {
            return type.getSimpleName() + ".class";
        }
        String name = value.getClass().getName();
        return "a " + name.substring(name.lastIndexOf('.') + 1);
    }
}
