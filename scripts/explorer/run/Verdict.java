package explorer.run;

import java.util.List;

/** What is wrong with one schedule. */
public record Verdict(Kind kind, String detail, List<String> more) {

    public enum Kind {
        FAILED, DEADLOCK, LOST_WAKE_UP, LEFT_OVER, NO_END, NOT_CONTROLLED;

        @Override
        public String toString() {
            return this == LOST_WAKE_UP ? "LOST WAKE-UP" : name().replace('_', ' ');
        }
    }

    /** The same fault, though names of threads or addresses in its text differ. */
    public boolean sameAs(Verdict other) {
        return other != null && kind == other.kind && (kind != Kind.FAILED || head().equals(other.head()));
    }

    private String head() {
        int end = detail.indexOf(':');
        return end < 0 ? detail : detail.substring(0, end);
    }
}
