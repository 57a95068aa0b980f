package scanner;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Checks JSON against the part of JSON Schema draft 4 that the SARIF schema is written in; anything else in a schema is
 * an error.
 */
final class JsonSchema {

    private static final Set<String> SAYS_NOTHING = Set.of("description", "default", "$schema", "title", "id",
            "definitions", "format");

    private final Object root;
    private final List<String> violations = new ArrayList<>();

    private JsonSchema(Object root) {
        this.root = root;
    }

    /** A line for each violation: where, and of what. */
    static List<String> violations(String schema, String json) {
        var check = new JsonSchema(JsonText.parse(schema));
        check.check(check.root, JsonText.parse(json), "$");
        return check.violations;
    }

    private void check(Object schema, Object value, String where) {
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) schema).entrySet()) {
            String keyword = (String) entry.getKey();
            Object argument = entry.getValue();
            switch (keyword) {
                case "$ref" -> {
                    Object target = root;
                    for (String step : ((String) argument).substring(2).split("/")) {
                        target = JsonText.at(target, step);
                    }
                    check(target, value, where);
                }
                case "type" -> {
                    List<?> types = argument instanceof List<?> list ? list : List.of(argument);
                    expect(types.stream().anyMatch(type -> is((String) type, value)), where, "type " + argument);
                }
                case "enum" -> expect(((List<?>) argument).contains(value), where, "one of " + argument);
                case "properties" -> {
                    if (value instanceof Map<?, ?> object) {
                        object.forEach((name, member) -> {
                            Object property = JsonText.at(argument, name);
                            if (property != null) {
                                check(property, member, where + "." + name);
                            }
                        });
                    }
                }
                case "additionalProperties" -> {
                    if (value instanceof Map<?, ?> object) {
                        var known = JsonText.at(schema, "properties") instanceof Map<?, ?> properties
                                ? properties.keySet() : Set.of();
                        object.forEach((name, member) -> {
                            if (!known.contains(name) && argument instanceof Map) {
                                check(argument, member, where + "." + name);
                            }
                            expect(known.contains(name) || !Boolean.FALSE.equals(argument), where, "no property "
                                    + name);
                        });
                    }
                }
                case "required" -> {
                    if (value instanceof Map<?, ?> object) {
                        ((List<?>) argument).forEach(name -> expect(object.containsKey(name), where, "required "
                                + name));
                    }
                }
                case "items" -> {
                    if (value instanceof List<?> list) {
                        for (int i = 0; i < list.size(); i++) {
                            check(argument, list.get(i), where + "[" + i + "]");
                        }
                    }
                }
                case "minItems" -> expect(!(value instanceof List<?> list) || list.size() >= (Double) argument, where,
                        "minItems " + argument);
                case "uniqueItems" -> expect(!(value instanceof List<?> list) || new HashSet<>(list)
                        .size() == list.size(), where, "uniqueItems");
                case "minimum" -> expect(!(value instanceof Double number) || number >= (Double) argument, where,
                        "minimum " + argument);
                case "maximum" -> expect(!(value instanceof Double number) || number <= (Double) argument, where,
                        "maximum " + argument);
                case "pattern" -> expect(!(value instanceof String text) || Pattern.compile((String) argument)
                        .matcher(text).find(), where,
                        "pattern " + argument);
                case "anyOf" -> expect(matching(argument, value) >= 1, where, "anyOf");
                case "oneOf" -> expect(matching(argument, value) == 1, where, "oneOf");
                default -> expect(SAYS_NOTHING.contains(keyword), where, "a schema without " + keyword);
            }
        }
    }

    private long matching(Object schemas, Object value) {
        return ((List<?>) schemas).stream().filter(schema -> {
            var check = new JsonSchema(root);
            check.check(schema, value, "");
            return check.violations.isEmpty();
        }).count();
    }

    private static boolean is(String type, Object value) {
        return switch (type) {
            case "object" -> value instanceof Map;
            case "array" -> value instanceof List;
            case "string" -> value instanceof String;
            case "boolean" -> value instanceof Boolean;
            case "number" -> value instanceof Double;
            case "integer" -> value instanceof Double number && number == Math.rint(number);
            case "null" -> value == null;
            default -> throw new IllegalArgumentException(type);
        };
    }

    private void expect(boolean holds, String where, String what) {
        if (!holds) {
            violations.add(where + ": " + what);
        }
    }
}
