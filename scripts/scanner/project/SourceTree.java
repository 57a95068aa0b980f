package scanner.project;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * The Java files below the given files and folders. Folders of build output, generated and hidden ones and those of
 * test data are left out unless given by name; so is {@code module-info.java}. Links are followed out of the tree,
 * never round in a circle.
 */
public final class SourceTree {

    private static final Set<String> OUTPUT = Set.of("target", "build", "out", "bin", "dist", "classes", "generated");
    private static final Set<String> GENERATED = Set.of("generated-sources", "generated-test-sources", "generated-src",
            "node_modules");
    private static final List<String> BUILD_FILES = List.of("pom.xml", "build.gradle", "build.gradle.kts",
            "settings.gradle", "settings.gradle.kts", "build.xml", "src", ".git", ".project");

    private final Path root;
    private final String display;
    private final TreeMap<String, Path> files = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    /** Real paths of what is scanned, links that were followed among them. */
    private final Set<Path> scanned = new HashSet<>();
    private boolean complete = true;

    private SourceTree(Path root, String display) {
        this.root = root;
        this.display = display;
    }

    public static SourceTree of(List<Path> paths, Path cwd) throws Failure {
        Path root = null;
        for (Path path : paths) {
            if (!Files.exists(path)) {
                throw new Failure("no such file or folder: " + path);
            }
            if (!Files.isDirectory(path) && !path.toString().endsWith(".java")) {
                throw new Failure("neither a folder nor a .java file: " + path);
            }
            Path folder = Files.isDirectory(path) ? path : path.getParent();
            for (root = root == null ? folder : root; !folder.startsWith(root); root = root.getParent()) {
                if (root.getParent() == null) {
                    throw new Failure("no common folder above " + paths.get(0) + " and " + path
                            + "; scan them one by one");
                }
            }
        }
        String display = root.equals(cwd) ? "" : root.startsWith(cwd) ? slashed(cwd.relativize(root)) + "/"
                : slashed(root).replaceFirst("/$", "") + "/";
        var tree = new SourceTree(root, display);
        for (Path path : paths) {
            try {
                tree.scanned.add(path.toRealPath());
            } catch (IOException e) {
                throw new Failure("cannot read " + path + ": " + reason(e));
            }
        }
        for (Path path : paths) {
            tree.walk(path);
        }
        return tree;
    }

    /** What names are relative to. */
    public Path root() {
        return root;
    }

    /** What to put before a name to get a path that is good in the working directory. */
    public String display() {
        return display;
    }

    /** By name relative to {@link #root}, with forward slashes. */
    public TreeMap<String, Path> files() {
        return files;
    }

    /** A line for each file and folder left out because something is wrong with it. */
    public List<String> problems() {
        return problems;
    }

    /** Whether everything could be read. */
    public boolean complete() {
        return complete;
    }

    public static String slashed(Path path) {
        return path.toString().replace(path.getFileSystem().getSeparator(), "/");
    }

    private void walk(Path path) {
        if (!Files.isDirectory(path)) {
            add(path);
            return;
        }
        Path start = Files.isSymbolicLink(path) ? path.resolve(".") : path;
        try {
            Files.walkFileTree(start, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    return folder.equals(start) || !skipped(folder) ? FileVisitResult.CONTINUE
                            : FileVisitResult.SKIP_SUBTREE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isSymbolicLink()) {
                        follow(file.normalize());
                    } else if (attributes.isRegularFile() && file.toString().endsWith(".java")) {
                        add(file.normalize());
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    unreadable(file.normalize(), e);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path folder, IOException e) {
                    if (e != null) {
                        unreadable(folder.normalize(), e);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            unreadable(path, e);
        }
    }

    private static boolean skipped(Path folder) {
        String name = folder.getFileName().toString();
        if (name.startsWith(".") || GENERATED.contains(name)) {
            return true;
        }
        Path parent = folder.getParent();
        if (name.equals("resources")) {
            // src/test/resources: data, not code
            return isIn("src", parent);
        }
        if (name.equals("generated") && (parent.endsWith("src") || isIn("src", parent))) {
            return true;
        }
        // A package may be called build: it is output only where a build runs.
        return OUTPUT.contains(name) && BUILD_FILES.stream().anyMatch(file -> Files.exists(parent.resolve(file)));
    }

    private static boolean isIn(String name, Path folder) {
        return folder.getParent() != null && folder.getParent().endsWith(name);
    }

    /** Scans what a link leads to, unless that is scanned anyway. */
    private void follow(Path link) {
        try {
            Path target = link.toRealPath();
            boolean folder = Files.isDirectory(target);
            if (folder && link.getParent().toRealPath().startsWith(target)) {
                problems.add(name(link) + ": a link to a folder around it, not followed");
            } else if ((folder ? !skipped(link) : link.toString().endsWith(".java"))
                    && scanned.stream().noneMatch(target::startsWith) && scanned.add(target)) {
                walk(link);
            }
        } catch (NoSuchFileException e) {
            if (link.toString().endsWith(".java")) {
                problems.add(name(link) + ": a link that leads nowhere; fix or delete it");
            }
        } catch (IOException e) {
            unreadable(link, e);
        }
    }

    private void add(Path file) {
        if (!Files.isReadable(file)) {
            unreadable(file, new AccessDeniedException(file.toString()));
        } else if (!file.endsWith("module-info.java")) {
            files.put(slashed(root.relativize(file)), file);
        }
    }

    private void unreadable(Path path, IOException e) {
        complete = false;
        problems.add(name(path) + ": cannot be read (" + reason(e)
                + "); grant yourself read access, or scan other paths");
    }

    private String name(Path path) {
        return display + slashed(root.relativize(path));
    }

    /** Why, without the path, in a few words. */
    public static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof java.nio.file.FileSystemException failed && failed.getReason() != null) {
            return failed.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
    }
}
