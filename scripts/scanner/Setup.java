package scanner;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.spi.ToolProvider;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Finds a JDK of 21 or later, compiles the scanner into the user's cache and leaves a shortcut there: how to start it the next time. The first
 * scan also leaves an archive of loaded classes, which halves the start. Where no cache can be written, everything is made anew in a
 * temporary folder. Called by {@code FindBlockingCalls.java}, which any JDK from 11 on may run: nothing newer here.
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
    private final File temporary;
    private final String[] args;
    private final File jdk;
    private File jar;
    private File archive;
    /** Being written by the first scan; null if there is no need or no place for it. */
    private File newArchive;
    private boolean cached;

    /**
     * @param scanner   the folder of the sources
     * @param shortcut  what to write for the next time, in the folder of the cache
     * @param temporary an empty folder to work in
     */
    public Setup(File scanner, File shortcut, File temporary, String[] args) throws IOException {
        this.scanner = scanner;
        this.shortcut = shortcut;
        this.temporary = temporary;
        this.args = args;
        jdk = jdk();
    }

    /** The JDK to use, and a file of options for its {@code java} that ends in the main class. */
    public File[] prepare() throws IOException, InterruptedException {
        File[] sources = scanner.listFiles((folder, name) -> name.endsWith(".java"));
        Arrays.sort(sources);
        File cache = new File(shortcut.getParentFile(), "scanner-" + checksum(sources));
        jar = new File(cache, "jdk-" + feature(jdk) + ".jar");
        cached = jar.isFile();
        if (!cached) {
            File compiled = compile(sources, temporary);
            cached = keep(compiled);
            jar = cached ? jar : compiled;
        }
        archive = new File(cache, checksum(new File(jdk, "release"), jar) + ".jsa");
        if (cached && !archive.isFile() && scans(args)) {
            newArchive = new File(cache, "archive" + Long.toHexString(System.nanoTime()) + ".tmp");
        }
        File options = new File(temporary, "options");
        Files.write(options.toPath(), options());
        return new File[] {jdk, options};
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

    /** To be called when the scanner has ended with this exit code. */
    public void finish(int code) throws IOException {
        boolean useful = code != 2; // else too little was loaded
        if (newArchive != null && newArchive.isFile()) {
            if (useful) {
                Files.move(newArchive.toPath(), archive.toPath(), StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.delete(newArchive.toPath());
            }
        }
        newArchive = null;
        if (useful && cached && archive.isFile()) {
            Path part = Files.createTempFile(shortcut.getParentFile().toPath(), "shortcut", ".tmp");
            Files.write(part, options());
            Files.move(part, shortcut.toPath(), StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Two comments for who starts it, then options for {@code java}. */
    private List<String> options() {
        List<String> options = new ArrayList<>(Arrays.asList("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto", "-Xlog:disable"));
        String given = System.getenv("JAVA_TOOL_OPTIONS") + System.getenv("JDK_JAVA_OPTIONS");
        if (!given.contains("GC")) { // two collectors are one too many for a JVM
            options.add("-XX:+UseSerialGC");
        }
        if (newArchive != null) {
            options.add("-XX:ArchiveClassesAtExit=" + newArchive);
        } else if (archive.isFile()) {
            options.add("-XX:SharedArchiveFile=" + archive);
        }
        options.addAll(Arrays.asList("-Djdk.console=java.base", "-Dscanner.home=" + scanner, "-cp", jar.getPath(), "scanner.Main"));
        List<String> lines = new ArrayList<>(Arrays.asList("# " + jdk, "# " + jar));
        for (String option : options) {
            lines.add('"' + option.replace("\\", "\\\\").replace("\"", "\\\"") + '"');
        }
        return lines;
    }

    /** Whether the scanner will load what a scan loads. */
    private static boolean scans(String[] args) {
        for (String arg : args) {
            if (arg.equals("--help") || arg.equals("-h") || arg.equals("--list-rules") || arg.startsWith("--explain")) {
                return false;
            }
        }
        return true;
    }

    /** A jar of the classes and nothing else: the same bytes from the same sources. */
    private File compile(File[] sources, File folder) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(Arrays.asList("-proc:none", "-nowarn", "-g:source,lines", "-encoding", "UTF-8", "-d", folder.getPath()));
        for (File source : sources) {
            arguments.add(source.getPath());
        }
        String complaints = isOwn(jdk) ? compileHere(arguments) : compileThere(arguments, new File(folder, "complaints"));
        if (complaints != null) {
            throw new IOException("the scanner cannot be compiled; install the skill again, whole. " + complaints.split("\\R")[0]);
        }
        File compiled = new File(folder, "scanner.jar");
        File[] classes = new File(folder, "scanner").listFiles();
        Arrays.sort(classes);
        try (OutputStream out = Files.newOutputStream(compiled.toPath()); ZipOutputStream zip = new ZipOutputStream(out)) {
            for (File file : classes) {
                ZipEntry entry = new ZipEntry("scanner/" + file.getName());
                entry.setTime(JAR_TIME);
                zip.putNextEntry(entry);
                Files.copy(file.toPath(), zip);
            }
        }
        return compiled;
    }

    /** What is wrong; null if nothing. */
    private static String compileHere(List<String> arguments) {
        StringWriter complaints = new StringWriter();
        PrintWriter writer = new PrintWriter(complaints);
        return ToolProvider.findFirst("javac").get().run(writer, writer, arguments.toArray(new String[0])) == 0 ? null : complaints.toString();
    }

    /** The same with the JDK that will run it. */
    private String compileThere(List<String> arguments, File complaints) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(Arrays.asList(new File(jdk, "bin/javac").getPath(), "-J-XX:TieredStopAtLevel=1", "-J-Xlog:disable"));
        command.addAll(arguments);
        Process compiler = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(complaints).start();
        return compiler.waitFor() == 0 ? null : new String(Files.readAllBytes(complaints.toPath()), StandardCharsets.UTF_8);
    }

    /** Compiled from other sources, and a month ago: most likely not used any more, and soon made again if it is. */
    private static void removeOld(File cache) {
        File[] files = cache.listFiles();
        for (int i = 0; files != null && i < files.length; i++) {
            File[] children = files[i].listFiles();
            if (System.currentTimeMillis() - files[i].lastModified() > MONTH) {
                for (int j = 0; children != null && j < children.length; j++) {
                    children[j].delete();
                }
                files[i].delete();
            }
        }
    }

    private static String checksum(File... files) throws IOException {
        CRC32 checksum = new CRC32();
        for (File file : files) {
            checksum.update(file.getPath().getBytes(StandardCharsets.UTF_8));
            checksum.update(Files.readAllBytes(file.toPath()));
        }
        return Long.toHexString(checksum.getValue());
    }

    /** The one that runs this if it is new enough; else JAVA_HOME; else the best of those in JAVA_HOME_NN_X64 and where JDKs are installed. */
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
        List<String> folders = new ArrayList<>(Arrays.asList("/usr/lib/jvm", "/usr/java", "/opt/java", "/Library/Java/JavaVirtualMachines",
                home + "/.sdkman/candidates/java", home + "/.jdks", home + "/.cache/jdks", home + "/Library/Java/JavaVirtualMachines"));
        String programs = environment.get("ProgramFiles");
        if (programs != null) {
            for (String vendor : new String[] {"Java", "Eclipse Adoptium", "Microsoft", "Amazon Corretto", "Zulu", "BellSoft", "Semeru"}) {
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
            throw new IOException("needs a JDK of " + OLDEST + " or later, and there is only " + System.getProperty("java.version") + " in " + own
                    + "; install one, or set JAVA_HOME to where one is");
        }
        return best;
    }

    private static boolean isOwn(File jdk) {
        return jdk.equals(new File(System.getProperty("java.home")));
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
                    return Integer.parseInt(line.substring("JAVA_VERSION=".length()).replace("\"", "").split("[.+-]")[0]);
                }
            }
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
        return 0;
    }
}
