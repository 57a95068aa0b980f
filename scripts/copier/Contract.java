package copier;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a copy promises, short enough to be read instead of the file. */
final class Contract {

    private static final int LINES = 40;
    private static final int WIDTH = 118;

    private Contract() {
    }

    /** The class's Javadoc and its public members, with as much of their Javadoc as fits. */
    static List<String> of(String copy) {
        List<String> contract = List.of();
        for (int detail = 2; detail >= 0; detail--) {
            contract = lines(copy, detail);
            if (contract.size() <= LINES) {
                return contract;
            }
        }
        var cut = new ArrayList<>(contract.subList(0, LINES - 1));
        cut.add("  ... and " + (contract.size() - LINES + 1) + " more lines: read the file");
        return cut;
    }

    static List<String> lines(String copy, int detail) {
        var result = new ArrayList<String>();
        var doc = new StringBuilder();
        boolean inside = false;
        boolean first = true;
        boolean api = false; // in an interface, everything is public
        String[] all = copy.split("\n");
        for (int i = 0; i < all.length; i++) {
            String line = all[i].strip();
            if (line.startsWith("/**")) {
                inside = true;
                doc.setLength(0);
            }
            if (inside) {
                doc.append(line.replaceAll("^/\\*\\*\\s?|\\s?\\*/$|^\\*/?\\s?", "")).append('\n');
                inside = !line.endsWith("*/");
                continue;
            }
            int indent = all[i].length() - all[i].stripLeading().length();
            if (indent <= 4) {
                api = line.contains("interface ");
            }
            boolean member = line.startsWith("public ") || api && indent == 8 && line.endsWith(";")
                    && !line.startsWith("//");
            if (member && indent <= 8 && !(indent == 0 && !first)) {
                var signature = new StringBuilder(line);
                for (int next = i + 1; !line.matches(".*[{;=].*") && next < all.length && !signature.toString()
                        .matches(".*[{;].*"); next++) {
                    signature.append(' ').append(all[next].strip());
                }
                String shown = signature.toString().replaceAll("\\s*(\\{|=).*$|;$", "")
                        .replaceFirst("^public (?:static )?(?:final )?(?=class)", "");
                wrap(shown, "  ".repeat(indent / 4), "  ".repeat(indent / 4 + 3), result);
                if (doc.length() > 0 && (first || detail > 0)) {
                    wrap(plain(first ? doc.toString() : detail == 2 ? doc.toString() : firstSentence(doc.toString())),
                            "  ".repeat(indent / 4 + 2), "  ".repeat(indent / 4 + 2), result);
                }
                first = false;
            }
            if (!line.startsWith("@")) {
                doc.setLength(0);
            }
        }
        return result;
    }

    static String firstSentence(String doc) {
        Matcher end = Pattern.compile("(?s)^(.*?[.;:])(?:\\s|$)").matcher(doc.strip());
        return end.find() ? end.group(1) : doc;
    }

    static String plain(String doc) {
        return doc.replaceAll("\\{@(?:code|link|linkplain|literal)\\s+([^{}]*(?:\\{[^{}]*}[^{}]*)*)}", "$1")
                .replaceAll("\\s*<p>\\s*|\\s*\\n\\s*(?=<li>|@(?:param|throws|return))|\\s*<li>\\s*", "\f")
                        .replaceAll("</?\\w+>", "")
                .replaceAll("\\s*[\\n ]\\s*", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
                        .strip();
    }

    static void wrap(String text, String indent, String hanging, List<String> result) {
        for (String paragraph : text.split("\f")) {
            var line = new StringBuilder(indent);
            for (String word : paragraph.strip().split(" +")) {
                if (line.length() + word.length() >= WIDTH && line.length() > hanging.length()) {
                    result.add(line.toString().stripTrailing());
                    line = new StringBuilder(hanging);
                }
                line.append(word).append(' ');
            }
            if (!line.toString().isBlank()) {
                result.add(line.toString().stripTrailing());
            }
        }
    }
}
