// Into build.gradle.kts of the root project: gradle check prints the findings and fails on an error;
// gradle check -PfindBlockingCalls.failOn=warning (or note, or a line in gradle.properties) is stricter.
// The skill has to be in the project, as .claude/skills/java-async-patterns.
apply(plugin = "base") // a root without other plugins has no check

val findBlockingCalls by tasks.registering(Exec::class) {
    group = "verification"
    description = "Finds blocking calls and lost tasks."
    commandLine(
        "java", ".claude/skills/java-async-patterns/scripts/FindBlockingCalls.java", "--fail-on",
        providers.gradleProperty("findBlockingCalls.failOn").getOrElse("error")
    )
}
tasks.named("check") { dependsOn(findBlockingCalls) }
