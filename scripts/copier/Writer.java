package copier;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Map;

/** Writes all files or none. */
final class Writer {

    private Writer() {
    }

    /** Writes all or none. A file that is there already, as it would be written, is left alone. */
    static void write(Map<Path, String> files) throws IOException, Refusal {
        for (Map.Entry<Path, String> file : files.entrySet()) {
            if (Files.exists(file.getKey()) && !Text.read(file.getKey()).equals(file.getValue())) {
                throw new Refusal(3, file.getKey()
                        + " is in the way; move it, give another --to, or --update its folder if it is an older copy");
            }
        }
        replace(files);
    }

    static void replace(Map<Path, String> files) throws IOException, Refusal {
        var written = new ArrayList<Path>();
        var folders = new ArrayDeque<Path>();
        var moved = new ArrayList<Path>();
        Path now = null;
        try {
            for (Map.Entry<Path, String> file : files.entrySet()) {
                now = file.getKey();
                Path folder = now.toAbsolutePath().getParent();
                for (Path missing = folder; missing != null && !Files.exists(missing); missing = missing.getParent()) {
                    folders.addLast(missing);
                }
                Files.createDirectories(folder);
                Path half = folder.resolve("." + now.getFileName() + ".part");
                written.add(half);
                Files.writeString(half, file.getValue());
            }
            int i = 0;
            for (Path file : files.keySet()) {
                now = file;
                boolean added = !Files.exists(file);
                Files.move(written.get(i++), file, StandardCopyOption.REPLACE_EXISTING);
                if (added) {
                    moved.add(file);
                }
            }
        } catch (IOException e) {
            written.addAll(moved);
            written.addAll(folders);
            for (Path left : written) {
                try {
                    Files.deleteIfExists(left);
                } catch (IOException ignored) {
                    continue; // a folder that was there before, or is not empty
                }
            }
            throw new Refusal(3, "cannot write " + now + ": " + Text.said(e) + "; nothing was copied");
        }
    }
}
