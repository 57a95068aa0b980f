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
    /** Of files, not in them: most often at once, on a disk of the network not. */
    METADATA,
    /** Until a file is on the disk. */
    SYNC,
    DNS,
    /** Random numbers of the system's. */
    ENTROPY,
    PROCESS,
    /** Programs of the desktop's: most often they are started at once. */
    DESKTOP,
    JDBC,
    /** The next row of a result: most often it is here already. */
    CURSOR,
    /** A publisher's value, asked for in a blocking way. */
    REACTIVE,
    /** Nothing is known of it but its name. */
    NAMED;

    static Kind of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }
}
