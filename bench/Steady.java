import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Measures until it is steady: until the medians of successive windows agree. {@code workloads.py} does the same in
 * Python.
 */
final class Steady {

    static final int WINDOWS = 4;
    static final double AGREE = 1.15; // the largest of their medians by the smallest
    private static final long WINDOW = 300_000_000;
    private static final int RUNS = 2; // of a window, at least

    /** One run. Returns its nanoseconds, or those of a part of it, the same part each time. */
    @FunctionalInterface
    interface Run {
        double nanos() throws Exception;
    }

    /**
     * @param first  nanoseconds of the first run in this JVM
     * @param second the mean of the runs begun in the first second
     * @param steady the median once it is steady; 0: it was not within the limit
     * @param after  seconds until then
     * @param cpu    nanoseconds of CPU time a run, all threads of the JVM, once steady
     */
    record Figures(double first, double second, double steady, double after, double cpu) {

        /** With the peak of resident memory, kilobytes. */
        String line() {
            return String.format(Locale.ROOT, "%.1f\t%.1f\t%.1f\t%.2f\t%.1f\t%d", first, second, steady, after,
                    cpu, Machine.peakKilobytes());
        }
    }

    private record Window(long start, long cpu, int runs, double median) { }

    private Steady() {
    }

    static Figures measure(Run run, double limitSeconds) throws Exception {
        long begun = System.nanoTime();
        double first = run.nanos();
        double sum = first;
        int early = 1;
        var windows = new ArrayList<Window>();
        while (true) {
            long start = System.nanoTime();
            long cpu = cpuNanos();
            var runs = new ArrayList<Double>();
            while (runs.size() < RUNS || System.nanoTime() - start < WINDOW) {
                boolean inFirstSecond = System.nanoTime() - begun < 1_000_000_000;
                double nanos = run.nanos();
                runs.add(nanos);
                if (inFirstSecond) {
                    sum += nanos;
                    early++;
                }
            }
            windows.add(new Window(start, cpu, runs.size(), median(runs)));
            var last = windows.subList(Math.max(0, windows.size() - WINDOWS), windows.size());
            var medians = last.stream().map(Window::median).sorted().toList();
            if (last.size() == WINDOWS && medians.getLast() <= AGREE * medians.getFirst()) {
                double spent = cpuNanos() - last.getFirst().cpu;
                return new Figures(first, sum / early, median(medians), (last.getFirst().start - begun) / 1e9,
                        spent / last.stream().mapToInt(Window::runs).sum());
            }
            if (System.nanoTime() - begun > limitSeconds * 1e9) {
                return new Figures(first, sum / early, 0, (System.nanoTime() - begun) / 1e9, 0);
            }
        }
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }
}
