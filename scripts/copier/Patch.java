package copier;

import java.util.ArrayList;
import java.util.List;

/** A unified diff, from the longest common subsequence: the files are short. */
final class Patch {

    private Patch() {
    }

    static String of(String file, String before, String after) {
        String[] a = before.split("\n", -1);
        String[] b = after.split("\n", -1);
        int[][] common = new int[a.length + 1][b.length + 1];
        for (int i = a.length - 1; i >= 0; i--) {
            for (int j = b.length - 1; j >= 0; j--) {
                common[i][j] = a[i].equals(b[j]) ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        var edits = new ArrayList<String>();
        int i = 0;
        int j = 0;
        while (i < a.length || j < b.length) {
            if (i < a.length && j < b.length && a[i].equals(b[j])) {
                edits.add(" " + a[i++]);
                j++;
            } else if (i < a.length && (j == b.length || common[i + 1][j] >= common[i][j + 1])) {
                edits.add("-" + a[i++]);
            } else {
                edits.add("+" + b[j++]);
            }
        }
        if (edits.get(edits.size() - 1).equals(" ")) {
            edits.remove(edits.size() - 1); // what follows the last line feed
        }
        return "--- " + file + "\n+++ " + file + "\n" + hunks(edits);
    }

    static String hunks(List<String> edits) {
        var result = new StringBuilder();
        int oldLine = 1;
        int newLine = 1;
        for (int at = 0; at < edits.size(); ) {
            int from = at;
            while (from < edits.size() && edits.get(from).startsWith(" ")) {
                from++;
            }
            if (from == edits.size()) {
                break;
            }
            int start = Math.max(at, from - 3);
            int end = from;
            for (int same = 0; end < edits.size() && same <= 6; end++) {
                same = edits.get(end).startsWith(" ") ? same + 1 : 0;
            }
            int tail = 0;
            while (edits.get(end - 1 - tail).startsWith(" ")) {
                tail++;
            }
            end -= Math.max(0, tail - 3);
            oldLine += start - at;
            newLine += start - at;
            int olds = 0;
            int news = 0;
            var lines = new StringBuilder();
            for (String edit : edits.subList(start, end)) {
                olds += edit.startsWith("+") ? 0 : 1;
                news += edit.startsWith("-") ? 0 : 1;
                lines.append(edit).append('\n');
            }
            result.append("@@ -").append(oldLine).append(',').append(olds).append(" +").append(newLine).append(',')
                    .append(news)
                    .append(" @@\n").append(lines);
            oldLine += olds;
            newLine += news;
            at = end;
        }
        return result.toString();
    }
}
