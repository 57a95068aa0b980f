/** What happened in the run before is still known in this one. */
public final class DiffersEachTime {
    private static int runs;

    public static void main(String[] args) {
        if (runs++ % 7 == 3) {
            throw new AssertionError("run " + runs);
        }
    }
}
