package harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The README's pictures show what the commands in them print. */
@Tag("once")
@Timeout(600)
class PicturesTest {

    @Test
    void showWhatTheCommandsPrint() throws Exception {
        for (var picture : Pictures.all().entrySet()) {
            Path file = Pictures.FOLDER.resolve(picture.getKey());
            assertEquals(picture.getValue(), Files.readString(file), () -> file
                    + " is not what the commands print now; to draw it again: "
                    + "java src/test/java/harness/Pictures.java");
            assertTrue(Files.size(file) < 100_000, () -> file + " is large");
        }
    }
}
