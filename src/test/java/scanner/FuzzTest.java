package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scanner.project.Source;

/**
 * Broken source: cut, shuffled and mutated. Whatever it is, the analysis names the file at most and goes on. By hand on
 * a large repository: {@code java -cp target/classes:target/test-classes scanner.FuzzTest FOLDER INPUTS}.
 */
@Tag("once")
@Timeout(600)
class FuzzTest {

    private static final int BATCH = 40;

    public static void main(String[] args) throws IOException {
        Path folder = Files.createTempDirectory("fuzz");
        List<String> failures = fuzz(javaFiles(Path.of(args[0])), Integer.parseInt(args[1]), folder, 1);
        failures.forEach(System.out::println);
        System.out.println(args[1] + " inputs, " + failures.size() + " failures");
    }

    @Test
    void brokenSourceIsNoReasonToFail(@TempDir Path folder) throws IOException {
        assertEquals(List.of(), fuzz(javaFiles(Path.of("scripts", "scanner")), 400, folder, 7));
    }

    @Test
    void deepNestingNamesTheFileOrIsRead(@TempDir Path folder) throws IOException {
        int depth = 10_000;
        Files.writeString(folder.resolve("Parens.java"), "class Parens { int x = " + "(".repeat(depth) + "1"
                + ")".repeat(depth) + "; }");
        Files.writeString(folder.resolve("Blocks.java"), "class Blocks { void m() " + "{".repeat(depth)
                + "}".repeat(depth) + " }");
        Files.writeString(folder.resolve("Chain.java"), "class Chain { Chain a() { return this" + ".a()".repeat(depth)
                + "; } }");
        Files.writeString(folder.resolve("Sum.java"), "class Sum { String s = \"\"" + " + \"x\"".repeat(depth) + "; }");
        Files.writeString(folder.resolve("Calls.java"), "class Calls { int f(int x) { return " + "f(".repeat(depth)
                + "1" + ")".repeat(depth)
                + "; } }");
        Files.writeString(folder.resolve("Good.java"),
                "class Good { synchronized void m() throws Exception { Thread.sleep(1); } }");
        Analysis.Result result = scan(javaFiles(folder), folder);
        assertEquals(List.of("Good.java"), result.findings().stream().map(finding -> finding.place().file()).toList());
    }

    /** Each link asks what the ones before it are, and so does the function it is given: worked out once each. */
    @Test
    void chainsOfFunctionsTakeNoLongerThanTheyAreLong(@TempDir Path folder) throws IOException {
        String flat = IntStream.range(0, 100).mapToObj(i -> ".flatMap(a" + i + " -> a" + i + ".next())")
                .collect(Collectors.joining());
        String nested = IntStream.range(0, 100).mapToObj(i -> (i == 0 ? "this" : "b" + (i - 1)) + ".next().flatMap(b"
                + i + " -> ").collect(Collectors.joining()) + "b99.next()" + ")".repeat(100);
        Files.writeString(folder.resolve("Chains.java"), "import reactor.core.publisher.Mono; class Chains { "
                + "Mono<Chains> next() { return null; } Mono<Chains> flat() { return next()" + flat + "; } "
                + "Mono<Chains> nested() { return " + nested + "; } "
                + "synchronized void m() throws Exception { Thread.sleep(1); } }");
        assertEquals(1, scan(javaFiles(folder), folder).findings().size());
    }

    @Test
    void unreadableFilesAreNamed(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("Latin.java"),
                "class Latin { String s = \"\u00e9\"; }".getBytes(StandardCharsets.ISO_8859_1));
        Files.writeString(folder.resolve("Broken.java"), "class Broken { void m( { }");
        Files.writeString(folder.resolve("Empty.java"), "");
        Files.write(folder.resolve("Zero.java"), new byte[2000]);
        Files.writeString(folder.resolve("Good.java"),
                "class Good { synchronized void m() throws Exception { Thread.sleep(1); } }");
        List<Path> files = new ArrayList<>(javaFiles(folder));
        files.add(folder.resolve("Gone.java"));
        Analysis.Result result = scan(files, folder);
        assertEquals(1, result.findings().size());
        for (String name : List.of("Latin.java", "Broken.java", "Gone.java")) {
            assertTrue(result.problems().stream().anyMatch(problem -> problem.startsWith(name)), name + " in "
                    + result.problems());
        }
    }

    @Test
    void circlesOfTypesEnd(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("A.java"),
                "class A extends B { void m() { m(); n(); } class C extends A.C {} }");
        Files.writeString(folder.resolve("B.java"),
                "class B extends A { void n() { m(); new A().n(); } synchronized void o() { n(); } }");
        Files.writeString(folder.resolve("I.java"),
                "interface I<T extends I<T>> extends I<T> { default T t() { return t().t(); } }");
        assertEquals(List.of(), scan(javaFiles(folder), folder).findings());
    }

    private static Analysis.Result scan(List<Path> files, Path root) {
        List<Source> sources = files.stream().map(file -> new Source(file, root.relativize(file).toString(), 0))
                .toList();
        return Analysis.run(new Analysis.Request(sources, 21, true, Set.of(), List.of(), text -> { }));
    }

    private static List<String> fuzz(List<Path> files, int inputs, Path folder, long seed) throws IOException {
        var random = new Random(seed);
        var failures = new ArrayList<String>();
        for (int done = 0; done < inputs; done += BATCH) {
            var batch = new ArrayList<Path>();
            for (int i = 0; i < BATCH && done + i < inputs; i++) {
                Path file = files.get((done + i) % files.size());
                Path broken = folder.resolve(i + ".java");
                Files.writeString(broken, breakUp(Files.readString(file, StandardCharsets.ISO_8859_1), random));
                batch.add(broken);
            }
            try {
                for (String problem : scan(batch, folder).problems()) {
                    if (problem.contains(" left out (")) {
                        failures.add("inputs from " + done + ", seed " + seed + ": " + problem);
                    }
                }
            } catch (RuntimeException | Error e) {
                failures.add("inputs from " + done + ", seed " + seed + ": " + e);
            }
        }
        return failures;
    }

    private static String breakUp(String text, Random random) {
        if (text.isEmpty()) {
            return text;
        }
        return switch (random.nextInt(5)) {
            case 0 -> text.substring(0, random.nextInt(text.length()));
            case 1 -> text.substring(random.nextInt(text.length()));
            case 2 -> {
                List<String> lines = Arrays.asList(text.split("\n"));
                int from = random.nextInt(lines.size());
                Collections.shuffle(lines.subList(from, Math.min(lines.size(), from + 40)), random);
                yield String.join("\n", lines);
            }
            case 3 -> {
                var mutated = new StringBuilder(text);
                for (int i = 0; i < 30; i++) {
                    mutated.setCharAt(random.nextInt(text.length()),
                            "{}()<>;,.=\"'@ \n:?-abcX019".charAt(random.nextInt(25)));
                }
                yield mutated.toString();
            }
            default -> {
                int from = random.nextInt(text.length());
                int to = Math.min(text.length(), from + random.nextInt(400));
                int at = random.nextInt(text.length());
                yield text.substring(0, at) + text.substring(from, to) + text.substring(at, from > at ? from
                        : text.length());
            }
        };
    }

    private static List<Path> javaFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
        }
    }
}
