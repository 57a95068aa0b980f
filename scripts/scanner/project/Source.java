package scanner.project;

import java.nio.file.Path;

/**
 * A source file.
 *
 * @param name    relative to the scanned root, with forward slashes
 * @param release the JDK its own module targets, or 0 for the one of the scan
 */
public record Source(Path file, String name, int release) {
}
