package scanner;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import scanner.findings.Rule;
import scanner.findings.Rules;

@Tag("once")
@Timeout(600)
class RulesTest {

    private static final Pattern FILE = Pattern.compile("(?:SKILL\\.md|(?:examples|references)/[\\w/-]+(?:\\.\\w+)?)");

    /** An agent opens what an explanation names. */
    @Test
    void explanationsNameOnlyFilesThatExist() {
        var missing = new ArrayList<String>();
        for (Rule rule : Rules.all()) {
            for (int release : List.of(21, 25, 27)) {
                var files = FILE.matcher(rule.explain(release));
                while (files.find()) {
                    if (!Files.exists(Path.of(files.group()))) {
                        missing.add(rule.name() + ": " + files.group());
                    }
                }
            }
        }
        assertTrue(missing.isEmpty(), missing::toString);
    }
}
