import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.zip.CRC32;

/**
 * Starts the scanner in {@code scripts/scanner} on a JDK of 21 or later; itself it runs on 11 or later.
 *
 * <p>This file is compiled on every start, so it is short, and does without what is slow to compile (lambdas, {@code +} on strings): it only runs
 * what {@code scanner/Setup.java} has left in the user's cache, and that only if nothing there has changed.
 *
 * <p>Run: {@code java scripts/FindBlockingCalls.java --help}. Exit codes: the scanner's; 2 if it cannot be started.
 */
public final class FindBlockingCalls {

    private FindBlockingCalls() {
    }

    public static void main(String[] args) throws Exception {
        int code = 2;
        try {
            code = run(new File(source().getAbsoluteFile().getParentFile(), "scanner"), args);
        } catch (IOException e) {
            System.err.println("find-blocking-calls: ".concat(String.valueOf(e.getMessage())));
        }
        System.exit(code);
    }

    private static int run(File scanner, String[] args) throws Exception {
        String given = System.getProperty("find-blocking-calls.shortcut"); // by find-blocking-calls.sh
        File shortcut = given == null ? shortcut(scanner) : new File(given);
        if (shortcut.isFile()) {
            List<String> lines = Files.readAllLines(shortcut.toPath());
            File jdk = new File(lines.get(0).substring(2));
            File release = new File(jdk, "release");
            if (new File(lines.get(1).substring(2)).isFile() && release.isFile() && release.lastModified() < shortcut.lastModified()) {
                return start(jdk, shortcut, args);
            }
        }
        return setUp(scanner, shortcut, args);
    }

    /** Where the way to start what was compiled from just these sources, in just these circumstances, is kept. */
    private static File shortcut(File scanner) throws IOException {
        File[] files = scanner.listFiles();
        if (files == null) {
            throw new IOException("no folder ".concat(scanner.getPath()).concat("; install the skill again, whole"));
        }
        Arrays.sort(files);
        CRC32 checksum = new CRC32();
        for (File file : files) {
            if (file.getName().endsWith(".java")) {
                checksum.update(file.getPath().getBytes(StandardCharsets.UTF_8));
                checksum.update(Files.readAllBytes(file.toPath()));
            }
        }
        for (String name : new String[] {"JAVA_HOME", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"}) {
            checksum.update(String.valueOf(System.getenv(name)).getBytes(StandardCharsets.UTF_8));
        }
        checksum.update(System.getProperty("java.home").getBytes(StandardCharsets.UTF_8));
        return new File(cache(), "java-".concat(Long.toHexString(checksum.getValue())));
    }

    private static File cache() {
        String folder = System.getenv("XDG_CACHE_HOME");
        if (folder == null || folder.isEmpty()) {
            folder = System.getenv("LOCALAPPDATA");
        }
        if (folder == null || folder.isEmpty()) {
            folder = System.getProperty("user.home").concat("/.cache");
        }
        return new File(folder, "java-async-patterns").getAbsoluteFile();
    }

    /** @param options a file of them for {@code java}, the main class last */
    private static int start(File jdk, File options, String[] args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(new File(jdk, "bin/java").getPath());
        command.add("@".concat(options.getPath()));
        command.addAll(Arrays.asList(args));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        Map<String, String> environment = builder.environment();
        String locale = environment.getOrDefault("LC_ALL", environment.getOrDefault("LC_CTYPE", environment.get("LANG")));
        if (locale == null || locale.isEmpty() || locale.equals("C") || locale.equals("POSIX")) {
            environment.put("LC_ALL", "C.UTF-8"); // for files with other than English names
        }
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread() {
            @Override
            public void run() {
                process.destroy();
            }
        });
        return process.waitFor();
    }

    /** The long way: compiles and calls {@code scanner.Setup}, which compiles the rest. */
    private static int setUp(File scanner, File shortcut, String[] args) throws Exception {
        File folder = Files.createTempDirectory("find-blocking-calls").toFile();
        try {
            String source = new File(scanner, "Setup.java").getPath();
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
            if (ToolProvider.findFirst("javac").get().run(nowhere, nowhere, "-proc:none", "-nowarn", "-Xlint:none", "-d", folder.getPath(), source) != 0) {
                throw new IOException("cannot compile ".concat(source).concat("; install the skill again, whole"));
            }
            try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toURI().toURL()})) {
                Class<?> type = loader.loadClass("scanner.Setup");
                Object setup = type.getConstructor(File.class, File.class, File.class, String[].class).newInstance(scanner, shortcut, folder, args);
                File[] jdkAndOptions = (File[]) type.getMethod("prepare").invoke(setup);
                int code = start(jdkAndOptions[0], jdkAndOptions[1], args);
                type.getMethod("finish", int.class).invoke(setup, code);
                return code;
            }
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
        } finally {
            delete(folder);
        }
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        for (int i = 0; children != null && i < children.length; i++) {
            delete(children[i]);
        }
        file.delete();
    }

    /** This file. JDK 11 does not say where a class was read from, but has the command line. */
    private static File source() throws IOException {
        CodeSource code = FindBlockingCalls.class.getProtectionDomain().getCodeSource();
        if (code != null && code.getLocation() != null && code.getLocation().getPath().endsWith(".java")) {
            return new File(URI.create(code.getLocation().toString()));
        }
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf("FindBlockingCalls.java");
        if (end < 0) {
            throw new IOException("run it as java scripts/FindBlockingCalls.java");
        }
        return new File(command.substring(command.indexOf(' ') + 1, end).concat("FindBlockingCalls.java"));
    }
}
