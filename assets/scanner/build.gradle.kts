// Into build.gradle.kts of the root project: gradle check fails on an error.
// The skill has to be in the project: bash scripts/install.sh --project DIR
val findBlockingCalls by tasks.registering(Exec::class) {
    group = "verification"
    description = "Finds blocking calls and lost tasks."
    commandLine("java", ".claude/skills/java-async-patterns/scripts/FindBlockingCalls.java", "--fail-on", "error")
}
tasks.matching { it.name == "check" }.configureEach { dependsOn(findBlockingCalls) }
