package explorer;

/** A line on a terminal that says how far it is. */
final class Progress {

    private final boolean terminal;
    private long next = System.nanoTime() + 500_000_000;
    private boolean shown;

    Progress(boolean terminal) {
        this.terminal = terminal;
    }

    void show(int schedules, int failed) {
        if (terminal && System.nanoTime() >= next) {
            next = System.nanoTime() + 500_000_000;
            shown = true;
            Main.ERR.print("\r" + schedules + " schedules" + (failed == 0 ? "" : ", " + failed + " failed") + " ");
        }
    }

    void clear() {
        if (shown) {
            Main.ERR.print("\r\033[K");
        }
    }
}
