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

    /** One public member, or the class itself: what is always shown, and its Javadoc, of which as much as fits. */
    private static final class Member {
        private final String signature;
        private final int depth;
        private final String doc;
        private final boolean nested;
        private int detail;

        Member(String signature, int depth, boolean nested, String doc) {
            this.signature = signature;
            this.depth = depth;
            this.nested = nested;
            this.doc = doc;
        }

        List<String> lines() {
            var lines = new ArrayList<String>();
            wrap(signature, "  ".repeat(depth), "  ".repeat(depth + 3), lines);
            String shown = detail == 0 ? "" : detail == 1 ? firstSentence(doc) : doc;
            wrap(plain(shown), "  ".repeat(depth + 2), "  ".repeat(depth + 2), lines);
            return lines;
        }
    }

    /** The class's Javadoc and its public members, with as much of their Javadoc as fits. */
    static List<String> of(String copy) {
        List<Member> members = members(copy);
        if (members.isEmpty()) {
            return List.of("  for the other parts, nothing public");
        }
        Member type = members.get(0);
        String name = type.signature.replaceFirst(".*?(?:class|interface|record|enum) (\\w+).*", "$1");
        type.detail = 2;
        for (int detail = 1; detail <= 2; detail++) {
            for (int turn = 0; turn < 3; turn++) { // methods, then constructors, then what is nested
                for (Member member : members) {
                    boolean constructor = member.signature.startsWith(name + "(");
                    int wanted = constructor ? 2 : detail;
                    if (member.detail < wanted && turn == (member.nested ? 2 : constructor ? 1 : 0)) {
                        int before = member.detail;
                        do {
                            member.detail = wanted--;
                        } while (member.detail > before && lines(members).size() > LINES);
                    }
                }
            }
        }
        List<String> lines = lines(members);
        if (lines.size() > LINES) {
            int more = lines.size() - LINES + 1;
            lines = new ArrayList<>(lines.subList(0, LINES - 1));
            lines.add("  ... and " + more + " more lines: read the file");
        }
        return lines;
    }

    private static List<String> lines(List<Member> members) {
        var lines = new ArrayList<String>();
        for (Member member : members) {
            lines.addAll(member.lines());
        }
        return lines;
    }

    private static List<Member> members(String copy) {
        var members = new ArrayList<Member>();
        var doc = new StringBuilder();
        boolean inside = false;
        boolean shown = true; // the nested type that we are in
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
            if (indent == 4 && line.equals("}")) {
                shown = true;
                api = false;
            }
            if (indent == 4 && line.matches(".*\\b(?:class|interface|record|enum) \\w+.*")) {
                shown = line.startsWith("public ");
                api = line.contains("interface ");
            }
            boolean member = line.startsWith("public ") && !line.matches("public \\w+ \\{")
                    || api && indent == 8 && line.endsWith(";") && !line.startsWith("//");
            if (member && (indent == 4 || indent == 8 && shown || members.isEmpty())) {
                var signature = new StringBuilder(line);
                for (int next = i + 1; next < all.length && !signature.toString().matches(".*[{;=].*"); next++) {
                    signature.append(' ').append(all[next].strip());
                }
                members.add(new Member(signature.toString().replaceAll("\\s*(\\{|=).*$|;$", "")
                        .replaceFirst("^public (?:static )?(?:final )?(?=class)|^public ", ""), indent / 4,
                        indent == 8 || indent == 4 && !line.contains("("), doc.toString()));
            }
            if (!line.startsWith("@")) {
                doc.setLength(0);
            }
        }
        return members;
    }

    private static String firstSentence(String doc) {
        Matcher end = Pattern.compile("(?s)^(.*?\\.)(?:\\s|$)").matcher(doc.strip());
        return end.find() ? end.group(1) : doc;
    }

    private static String plain(String doc) {
        return doc.replaceFirst("(?s)^\\s*asyncio: .*?(?=<p>|$)", "")
                .replaceAll("\\{@(?:code|link|linkplain|literal)\\s+([^{}]*(?:\\{[^{}]*}[^{}]*)*)}", "$1")
                .replaceAll("\\s*<p>\\s*|\\s*\\n\\s*(?=<li>|@(?:param|throws|return))|\\s*<li>\\s*", "\f")
                        .replaceAll("</?\\w+>", "")
                .replaceAll("\\s*[\\n ]\\s*", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
                        .strip();
    }

    private static void wrap(String text, String indent, String hanging, List<String> result) {
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
