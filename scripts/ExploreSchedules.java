import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Runs a scenario, a class with a {@code main} or a {@code Callable}, under thousands of orders of its threads, and
 * tells the order in which it fails.
 *
 * <p>This file runs on any JDK from 11 on. It finds the newest JDK of 25 or later, on it compiles {@code explorer} into
 * the user's cache, once, with the few classes of java.base that a schedule needs otherwise, and runs it there.
 *
 * <p>Run: {@code java scripts/ExploreSchedules.java --help}. Exit codes: 0 nothing found, 1 found, 2 could not be
 * controlled, or misuse.
 */
public final class ExploreSchedules {

    private static final int OLDEST = 25;
    private static final int NEWEST_TRIED = 27;
    private static final String[] INTERNALS = {"--add-exports", "java.base/jdk.internal.misc=ALL-UNNAMED"};

    public static void main(String[] args) throws InterruptedException {
        int code = 2;
        File temporary = null;
        try {
            File source = source();
            File explorer = new File(source.getAbsoluteFile().getParentFile(), "explorer");
            File jdk = jdk();
            File cache = cache(explorer, jdk);
            if (!new File(cache, "patch").isDirectory()) {
                temporary = temporary(cache);
                make(explorer, jdk, temporary);
                if (temporary.renameTo(cache) || new File(cache, "patch").isDirectory()) {
                    delete(temporary);
                    temporary = null;
                } else {
                    cache = temporary;
                }
            }
            code = explore(jdk, cache, source, args);
        } catch (IOException e) {
            System.err.println("explore-schedules: " + e.getMessage());
        } finally {
            if (temporary != null) {
                delete(temporary);
            }
        }
        System.exit(code);
    }

    private static int explore(File jdk, File cache, File source, String[] args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(java(jdk), "-XX:+UnlockExperimentalVMOptions", "-XX:hashCode=2",
                "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xlog:disable", "-Xlog:all=error:stderr",
                "-Djdk.trackAllThreads=false", "-Dexplorer.command=" + source.getPath(),
                "--patch-module", "java.base=" + new File(cache, "patch"),
                "--add-exports", "java.base/explorer.run=ALL-UNNAMED", "-cp", new File(cache, "classes").getPath()));
        List<String> rest = new ArrayList<>(Arrays.asList(args));
        int debug = rest.indexOf("--debug");
        if (debug >= 0) {
            if (debug + 1 == rest.size() || !rest.get(debug + 1).matches("\\d{1,5}")) {
                throw new IOException("--debug needs a port");
            }
            command.add("-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=" + rest.get(debug + 1));
            command.add("-Dexplorer.debug=true");
            rest.subList(debug, debug + 2).clear();
        }
        command.add("explorer.Main");
        command.addAll(rest);
        Process process = new ProcessBuilder(command).inheritIO().start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return process.waitFor();
    }

    /** Compiles the explorer, and has it patch the classes of this JDK. */
    private static void make(File explorer, File jdk, File folder) throws IOException, InterruptedException {
        File classes = new File(folder, "classes");
        List<String> javac = new ArrayList<>(List.of(java(jdk) + "c", "-nowarn", "-proc:none", "-encoding", "UTF-8",
                "-g:source,lines", "-XDstringConcat=inline", "-d", classes.getPath()));
        javac.addAll(Arrays.asList(INTERNALS));
        for (File source : sources(explorer)) {
            javac.add(source.getPath());
        }
        done(javac, "the explorer cannot be compiled; the skill is incomplete: install it again. ");
        done(List.of(java(jdk), "-Xshare:auto", "-cp", classes.getPath(), "explorer.PatchJdk", classes.getPath(),
                new File(folder, "patch").getPath()), "");
    }

    private static void done(List<String> command, String otherwise) throws IOException, InterruptedException {
        File said = File.createTempFile("explore-schedules", ".txt");
        try {
            if (new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said).start().waitFor() != 0) {
                String text = new String(Files.readAllBytes(said.toPath()), "UTF-8").trim();
                throw new IOException(otherwise + text.split("\\R")[0]);
            }
        } finally {
            said.delete();
        }
    }

    private static List<File> sources(File explorer) throws IOException {
        List<File> sources = new ArrayList<>();
        for (File folder : new File[] {explorer, new File(explorer, "run")}) {
            File[] files = folder.listFiles((in, name) -> name.endsWith(".java"));
            if (files == null) {
                throw new IOException("no folder " + folder + "; the skill is incomplete: install it again");
            }
            Arrays.sort(files);
            sources.addAll(Arrays.asList(files));
        }
        return sources;
    }

    /** One folder for these sources on this JDK. */
    private static File cache(File explorer, File jdk) throws IOException {
        CRC32 key = new CRC32();
        List<File> files = sources(explorer);
        files.add(new File(jdk, "release"));
        for (File file : files) {
            key.update(file.getName().getBytes("UTF-8"));
            key.update(Files.readAllBytes(file.toPath()));
        }
        key.update(jdk.getPath().getBytes("UTF-8"));
        String home = System.getenv("XDG_CACHE_HOME");
        home = home == null || home.isEmpty() ? System.getenv("LOCALAPPDATA") : home;
        home = home == null || home.isEmpty() ? System.getProperty("user.home") + "/.cache" : home;
        return new File(home, "java-async-patterns/explorer-" + Long.toHexString(key.getValue())).getAbsoluteFile();
    }

    /** Beside the cache if it can be written, for it to be put there whole. */
    private static File temporary(File cache) throws IOException {
        try {
            Files.createDirectories(cache.getParentFile().toPath());
            return Files.createTempDirectory(cache.getParentFile().toPath(), "explorer").toFile();
        } catch (IOException e) {
            return Files.createTempDirectory("explorer").toFile();
        }
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        for (int i = 0; children != null && i < children.length; i++) {
            delete(children[i]);
        }
        file.delete();
    }

    /** This file, as the command that runs it says. */
    private static File source() throws IOException {
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf("ExploreSchedules.java");
        if (end < 0) {
            throw new IOException("run it as java scripts/ExploreSchedules.java");
        }
        return new File(command.substring(command.indexOf(' ') + 1, end) + "ExploreSchedules.java");
    }

    private static String java(File jdk) {
        return new File(jdk, "bin/java").getPath();
    }

    /** The one that runs this if it is new enough; else JAVA_HOME; else the best of those that are installed. */
    private static File jdk() throws IOException {
        for (String first : new String[] {System.getProperty("java.home"), System.getenv("JAVA_HOME")}) {
            if (first != null && feature(new File(first)) >= OLDEST) {
                return new File(first).getAbsoluteFile();
            }
        }
        List<File> candidates = new ArrayList<>();
        for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
            if (variable.getKey().startsWith("JAVA_HOME_")) {
                candidates.add(new File(variable.getValue()).getAbsoluteFile());
            }
        }
        String home = System.getProperty("user.home");
        List<String> folders = new ArrayList<>(List.of("/usr/lib/jvm", "/usr/java", "/opt/java",
                home + "/.sdkman/candidates/java", home + "/.jdks", home + "/.cache/jdks",
                "/Library/Java/JavaVirtualMachines", home + "/Library/Java/JavaVirtualMachines"));
        String programs = System.getenv("ProgramFiles");
        if (programs != null) {
            for (String vendor : List.of("Java", "Eclipse Adoptium", "Microsoft", "Amazon Corretto", "Zulu", "BellSoft",
                    "Semeru")) {
                folders.add(programs + "/" + vendor);
            }
        }
        for (String folder : folders) {
            File[] installed = new File(folder).listFiles();
            for (int i = 0; installed != null && i < installed.length; i++) {
                candidates.add(installed[i]);
                candidates.add(new File(installed[i], "Contents/Home"));
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
            throw new IOException("needs a JDK of " + OLDEST + " or later, and found none; install one, or set"
                    + " JAVA_HOME to where one is (code for an older JDK can be tested on it)");
        }
        return best;
    }

    /** The newest the explorer was tried on first, then older, then newer ones. */
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
