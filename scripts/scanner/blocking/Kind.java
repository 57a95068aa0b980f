package scanner.blocking;

import java.util.Locale;

/** What a blocking call waits for: the first column of {@code blocking.txt}. */
public enum Kind {
    /** Time to pass. */
    SLEEP,
    /** {@code Object.wait}: gives its own monitor back, and no other. */
    WAIT,
    /** Another thread: futures, queues, latches, joins. */
    AWAIT,
    /** {@code Condition.await}: gives its own lock back, and no other. */
    CONDITION,
    /** A lock that is seldom held for long. */
    LOCK,
    /** The network. */
    NET,
    /** A stream that may be a socket, a file or memory. */
    STREAM,
    FILE,
    /** Until a file is on the disk. */
    SYNC,
    DNS,
    /** Random numbers of the system's. */
    ENTROPY,
    PROCESS,
    JDBC,
    /** The next row of a result: most often it is here already. */
    CURSOR,
    /** A publisher's value, asked for in a blocking way. */
    REACTIVE;

    static Kind of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
