package scanner;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.spi.ToolProvider;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Finds a JDK of 21 or later and, on it, compiles the scanner into the user's cache and runs it, in this JVM, where the
 * compiler is warm by then. What comes after the report is made in the background: an archive of loaded classes, which
 * halves the start, and a shortcut, how to run the scanner the next time. Where no cache can be written, everything is
 * made anew in a temporary folder. Started by {@code FindBlockingCalls.java}, from its source, by any JDK from 11 on:
 * nothing newer here.
 *
 * <p>Two at once do no harm: each works in files of its own and puts them in place whole, and both make the same jar.
 */
public final class Setup {

    private static final int OLDEST = 21;
    private static final int NEWEST_TRIED = 27;
    private static final long MONTH = 30L * 24 * 3600 * 1000;
    /** An archive of classes is bound to the time of its jar: the same for whoever compiles it. */
    private static final long JAR_TIME = 1_000_000_000_000L;

    private final File scanner;
    private final File shortcut;
    private final File jdk;
    private File jar;

    private Setup(File scanner, File shortcut) throws IOException {
        this.scanner = scanner;
        this.shortcut = shortcut;
        jdk = jdk();
    }

    /** The folder of the sources, the shortcut to write, then the scanner's own arguments. */
    public static void main(String[] args) throws Exception {
        int code = 2;
        File temporary = null;
        try {
            Setup setup = new Setup(new File(args[0]), new File(args[1]));
            if (setup.jdk.equals(new File(System.getProperty("java.home")))) {
                temporary = Files.createTempDirectory("find-blocking-calls").toFile();
                code = setup.scan(temporary, Arrays.copyOfRange(args, 2, args.length));
            } else {
                code = setup.scanOnNewer(args);
            }
        } catch (IOException e) {
            System.err.println("find-blocking-calls: " + e.getMessage());
        } finally {
            if (temporary != null) {
                delete(temporary);
            }
        }
        System.exit(code);
    }

    private int scanOnNewer(String[] args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(Arrays.asList(new File(jdk, "bin/java").getPath(),
                "-XX:TieredStopAtLevel=1", "-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote",
                "-cp", scanner.getPath(), new File(scanner, "Setup.java").getPath()));
        command.addAll(Arrays.asList(args));
        Process process = new ProcessBuilder(command).inheritIO().start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return process.waitFor();
    }

    private int scan(File temporary, String[] args) throws IOException, ReflectiveOperationException {
        File[] sources = files(scanner, ".java");
        File cache = new File(shortcut.getParentFile(), "scanner-" + checksum(sources));
        jar = new File(cache, "jdk-" + feature(jdk) + ".jar");
        boolean cached = jar.isFile();
        if (!cached) {
            File compiled = compile(sources, temporary);
            cached = keep(compiled);
            jar = cached ? jar : compiled;
        }
        System.setProperty("scanner.home", scanner.getPath());
        if (cached) {
            System.setProperty("scanner.cache", cache.getPath());
        }
        System.setProperty("jdk.console", "java.base");
        int code;
        try (URLClassLoader classes = new URLClassLoader(new URL[] {jar.toURI().toURL()})) {
            Method main = classes.loadClass("scanner.Main").getDeclaredMethod("exitCode", String[].class);
            main.setAccessible(true);
            code = (int) main.invoke(null, (Object) args);
        }
        if (cached) {
            leaveShortcut(new File(cache, checksum(new File(jdk, "release"), jar) + ".jsa"));
        }
        return code;
    }

    /** Whether the jar could be put into the cache. */
    private boolean keep(File compiled) {
        try {
            removeOld(shortcut.getParentFile());
            Files.createDirectories(jar.getParentFile().toPath());
            Path part = Files.createTempFile(jar.getParentFile().toPath(), "jar", ".tmp");
            Files.copy(compiled.toPath(), part, StandardCopyOption.REPLACE_EXISTING);
            part.toFile().setLastModified(JAR_TIME);
            Files.move(part, jar.toPath(), StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (IOException e) {
            return jar.isFile(); // on Windows another one's, in use
        }
    }

    /** Once there is an archive, which is made in the background. Without, the next start is slower, no more. */
    private void leaveShortcut(File archive) {
        try {
            List<String> options = options();
            List<String> lines = new ArrayList<>(Arrays.asList("# " + jdk, "# " + jar,
                    quoted("-XX:SharedArchiveFile=" + archive)));
            for (String option : options) {
                lines.add(quoted(option));
            }
            lines.add("scanner.Main");
            Path part = Files.createTempFile(shortcut.getParentFile().toPath(), "shortcut", ".tmp");
            Files.write(part, lines);
            if (archive.isFile()) {
                Files.move(part, shortcut.toPath(), StandardCopyOption.ATOMIC_MOVE);
                return;
            }
            List<String> command = new ArrayList<>(Arrays.asList(new File(jdk, "bin/java").getPath(),
                    "-XX:TieredStopAtLevel=1", "-cp", jar.getPath(), "scanner.Archive", part.toString(),
                    shortcut.getPath(), archive.getPath()));
            command.addAll(options);
            new ProcessBuilder(command).directory(jar.getParentFile())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            return;
        }
    }

    /** For {@code java}; but for the archive and what to run. */
    private List<String> options() {
        List<String> options = new ArrayList<>(Arrays.asList(
                "-XX:TieredStopAtLevel=1", "-Xmn128m", "-XX:-UsePerfData", "-Xshare:auto", "-Xlog:disable"));
        String given = System.getenv("JAVA_TOOL_OPTIONS") + System.getenv("JDK_JAVA_OPTIONS");
        if (!given.contains("GC")) { // two collectors are one too many for a JVM
            options.add("-XX:+UseSerialGC");
        }
        options.addAll(Arrays.asList("-Djdk.console=java.base", "-Dscanner.home=" + scanner,
                "-Dscanner.cache=" + jar.getParent(), "-cp", jar.getPath()));
        return options;
    }

    /** In the words of {@code java}'s files of arguments. */
    private static String quoted(String option) {
        return '"' + option.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** A jar of the classes and nothing else: the same bytes from the same sources. */
    private File compile(File[] sources, File folder) throws IOException {
        List<String> arguments = new ArrayList<>(Arrays.asList("-proc:none", "-nowarn", "-g:source,lines",
                "-encoding", "UTF-8", "-d", folder.getPath()));
        for (File source : sources) {
            arguments.add(source.getPath());
        }
        StringWriter complaints = new StringWriter();
        if (ToolProvider.findFirst("javac").get().run(new PrintWriter(complaints), new PrintWriter(complaints),
                arguments.toArray(new String[0])) != 0) {
            throw new IOException("the scanner cannot be compiled; the skill is incomplete: install it again. "
                    + complaints.toString().split("\\R")[0]);
        }
        File compiled = new File(folder, "scanner.jar");
        File[] classes = files(new File(folder, "scanner"), ".class");
        try (OutputStream out = Files.newOutputStream(compiled.toPath());
                ZipOutputStream zip = new ZipOutputStream(out)) {
            for (File file : classes) {
                ZipEntry entry = new ZipEntry(folder.toPath().relativize(file.toPath()).toString()
                        .replace(File.separatorChar, '/'));
                entry.setTime(JAR_TIME);
                zip.putNextEntry(entry);
                Files.copy(file.toPath(), zip);
            }
        }
        return compiled;
    }

    /** Those of a folder, and of the folders in it, whose names end so; in the order that the launchers expect. */
    private static File[] files(File folder, String end) {
        List<File> found = new ArrayList<>();
        File[] here = folder.listFiles();
        for (int i = 0; here != null && i < here.length; i++) {
            if (here[i].getName().endsWith(end)) {
                found.add(here[i]);
            } else {
                found.addAll(Arrays.asList(files(here[i], end)));
            }
        }
        Collections.sort(found);
        return found.toArray(new File[0]);
    }

    /** Compiled from other sources, and a month ago: most likely not used any more, and soon made again if it is. */
    private static void removeOld(File cache) {
        File[] files = cache.listFiles();
        for (int i = 0; files != null && i < files.length; i++) {
            if (System.currentTimeMillis() - files[i].lastModified() > MONTH) {
                delete(files[i]);
            }
        }
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        for (int i = 0; children != null && i < children.length; i++) {
            delete(children[i]);
        }
        file.delete();
    }

    private static String checksum(File... files) throws IOException {
        CRC32 checksum = new CRC32();
        for (File file : files) {
            checksum.update(file.getPath().getBytes(StandardCharsets.UTF_8));
            checksum.update(Files.readAllBytes(file.toPath()));
        }
        return Long.toHexString(checksum.getValue());
    }

    /**
     * The one that runs this if it is new enough; else JAVA_HOME; else the best of those in JAVA_HOME_NN_X64 and where
     * JDKs are installed.
     */
    private static File jdk() throws IOException {
        Map<String, String> environment = new TreeMap<>(System.getenv());
        File own = new File(System.getProperty("java.home"));
        if (feature(own) >= OLDEST) {
            return own;
        }
        List<File> candidates = new ArrayList<>();
        if (environment.containsKey("JAVA_HOME")) {
            File named = new File(environment.get("JAVA_HOME")).getAbsoluteFile();
            if (feature(named) >= OLDEST) {
                return named;
            }
        }
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            if (variable.getKey().startsWith("JAVA_HOME_")) {
                candidates.add(new File(variable.getValue()).getAbsoluteFile());
            }
        }
        String home = System.getProperty("user.home");
        List<String> folders = new ArrayList<>(Arrays.asList("/usr/lib/jvm", "/usr/java", "/opt/java",
                home + "/.sdkman/candidates/java", home + "/.jdks", home + "/.cache/jdks",
                "/Library/Java/JavaVirtualMachines", home + "/Library/Java/JavaVirtualMachines"));
        String programs = environment.get("ProgramFiles");
        if (programs != null) {
            for (String vendor : new String[] {"Java", "Eclipse Adoptium", "Microsoft", "Amazon Corretto", "Zulu",
                    "BellSoft", "Semeru"}) {
                folders.add(programs + "/" + vendor);
            }
        }
        for (String folder : folders) {
            File[] installed = new File(folder).listFiles();
            if (installed != null) {
                Arrays.sort(installed);
                for (File candidate : installed) {
                    candidates.add(candidate);
                    candidates.add(new File(candidate, "Contents/Home"));
                }
            }
        }
        File best = null;
        for (File candidate : candidates) {
            int feature = feature(candidate);
            if (feature >= OLDEST && (best == null || preference(feature) > preference(feature(best)))) {
                best = candidate;
            }
        }
        if (best == null) {
            throw new IOException("needs a JDK of " + OLDEST + " or later, and there is only "
                    + System.getProperty("java.version") + " in " + own
                    + "; install one, or set JAVA_HOME to where one is");
        }
        return best;
    }

    /** The newest the scanner was tried on first, then older, then newer ones. */
    private static int preference(int feature) {
        return feature <= NEWEST_TRIED ? feature : -feature;
    }

    /** The feature release of the JDK, with a compiler, that is installed there; 0 if none is. */
    private static int feature(File jdk) {
        if (!new File(jdk, "bin/javac").isFile() && !new File(jdk, "bin/javac.exe").isFile()) {
            return 0;
        }
        try {
            for (String line : Files.readAllLines(new File(jdk, "release").toPath())) {
                if (line.startsWith("JAVA_VERSION=")) {
                    return Integer.parseInt(line.substring("JAVA_VERSION=".length()).replace("\"", "")
                            .split("[.+-]")[0]);
                }
            }
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
        return 0;
    }
}
