import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * A hook of Claude Code: scans the Java file that was just edited, with its callers, and gives the findings to the
 * agent. The plugin switches it on by {@code hooks/hooks.json}; without it, {@code assets/scanner/claude-settings.json}
 * has the settings.
 *
 * <p>This file is compiled on every edit: on the way to the scan there are no lambdas, and no {@code +} on strings,
 * which load many classes.
 *
 * <p>Standard input: the JSON of a {@code PostToolUse} hook of Edit or Write. Arguments: options for the scanner, such
 * as {@code --release 25}. In a git work tree calls are followed from and to the file; elsewhere it is scanned alone.
 * Needs what {@code FindBlockingCalls.java} beside it needs: any JDK from 11 on in front, one of 21 or later installed.
 *
 * <p>Exit codes, as Claude Code reads them: 0 nothing to say; 2 standard error is for the agent: the findings; 1
 * standard error is for the user: one line, why there was no scan. The edit stands in any case.
 *
 * <p>Run: {@code echo '{"tool_input": {"file_path": "src/A.java"}}' | java scripts/ScanAfterEdit.java}
 */
public final class ScanAfterEdit extends Thread {

    private static final String COMPLAINT = "find-blocking-calls: ";

    private final Process scan;

    private ScanAfterEdit(Process scan) {
        this.scan = scan;
    }

    public static void main(String[] args) throws InterruptedException {
        int code = 1;
        String said;
        try {
            said = scan(new String(System.in.readAllBytes(), StandardCharsets.UTF_8), args);
            code = said.isEmpty() ? 0 : 2;
        } catch (IOException | InvalidPathException e) {
            said = "ScanAfterEdit: not scanned: " + e.getMessage() + "\n";
        }
        byte[] bytes = said.getBytes(StandardCharsets.UTF_8);
        System.err.write(bytes, 0, bytes.length);
        System.err.flush();
        System.exit(code);
    }

    /** When this is told to end, the scan ends too. */
    @Override
    public void run() {
        scan.destroy();
    }

    /** What to tell the agent; empty if there is nothing. */
    private static String scan(String hook, String[] options) throws IOException, InterruptedException {
        String edited = value(hook, "file_path");
        if (edited == null) {
            throw new IOException("standard input has no file_path; this is a PostToolUse hook for Edit|Write");
        }
        Path file = Paths.get(edited).toAbsolutePath();
        if (!edited.endsWith(".java") || !Files.isRegularFile(file)) {
            return "";
        }
        file = file.toRealPath();
        Path root = root(file, hook);
        List<String> command = scanner();
        command.addAll(Arrays.asList(options));
        command.add(inGit(root) ? "--changed" : file.toString());
        Process scan = new ProcessBuilder(command).directory(root.toFile()).redirectErrorStream(true).start();
        Runtime.getRuntime().addShutdownHook(new ScanAfterEdit(scan));
        scan.getOutputStream().close();
        String report = new String(scan.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        boolean failed = scan.waitFor() != 0 && !report.contains(" for JDK "); // what every report ends with
        String name = root.relativize(file).toString().replace(File.separatorChar, '/');
        List<String> findings = about(name, report);
        if (failed && findings.isEmpty()) {
            int start = report.startsWith(COMPLAINT) ? COMPLAINT.length() : 0;
            throw new IOException(report.substring(start, Math.max(start, report.indexOf('\n'))));
        }
        return findings.isEmpty() ? "" : "find-blocking-calls on " + name + ", which you have just edited:\n"
                + String.join("\n", findings) + "\nFix what is new. Why and how: java \""
                + new File(scripts(), "FindBlockingCalls.java") + "\" --explain RULE\n"
                + "If the code is correct, say so above the statement: // blocking-ok: reason\n";
    }

    /** The findings, a line each and its chain of calls below, that name the file. */
    static List<String> about(String file, String report) {
        Pattern names = Pattern.compile("(^|[( ])".concat(Pattern.quote(file)).concat(":\\d"));
        List<String> findings = new ArrayList<>();
        String finding = "";
        for (String line : report.concat("\n.").split("\\R")) {
            if (!line.startsWith(" ")) {
                if (finding.contains("[") && names.matcher(finding.replace('\n', ' ')).find()) {
                    findings.add(finding);
                }
                finding = line.startsWith(COMPLAINT) ? "" : line;
            } else {
                finding = finding.concat("\n").concat(line);
            }
        }
        return findings;
    }

    /**
     * A member's string, wherever it is in the JSON; null if there is none. In a string its quotes would be escaped.
     */
    static String value(String json, String member) {
        Matcher found = Pattern.compile("\"".concat(member).concat("\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*+)\""))
                .matcher(json);
        if (!found.find()) {
            return null;
        }
        String escaped = found.group(1);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < escaped.length(); i++) {
            char c = escaped.charAt(i);
            if (c == '\\') {
                c = escaped.charAt(++i);
                int control = "bfnrt".indexOf(c);
                if (control >= 0) {
                    c = "\b\f\n\r\t".charAt(control);
                } else if (c == 'u' && i + 4 < escaped.length()) {
                    c = (char) Integer.parseInt(escaped.substring(i + 1, i + 5), 16);
                    i += 4;
                }
            }
            text.append(c);
        }
        return text.toString();
    }

    /** The folder to scan: the project the agent works in, if the file is in it. */
    private static Path root(Path file, String hook) throws IOException {
        for (String folder : new String[] {System.getenv("CLAUDE_PROJECT_DIR"), value(hook, "cwd"), ""}) {
            if (folder != null && Files.isDirectory(Paths.get(folder))) {
                Path root = Paths.get(folder).toRealPath();
                if (file.startsWith(root)) {
                    return root;
                }
            }
        }
        return file.getParent();
    }

    private static boolean inGit(Path folder) {
        for (Path above = folder; above != null; above = above.getParent()) {
            if (Files.exists(above.resolve(".git"))) {
                return true;
            }
        }
        return false;
    }

    /** How to start the scanner: if an earlier run has left it compiled from these very sources, at once. */
    private static List<String> scanner() throws IOException {
        File scripts = scripts();
        List<File> sources = new ArrayList<>();
        addSources(new File(scripts, "scanner"), sources);
        if (sources.isEmpty()) {
            throw new IOException("no folder " + new File(scripts, "scanner")
                    + "; the skill is incomplete: install it again");
        }
        Collections.sort(sources);
        CRC32 checksum = new CRC32();
        for (File source : sources) {
            checksum.update(source.getPath().getBytes(StandardCharsets.UTF_8));
            checksum.update(Files.readAllBytes(source.toPath()));
        }
        File compiled = new File(cache(), "scanner-".concat(Long.toHexString(checksum.getValue())));
        File[] shortcuts = compiled.isDirectory() ? cache().listFiles() : new File[0];
        for (File shortcut : shortcuts) {
            if (shortcut.getName().startsWith("java-")) { // "# JDK", "# jar", options
                List<String> lines = Files.readAllLines(shortcut.toPath());
                File jdk = new File(lines.get(0).substring(2));
                File jar = new File(lines.get(1).substring(2));
                if (jar.getParentFile().equals(compiled) && jar.isFile()
                        && new File(jdk, "release").lastModified() < shortcut.lastModified()) {
                    return new ArrayList<>(Arrays.asList(jdk.getPath().concat("/bin/java"),
                            "@".concat(shortcut.getPath())));
                }
            }
        }
        return new ArrayList<>(Arrays.asList(System.getProperty("java.home") + "/bin/java", "-XX:TieredStopAtLevel=1",
                new File(scripts, "FindBlockingCalls.java").getPath()));
    }

    private static void addSources(File folder, List<File> sources) {
        File[] files = folder.listFiles();
        for (int i = 0; files != null && i < files.length; i++) {
            if (files[i].getName().endsWith(".java")) {
                sources.add(files[i]);
            } else {
                addSources(files[i], sources);
            }
        }
    }

    /** Where FindBlockingCalls.java leaves what it compiled. */
    private static File cache() {
        String cache = System.getenv("XDG_CACHE_HOME");
        cache = cache == null || cache.isEmpty() ? System.getenv("LOCALAPPDATA") : cache;
        cache = cache == null || cache.isEmpty() ? System.getProperty("user.home").concat("/.cache") : cache;
        return new File(cache, "java-async-patterns").getAbsoluteFile();
    }

    /** The folder of this file, as the command that runs it says. */
    private static File scripts() throws IOException {
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf("ScanAfterEdit.java");
        if (end < 0) {
            throw new IOException("run it as java scripts/ScanAfterEdit.java");
        }
        return new File(command.substring(command.indexOf(' ') + 1, end).concat("ScanAfterEdit.java")).getAbsoluteFile()
                .getParentFile();
    }
}
