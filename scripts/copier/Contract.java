package copier;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a copy promises, short enough to be read instead of the file. */
final class Contract {

    private static final int LINES = 40;
    private static final int WIDTH = 118;
    private static final Pattern TYPE = Pattern.compile("(?:(?:public|private|protected|static|final|sealed"
            + "|non-sealed|abstract) )*(?:class|interface|record|enum|@interface) \\w");

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
            String shown = detail == 0 ? "" : detail == 1 ? firstSentence(withoutOrigin(doc)) : doc;
            wrap(plain(shown), "  ".repeat(depth + 2), "  ".repeat(depth + 2), lines);
            return lines;
        }
    }

    static List<String> of(String copy) {
        return of(copy, LINES);
    }

    /**
     * The public members, 40 lines at most, with as much Javadoc as fits into {@code most} lines; empty: nothing is
     * public.
     */
    static List<String> of(String copy, int most) {
        List<Member> members = members(copy);
        if (members.isEmpty()) {
            return List.of();
        }
        Member type = members.get(0);
        String name = type.signature.replaceFirst(".*?(?:class|interface|record|enum) (\\w+).*", "$1");
        type.detail = 2;
        type.detail = lines(members).size() <= most ? 2 : 1;
        for (int detail = 1; detail <= 2; detail++) {
            for (int turn = 0; turn < 3; turn++) { // methods, then constructors, then what is nested
                for (Member member : members) {
                    boolean constructor = member.signature.startsWith(name + "(");
                    int wanted = constructor ? 2 : detail;
                    if (member.detail < wanted && turn == (member.nested ? 2 : constructor ? 1 : 0)) {
                        int before = member.detail;
                        do {
                            member.detail = wanted--;
                        } while (member.detail > before && lines(members).size() > most);
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

    /** Empty: the type itself is not public. What lies in a nested type that is not is left out. */
    private static List<Member> members(String copy) {
        var members = new ArrayList<Member>();
        var doc = new StringBuilder();
        boolean inside = false;
        boolean[] open = {true, false, false}; // by depth: public, and so are the types around it
        boolean[] api = new boolean[3]; // an interface, where everything is public
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
            int depth = indent / 4;
            if (indent % 4 > 0 || depth > 2 || line.isEmpty() || line.matches("(?:@|//|}|import |package ).*")) {
                if (depth < 2 && line.startsWith("}")) {
                    open[depth + 1] = false;
                }
                continue;
            }
            boolean shown = open[depth] && (line.startsWith("public ") || depth > 0 && api[depth - 1]
                    && !line.startsWith("private "));
            boolean type = TYPE.matcher(line).lookingAt();
            if (type && depth < 2) {
                open[depth + 1] = shown;
                api[depth] = line.matches("[\\w ]*\\binterface .*");
            }
            if (shown && !line.matches("public \\w+ \\{")) {
                members.add(new Member(signature(all, i), depth, depth == 2 || depth == 1 && !line.contains("("),
                        doc.toString()));
            }
            doc.setLength(0);
        }
        return members;
    }

    /** Up to the body; of constants and fields all of it, for their values and what is said of them. */
    private static String signature(String[] all, int i) {
        String line = all[i].strip();
        boolean constants = line.matches("[\\w ]*\\benum .*");
        boolean field = line.matches("[\\w<>\\[\\], .?]+(?:=.*|;.*)");
        var signature = new StringBuilder(line);
        String end = constants ? "(?s).*[;}].*" : field ? "(?s).*;.*" : "(?s).*[{;=].*";
        for (int next = i + 1; next < all.length && !signature.toString().matches(end); next++) {
            signature.append(' ').append(all[next].strip());
        }
        String whole = signature.toString();
        String kept = constants ? whole.replaceAll("\\s*;.*$", " }").replaceAll("\\{ (?=})", "")
                : field ? whole.replaceFirst(";\\s*$", "").replace("; //", " //")
                : whole.replaceAll("\\s*(\\{|=).*$|;$", "");
        return kept.replaceFirst("^public (?:static )?(?:final )?(?=class)|^public ", "");
    }

    private static String firstSentence(String doc) {
        Matcher end = Pattern.compile("(?s)^(.*?\\.)(?:\\s|$)").matcher(doc.strip());
        return end.find() ? end.group(1) : doc;
    }

    /** Without what it is called in Python, and the paragraph around it. */
    private static String withoutOrigin(String doc) {
        return doc.replaceFirst("(?s)^\\s*(?:asyncio|aiohttp): .*?(?=<p>|$)(?:<p>)?", "");
    }

    private static String plain(String doc) {
        return withoutOrigin(doc)
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
