package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scanner.findings.Finding;
import scanner.source.Suppressions;

/** In each source the finding is where {@code ^} stands; the character itself is taken out. */
@Timeout(600)
class SuppressionsTest {

    @TempDir
    Path folder;

    private Suppressions suppressions;

    private boolean suppressed(String source) throws IOException {
        int at = source.indexOf('^');
        int line = (int) source.substring(0, at).lines().count();
        if (at == 0 || source.charAt(at - 1) == '\n') {
            line++;
        }
        int column = at - source.lastIndexOf('\n', at);
        Path file = Cli.write(folder.resolve("A.java"), source.replace("^", ""));
        suppressions = new Suppressions(name -> file);
        return suppressions.apply(List.of(Cli.at("A.java", line, column))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "class A { void m() {\n ^sleep(); // blocking-ok: start-up only\n } }",
            "class A { void m() {\n // blocking-ok: start-up only\n ^sleep();\n } }",
            "class A { void m() {\n /* blocking-ok: start-up only */\n ^sleep();\n } }",
            "class A { void m() {\n //blocking-ok:start-up only,\n // before any request\n ^sleep();\n } }",
            "class A { void m() {\n // blocking-ok: fluent\n var x = client\n   .send()\n   .^join();\n } }",
            "class A { void m() {\n var x = client\n   .^send()\n   .join(); // blocking-ok: fluent\n } }",
            "class A { void m() {\n // blocking-ok: the lock is private\n synchronized (this) ^{\n sleep();\n } } }",
            "class A {\n // blocking-ok: the lock is private\n synchronized void ^m() {\n sleep();\n } }",
            "class A {\n // blocking-ok: once\n static final Object X = ^load();\n }",
            "class A { void m() {\n // blocking-ok: tabs\n\t\tvar x =\n\t\t\t^sleep();\n } }",
            "class A { void m() {\n\r // blocking-ok: another line end\r\n ^sleep();\r\n } }",
            "class A { void m( {\n // blocking-ok: does not parse\n ^sleep();\n } }",
            "class A {\n @SuppressWarnings(\"blocking\")\n void m() {\n ^sleep();\n } }",
            "class A {\n @SuppressWarnings(\"blocking-under-monitor\")\n void m() {\n ^sleep();\n } }",
            "class A {\n @SuppressWarnings(value = {\"unused\", \"blocking\"})\n void m() {\n ^sleep();\n } }",
            "@java.lang.SuppressWarnings(\"blocking\") class A { class B {\n void m() {\n ^sleep();\n } } }",
            "class A { void m() {\n @SuppressWarnings(\"blocking\") var x = ^sleep();\n } }",
            "class A {\n @SuppressWarnings(\"blocking\") Runnable r = () -> {\n ^sleep();\n }; }",
            "@SuppressWarnings(\"blocking\") record A(int a) { A {\n ^sleep();\n } }",
    })
    void covered(String source) throws IOException {
        assertEquals(true, suppressed(source));
        assertEquals(1, suppressions.count());
        assertEquals(List.of(), suppressions.problems());
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "class A { void m() {\n ^sleep();\n } }",
            "class A { void m() {\n other(); // blocking-ok: that one\n ^sleep();\n } }",
            "class A { void m() {\n // blocking-ok: that one\n other();\n ^sleep();\n } }",
            "class A { void m() {\n // blocking-ok: that one\n\n ^sleep();\n } }",
            "class A {\n // blocking-ok: not for a whole method\n void m() {\n ^sleep();\n } }",
            "class A { void m() {\n // blocking-ok: not for a whole block\n synchronized (this) {\n ^sleep();\n } } }",
            "class A { void m() {\n synchronized (this) {\n ^sleep();\n } // blocking-ok: behind the block\n } }",
            "class A { void m() {\n ^synchronized (this) {\n sleep();\n } // blocking-ok: behind the block\n } }",
            "class A { void m() {\n ^run(() -> {\n   a(); // blocking-ok: that one\n   b();\n });\n } }",
            "class A {\n @SuppressWarnings(\"blocking-on-event-loop\")\n void m() {\n ^sleep();\n } }",
            "class A {\n @SuppressWarnings(\"unused\")\n void m() {\n ^sleep();\n } }",
            "class A {\n @SuppressWarnings(\"blocking\")\n void other() { }\n void m() {\n ^sleep();\n } }",
            "class A {\n @Other(\"blocking\")\n void m() {\n ^sleep();\n } }",
            "class A {\n @SuppressWarnings(WORD)\n void m() {\n ^sleep();\n } }",
            "^",
    })
    void notCovered(String source) throws IOException {
        assertEquals(false, suppressed(source));
        assertEquals(0, suppressions.count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"// blocking-ok", "// blocking-ok:", "// blocking-ok: ", "/* blocking-ok: */",
            "// blocking-ok because"})
    void aReasonIsNeeded(String comment) throws IOException {
        assertEquals(false, suppressed("class A { void m() {\n ^sleep(); " + comment + "\n } }"));
        assertEquals(List.of("A.java:2: blocking-ok counts only with a reason: // blocking-ok: why"),
                suppressions.problems());
    }

    @Test
    void furtherPlacesAreCoveredOneByOne() throws IOException {
        Path file = Cli.write(folder.resolve("A.java"), "class A { void m() {", " a();",
                " b(); // blocking-ok: this one", " c();", "} }");
        var places = new ArrayList<Finding.Step>();
        for (int line = 3; line <= 4; line++) {
            places.add(new Finding.Step(new Finding.Place("A.java", line, 2), "sleep()"));
        }
        Finding one = Cli.at("A.java", 2, 2);
        var finding = new Finding(one.rule(), one.level(), one.place(), one.message(), one.chain(), places,
                one.enclosing());
        var left = new Suppressions(name -> file).apply(List.of(finding));
        assertEquals(1, left.size());
        assertEquals(List.of(new Finding.Place("A.java", 4, 2)),
                left.get(0).alsoAt().stream().map(Finding.Step::place).toList());
    }

    @Test
    void theNextPlaceOfAHabitStandsForTheRest() throws IOException {
        Path file = Cli.write(folder.resolve("A.java"), "class A { void m() {", " a(); // blocking-ok: this one",
                " b(); // blocking-ok: this one", " c();", "} }");
        Finding one = Cli.at("A.java", 2, 2);
        List<Finding> others = List.of(Cli.at("A.java", 3, 2), Cli.at("A.java", 4, 2));
        List<Finding.Step> places = others.stream().map(each -> new Finding.Step(each.place(), "sleep()")).toList();
        var habit = new Finding(one.rule(), one.level(), one.place(), one.message(), one.chain(), places,
                one.enclosing(), others);
        var left = new Suppressions(name -> file).apply(List.of(habit));
        assertEquals(List.of(others.get(1)), left);
        var answered = new Finding(one.rule(), one.level(), one.place(), one.message(), one.chain(),
                places.subList(0, 1), one.enclosing(), others.subList(0, 1));
        assertEquals(List.of(), new Suppressions(name -> file).apply(List.of(answered)));
    }

    @Test
    void placesOutsideTheFileCoverNothing() throws IOException {
        Path file = Cli.write(folder.resolve("A.java"), "@SuppressWarnings(\"blocking\") class A { }");
        assertEquals(1, new Suppressions(name -> file).apply(List.of(Cli.at("A.java", 99, 99))).size());
        assertEquals(1, new Suppressions(name -> null).apply(List.of(Cli.at("A.java", 1, 1))).size());
        assertEquals(1, new Suppressions(name -> folder.resolve("gone")).apply(List.of(Cli.at("A.java", 1, 1))).size());
    }

    @Test
    void deepNestingDoesNotEndIt() throws IOException {
        String deep = "(".repeat(20_000) + "1" + ")".repeat(20_000);
        assertEquals(true, suppressed("class A { int x = " + deep
                + ";\n void m() {\n ^sleep(); // blocking-ok: still counts\n } }"));
    }
}
