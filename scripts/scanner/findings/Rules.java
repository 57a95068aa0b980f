package scanner.findings;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Every rule, read from {@code rules.txt}: stanzas of {@code key: value} lines, one stanza a rule, details as {@code -
 * [JDKs] text}.
 */
public final class Rules {

    private static final List<Rule> ALL = read(DataFile.lines("findings/rules.txt"));
    private static final Map<String, Rule> NAMED = ALL.stream().collect(Collectors.toMap(Rule::name, rule -> rule));

    private Rules() {
    }

    /** In the order of the file: the most harmful first. */
    public static List<Rule> all() {
        return ALL;
    }

    public static Optional<Rule> named(String name) {
        return Optional.ofNullable(NAMED.get(name));
    }

    private static List<Rule> read(List<DataFile.Line> lines) {
        var rules = new ArrayList<Rule>();
        Map<String, String> values = new HashMap<>();
        Map<String, List<Rule.Detail>> texts = new HashMap<>();
        List<Rule.Detail> details = new ArrayList<>();
        for (DataFile.Line line : lines) {
            String text = line.text();
            if (text.startsWith("rule:") && !values.isEmpty()) {
                rules.add(rule(values, texts, details));
                values = new HashMap<>();
                texts = new HashMap<>();
                details = new ArrayList<>();
            }
            if (text.startsWith("why:") || text.startsWith("fix:")) {
                texts.computeIfAbsent(text.substring(0, 3), n -> new ArrayList<>())
                        .add(detail(text.substring(4).strip()));
            } else if (text.startsWith("- ")) {
                details.add(detail(text.substring(2).strip()));
            } else {
                int colon = text.indexOf(':');
                values.put(text.substring(0, colon).strip(), text.substring(colon + 1).strip());
            }
        }
        rules.add(rule(values, texts, details));
        return List.copyOf(rules);
    }

    private static Rule rule(Map<String, String> values, Map<String, List<Rule.Detail>> texts,
            List<Rule.Detail> details) {
        int[] jdks = range(values.getOrDefault("jdk", "8+"));
        return new Rule(values.get("rule"), Finding.Level.valueOf(values.get("level").toUpperCase(Locale.ROOT)),
                jdks[0], jdks[1],
                texts.get("why"), texts.get("fix"), values.get("section"), values.get("link"),
                values.getOrDefault("trap", ""), List.copyOf(details));
    }

    private static Rule.Detail detail(String text) {
        if (!text.startsWith("[")) {
            return new Rule.Detail(0, Integer.MAX_VALUE, text);
        }
        int end = text.indexOf(']');
        int[] jdks = range(text.substring(1, end));
        return new Rule.Detail(jdks[0], jdks[1], text.substring(end + 1).strip());
    }

    /** {@code 25+}, {@code 21-23} or {@code 25}. */
    static int[] range(String text) {
        if (text.endsWith("+")) {
            return new int[] {Integer.parseInt(text.substring(0, text.length() - 1)), Integer.MAX_VALUE};
        }
        int dash = text.indexOf('-');
        if (dash < 0) {
            return new int[] {Integer.parseInt(text), Integer.parseInt(text)};
        }
        return new int[] {Integer.parseInt(text.substring(0, dash)), Integer.parseInt(text.substring(dash + 1))};
    }
}
