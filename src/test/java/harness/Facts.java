package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code references/facts.tsv}: what is true on which JDK, where the pages say it, and how it is known: by a probe of
 * {@code src/test/probes}, or by what the column {@code source} names. A column a JDK, headed by the version it was
 * seen
 * on. In a cell, {@code no; from 25.0.5: yes} is a fact that an update changed.
 */
final class Facts {

    static final Path FILE = Path.of("references/facts.tsv");
    static final String REWRITE = "mvn -q test -Dtest=FactsIT,FactsTest -Dfacts=write -Djdks=all";
    private static final Path PROBES = Path.of("src/test/probes");
    private static final Path CLASSES = Path.of("target/probes");
    private static final List<String> FIRST = List.of("id", "where", "source", "fact", "do");
    private static final Duration LIMIT = Duration.ofMinutes(60);

    /** @param where pieces of pages, {@code page.md: text of the line}, with {@code ||} between them; may be empty */
    record Row(String id, String where, String source, String fact, String advice, Map<Integer, String> values) {

        boolean isProbed() {
            return source.equals("probe");
        }

        List<Place> places() {
            return where.isEmpty() ? List.of() : Arrays.stream(where.split(" \\|\\| ")).map(Place::of).toList();
        }
    }

    /** @param text a part of one line; or {@code facts: NAME}, a table that is made from these rows */
    record Place(String page, String text) {

        static Place of(String where) {
            int colon = where.indexOf(": ");
            return new Place(colon < 0 ? where : where.substring(0, colon), colon < 0 ? ""
                    : where.substring(colon + 2));
        }

        Path file() {
            return page.equals("SKILL.md") ? Path.of(page) : Path.of("references", page);
        }

        /** Counted from 1; 0 if no line has the text. */
        int line(List<String> lines) {
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).contains(text)) {
                    return i + 1;
                }
            }
            return 0;
        }
    }

    /** Of each JDK the version that its column was seen on. */
    final Map<Integer, Runtime.Version> versions = new TreeMap<>();
    final List<Row> rows = new ArrayList<>();

    static Facts read() throws IOException {
        var facts = new Facts();
        var lines = Files.readAllLines(FILE);
        var header = List.of(lines.getFirst().split("\t", -1));
        if (!header.subList(0, FIRST.size()).equals(FIRST)) {
            throw new AssertionError(FILE + " does not begin with " + FIRST);
        }
        var jdks = header.subList(FIRST.size(), header.size()).stream().map(Runtime.Version::parse).toList();
        jdks.forEach(version -> facts.versions.put(version.feature(), version));
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split("\t", -1);
            if (cells.length != header.size()) {
                throw new AssertionError(FILE + ": " + cells.length + " columns instead of " + header.size() + ": "
                        + line);
            }
            var values = new TreeMap<Integer, String>();
            for (int i = 0; i < jdks.size(); i++) {
                values.put(jdks.get(i).feature(), cells[FIRST.size() + i]);
            }
            facts.rows.add(new Row(cells[0], cells[1], cells[2], cells[3], cells[4], values));
        }
        return facts;
    }

    void write() throws IOException {
        var text = new StringBuilder(String.join("\t", FIRST));
        versions.values().forEach(version -> text.append('\t').append(version));
        for (Row row : rows) {
            text.append('\n').append(String.join("\t", row.id, row.where, row.source, row.fact, row.advice));
            versions.keySet().forEach(jdk -> text.append('\t').append(row.values.getOrDefault(jdk, "-")));
        }
        Files.writeString(FILE, text.append('\n'));
    }

    /** A cell's value for a version: the last one that had begun by then. */
    static String value(String cell, Runtime.Version version) {
        String[] parts = cell.split("; from ");
        String value = parts[0];
        for (String part : List.of(parts).subList(1, parts.length)) {
            int colon = part.indexOf(": ");
            if (version.compareToIgnoreOptional(Runtime.Version.parse(part.substring(0, colon))) >= 0) {
                value = part.substring(colon + 2);
            }
        }
        return value;
    }

    /** What a run on a JDK contradicts; the newest column stands in for a JDK that has none yet. */
    List<String> differences(Runtime.Version version, Map<String, String> seen) throws IOException {
        int column = versions.containsKey(version.feature()) ? version.feature() : new ArrayList<>(versions.keySet())
                .getLast();
        var problems = new ArrayList<String>();
        var unknown = new LinkedHashMap<>(seen);
        for (Row row : rows) {
            unknown.remove(row.id);
            String known = value(row.values.get(column), version);
            String now = seen.getOrDefault(row.id, "-");
            if (row.isProbed() && !now.equals(known)) {
                problems.add(row.id + ", " + row.fact + " (" + places(row) + "): \"" + known + "\" on "
                        + versions.get(column) + ", \"" + now
                        + "\" on " + version);
            }
        }
        unknown.forEach((id, value) -> problems.add(id + " is not in " + FILE + ": \"" + value + "\" on " + version));
        return problems;
    }

    private static String places(Row row) throws IOException {
        var places = new ArrayList<String>();
        for (Place place : row.places()) {
            var lines = Files.readAllLines(place.file());
            String text = place.text.startsWith("facts: ") ? "| " + row.fact + " |" : place.text;
            places.add(place.file() + ":" + new Place(place.page, text).line(lines));
        }
        return places.isEmpty() ? "in no page" : String.join(", ", places);
    }

    /** Takes over what was seen; a JDK that has no column gets one. */
    void enter(Runtime.Version version, Map<String, String> seen) {
        int jdk = version.feature();
        versions.put(jdk, Runtime.Version.parse(shown(version)));
        var unknown = new LinkedHashMap<>(seen);
        for (Row row : rows) {
            unknown.remove(row.id);
            String known = row.values.get(jdk);
            String now = row.isProbed() ? seen.getOrDefault(row.id, "-") : Optional.ofNullable(known).orElse("?");
            row.values.put(jdk, known != null && value(known, version).equals(now) ? known : now);
        }
        unknown.forEach((id, value) -> rows.add(new Row(id, "", "probe", "", "", new TreeMap<>(Map.of(jdk, value)))));
    }

    /** Without what a distributor appends. */
    private static String shown(Runtime.Version version) {
        return version.version().stream().map(String::valueOf).collect(Collectors.joining(".")) + version.pre()
                .map(pre -> "-" + pre).orElse("")
                + version.build().map(build -> "+" + build).orElse("");
    }

    static Runtime.Version version(Jdk jdk) throws IOException {
        var version = Pattern.compile("JAVA_RUNTIME_VERSION=\"(.+?)\"")
                .matcher(Files.readString(jdk.home().resolve("release")));
        return Runtime.Version.parse(shown(Runtime.Version.parse(version.find() ? version.group(1) : jdk.version())));
    }

    /** Compiles the probes, once for all JDKs, and for each the scopes of its generation. */
    static void compileProbes() throws Exception {
        var command = Jdk.current().javac("--release", "21", "-proc:none", "-Xlint:all", "-Werror", "-d",
                CLASSES.toString());
        command.addAll(sources());
        Child.succeed(LIMIT, command);
    }

    private static List<String> sources() throws IOException {
        try (Stream<Path> files = Files.list(PROBES)) {
            return files.map(Path::toString).filter(file -> file.endsWith(".java")).sorted().toList();
        }
    }

    /** Id and value of each probe. */
    static Map<String, String> probe(Jdk jdk) throws Exception {
        String scopes = compileScopes(jdk);
        var families = new ArrayList<List<String>>();
        for (String source : sources()) {
            String family = Path.of(source).getFileName().toString().replace(".java", "");
            if (!family.equals("Probe")) {
                families.add(List.of("-cp", CLASSES.toString(), family));
            }
        }
        families.add(List.of("--enable-preview", "-cp", CLASSES + java.io.File.pathSeparator + scopes, "Structured"));
        var seen = new TreeMap<String, String>();
        try (var executor = Executors.newFixedThreadPool(3)) {
            var running = new ArrayList<Future<Child>>();
            for (List<String> family : families) {
                var command = jdk.java("-XX:ActiveProcessorCount=2");
                command.addAll(family);
                running.add(executor.submit(() -> Child.succeed(LIMIT, command)));
            }
            for (Future<Child> each : running) {
                each.get().output().lines().filter(line -> line.contains("\t"))
                        .forEach(line -> seen.put(line.substring(0, line.indexOf('\t')),
                                line.substring(line.indexOf('\t') + 1)));
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause().getMessage(), e);
        }
        return seen;
    }

    private static String compileScopes(Jdk jdk) throws Exception {
        String classes = CLASSES + "-" + jdk.feature();
        Child.succeed(LIMIT, jdk.javac("--enable-preview", "--release", "" + jdk.feature(), "-proc:none", "-cp",
                CLASSES.toString(), "-d", classes,
                Jdk.newestFolder(PROBES.resolve("structured"), jdk.feature()).resolve("Structured.java").toString()));
        return classes;
    }

    /**
     * The table of a block: a row for each text of a fact, a column for JDKs that are alike in all of it; = as on the
     * left.
     */
    List<String> table(String name, String title) {
        var byFact = new LinkedHashMap<String, Row>();
        for (Row row : rows) {
            if (row.places().stream().anyMatch(place -> place.text.equals("facts: " + name))) {
                Row same = byFact.putIfAbsent(row.fact, row);
                if (same != null && !same.values.equals(row.values)) {
                    throw new AssertionError(same.id + " and " + row.id + " have one text and different values");
                }
            }
        }
        var columns = new ArrayList<List<Integer>>();
        for (int jdk : versions.keySet()) {
            boolean asBefore = !columns.isEmpty()
                    && byFact.values().stream().allMatch(row -> row.values.get(columns.getLast().getFirst())
                            .equals(row.values.get(jdk)));
            if (!asBefore) {
                columns.add(new ArrayList<>());
            }
            columns.getLast().add(jdk);
        }
        var table = new ArrayList<String>();
        table.add("| " + title + " | " + columns.stream().map(Facts::label).collect(Collectors.joining(" | ")) + " |");
        table.add("|---".repeat(columns.size() + 1) + "|");
        for (Row row : byFact.values()) {
            var line = new StringBuilder("| " + row.fact);
            String left = "";
            for (List<Integer> column : columns) {
                String value = row.values.get(column.getFirst());
                line.append(" | ").append(value.equals(left) ? "=" : value);
                left = value;
            }
            table.add(line + " |");
        }
        return table;
    }

    private static String label(List<Integer> jdks) {
        return switch (jdks.size()) {
            case 1 -> "" + jdks.getFirst();
            case 2 -> jdks.getFirst() + ", " + jdks.getLast();
            default -> jdks.getFirst() + " to " + jdks.getLast();
        };
    }
}
