package scanner.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import scanner.findings.Finding;
import scanner.project.Failure;
import scanner.project.SourceTree;

/**
 * Findings accepted as they are: a text file with a line for each, {@code rule<TAB>enclosing<TAB>last step of the
 * chain}, sorted; of a habit, a line for each place. It names no line and no file, so it survives edits that only move
 * code; of two findings with the same line, one line covers one.
 */
public final class Baseline {

    private static final String HEADER =
            "# find-blocking-calls baseline: the findings below are accepted. Rewrite with --write-baseline.";

    private final Map<String, Integer> accepted = new HashMap<>();

    private Baseline() {
    }

    public static Baseline read(Path file) throws Failure {
        List<String> lines;
        try {
            lines = Files.readString(file).lines().toList();
        } catch (java.nio.charset.CharacterCodingException e) {
            throw new Failure("the baseline " + file + " is not a text file in UTF-8; write it with --write-baseline "
                    + file);
        } catch (IOException e) {
            throw new Failure("cannot read the baseline " + file + ": " + SourceTree.reason(e)
                    + "; write it with --write-baseline " + file);
        }
        if (lines.isEmpty() || !lines.get(0).equals(HEADER)) {
            throw new Failure(file
                    + " is not a baseline: it does not begin with its first line; write it with --write-baseline "
                    + file);
        }
        var baseline = new Baseline();
        for (int i = 1; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.split("\t", -1).length != 3) {
                throw new Failure(file + ":" + (i + 1)
                        + ": not a line of a baseline (rule, place and call with a tab between); delete it or write "
                        + "the file again with --write-baseline " + file);
            }
            baseline.accepted.merge(line, 1, Integer::sum);
        }
        return baseline;
    }

    /** What is not accepted. Call once. */
    public List<Finding> apply(List<Finding> findings) {
        var left = new ArrayList<Finding>();
        for (Finding finding : findings) {
            Finding rest = finding.without(this::isAccepted);
            if (rest != null) {
                left.add(rest);
            }
        }
        return left;
    }

    private boolean isAccepted(Finding finding) {
        Integer count = accepted.computeIfPresent(key(finding), (key, lines) -> lines - 1);
        return count != null && count >= 0;
    }

    /** How many lines {@link #apply} had no finding for. */
    public int stale() {
        return accepted.values().stream().mapToInt(count -> Math.max(0, count)).sum();
    }

    /** All or nothing: a regular file is replaced as a whole. */
    public static void write(Path file, List<Finding> findings) throws Failure {
        var lines = new ArrayList<>(findings.stream().flatMap(finding -> Stream.concat(Stream.of(finding),
                finding.others().stream())).map(Baseline::key).sorted().toList());
        lines.add(0, HEADER);
        byte[] content = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
        Path part = null;
        try {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                Files.write(file, content); // a device or a pipe
                return;
            }
            part = Files.createTempFile(file.getParent(), ".baseline", ".tmp");
            Files.write(part, content);
            try {
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new Failure("cannot write the baseline " + file + ": " + SourceTree.reason(e)
                    + "; free space there or name another file");
        } finally {
            try {
                if (part != null) {
                    Files.deleteIfExists(part);
                }
            } catch (IOException e) {
                // what matters has been said
            }
        }
    }

    /**
     * A name for each finding that stays the same while lines move; the second of the same name differs from the first.
     */
    public static List<String> fingerprints(List<Finding> findings) {
        var seen = new HashMap<String, Integer>();
        var fingerprints = new ArrayList<String>();
        for (Finding finding : findings) {
            String key = key(finding);
            String text = key + "\t" + seen.merge(key, 1, Integer::sum);
            long hash = 0xcbf29ce484222325L; // FNV-1a
            for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
                hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
            }
            fingerprints.add(String.format("%016x", hash));
        }
        return fingerprints;
    }

    private static String key(Finding finding) {
        String last = finding.chain().get(finding.chain().size() - 1).what();
        return oneLine(finding.rule()) + "\t" + oneLine(finding.enclosing()) + "\t" + oneLine(last);
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
