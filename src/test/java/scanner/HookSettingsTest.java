package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The JSON that clients read is JSON, and says what they look for. */
@Tag("once")
@Timeout(600)
class HookSettingsTest {

    @Test
    void theSettingsRunTheHookAfterEachEditOfAJavaFile() throws Exception {
        assertRunsTheHook("assets/scanner/claude-settings.json", "$HOME/.claude/skills/java-async-patterns");
    }

    @Test
    void thePluginRunsTheSameHook() throws Exception {
        assertRunsTheHook("hooks/hooks.json", "${CLAUDE_PLUGIN_ROOT}");
    }

    private static void assertRunsTheHook(String file, String skill) throws Exception {
        Object settings = JsonText.parse(Files.readString(Path.of(file)));
        List<?> hooks = (List<?>) JsonText.at(settings, "hooks", "PostToolUse", 0, "hooks");
        assertEquals("Edit|Write", JsonText.at(settings, "hooks", "PostToolUse", 0, "matcher"));
        assertEquals(List.of("Edit(*.java)", "Write(*.java)"), hooks.stream().map(hook -> JsonText.at(hook, "if"))
                .toList());
        for (Object hook : hooks) {
            assertEquals("command", JsonText.at(hook, "type"));
            String command = (String) JsonText.at(hook, "command");
            assertTrue(command.startsWith("java ") && command.endsWith(" \"" + skill
                    + "/scripts/ScanAfterEdit.java\""), command);
        }
    }

    @Test
    void theMarketplaceOffersThePluginInItsOwnFolder() throws Exception {
        Object market = JsonText.parse(Files.readString(Path.of(".claude-plugin/marketplace.json")));
        Object plugin = JsonText.parse(Files.readString(Path.of(".claude-plugin/plugin.json")));
        assertEquals(JsonText.at(plugin, "name"), JsonText.at(market, "plugins", 0, "name"));
        assertEquals("./", JsonText.at(market, "plugins", 0, "source"));
        assertEquals(JsonText.at(plugin, "description"), JsonText.at(market, "description"));
    }
}
