// Into build.gradle.kts of the root project: gradle check fails on an error that the scanner finds; warning and note are stricter.
// The skill has to be in the project, as .claude/skills/java-async-patterns.
val findBlockingCalls by tasks.registering(Exec::class) {
    group = "verification"
    description = "Finds blocking calls and lost tasks."
    commandLine("java", ".claude/skills/java-async-patterns/scripts/FindBlockingCalls.java", "--fail-on", "error")
}
tasks.matching { it.name == "check" }.configureEach { dependsOn(findBlockingCalls) }
