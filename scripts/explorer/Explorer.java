package explorer;

import explorer.run.Replay;
import explorer.run.Schedule;
import explorer.run.Site;
import explorer.run.Strategy;
import explorer.run.Verdict;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/** Runs schedule after schedule, and what failed again, and again with fewer switches. */
final class Explorer {

    /** The first schedules show where threads meet, and how often: to those that come after them, whatever the seed. */
    private static final int LEARNING = 32;
    private static final int FAIR_AFTER = 2_000;
    private static final long LOOK_ON_NANOS = 3_000_000_000L;
    private static final long SHORTEN_NANOS = 3_000_000_000L;
    private static final int SHORTEN_RUNS = 100; // at least: what is shown of a small one is no matter of load

    /** What a failing schedule was. */
    record Found(long seed, Verdict verdict, boolean repeats, String note, Schedule traced) { }

    private final Options options;
    private final Code code;
    private final ClassLoader loaded;
    private volatile Schedule running;
    /** How many decisions a schedule took before the one of that number: where threads meet, and everywhere. */
    private final int[][] lengths = new int[2][LEARNING + 1];
    int schedules;
    int failed;
    double seconds;
    final Map<String, Integer> verdicts = new TreeMap<>();

    Explorer(Options options, Code code) {
        this.options = options;
        this.code = code;
        Site.forgetAll();
        loaded = code.loader(false);
    }

    /** Null if nothing was found. */
    Found explore(Progress progress) throws Misuse {
        long start = System.nanoTime();
        long end = start + (long) (options.seconds() * 1e9);
        Found found = warmUp();
        if (found != null) {
            return found;
        }
        for (int i = 0; i < options.runs() && (schedules == 0 || System.nanoTime() < end); i++) {
            long seed = options.seed() + i;
            ClassLoader loader = loader();
            Schedule schedule = schedule(seed, loader, false);
            Verdict verdict = run(schedule, loader);
            learn(i, schedule);
            schedules++;
            if (verdict != null) {
                failed++;
                verdicts.merge(verdict.kind().toString(), 1, Integer::sum);
                if (options.first()) {
                    found = new Found(seed, verdict, true, "", schedule);
                    break;
                }
                if (found == null) {
                    found = again(seed, verdict, schedule);
                    end = Math.min(end, System.nanoTime() + LOOK_ON_NANOS); // for the share that fails
                }
                if (verdict.kind() == Verdict.Kind.NOT_CONTROLLED) {
                    break;
                }
            }
            progress.show(schedules, failed);
        }
        seconds = (System.nanoTime() - start) / 1e9;
        return found;
    }

    /** That seed alone, after the schedules that show where threads meet; with its output. */
    Found replay(long seed, Runnable beforeIt) throws Misuse {
        warmUp();
        for (int i = 0; i < LEARNING; i++) {
            ClassLoader loader = loader();
            Schedule schedule = schedule(options.seed() + i, loader, false);
            run(schedule, loader);
            learn(i, schedule);
        }
        beforeIt.run();
        ClassLoader traced = code.loader(true);
        Schedule schedule = schedule(seed, traced, true);
        Verdict verdict = run(schedule, traced);
        schedules = 1;
        failed = verdict == null ? 0 : 1;
        return verdict == null ? null : new Found(seed, verdict, true, "", schedule);
    }

    /** One that does not count: what is initialized once is, for all the others. Not null: none can be controlled. */
    private Found warmUp() throws Misuse {
        Schedule first = schedule(options.seed() - 1, loaded, false);
        Verdict verdict = run(first, loaded);
        return verdict == null || verdict.kind() != Verdict.Kind.NOT_CONTROLLED ? null
                : new Found(0, verdict, true, "", first);
    }

    private void learn(int run, Schedule schedule) {
        for (int kind = 0; run < LEARNING && kind < 2; kind++) {
            lengths[kind][run + 1] = Math.max(lengths[kind][run],
                    kind == 0 == schedule.everywhere ? 10 : schedule.decisions());
        }
    }

    private Schedule schedule(long seed, ClassLoader classes, boolean traced) {
        return schedule(seed, null, classes, traced);
    }

    /** @param replay what is done again, or null */
    private Schedule schedule(long seed, Replay replay, ClassLoader classes, boolean traced) {
        long run = seed - options.seed();
        int learnt = run < -1 || run > LEARNING ? LEARNING : (int) run;
        boolean everywhere = run % 5 == 4 || replay != null;
        int length = lengths[everywhere ? 1 : 0][Math.max(0, learnt)];
        return new Schedule(seed, replay != null ? replay : Strategy.of(run, seed, options.depth(), length),
                replay == null && learnt < LEARNING, learnt, everywhere,
                learnt < LEARNING ? FAIR_AFTER : Math.max(FAIR_AFTER, 20 * length), traced, classes);
    }

    private Found again(long seed, Verdict verdict, Schedule schedule) throws Misuse {
        ClassLoader loader = loader();
        Schedule second = schedule(seed, loader, false);
        boolean repeats = verdict.sameAs(run(second, loader)) && second.decisions() == schedule.decisions();
        if (!repeats || verdict.kind() == Verdict.Kind.NOT_CONTROLLED) {
            return new Found(seed, verdict, repeats, "", schedule);
        }
        List<Replay.Switch> switches = shorten(schedule.switches(), verdict, seed);
        ClassLoader traced = code.loader(true);
        Schedule shown = schedule(seed, new Replay(switches), traced, true);
        Verdict same = run(shown, traced);
        if (!verdict.sameAs(same)) {
            shown = schedule(seed, traced, true);
            same = run(shown, traced);
        }
        String note = (switches.stream().anyMatch(one -> one.chosen() == 0)
                ? "; time passes while a thread that could go on does not" : "")
                + (switches.stream().anyMatch(one -> one.chosen() < 0) ? "; a wait ends for nothing, as it may" : "");
        return verdict.sameAs(same) ? new Found(seed, same, true, note, shown)
                : new Found(seed, verdict, true, note, schedule);
    }

    /** Leaves out switches, many at first, then one by one, as long as it still fails in the same way. */
    private List<Replay.Switch> shorten(List<Replay.Switch> all, Verdict verdict, long seed) throws Misuse {
        List<Replay.Switch> switches = new ArrayList<>(all);
        long end = System.nanoTime() + SHORTEN_NANOS;
        int runs = 0;
        for (int size = Math.max(1, switches.size() / 2); size > 0; size = size == 1 ? 0 : (size + 1) / 2) {
            for (int i = 0; i < switches.size() && (runs++ < SHORTEN_RUNS || System.nanoTime() < end);) {
                List<Replay.Switch> fewer = new ArrayList<>(switches.subList(0, i));
                fewer.addAll(switches.subList(Math.min(switches.size(), i + size), switches.size()));
                ClassLoader loader = loader();
                if (verdict.sameAs(run(schedule(seed, new Replay(fewer), loader, false), loader))) {
                    switches = fewer;
                } else {
                    i += size;
                }
            }
        }
        return switches;
    }

    private Verdict run(Schedule schedule, ClassLoader classes) throws Misuse {
        Runnable main = main(classes);
        running = schedule;
        return schedule.run(main);
    }

    private ClassLoader loader() {
        return options.fresh() ? code.loader(false) : loaded;
    }

    /** The one that runs, or has run last. */
    Schedule running() {
        return running;
    }

    /** The scenario, as a program. */
    private Runnable main(ClassLoader classes) throws Misuse {
        try {
            Class<?> type = Class.forName(code.scenario, false, classes);
            if (Callable.class.isAssignableFrom(type)) {
                Constructor<?> constructor = type.getDeclaredConstructor();
                constructor.setAccessible(true);
                return () -> call(() -> ((Callable<?>) constructor.newInstance()).call());
            }
            Method main = method(type);
            main.setAccessible(true);
            Constructor<?> constructor = Modifier.isStatic(main.getModifiers()) ? null : type.getDeclaredConstructor();
            Object[] arguments = main.getParameterCount() == 0 ? new Object[0] : new Object[] {new String[0]};
            return () -> call(() -> main.invoke(constructor == null ? null : constructor.newInstance(), arguments));
        } catch (ClassNotFoundException | NoSuchMethodException | LinkageError e) {
            throw new Misuse(code.scenario + " has no main, and is no Callable with a constructor without arguments ("
                    + e + ")");
        }
    }

    private static Method method(Class<?> type) throws NoSuchMethodException {
        try {
            return type.getDeclaredMethod("main", String[].class);
        } catch (NoSuchMethodException e) {
            return type.getDeclaredMethod("main");
        }
    }

    private static void call(Callable<?> scenario) {
        try {
            scenario.call();
        } catch (InvocationTargetException e) {
            Explorer.<RuntimeException>hurl(e.getCause());
        } catch (Exception e) {
            Explorer.<RuntimeException>hurl(e);
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void hurl(Throwable e) throws E {
        throw (E) e;
    }
}
