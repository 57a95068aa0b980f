import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A private PostgreSQL cluster in a temporary folder, where PostgreSQL is installed. Root cannot run it: there the
 * user nobody does.
 */
@SuppressWarnings("try") // close() waits for the server
final class Postgres implements AutoCloseable {

    private final Path bin;
    private final Path folder;
    private final int port;

    private Postgres(Path bin, Path folder, int port) {
        this.bin = bin;
        this.folder = folder;
        this.port = port;
    }

    /** Empty if it is not installed here. */
    static Optional<Postgres> start() throws IOException, InterruptedException {
        Optional<Path> bin = installed();
        if (bin.isEmpty()) {
            return Optional.empty();
        }
        Path folder = Files.createTempDirectory("postgres");
        if (root()) {
            run(List.of("chown", "nobody", folder.toString()));
        }
        new Postgres(bin.get(), folder, 0).asUser("initdb", "-D", folder + "/data", "-U", "test", "-A", "trust", "-E",
                "UTF8",
                "--no-sync", "--locale=C");
        for (int attempt = 1; ; attempt++) {
            var postgres = new Postgres(bin.get(), folder, freePort());
            try {
                postgres.asUser("pg_ctl", "-D", folder + "/data", "-l", folder + "/log", "-w", "-o",
                        "-p " + postgres.port + " -k " + folder
                                + " -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100", "start");
                return Optional.of(postgres);
            } catch (IOException e) {
                if (attempt == 3) { // somebody else may have taken the port meanwhile, but not so often
                    throw e;
                }
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    String url() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=test";
    }

    @Override
    public void close() throws IOException, InterruptedException {
        asUser("pg_ctl", "-D", folder + "/data", "-m", "immediate", "-w", "stop");
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static Optional<Path> installed() throws IOException {
        Path versions = Path.of("/usr/lib/postgresql");
        if (!Files.isDirectory(versions) || root() && !Files.isExecutable(Path.of("/usr/sbin/runuser"))) {
            return Optional.empty();
        }
        try (Stream<Path> folders = Files.list(versions)) {
            return folders.map(folder -> folder.resolve("bin")).filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                    .max(Comparator.naturalOrder());
        }
    }

    private static boolean root() {
        return System.getProperty("user.name").equals("root");
    }

    private void asUser(String tool, String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<String>(root() ? List.of("/usr/sbin/runuser", "-u", "nobody", "--") : List.of());
        command.add(bin.resolve(tool).toString());
        command.addAll(List.of(arguments));
        run(command);
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("postgres", ".txt");
        try {
            Process process = new ProcessBuilder(command).directory(Path.of("/").toFile()).redirectErrorStream(true)
                    .redirectOutput(output.toFile()).start();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException(command + ": " + Files.readString(output));
            }
        } finally {
            Files.delete(output);
        }
    }
}
