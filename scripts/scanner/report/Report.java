package scanner.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import scanner.findings.Finding;

/**
 * What a scan came to.
 *
 * @param root       what the findings' files are relative to
 * @param display    what to put before such a file to get a path that is good in the working directory
 * @param releases   the target JDKs of what was scanned, ascending
 * @param files      how many were scanned
 * @param findings   to be reported, in the order to report them
 * @param suppressed how many findings the source answers for
 * @param known      how many findings are in the baseline
 * @param all        whether every place of a finding is wanted
 * @param problems   a line for each file that was not, or not wholly, scanned
 * @param scan       what is told of the scan itself
 */
public record Report(Path root, String display, List<Integer> releases, int files, List<Finding> findings,
              int suppressed, int known, boolean all, List<String> problems,
        Scan scan) {

    /** @param unknown libraries that nothing is known of, each with how many calls went into it */
    public record Scan(long nanos, Map<String, Integer> unknown) {
    }

    private static final int LIBRARIES = 5;

    public static String name(Finding.Level level) {
        return level.name().toLowerCase(Locale.ROOT);
    }

    /** What is worth telling of a chain: nothing if it only repeats the message. */
    static List<Finding.Step> chain(Finding finding) {
        List<Finding.Step> chain = finding.chain();
        return chain.size() == 1 && chain.get(0).what().equals(finding.message()) ? List.of() : chain;
    }

    int count(Finding.Level level) {
        return (int) findings.stream().filter(finding -> finding.level() == level).count();
    }

    /** One line. */
    public String summary() {
        var levels = new ArrayList<String>();
        for (Finding.Level level : List.of(Finding.Level.ERROR, Finding.Level.WARNING, Finding.Level.NOTE)) {
            if (count(level) > 0) {
                levels.add(counted(count(level), name(level)));
            }
        }
        var line = new StringBuilder(findings.isEmpty() ? "Nothing found"
                : counted(findings.size(), "finding") + " (" + String.join(", ", levels) + ")");
        line.append(" in ").append(counted(files, "file")).append(" for JDK ")
                .append(String.join(", ", releases.stream().map(String::valueOf).toList()));
        if (suppressed > 0) {
            line.append("; ").append(suppressed).append(" suppressed in the source");
        }
        if (known > 0) {
            line.append("; ").append(known).append(" in the baseline");
        }
        if (!problems.isEmpty()) {
            line.append("; ").append(counted(problems.size(), "problem"));
        }
        return line.append('.').toString();
    }

    /** How many of each rule and level, in the order of the findings. */
    Map<String, Long> counts() {
        return findings.stream().collect(Collectors.groupingBy(
                finding -> "%-7s  %s".formatted(name(finding.level()), finding.rule()), LinkedHashMap::new,
                Collectors.counting()));
    }

    /** The libraries that most calls went into unseen; empty if there are none to speak of. */
    String unknown() {
        return scan.unknown().entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed()
                .thenComparing(Map.Entry.comparingByKey()))
                .limit(LIBRARIES).map(library -> library.getKey() + " (" + counted(library.getValue(), "call") + ")")
                .collect(Collectors.joining(", "));
    }

    public static String counted(int count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }
}
