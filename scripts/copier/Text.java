package copier;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Reading files: UTF-8, line ends as LF. */
final class Text {

    private Text() {
    }

    static String simple(Path file) {
        return file.getFileName().toString().replaceFirst("\\.java$", "");
    }

    static String read(Path file) throws IOException {
        return Files.readString(file).replace("\r\n", "\n");
    }

    /** A file of the project's, which may be in any encoding: those that are not UTF-8 are no copies of ours. */
    static String readAny(Path file) throws IOException {
        try {
            return read(file);
        } catch (CharacterCodingException e) {
            return "";
        }
    }

    static List<String> lines(Path file) throws IOException {
        return Arrays.asList(read(file).split("\n"));
    }

    static List<Path> children(Path folder) throws IOException {
        var children = new ArrayList<Path>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
                for (Path entry : entries) {
                    children.add(entry);
                }
            }
        }
        children.sort(null);
        return children;
    }

    static List<Path> below(Path folder) throws IOException {
        var files = new ArrayList<Path>();
        if (Files.isDirectory(folder)) {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path sub, BasicFileAttributes attributes) {
                    boolean skip = !sub.equals(folder) && (sub.getFileName().toString().startsWith(".")
                            || sub.endsWith("target"));
                    return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    files.add(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    return FileVisitResult.CONTINUE;
                }
            });
        }
        files.sort(null);
        return files;
    }

    static List<Path> javaFiles(Path root) throws IOException {
        var files = new ArrayList<Path>();
        for (Path file : below(root)) {
            if (file.toString().endsWith(".java")) {
                files.add(file);
            }
        }
        return files;
    }

    static String said(Exception e) {
        String message = String.valueOf(e.getMessage());
        String kind = e instanceof NoSuchFileException ? "does not exist" : e.getClass().getSimpleName()
                .replaceFirst("Exception$", "")
                .replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
        return message + " (" + kind + ")";
    }

    /** A path as the user would type it. */
    static String shown(Path file, Path here) {
        return (file.startsWith(here) && !file.equals(here) ? here.relativize(file) : file).toString()
                .replace('\\', '/');
    }
}
