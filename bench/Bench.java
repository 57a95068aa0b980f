import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All measurements: {@code java bench/Bench.java COMMAND}, in the repository's folder, with a Java of 17 or later. It
 * finds the JDKs, compiles, and runs the command's class.
 */
public final class Bench {

    private static final String HELP = """
            Usage: java bench/Bench.java COMMAND [options], in the repository's folder, on a machine that does nothing else.
              all              all of the next six, at most 28 minutes together; rewrites bench/results and the
                               tables of README.md and references/performance.md
              asyncio          the examples beside asyncio and uvloop: first call, first second, steady
              libraries        the examples beside the libraries that do the same (needs Maven, for their jars)
              growth           time and memory per task, from 1,000 to 1,000,000
              waiters          memory per waiting caller, beside the same libraries
              service          assets/service beside its predecessor, HttpServer, Javalin, Helidon, aiohttp on uvloop:
                               requests a second, p99, memory per connection; and how these grow (wrk, if it is there)
              scanner          seconds by lines of source
              release [REV]    this tree beside the last release, or a revision: ratios
              pages            measures nothing: writes bench/results and the pages from the figures of all days there
              claims [JDKS] [CLAIM...]
                               the other figures of references/performance.md
            Options of the first six:
              --out DIR        where to write (default: bench/results); then the pages are left alone
              --minutes N      begin no further round that would end later; the first is always complete
            Of asyncio:
              --jdks 21,25,27, --patterns spawn,queue (all: spawn gather parked bounded queue lock timeout
              http-client http-server), --sizes 1000,10000,100000,1000000, --python FILE
            Of libraries, growth, waiters, service, scanner and release:
              --jdk 27         --jobs retry,json (libraries, waiters, release), --kinds event,queue and --sizes
                               (growth), --servers service,aiohttp and --connections 5000 (service), --lines 3000000
                               (scanner)
            asyncio and libraries keep what the same day's file has of other patterns and jobs.
            Exit code: 0; 1 a measurement failed; 2 cannot run, with the reason; 3 some figures were not steady and are none;
            4 (release) something is slower.""";

    private static final Map<String, String> COMMANDS = Map.of("asyncio", "Compare", "libraries", "Libraries",
            "growth", "Growth", "waiters", "Waiters", "service", "Servers", "scanner", "Scanner", "release", "Release",
            "claims", "Claims");
    private static final List<String> WITH_LIBRARIES = List.of("libraries", "waiters", "service");
    private static final List<Integer> JDKS = List.of(21, 25, 26, 27);
    private static final Path CLASSES = Path.of("target/bench/classes");
    private static final Path JARS = Path.of("target/bench/class-path.txt");

    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1;

        Refusal(String message) {
            super(message);
        }
    }

    private Bench() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0 || List.of(args).contains("--help")) {
            System.out.println(HELP);
            return;
        }
        try {
            System.exit(run(args[0], Arrays.asList(args).subList(1, args.length)));
        } catch (Refusal e) {
            System.err.println("bench: " + e.getMessage());
            System.exit(2);
        } catch (IOException e) {
            System.err.println("bench: " + e);
            System.exit(1);
        }
    }

    private static int run(String command, List<String> options) throws Exception {
        if (!Files.exists(Path.of("bench/Bench.java"))) {
            throw new Refusal("run it in the repository's folder: bench/Bench.java is not here");
        }
        if (!List.of("all", "pages").contains(command) && !COMMANDS.containsKey(command)) {
            throw new Refusal(command + " is no command; --help lists them");
        }
        var homes = new TreeMap<Integer, Path>();
        for (int feature : JDKS) {
            Path home = find(feature);
            if (home != null) {
                homes.put(feature, home);
            }
        }
        if (homes.isEmpty()) {
            throw new Refusal("found none of the JDKs " + JDKS
                    + " in JAVA_HOME*, ~/.cache/jdks, ~/.sdkman, ~/.jdks, /usr/lib/jvm");
        }
        compile(homes);
        if (COMMANDS.containsKey(command)) {
            return start(homes, command, options);
        }
        int worst = 0;
        var minutes = new LinkedHashMap<String, String>();
        minutes.put("asyncio", "8.5");
        minutes.put("libraries", "5.5");
        minutes.put("growth", "3");
        minutes.put("waiters", "1");
        minutes.put("service", "8");
        minutes.put("scanner", "2");
        for (var part : minutes.entrySet()) {
            var all = new ArrayList<>(options);
            all.addAll(command.equals("pages") ? List.of("pages") : List.of("--minutes", part.getValue()));
            int code = start(homes, part.getKey(), all);
            worst = code == 1 || code == 2 ? code : Math.max(code, worst);
        }
        return worst;
    }

    private static int start(Map<Integer, Path> homes, String command, List<String> options) throws Exception {
        String jars = WITH_LIBRARIES.contains(command) ? libraries(homes) : "";
        var line = new ArrayList<>(List.of(java(homes), "-cp", CLASSES + jars, "-Dbench.jdks=" + homes.entrySet()
                .stream().map(home -> home.getKey() + "=" + home.getValue())
                .collect(Collectors.joining(File.pathSeparator)), COMMANDS.get(command)));
        line.addAll(options);
        return new ProcessBuilder(line).inheritIO().start().waitFor();
    }

    private static String java(Map<Integer, Path> homes) {
        return homes.getOrDefault(25, homes.values().iterator().next()) + "/bin/java";
    }

    /** All but what needs the libraries; nothing, if no source is newer than the last time. */
    private static void compile(Map<Integer, Path> homes) throws Exception {
        Path stamp = CLASSES.resolveSibling("compiled");
        FileTime newest = FileTime.fromMillis(0);
        for (String root : List.of("bench", "examples", "assets/service/src/main/java")) {
            try (Stream<Path> files = Files.walk(Path.of(root))) {
                for (Path file : files.filter(file -> file.toString().endsWith(".java")).toList()) {
                    FileTime time = Files.getLastModifiedTime(file);
                    newest = time.compareTo(newest) > 0 ? time : newest;
                }
            }
        }
        if (Files.exists(stamp) && Files.getLastModifiedTime(stamp).equals(newest)) {
            return;
        }
        String topics;
        try (Stream<Path> folders = Files.list(Path.of("examples"))) {
            topics = folders.filter(Files::isDirectory).map(Path::toString)
                    .collect(Collectors.joining(File.pathSeparator));
        }
        var sources = new ArrayList<String>();
        try (Stream<Path> files = Files.list(Path.of("bench"))) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(file -> sources.add(file.toString()));
        }
        sources.add("assets/service/src/main/java/service/Main.java");
        javac(homes, List.of("-sourcepath", topics + File.pathSeparator + "assets/service/src/main/java"), sources);
        Files.writeString(stamp, "");
        Files.setLastModifiedTime(stamp, newest);
    }

    /** Their jars, by the profile "benchmarks" of pom.xml, for a class path. */
    private static String libraries(Map<Integer, Path> homes) throws Exception {
        Path pom = Path.of("pom.xml");
        if (!Files.exists(JARS) || Files.getLastModifiedTime(JARS).compareTo(Files.getLastModifiedTime(pom)) < 0) {
            boolean windows = System.getProperty("os.name").startsWith("Windows");
            command(List.of(windows ? "mvn.cmd" : "mvn", "-q", "-B", "-Dstyle.color=never", "-Pbenchmarks", "dependency:build-classpath",
                    "-Dmdep.includeScope=test", "-Dmdep.outputFile=" + JARS.toAbsolutePath()), Redirect.DISCARD,
                    "Maven cannot get the libraries: mvn -Pbenchmarks dependency:build-classpath says why");
        }
        String jars = File.pathSeparator + Files.readString(JARS).strip();
        try (Stream<Path> files = Files.list(Path.of("bench/libraries"))) {
            javac(homes, List.of("-cp", CLASSES + jars), files.map(Path::toString).toList());
        }
        return jars;
    }

    private static void javac(Map<Integer, Path> homes, List<String> options, List<String> sources) throws Exception {
        var line = new ArrayList<>(List.of(java(homes) + "c", "-J-XX:TieredStopAtLevel=1", "--release", "21",
                "-proc:none", "-Xlint:all,-path,-classfile,-options", "-d", "" + CLASSES));
        line.addAll(options);
        line.addAll(sources);
        command(line, Redirect.INHERIT, "the sources do not compile");
    }

    private static void command(List<String> line, Redirect output, String otherwise) throws Exception {
        try {
            Process process = new ProcessBuilder(line).redirectOutput(output).redirectError(output).start();
            if (process.waitFor(5, TimeUnit.MINUTES) && process.exitValue() == 0) {
                return;
            }
            process.destroy();
        } catch (IOException e) {
            // the reason is below
        }
        throw new Refusal(otherwise);
    }

    private static Path find(int feature) throws IOException {
        var candidates = new ArrayList<Path>();
        System.getenv().forEach((name, value) -> {
            if (name.startsWith("JAVA_HOME")) {
                candidates.add(Path.of(value));
            }
        });
        candidates.add(Path.of(System.getProperty("java.home")));
        Path user = Path.of(System.getProperty("user.home"));
        for (Path folder : List.of(user.resolve(".cache/jdks"), user.resolve(".sdkman/candidates/java"),
                user.resolve(".jdks"), Path.of("/usr/lib/jvm"))) {
            if (Files.isDirectory(folder)) {
                try (Stream<Path> children = Files.list(folder)) {
                    candidates.addAll(children.sorted().toList());
                }
            }
        }
        for (Path home : candidates) {
            Path release = home.resolve("release");
            boolean whole = Files.exists(home.resolve("bin/javac")) || Files.exists(home.resolve("bin/javac.exe"));
            if (whole && Files.exists(release) && Files.readString(release).contains("JAVA_VERSION=\"" + feature)) {
                return home;
            }
        }
        return null;
    }
}
