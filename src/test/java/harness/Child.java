package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A child process that has ended. @param output standard output and error, in the order written. */
record Child(int exit, String output) {

    /**
     * Runs a command in the repository's folder; one that is not done in time is killed, with its descendants, and
     * throws.
     */
    static Child run(Duration limit, List<String> command) throws IOException, InterruptedException {
        Path file = Files.createTempFile("child", ".txt");
        try {
            var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(file.toFile());
            builder.environment().remove("JDK_JAVA_OPTIONS");
            builder.environment().remove("JAVA_TOOL_OPTIONS");
            Process process = builder.start();
            process.getOutputStream().close();
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
            }
            String output = Files.readString(file);
            if (!ended) {
                throw new AssertionError("not done within " + limit + ": " + String.join(" ", command) + "\n" + output);
            }
            return new Child(process.exitValue(), output);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** @throws AssertionError unless the exit code is 0 */
    static Child succeed(Duration limit, List<String> command) throws IOException, InterruptedException {
        Child child = run(limit, command);
        if (child.exit != 0) {
            throw new AssertionError("exit code " + child.exit + ": " + String.join(" ", command) + "\n"
                    + child.output);
        }
        return child;
    }
}
