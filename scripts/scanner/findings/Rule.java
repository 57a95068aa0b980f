package scanner.findings;

import java.util.List;

/**
 * What a rule is called, when it holds and what it tells a reader. Its text is a stanza of {@code rules.txt}.
 *
 * @param name    in kebab-case
 * @param level   of its usual finding; a weaker lead of the same rule may be reported lower
 * @param since   first JDK it holds for
 * @param until   last JDK it holds for; {@link Integer#MAX_VALUE} if none
 * @param whys    one line each, for the JDKs it is for
 * @param fixes   one line each, for the JDKs it is for
 * @param section page of the skill that explains it, relative to the skill's root
 * @param link    a public page on the subject
 * @param trap    program that shows it, relative to the skill's root; empty if none
 * @param details lines of the longer text, each with the JDKs it is for
 */
public record Rule(String name, Finding.Level level, int since, int until, List<Detail> whys, List<Detail> fixes,
        String section, String link, String trap, List<Detail> details) {

    /** A line of the longer text that is true from JDK {@code since} to JDK {@code until}. */
    public record Detail(int since, int until, String text) {
        boolean holdsOn(int release) {
            return since <= release && release <= until;
        }
    }

    /** Why blocking or losing hurts there on JDK {@code release}; one line. */
    public String why(int release) {
        return of(whys, release);
    }

    /** How to fix it on JDK {@code release}; one line. */
    public String fix(int release) {
        return of(fixes, release);
    }

    private static String of(List<Detail> lines, int release) {
        return lines.stream().filter(line -> line.holdsOn(release)).findFirst().orElse(lines.getLast()).text;
    }

    /** Whether it holds for code that runs on JDK {@code release}. */
    public boolean holdsOn(int release) {
        return since <= release && release <= until;
    }

    /** Why, how to fix it on JDK {@code release}, and what to open; several lines, for {@code --explain}. */
    public String explain(int release) {
        var text = new StringBuilder();
        text.append(name).append(" (").append(level.name().toLowerCase(java.util.Locale.ROOT)).append(", ")
                .append(jdks()).append(")\n");
        if (!holdsOn(release)) {
            text.append("Does not hold on JDK ").append(release).append(".\n");
        }
        text.append("Why: ").append(why(release)).append("\nFix: ").append(fix(release)).append('\n');
        for (Detail detail : details) {
            if (detail.holdsOn(release)) {
                text.append("- ").append(detail.text).append('\n');
            }
        }
        text.append("Read: ").append(section).append('\n');
        if (!trap.isEmpty()) {
            text.append("See it happen: java ").append(trap).append('\n');
        }
        return text.toString();
    }

    /** The JDKs it holds for, as a person would write them. */
    public String jdks() {
        if (until == Integer.MAX_VALUE) {
            return since <= 8 ? "every JDK" : "JDK " + since + " and later";
        }
        return since <= 8 ? "JDK up to " + until : "JDK " + since + " to " + until;
    }
}
