package explorer.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock.WriteLock;

/**
 * One run of a scenario, in one order of its threads. All of them are virtual and run, one at a time, on the thread
 * that calls {@link #run}, which chooses at each point who goes on. The clock is one more of them: when it goes on, it
 * shows the time of the next timer.
 */
public final class Schedule implements Executor {

    /** A line of the trace. */
    public record Event(int task, Site site, String what) { }

    /** What does not end by then is taken not to end at all. */
    private static final int MOST_STEPS = 1_000_000;
    /** A wait this long is one without end. */
    private static final long NEVER = 366L * 24 * 3600 * 1_000_000_000;
    /** Threads that could go on are late by that in all: who sleeps for less may find another one not done yet. */
    private static final long LATEST = 1_000_000_000;
    /** Who yields that often, while nothing changes, waits in a loop; who does it less was polite. */
    private static final int LOOKS_THEN_WAITS = 5;
    private static final int LOOKS_ONLY = 20_000;
    private static final long FAR = 3_600_000_000_000L;
    private static final int MOST_TASKS = 1_000;
    private static final int MOST_TICKS = 200;
    private static final long EPOCH_MILLIS = 1_767_225_600_000L; // 2026-01-01

    final Random random;
    final Monitors monitors = new Monitors(this);
    final PriorityQueue<Timer> timers = new PriorityQueue<>();
    final List<Task> tasks = new ArrayList<>();
    final List<String> foreign = new ArrayList<>();

    private final long seed;
    private final Strategy strategy;
    public final boolean everywhere;
    private final boolean learns;
    private final int number;
    private final int fairAfter;
    private final ClassLoader code;
    private final Thread carrier = Thread.currentThread();
    private final Task time = new Task(0, null, null, null);
    private final Map<Long, Task> byThread = new HashMap<>();
    private final List<Task> ready = new ArrayList<>();
    private final List<Task> enabled = new ArrayList<>();
    private final List<Runnable> outside = new ArrayList<>();
    private final List<Use> uses = new ArrayList<>();
    private final List<Replay.Switch> switches = new ArrayList<>();
    private final List<Event> trace;
    private ForkJoinPool pool;
    private Task running;
    private Task last;
    private Task next;
    private Verdict verdict;
    private long clock;
    private long timerCount;
    private int steps;
    private int decisions;
    private int writes;
    private int ticks;
    private int yields;
    private long late;
    private int asked;
    /** Counts what happens, for who watches from another thread whether anything does. */
    private volatile long beats;
    private volatile boolean over;

    /**
     * A schedule with this seed.
     *
     * @param number of those that learn where threads meet, each from all before it
     * @param everywhere whether points count where no thread has met another one
     * @param fairAfter how many decisions are the strategy's, before all threads take turns
     */
    public Schedule(long seed, Strategy strategy, boolean learns, int number, boolean everywhere, int fairAfter,
            boolean traced, ClassLoader code) {
        this.seed = seed;
        this.strategy = strategy;
        this.learns = learns;
        this.number = number;
        this.everywhere = everywhere;
        this.code = code;
        this.fairAfter = fairAfter;
        trace = traced ? new ArrayList<>() : null;
        random = new Random(seed);
    }

    /** Null if nothing is wrong. */
    public Verdict run(Runnable main) {
        Thread shown = new Thread(null, main, "main");
        shown.setContextClassLoader(code);
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler(this::uncaught);
        Internals.seed(seed);
        Hooks.now = this;
        try {
            begin(shown, null);
            last = tasks.get(0);
            while (verdict == null) {
                Task one = next != null ? next : choose(null);
                next = null;
                if (one == time) {
                    tick();
                } else if (one != null) {
                    step(one);
                } else if (!waitForOutside()) {
                    break;
                }
            }
            return verdict;
        } finally {
            Hooks.now = null;
            over = true;
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    private void step(Task task) {
        running = task;
        last = task;
        ready.remove(task);
        task.ready = false;
        task.lastRun = ++timerCount;
        beats++;
        task.continuation.run();
        running = null;
        if (!task.ready && !task.aside && task.virtual.getState() == Thread.State.TERMINATED) {
            task.ended = true;
            event(task, null, "ends");
            for (Task joiner : task.joiners) {
                wake(joiner);
            }
        }
    }

    private void tick() {
        if (++ticks % MOST_TICKS == 0) {
            onlyTheClock();
            if (verdict != null || timers.isEmpty()) {
                return;
            }
        }
        Timer timer = timers.poll();
        if (timer.at > clock) {
            late += ready.isEmpty() ? 0 : timer.at - clock;
            clock = timer.at;
            event(time, null, "shows " + clock / 1_000_000 + (clock % 1_000_000 == 0 ? "" : "." + clock / 1000 % 1000)
                    + " ms");
        }
        timer.action.run();
    }

    /** For long nothing happens but that time passes, for the JDK's own threads maybe. */
    private void onlyTheClock() {
        Verdict standing = Waits.verdict(this);
        boolean mainEnded = tasks.get(0).ended;
        if (standing == null && mainEnded) {
            timers.clear();
        } else if (standing != null && (mainEnded || standing.kind() == Verdict.Kind.NOT_CONTROLLED
                || !timers.isEmpty() && timers.peek().at - clock > FAR)) { // as close() of an executor looks once a day
            verdict = standing;
        } else if (ticks > MOST_STEPS / 10) {
            verdict = new Verdict(Verdict.Kind.NO_END, "only the clock goes on", Waits.of(this));
        }
    }

    /** Nothing can go on. Whether something can after all. */
    private boolean waitForOutside() {
        verdict = Waits.verdict(this);
        if (verdict == null || verdict.kind() != Verdict.Kind.NOT_CONTROLLED || !Waits.blockedInJdk(this)) {
            return false;
        }
        synchronized (outside) { // the JVM's own thread hands on a monitor of the JDK
            for (int i = 0; i < 100 && outside.isEmpty(); i++) {
                try {
                    outside.wait(10);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
            if (outside.isEmpty()) {
                return false;
            }
            verdict = null;
            for (Runnable continuation : outside) {
                ready(continuation);
            }
            outside.clear();
        }
        return true;
    }

    /** A thread of this schedule can go on: called by the JDK. */
    @Override
    public void execute(Runnable continuation) {
        if (Thread.currentThread() == carrier || current() != null) {
            ready(continuation);
        } else {
            synchronized (outside) {
                outside.add(continuation);
                outside.notifyAll();
            }
        }
    }

    private void ready(Runnable continuation) {
        for (int i = tasks.size() - 1; i >= 0; i--) {
            Task task = tasks.get(i);
            if (task.continuation == continuation) {
                if (!task.ready && !task.aside) {
                    task.ready = true;
                    ready.add(task);
                }
                return;
            }
        }
    }

    Task current() {
        Task task = running;
        return task != null && task.virtual == Thread.currentThread() && !task.silent ? task : null;
    }

    Task task(Thread thread) {
        return byThread.get(thread.threadId());
    }

    // Choices

    void point(Task task, Object object, Site site) {
        site.reached = true;
        ticks = 0;
        beats++;
        task.object = object;
        task.site = site;
        if (++steps > MOST_STEPS) {
            noEnd(task);
        }
        if (learns) {
            learn(task, object, site);
        }
        if (everywhere || site.matters(number) && strategy.uses(site)) {
            offer(task);
        }
        writes = site.kind == Site.Kind.READ ? writes : steps; // only now: others may have looked since
        event(task, site, site.what);
    }

    /** Where threads meet: on what more than one of them uses, and not always under the same lock. */
    private void learn(Task task, Object object, Site site) {
        site.known = Math.min(site.known, number);
        if (site.kind == Site.Kind.CALL && (object instanceof ReentrantLock || object instanceof WriteLock)) {
            task.locks.add((Lock) object);
        }
        Use use = object == null ? null : use(object, site);
        if (use == null) {
            site.meets(number);
            return;
        }
        use.sites.add(site);
        if (use.first == task) {
            return; // nobody else has come yet
        }
        List<Object> held = monitors.of(task);
        task.locks.stream().filter(lock -> lock instanceof ReentrantLock own ? own.isHeldByCurrentThread()
                : ((WriteLock) lock).isHeldByCurrentThread()).forEach(held::add);
        if (use.first != null) {
            use.first = null;
            use.guards = held;
        } else {
            use.guards.removeIf(guard -> held.stream().noneMatch(one -> one == guard));
        }
        site.shared = true;
        if (use.guards.isEmpty()) {
            use.sites.forEach(one -> one.meets(number));
            use.sites.clear();
        }
    }

    /** Null if there are too many. */
    private Use use(Object object, Site site) {
        for (int i = uses.size() - 1; i >= 0; i--) {
            if (uses.get(i).object == object && uses.get(i).name.equals(site.name)) {
                return uses.get(i);
            }
        }
        Use use = new Use(object, site.name, running);
        return uses.size() < 5_000 && uses.add(use) ? use : null;
    }

    /** A field of an object, or all of a collection, an array, a lock. */
    private static final class Use {
        final Object object;
        final String name;
        final Set<Site> sites = new HashSet<>();
        Task first;
        List<Object> guards;

        Use(Object object, String name, Task first) {
            this.object = object;
            this.name = name;
            this.first = first;
        }
    }

    /** Lets another one go on if it is chosen. */
    private void offer(Task task) {
        Task one = choose(task);
        if (one != task) {
            next = one;
            Thread.yield();
            next = null; // where it could not yield
        }
    }

    private Task choose(Task current) {
        enabled.clear();
        enabled.addAll(ready);
        if (current != null) {
            enabled.add(current);
        }
        boolean fair = decisions > fairAfter;
        if (!timers.isEmpty() && (enabled.isEmpty() || !fair || ++asked % 64 == 0) && mayTick()) {
            enabled.add(time);
        }
        if (enabled.size() < 2) {
            return enabled.isEmpty() ? null : enabled.get(0);
        }
        decisions++;
        last.decisions++;
        Task one = strategy instanceof Replay replay ? replay.choose(last, current, enabled)
                : fair ? longestNotRun() : strategy.choose(current, enabled, decisions);
        if (one != Replay.usual(current, enabled)) {
            switches.add(new Replay.Switch(last.id, last.decisions, one.id));
        }
        return one;
    }

    private boolean mayTick() {
        if (late + timers.peek().at - clock <= LATEST || steps - writes > LOOKS_ONLY) {
            return true;
        }
        for (Task task : enabled) {
            if (task.yielded <= writes || task.looks < LOOKS_THEN_WAITS) { // something has changed since
                return false;
            }
        }
        return true;
    }

    private Task longestNotRun() {
        Task first = enabled.get(0);
        for (Task task : enabled) {
            first = task.lastRun < first.lastRun ? task : first;
        }
        first.lastRun = ++timerCount;
        return first;
    }

    /** How long this wait takes if it ends for nothing, on our clock; else 0. */
    long forNothing(Task task) {
        task.waits++;
        boolean wakes = decisions <= fairAfter && strategy.wakesForNothing(task);
        if (wakes) {
            switches.add(new Replay.Switch(task.id, task.waits, -1));
            event(task, null, "will wake for nothing");
        }
        return !wakes ? 0 : task.waits % 2 == 0 ? 100_000 : 1; // at once, or when others had their chance
    }

    void yields(Task task) {
        yields++;
        task.looks = task.yielded > writes ? task.looks + 1 : 1;
        task.yielded = steps + 1; // is not late then, whatever the time
        spins(task);
    }

    /** Within the JDK, which spins for a moment only. */
    void spins(Task task) {
        strategy.yields(task);
        if (++steps > MOST_STEPS) {
            noEnd(task);
        }
        Thread.yield();
    }

    private void noEnd(Task task) {
        boolean idle = steps - writes > MOST_STEPS / 10 && yields > MOST_STEPS / 20; // else it may compute
        stop(task, new Verdict(idle ? Verdict.Kind.NO_END : Verdict.Kind.NOT_CONTROLLED,
                idle ? "after " + MOST_STEPS + " steps threads still look, and nothing changes"
                        : "more than " + MOST_STEPS + " steps: a loop without an end, or too large a scenario",
                Waits.of(this)));
    }

    // Threads

    /** Whether a platform thread that the code under test starts runs here. What the JDK starts for itself does not. */
    boolean start(Thread thread, Object container) {
        Object body = Internals.task(thread);
        if (!known(thread.getClass()) && thread.getClass() != Thread.class || body != null && !known(body.getClass())) {
            foreign.add("the JDK's thread " + thread.getName());
            return false;
        }
        if (task(thread) != null) {
            throw new IllegalThreadStateException();
        }
        begin(thread, container);
        return true;
    }

    private boolean known(Class<?> type) {
        ClassLoader loader = type.getClassLoader();
        return loader != null && loader != ClassLoader.getPlatformClassLoader()
                || type.getName().startsWith("java.util.");
    }

    private void begin(Thread shown, Object container) {
        Thread virtual = Internals.virtual(this, shown.getName(), new Body(shown));
        add(shown, virtual);
        Internals.start(virtual, container);
    }

    void add(Thread shown, Thread virtual) {
        if (byThread.containsKey(virtual.threadId())) {
            return;
        }
        if (tasks.size() == MOST_TASKS && running != null) {
            cannot(running, "starts more than " + MOST_TASKS + " threads: make the scenario smaller");
        }
        Task task = new Task(tasks.size() + 1, shown, virtual, Internals.continuation(virtual));
        task.origin = running == null ? null : running.site;
        tasks.add(task);
        byThread.put(shown.threadId(), task);
        byThread.put(virtual.threadId(), task);
    }

    private record Body(Thread thread) implements Runnable {
        @Override
        public void run() {
            try {
                thread.run();
            } catch (Throwable e) {
                thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
            }
        }
    }

    private void uncaught(Thread thread, Throwable e) {
        if (verdict == null) {
            Task task = task(thread);
            String who = task == null ? thread.getName() : task.name();
            verdict = Waits.failed(who, e);
            if (task != null) {
                event(task, null, "throws " + e);
            }
        }
    }

    void exit(Task task, int code) {
        stop(task, new Verdict(code == 0 ? Verdict.Kind.NOT_CONTROLLED : Verdict.Kind.FAILED,
                "System.exit(" + code + ")", List.of()));
    }

    void cannot(Task task, String why) {
        stop(task, new Verdict(Verdict.Kind.NOT_CONTROLLED, task.name() + " " + why, Waits.of(this)));
    }

    /** The schedule is over, and this thread never goes on. */
    private void stop(Task task, Verdict why) {
        verdict = verdict == null ? why : verdict;
        task.aside = true;
        Thread.yield();
        throw new IllegalStateException(why.kind() + ": " + why.detail()); // where it could not yield
    }

    void suspend(Task task, boolean interruptible, String waitsFor) {
        task.aside = true;
        task.interruptible = interruptible;
        task.waitsFor = waitsFor;
        event(task, null, "waits for " + waitsFor);
        Thread.yield();
        if (task.aside) {
            task.aside = false;
            pinned(task);
        }
        task.waitsFor = null;
    }

    void pinned(Task task) {
        cannot(task, "waits in a class initializer or in native code");
    }

    void wake(Task task) {
        if (task.aside && !task.ended) {
            task.aside = false;
            task.ready = true;
            ready.add(task);
        }
    }

    void join(Task task, Task other, long nanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (other.ended) {
            return;
        }
        Timer timer = nanos <= 0 ? null : timer(nanos, new Monitors.Wake(this, task));
        other.joiners.add(task);
        task.target = other;
        suspend(task, true, "the end of " + other.name());
        task.target = null;
        other.joiners.remove(task);
        if (timer != null) {
            timer.cancel(false);
        }
        if (!other.ended && Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    ForkJoinPool commonPool(ForkJoinPool common) {
        if (pool == null) {
            pool = new ForkJoinPool(Math.max(2, Math.min(3, common.getParallelism())));
        }
        return pool;
    }

    // Time

    Timer timer(long nanos, Runnable action) {
        Timer timer = new Timer(this, clock + Math.max(0, Math.min(nanos, NEVER)), timerCount++, action);
        if (nanos < NEVER) {
            timers.add(timer);
        }
        return timer;
    }

    /** Looking takes a moment. */
    long nanoTime() {
        clock += 20;
        return clock;
    }

    long lookAtTime() {
        clock += decisions > fairAfter ? 1_000_000 : 0;
        return nanoTime();
    }

    long millis() {
        return EPOCH_MILLIS + nanoTime() / 1_000_000;
    }

    long nanosSince(long seconds) {
        return (EPOCH_MILLIS / 1000 - seconds) * 1_000_000_000 + nanoTime();
    }

    // What there is to tell

    private void event(Task task, Site site, String what) {
        if (trace != null) {
            trace.add(new Event(task.id, site, what));
        }
    }

    void value(Task task, Object value) {
        if (trace != null && !trace.isEmpty() && trace.getLast().task() == task.id) {
            Event event = trace.removeLast();
            trace.add(new Event(event.task(), event.site(), event.what() + " = " + Waits.text(value)));
        }
    }

    public List<Event> trace() {
        return trace == null ? List.of() : Collections.unmodifiableList(trace);
    }

    public List<String> names() {
        List<String> names = new ArrayList<>(List.of(time.name()));
        for (Task task : tasks) {
            names.add(task.name());
        }
        return names;
    }

    public List<Replay.Switch> switches() {
        return switches;
    }

    public int decisions() {
        return decisions;
    }

    public boolean ended() {
        return over;
    }

    public long beats() {
        return beats;
    }

    /** From another thread: what runs and does not come to a point. */
    public Verdict stuck() {
        Task task = running;
        List<String> frames = new ArrayList<>();
        if (task != null) {
            for (StackTraceElement frame : task.virtual.getStackTrace()) {
                frames.add("  at " + frame);
            }
        }
        return new Verdict(Verdict.Kind.NOT_CONTROLLED, (task == null ? "the explorer" : task.name())
                + " does not come to a point where another thread could go on: it computes, or waits in native code",
                frames);
    }
}
