package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import scanner.project.Related;
import scanner.project.Source;

@Tag("once")
@Timeout(600)
class RelatedTest {

    private static final int UNRELATED = 500;

    @TempDir
    Path folder;

    private final List<Source> sources = new ArrayList<>();

    private Path write(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Cli.write(file, content);
        sources.add(new Source(file, name, 21));
        return file;
    }

    private List<String> related(int unrelated, Path... changed) throws IOException {
        for (int i = 0; i < unrelated; i++) {
            write("Unrelated" + i + ".java", "class Unrelated" + i + " { String extendsShop; }");
        }
        return Related.of(sources, Set.of(changed)).stream().map(Source::name).toList();
    }

    @Test
    void callersOfCallersWhatTheyNameAndWhatImplementsIt() throws IOException {
        write("Main.java", "class Main { Shop shop; }");
        write("Shop.java", "class Shop<T extends Comparable<T>> { Order order; }");
        Path changed = write("Order.java", "class Order { Store store; }");
        write("Store.java", "interface Store { void keep(); }");
        write("Database.java", "abstract class Database\n        implements AutoCloseable,Store{ Table table; }");
        write("Cached.java", "class Cached extends Database { }");
        write("Table.java", "class Table { }");
        write("Shelf.java", "class Shelf { /* implements */ int orders(Store store) { return 0; } }");
        assertEquals(List.of("Main.java", "Shop.java", "Order.java", "Store.java", "Database.java", "Cached.java",
                "Table.java"), related(UNRELATED, changed));
    }

    @Test
    void aSmallTreeIsTakenWhole() throws IOException {
        Path changed = write("Order.java", "class Order { }");
        assertEquals(51, related(50, changed).size());
    }

    @Test
    void aNameInTheFirstAndTheLastPlaceOfAFileCounts() throws IOException {
        Path changed = write("Order.java", "Basket.x(); class Order extends Store");
        write("Basket.java", "class Basket { }");
        write("Store.java", "Shelf");
        write("Shelf.java", "");
        assertEquals(List.of("Order.java", "Basket.java", "Store.java", "Shelf.java"), related(UNRELATED, changed));
    }

    @Test
    void nothingChangedIsEverything() throws IOException {
        write("Order.java", "class Order { }");
        assertEquals(101, related(100).size());
    }
}
