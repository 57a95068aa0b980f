package copier;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The copies in a project: which are behind, what was wrong with them, and their update. */
final class Copies {

    private static final Pattern CHANGE = Pattern.compile("- ([\\w`, /]+) \\((high|medium|low|new)\\): (.*)");
    private static final Pattern HEADING = Pattern.compile("## \\[(.+?)].*");

    private final Skill skill;
    private final Path here;
    private final PrintStream out;

    Copies(Skill skill, Path here, PrintStream out) {
        this.skill = skill;
        this.here = here;
        this.out = out;
    }

    int outdated(Path folder, boolean update) throws IOException, Refusal {
        if (!Files.isDirectory(folder)) {
            throw new Refusal(2, folder + " is not a folder");
        }
        var replacements = new LinkedHashMap<Path, String>();
        int copies = 0;
        int left = 0;
        String prefix = update ? "# " : ""; // so that patch takes the output as it is
        for (Path file : Text.below(folder)) {
            String text = file.toString().endsWith(".java") && Files.size(file) < 1_000_000 ? Text.readAny(file) : "";
            Matcher header = Skill.HEADER.matcher(text.lines().findFirst().orElse(""));
            if (!header.matches()) {
                continue;
            }
            copies++;
            String shown = Text.shown(file, here);
            Path source = skill.file(header.group(2));
            if (source == null) {
                out.println(shown + ": " + header.group(2) + " is no longer in the skill; the copy is yours now");
                continue;
            }
            if (header.group(3).equals(Skill.hash(skill.body(source)))) {
                continue;
            }
            String own = text.substring(text.indexOf('\n') + 1);
            Matcher declared = Skill.PACKAGE.matcher(own);
            String in = declared.find() ? declared.group(1) : "";
            boolean edited = !Skill.hash(Skill.PACKAGE.matcher(own).replaceFirst("")).equals(header.group(3));
            out.println(prefix + shown + ": copied from " + header.group(1) + ", the skill has " + skill.version()
                    + (edited ? "; edited since" : ""));
            changes(Text.simple(source), header.group(1), prefix);
            String fresh = skill.text(source, in);
            if (update && !edited) {
                replacements.put(file, fresh);
            } else {
                left++;
                if (update) {
                    out.print(Patch.of(shown, text, fresh));
                }
            }
        }
        Writer.replace(replacements);
        if (update) {
            out.println("# " + replacements.size() + " replaced"
                    + (left > 0 ? ", " + left + " edited: a patch for each is above" : ""));
        } else {
            out.println(copies + (copies == 1 ? " copy, " : " copies, ") + left + " behind");
        }
        return left > 0 ? 1 : 0;
    }

    /** What the changelog says of a pattern since a version. */
    private void changes(String name, String since, String prefix) throws IOException {
        boolean development = since.equals(skill.version()); // copied between two releases
        String section = "";
        String entry = "";
        for (String line : Text.lines(skill.root().resolve("CHANGELOG.md"))) {
            Matcher heading = HEADING.matcher(line);
            boolean starts = line.startsWith("- ") || line.startsWith("#") || line.isBlank();
            if (!starts && !entry.isEmpty()) {
                entry += " " + line.strip();
                continue;
            }
            tell(entry, name, prefix);
            entry = "";
            if (heading.matches()) {
                if (section.equals(since) || heading.group(1).equals(since) && !development) {
                    return;
                }
                section = heading.group(1);
            } else if (line.startsWith("- ")) {
                entry = line;
            }
        }
        tell(entry, name, prefix);
    }

    private void tell(String entry, String name, String prefix) {
        Matcher change = CHANGE.matcher(entry);
        if (change.matches() && Arrays.asList(change.group(1).replace("`", "").split(",\\s*|\\s+and\\s+"))
                .contains(name)) {
            out.println(prefix + "  " + change.group(2) + ": " + change.group(3));
        }
    }
}
