package explorer.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Goes on with the one that runs, else with the oldest that can, but for some moments that are written down. */
public final class Replay extends Strategy {

    /**
     * When {@code task} was asked for the {@code count}th time, {@code chosen} went on. Where that is -1, its wait of
     * that number ended for nothing.
     */
    public record Switch(int task, int count, int chosen) { }

    private final Map<Long, Integer> switches = new HashMap<>();

    public Replay(List<Switch> switches) {
        super(0, false);
        for (Switch one : switches) {
            this.switches.put(key(one.task, one.count, one.chosen < 0), one.chosen);
        }
    }

    @Override
    Task choose(Task current, List<Task> enabled, int decision) {
        throw new IllegalStateException();
    }

    Task choose(Task last, Task current, List<Task> enabled) {
        Integer chosen = switches.get(key(last.id, last.decisions, false));
        if (chosen != null) {
            for (Task task : enabled) {
                if (task.id == chosen) {
                    return task;
                }
            }
        }
        return usual(current, enabled);
    }

    static Task usual(Task current, List<Task> enabled) {
        if (current != null) {
            return current;
        }
        Task first = enabled.get(0);
        for (Task task : enabled) {
            first = first.isClock() || !task.isClock() && task.id < first.id ? task : first;
        }
        return first;
    }

    @Override
    boolean wakesForNothing(Task task) {
        return switches.containsKey(key(task.id, task.waits, true));
    }

    private static long key(int task, int count, boolean wait) {
        return ((long) task << 32 | count) << 1 | (wait ? 1 : 0);
    }
}
