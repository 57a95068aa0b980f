import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Reserves items; never more than there are. */
public final class Stock {
    private final Map<String, Integer> left = new ConcurrentHashMap<>();

    public Stock(Map<String, Integer> items) {
        left.putAll(items);
    }

    public boolean reserve(String item) {
        int n = left.get(item);
        if (n == 0) {
            return false;
        }
        left.put(item, n - 1);
        return true;
    }
}
