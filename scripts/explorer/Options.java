package explorer;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What the command line says. */
record Options(int runs, double seconds, int depth, long seed, String classPath, Pattern points, boolean json,
        boolean first, boolean fresh, Long replay, List<String> code) {

    static final String USAGE = """
            Runs a scenario, a class with a main or a Callable, in many different orders of its threads.

            java scripts/ExploreSchedules.java [options] Scenario.java Class.java...

              Scenario.java    the scenario, or the name of a compiled class
              Class.java...    what it uses: source files, folders of classes, jars

              --runs N         at most N schedules, default 2000
              --seconds S      at most S seconds, default 20
              --depth D        how many switches an error needs; default: 1 to 5 in turn
              --seed N         the first seed, default 0
              --points 'P,Q'   classes where a thread may be preempted, such as com.acme.*; default: all but the JDK's
              --classpath CP   more classes, in the form that java takes
              --replay SEED    repeats this schedule exactly, and shows its output
              --debug PORT     waits for a debugger to attach to PORT; best with --replay
              --fresh          loads the classes again for each schedule: for mutable statics
              --first          stops at the first schedule that fails, and does not shorten it
              --json           prints the report as JSON
              @FILE            the only argument: each line of the file is a run, all in one JVM

            The first line says what was found: FAILED, DEADLOCK, LOST WAKE-UP, LEFT OVER (threads), NO END,
            NOT CONTROLLED, NOT REPEATABLE, or nothing found.
            Exit code: 0 nothing found, 1 found, 2 could not be controlled, or misuse.
            """;

    static Options of(String[] args) throws Misuse {
        int runs = 2_000;
        double seconds = 20;
        int depth = 0;
        long seed = 0;
        String classPath = "";
        String points = "*";
        boolean json = false;
        boolean first = false;
        boolean fresh = false;
        Long replay = null;
        List<String> code = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            String option = args[i];
            switch (option) {
                case "--json" -> json = true;
                case "--fresh" -> fresh = true;
                case "--first" -> first = true;
                case "--runs" -> runs = (int) number(option, value(option, args, ++i), 1, Integer.MAX_VALUE);
                case "--seconds" -> seconds = number(option, value(option, args, ++i), 1, 1_000_000);
                case "--depth" -> depth = (int) number(option, value(option, args, ++i), 1, 100);
                case "--seed" -> seed = number(option, value(option, args, ++i), 0, Long.MAX_VALUE / 2);
                case "--replay" -> replay = number(option, value(option, args, ++i), 0, Long.MAX_VALUE / 2);
                case "--classpath", "-cp" -> classPath = value(option, args, ++i);
                case "--points" -> points = value(option, args, ++i);
                default -> {
                    if (option.startsWith("-")) {
                        throw new Misuse(option + " is not an option; see --help");
                    }
                    code.add(option);
                }
            }
        }
        if (code.isEmpty()) {
            throw new Misuse("no scenario; see --help");
        }
        return new Options(runs, seconds, depth, seed, classPath, pattern(points), json, first, fresh, replay, code);
    }

    private static String value(String option, String[] args, int at) throws Misuse {
        if (at == args.length) {
            throw new Misuse(option + " needs a value; see --help");
        }
        return args[at];
    }

    private static long number(String option, String value, long least, long most) throws Misuse {
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new Misuse(option + " " + value + ": not a number of at least " + least);
    }

    private static Pattern pattern(String points) {
        StringBuilder regex = new StringBuilder();
        for (String one : points.split(",")) {
            regex.append(regex.isEmpty() ? "" : "|").append(Pattern.quote(one.trim()).replace("*", "\\E.*\\Q"));
        }
        return Pattern.compile(regex.toString());
    }
}
