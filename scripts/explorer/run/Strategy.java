package explorer.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Who goes on, and which waits end for nothing: all of it drawn from the seed. */
public abstract class Strategy {

    private static final int EARLY = 32;

    final Random random;
    private final boolean wakesForNothing;
    private final boolean coarse;

    Strategy(long seed, boolean coarse) {
        this.coarse = coarse;
        random = new Random(seed * 0x9E3779B97F4A7C15L + 0x632BE59BD9B4E019L);
        wakesForNothing = random.nextInt(3) == 0;
    }

    /**
     * Different ways for different runs: what one does not find in a thousand schedules, another finds in ten. What
     * finds most comes first: the first four of eight do not switch at plain fields, later one of three.
     *
     * @param run the number of the schedule in its series
     */
    public static Strategy of(long run, long seed, int depth, int decisions) {
        int kind = (int) Math.floorMod(run, 8L);
        boolean coarse = run < EARLY ? kind < 4 : run % 3 == 0;
        return switch (kind) {
            case 5, 7 -> new Pct(seed, coarse, depth > 0 ? depth : 1 + (int) Math.floorMod(run / 2, 5L), decisions);
            case 6 -> new Walk(seed, coarse);
            default -> new Pos(seed, coarse, kind != 1);
        };
    }

    /** Whether another one may go on there: in some schedules not at plain fields, as if all were guarded. */
    boolean uses(Site site) {
        return !coarse || !site.plain;
    }

    /** One of the enabled ones; {@code current} is null if the one that ran now waits or has ended. */
    abstract Task choose(Task current, List<Task> enabled, int decision);

    /** The task says that it can do nothing yet. */
    void yields(Task task) {
    }

    /** Whether this wait ends for nothing, as each wait may. */
    boolean wakesForNothing(Task task) {
        return wakesForNothing && random.nextInt(3) == 0;
    }

    /** The highest priority runs, and at some moments falls to the lowest (Burckhardt et al., ASPLOS 2010). */
    private static final class Pct extends Strategy {
        private final int[] changes;
        private double lowest;

        Pct(long seed, boolean coarse, int depth, int decisions) {
            super(seed, coarse);
            changes = new int[depth - 1];
            for (int i = 0; i < changes.length; i++) {
                changes[i] = 1 + random.nextInt(Math.max(1, decisions));
            }
        }

        @Override
        Task choose(Task current, List<Task> enabled, int decision) {
            Task best = best(enabled);
            for (int change : changes) {
                if (change == decision) {
                    best.priority = --lowest;
                    best = best(enabled);
                }
            }
            if (best.isClock()) {
                best.priority = random.nextDouble() - 0.5;
            }
            return best;
        }

        private Task best(List<Task> enabled) {
            Task best = null;
            for (Task task : enabled) {
                if (Double.isNaN(task.priority)) {
                    task.priority = random.nextDouble() - (task.isClock() ? 0.5 : 0);
                }
                best = best == null || task.priority > best.priority ? task : best;
            }
            return best;
        }

        @Override
        void yields(Task task) {
            task.priority = --lowest;
        }
    }

    /**
     * Each next step has a priority of its own, drawn again after one that it races with (Yuan et al., CAV 2018). Those
     * who are about to do the same count as one, mostly: else the only reader among a hundred writers is never next.
     */
    private static final class Pos extends Strategy {
        private final Map<Long, Integer> alike = new HashMap<>();
        private final boolean asOne;

        Pos(long seed, boolean coarse, boolean asOne) {
            super(seed, coarse);
            this.asOne = asOne;
        }

        @Override
        Task choose(Task current, List<Task> enabled, int decision) {
            alike.clear();
            for (Task task : enabled) {
                if (task.site == null && !task.isClock()) {
                    return task; // it has not begun: up to its first point nobody can tell
                }
                alike.merge(task.step(), 1, Integer::sum);
            }
            Task best = null;
            double highest = 0;
            for (Task task : enabled) {
                if (Double.isNaN(task.priority)) {
                    task.priority = random.nextDouble() - (task.isClock() ? 0.5 : 0);
                }
                double priority = task.isClock() || !asOne ? task.priority
                        : Math.pow(task.priority, alike.get(task.step()));
                if (best == null || priority > highest) {
                    best = task;
                    highest = priority;
                }
            }
            for (Task task : enabled) {
                if (task == best || task.races(best)) {
                    task.priority = Double.NaN;
                }
            }
            return best;
        }

        @Override
        void yields(Task task) {
            task.priority = 0;
        }
    }

    /** Goes on with the same one for a while, then with any. */
    private static final class Walk extends Strategy {
        private final int stays;

        Walk(long seed, boolean coarse) {
            super(seed, coarse);
            stays = 1 << random.nextInt(5);
        }

        @Override
        Task choose(Task current, List<Task> enabled, int decision) {
            if (current != null && random.nextInt(stays + 1) < stays) {
                return current;
            }
            Task one = enabled.get(random.nextInt(enabled.size()));
            return one.isClock() ? enabled.get(random.nextInt(enabled.size())) : one;
        }
    }
}
