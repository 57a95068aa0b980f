import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;

/**
 * Starts the scanner in {@code scripts/scanner} on a JDK of 21 or later; itself it runs on 11 or later.
 *
 * <p>This file is compiled on every start, so it is short, and keeps to few and small classes of the JDK: no lambdas,
 * no {@code +} on strings, no {@code Files}. It runs what {@code scanner/Setup.java} has left in the user's cache, if
 * the sources are the same, or else that.
 *
 * <p>Run: {@code java scripts/FindBlockingCalls.java --help}. Exit codes: the scanner's; 2 if it cannot be started.
 */
public final class FindBlockingCalls extends Thread {

    private final Process scan;

    private FindBlockingCalls(Process scan) {
        this.scan = scan;
    }

    public static void main(String[] args) throws InterruptedException {
        int code = 2;
        try {
            File scanner = new File(source().getAbsoluteFile().getParentFile(), "scanner");
            code = run(scanner, shortcut(scanner), args);
        } catch (IOException e) {
            System.err.println("find-blocking-calls: ".concat(String.valueOf(e.getMessage())));
        }
        Runtime.getRuntime().halt(code); // exit() would load the classes that log it
    }

    private static int run(File scanner, File shortcut, String[] args) throws IOException, InterruptedException {
        if (shortcut.isFile()) { // "# JDK", "# jar", options
            String text = text(shortcut);
            int line = text.indexOf('\n');
            String jdk = text.substring(2, line);
            File release = new File(jdk, "release");
            if (new File(text.substring(line + 3, text.indexOf('\n', line + 1))).isFile() && release.isFile()
                    && release.lastModified() < shortcut.lastModified()) {
                return start(args, jdk.concat("/bin/java"), "@".concat(shortcut.getPath()));
            }
        }
        return start(args, System.getProperty("java.home").concat("/bin/java"), "-XX:TieredStopAtLevel=1",
                "-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote", // the JDK is right
                "-cp", scanner.getPath(), new File(scanner, "Setup.java").getPath(), scanner.getPath(),
                shortcut.getPath());
    }

    private static int start(String[] args, String... command) throws IOException, InterruptedException {
        String[] whole = new String[command.length + args.length];
        System.arraycopy(command, 0, whole, 0, command.length);
        System.arraycopy(args, 0, whole, command.length, args.length);
        ProcessBuilder builder = new ProcessBuilder(whole).inheritIO();
        String locale = System.getenv("LC_ALL");
        locale = locale == null ? System.getenv("LC_CTYPE") : locale;
        locale = locale == null ? System.getenv("LANG") : locale;
        if (locale == null || locale.isEmpty() || locale.equals("C") || locale.equals("POSIX")) {
            builder.environment().put("LC_ALL", "C.UTF-8"); // for files with other than English names
        }
        Process scan = builder.start();
        Runtime.getRuntime().addShutdownHook(new FindBlockingCalls(scan));
        return scan.waitFor();
    }

    /** When this is told to end, the scan ends too. */
    @Override
    public void run() {
        scan.destroy();
    }

    /** Where the way to start what was compiled from just these sources, in just these circumstances, is kept. */
    private static File shortcut(File scanner) throws IOException {
        if (!scanner.isDirectory()) {
            throw new IOException("no folder ".concat(scanner.getPath())
                    .concat("; the skill is incomplete: install it again"));
        }
        long key = scanner.getPath().hashCode() + key(scanner);
        key = key * 31 + System.getProperty("java.home").hashCode();
        String[] names = {"JAVA_HOME", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"};
        for (String name : names) {
            key = key * 31 + String.valueOf(System.getenv(name)).hashCode();
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        cache = cache == null || cache.isEmpty() ? System.getenv("LOCALAPPDATA") : cache;
        cache = cache == null || cache.isEmpty() ? System.getProperty("user.home").concat("/.cache") : cache;
        return new File(cache, "java-async-patterns/java-".concat(Long.toHexString(key))).getAbsoluteFile();
    }

    /** Of the sources in a folder, in any order. */
    private static long key(File folder) throws IOException {
        long key = 0;
        for (File file : folder.listFiles()) {
            String name = file.getName();
            if (name.endsWith(".java")) {
                key = key + (long) text(file).hashCode() * name.hashCode();
            } else if (name.indexOf('.') < 0) {
                key = key + key(file);
            }
        }
        return key;
    }

    private static String text(File file) throws IOException {
        FileInputStream in = new FileInputStream(file);
        try {
            return new String(in.readAllBytes(), "UTF-8");
        } finally {
            in.close();
        }
    }

    /** This file, as the command that runs it says. */
    private static File source() throws IOException {
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf("FindBlockingCalls.java");
        if (end < 0) {
            throw new IOException("run it as java scripts/FindBlockingCalls.java");
        }
        return new File(command.substring(command.indexOf(' ') + 1, end).concat("FindBlockingCalls.java"));
    }
}
