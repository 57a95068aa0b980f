package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The table in {@code src/test/schedules/README.md} is whole, and says what is there. */
@Tag("once")
@Timeout(600)
class ScheduleTableTest {

    @Test
    void eachClassHasScenariosOrAReason() throws IOException {
        var scenarios = new TreeMap<String, Integer>();
        for (Path topic : Examples.topics()) {
            for (Path example : Examples.javaFiles(topic)) {
                scenarios.put(ScheduleTable.name(example), 0);
            }
        }
        for (Path scenario : ScheduleRuns.scenarios()) {
            scenarios.merge(ScheduleTable.name(ScheduleRuns.example(scenario)), 1, Integer::sum);
        }
        var rows = ScheduleTable.rows();
        var wrong = new ArrayList<String>();
        scenarios.forEach((name, count) -> {
            var row = rows.get(name);
            int said = row == null ? -1 : row.scenarios();
            if (said != count) {
                wrong.add(name + " has " + count + " scenarios, the table says " + (row == null ? "nothing" : said)
                        + "; java src/test/java/harness/Mutants.java " + name);
            }
        });
        assertEquals(List.of(), wrong);
    }

    @Test
    void nineOfTenMutantsAreKilled() throws IOException {
        var fewer = ScheduleTable.rows().values().stream().filter(ScheduleTable.Row::measured)
                .filter(row -> row.killed() * 10 < row.counted() * 9).map(ScheduleTable.Row::name).toList();
        assertEquals(List.of(), fewer);
    }

    @Test
    void whatIsCalledEquivalentIsAMutantStill() throws IOException {
        for (String key : Mutants.equivalent().keySet()) {
            String name = key.substring(0, key.indexOf(':'));
            Path source = name.startsWith("service.") ? ScheduleRuns.SERVICE.resolve(name.substring(8) + ".java")
                    : Examples.named(name).orElseThrow();
            assertTrue(Mutants.keys(source).contains(key), "no mutant: " + key);
        }
    }

    @Test
    void theLogOfTheServiceIsThatOfTheExamples() throws IOException {
        assertEquals(code(Examples.named("LineLog").orElseThrow()), code(ScheduleRuns.SERVICE.resolve("LineLog.java")));
    }

    private static String code(Path source) throws IOException {
        String text = Files.readString(source).replaceAll("(?m)^ *// @(start|end) .*\n", "").stripTrailing();
        int main = text.indexOf("\n\n    public static void main(");
        return text.substring(text.indexOf("\npublic final class"), main < 0 ? text.lastIndexOf("\n}") : main);
    }
}
