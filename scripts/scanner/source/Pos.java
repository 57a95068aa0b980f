package scanner.source;

/** A line and a column, both from 1, in one int. */
public final class Pos {

    private static final int COLUMN_BITS = 11;
    private static final int MAX_COLUMN = (1 << COLUMN_BITS) - 1;
    private static final int MAX_LINE = (1 << (31 - COLUMN_BITS)) - 1;

    private Pos() {
    }

    static int of(long line, long column) {
        return (int) Math.min(line, MAX_LINE) << COLUMN_BITS | (int) Math.min(column, MAX_COLUMN);
    }

    public static int line(int pos) {
        return Math.max(1, pos >>> COLUMN_BITS);
    }

    public static int column(int pos) {
        return Math.max(1, pos & MAX_COLUMN);
    }
}
