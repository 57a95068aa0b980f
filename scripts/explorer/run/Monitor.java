package explorer.run;

import java.util.ArrayList;
import java.util.List;

/** What {@code synchronized}, {@code wait} and {@code notify} work on: who is next is a choice like any other. */
final class Monitor {

    final Object of;
    Task owner;
    int count;
    final List<Task> entering = new ArrayList<>();
    final List<Task> waiting = new ArrayList<>();

    Monitor(Object of) {
        this.of = of;
    }

    boolean unused() {
        return owner == null && entering.isEmpty() && waiting.isEmpty();
    }
}
