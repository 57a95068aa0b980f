package scanner.project;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What git says has changed. */
public final class Changes {

    private final Path folder;
    private String complaint = "";

    private Changes(Path folder) {
        this.folder = folder;
    }

    /**
     * Real paths of the files below git's work tree around {@code folder} that are new or edited: not committed, or
     * different from where the branch left {@code since}.
     */
    public static Set<Path> files(Path folder, String since) throws Failure {
        var changes = new Changes(folder);
        String top = changes.git("rev-parse", "--show-toplevel");
        if (top == null) {
            throw new Failure("--changed needs git, and " + folder + " is in no git work tree (" + changes.complaint
                    + ")");
        }
        return new Changes(Path.of(top.strip())).since(since);
    }

    private Set<Path> since(String since) throws Failure {
        String edited;
        if (since.isEmpty()) {
            edited = edited("HEAD");
            edited = edited == null ? git("ls-files", "-z") : edited; // no commit yet
        } else {
            String base = git("rev-parse", "--verify", "--quiet", "--end-of-options", since + "^{commit}");
            if (base == null) {
                throw new Failure("--changed=" + since + ": git knows no commit of that name in " + folder);
            }
            String fork = git("merge-base", base.strip(), "HEAD");
            edited = edited((fork == null ? base : fork).strip());
        }
        String fresh = git("ls-files", "--others", "--exclude-standard", "-z");
        if (edited == null || fresh == null) {
            throw new Failure("git cannot say what has changed in " + folder + ": " + complaint);
        }
        var files = new HashSet<Path>();
        for (String name : (edited + fresh).split("\0")) {
            Path file = folder.resolve(name);
            try {
                if (name.endsWith(".java") && Files.exists(file)) {
                    files.add(file.toRealPath());
                }
            } catch (IOException e) {
                throw new Failure("cannot read " + file + ": " + SourceTree.reason(e));
            }
        }
        return files;
    }

    private String edited(String base) throws Failure {
        return git("diff", "--name-only", "--no-renames", "--diff-filter=d", "-z", base, "--");
    }

    /** Its output; null if it failed, with {@link #complaint} saying why. */
    private String git(String... arguments) throws Failure {
        List<String> command = new ArrayList<>(List.of("git", "-C", folder.toString()));
        command.addAll(Arrays.asList(arguments));
        Path errors = null;
        try {
            errors = Files.createTempFile("git", ".txt");
            Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() == 0) {
                return output;
            }
            complaint = Files.readString(errors).lines().findFirst().orElse("git " + arguments[0] + " failed");
            return null;
        } catch (IOException e) {
            throw new Failure("--changed needs git, which cannot be run: " + SourceTree.reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted while git was asked what has changed");
        } finally {
            try {
                if (errors != null) {
                    Files.deleteIfExists(errors);
                }
            } catch (IOException e) {
                // a leftover in the temporary folder
            }
        }
    }
}
