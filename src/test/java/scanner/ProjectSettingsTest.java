package scanner;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import scanner.project.ProjectSettings;

@Tag("once")
@Timeout(600)
class ProjectSettingsTest {

    @TempDir
    Path project;

    private int release(String folder) throws IOException {
        Path path = Files.createDirectories(project.resolve(folder));
        Files.createDirectories(project.resolve(".git")); // nothing above the repository counts
        return new ProjectSettings().releaseIn(path);
    }

    private void pom(String folder, String content) throws IOException {
        Cli.write(project.resolve(folder).resolve("pom.xml"), "<?xml version=\"1.0\"?>",
                "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">",
                content, "</project>");
    }

    private static String compiler(String configuration) {
        return "<plugins><plugin><artifactId>maven-compiler-plugin</artifactId>" + configuration
                + "</plugin></plugins>";
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
            // Maven
            "pom.xml | <properties><maven.compiler.release>21</maven.compiler.release></properties> | 21",
            "pom.xml | <properties><maven.compiler.target>1.8</maven.compiler.target></properties> | 8",
            "pom.xml | <properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>17</maven.compiler.target></properties> | 17",
            "pom.xml | <properties><maven.compiler.target>11</maven.compiler.target><maven.compiler.release>17</maven.compiler.release></properties> | 17",
            "pom.xml | <properties><jdk>25</jdk><maven.compiler.release>${jdk}</maven.compiler.release></properties> | 25",
            "pom.xml | <properties><a>${b}</a><b>${a}</b><maven.compiler.release>${a}</maven.compiler.release></properties> | 0",
            "pom.xml | <properties><java.version>17</java.version></properties> | 17",
            "pom.xml | <properties><maven.compiler.source>1.6</maven.compiler.source></properties> | 8",
            "pom.xml | <properties><!-- <maven.compiler.release>11</maven.compiler.release> --></properties> | 0",
            "pom.xml | <properties><x><![CDATA[</properties>]]></x><maven.compiler.release>11</maven.compiler.release></properties> | 11",
            "pom.xml | <profiles><profile><properties><maven.compiler.release>8</maven.compiler.release></properties></profile></profiles> | 0",
            "pom.xml | <dependencies/> | 0",
            "pom.xml | <build><unclosed></build><properties><maven.compiler.release>11</maven.compiler.release></properties> | 11",
            // Gradle, Groovy and Kotlin
            "build.gradle | sourceCompatibility = '17' | 17",
            "build.gradle | sourceCompatibility 17 | 17",
            "build.gradle | sourceCompatibility = 1.8 | 8",
            "build.gradle | sourceCompatibility = JavaVersion.VERSION_1_8 | 8",
            "build.gradle | targetCompatibility JavaVersion.VERSION_21 | 21",
            "build.gradle | java { sourceCompatibility = JavaVersion.toVersion(11) } | 11",
            "build.gradle | java { toolchain { languageVersion = JavaLanguageVersion.of(21) } } | 21",
            "build.gradle | java { toolchain { languageVersion = JavaLanguageVersion.of('21') } } | 21",
            "build.gradle | java.toolchain.languageVersion.set(JavaLanguageVersion.of(name == 'docs' ? 21 : 8)) | 8",
            "build.gradle | tasks.withType(JavaCompile) { options.release = 17 } | 17",
            "build.gradle | compileJava { options.compilerArgs += ['--release', '11'] } | 11",
            "build.gradle | sourceCompatibility = 17; compileJava.options.release = 11 | 11",
            "build.gradle | // sourceCompatibility = 17 | 0",
            "build.gradle | /* sourceCompatibility = 17 */ | 0",
            "build.gradle | def url = 'http://x'; sourceCompatibility = 17 | 17",
            "build.gradle | def javaVersion = 21; sourceCompatibility = javaVersion | 21",
            "build.gradle | ext.javaVersion = '21'; sourceCompatibility = project.ext.javaVersion | 21",
            "build.gradle | ext { target = JavaVersion.VERSION_11 }; sourceCompatibility = target | 11",
            "build.gradle | sourceCompatibility = findProperty('jdk') ?: '17' | 17",
            "build.gradle | def a = b; def b = a; sourceCompatibility = a | 0",
            "build.gradle | sourceCompatibility = JavaVersion.current() | 0",
            "build.gradle.kts | java { toolchain { languageVersion.set(JavaLanguageVersion.of(21)) } } | 21",
            "build.gradle.kts | java { toolchain { languageVersion = JavaLanguageVersion.of(25) } } | 25",
            "build.gradle.kts | kotlin { jvmToolchain(17) } | 17",
            "build.gradle.kts | java.sourceCompatibility = JavaVersion.VERSION_17 | 17",
            "build.gradle.kts | tasks.withType<JavaCompile>().configureEach { options.release.set(21) } | 21",
            "build.gradle.kts | tasks.compileJava { options.release = 11 } | 11",
            "build.gradle.kts | val jdk = 21; kotlin { jvmToolchain(jdk) } | 21",
            "build.gradle.kts | val jdk: Int by extra(21); kotlin { jvmToolchain(jdk) } | 21",
            "build.gradle.kts | extra[~jdk~] = 21; java.sourceCompatibility = JavaVersion.toVersion(extra[~jdk~]!!) | 21",
            "build.gradle.kts | tasks.compileTestJava { options.release = 21 } tasks.compileJava { options.release = 11 } | 11",
            "build.gradle.kts | println(~release = none~) | 0",
            // version managers
            ".java-version | 21 | 21",
            ".java-version | 17.0.9 | 17",
            ".java-version | 1.8 | 8",
            ".java-version | temurin-21.0.2+13.0.LTS | 21",
            ".java-version | openjdk64-1.8.0.232 | 8",
            ".java-version | graalvm64-21.0.1 | 21",
            ".java-version | system | 0",
            ".sdkmanrc | java=21.0.2-tem | 21",
            ".sdkmanrc | java=22.3.r17-grl | 17",
            ".sdkmanrc | maven=3.9.6 | 0",
    })
    void oneFile(String name, String content, int release) throws IOException {
        if (name.equals("pom.xml")) {
            pom("", content);
        } else {
            Cli.write(project.resolve(name), content.replace("; ", "\n").replace('~', '"'));
        }
        assertEquals(release, release("src/main/java/org/acme"));
    }

    @Test
    void compilerPluginBeatsProperties() throws IOException {
        pom("", "<properties><maven.compiler.release>11</maven.compiler.release><v>21</v></properties><build>"
                + compiler("<configuration><release>${v}</release></configuration>") + "</build>");
        assertEquals(21, release(""));
    }

    @Test
    void compilerPluginInPluginManagementAndDefaultExecutionCount() throws IOException {
        pom("", "<build><pluginManagement>" + compiler("<configuration><target>17</target></configuration>")
                + "</pluginManagement></build>");
        pom("other", "<build>"
                + compiler("<executions><execution><id>default-compile</id><configuration><release>11</release></configuration>"
                + "</execution><execution><id>java21</id><configuration><release>21</release></configuration></execution></executions>") + "</build>");
        assertEquals(17, release("src"));
        assertEquals(11, release("other/src"));
    }

    @Test
    void otherPluginsDoNotCount() throws IOException {
        pom("", "<build><plugins><plugin><artifactId>maven-javadoc-plugin</artifactId><configuration><release>8</release></configuration></plugin>"
                + "<plugin><artifactId>maven-compiler-plugin</artifactId></plugin></plugins></build>");
        assertEquals(0, release(""));
    }

    @Test
    void mavenParentsInTheTreeAreInherited() throws IOException {
        pom("", "<properties><jdk>17</jdk></properties><build>"
                + compiler("<configuration><release>${jdk}</release></configuration>") + "</build>");
        pom("a", "<parent><artifactId>root</artifactId></parent>");
        pom("b", "<parent><artifactId>root</artifactId></parent><properties><jdk>21</jdk></properties>");
        pom("c", "<parent><artifactId>root</artifactId><relativePath/></parent>");
        pom("d/e", "<parent><artifactId>root</artifactId><relativePath>../..</relativePath></parent>");
        assertEquals(17, release("a/src/main/java"));
        assertEquals(21, release("b/src/main/java"), "a module's own property counts in what its parent says");
        assertEquals(0, release("c/src/main/java"), "this parent comes from a repository");
        assertEquals(17, release("d/e/src"));
    }

    @Test
    void parentsInACircleEnd() throws IOException {
        pom("a", "<parent><relativePath>../b/pom.xml</relativePath></parent>");
        pom("b", "<parent><relativePath>../a/pom.xml</relativePath></parent>");
        assertEquals(0, release("a"));
    }

    @Test
    void gradleModulesInheritFromTheRoot() throws IOException {
        Cli.write(project.resolve("settings.gradle"), "include 'a', 'b', 'c'");
        Cli.write(project.resolve("build.gradle"), "subprojects { sourceCompatibility = 17 }");
        Cli.write(project.resolve("a/build.gradle"), "dependencies { }");
        Cli.write(project.resolve("b/build.gradle.kts"),
                "java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }");
        assertEquals(17, release("a/src/main/java"));
        assertEquals(21, release("b/src/main/java"));
        assertEquals(17, release("c/src/main/java"), "a module without a build file");
    }

    @Test
    void gradleVersionCatalogsAndPropertiesAreFollowed() throws IOException {
        Cli.write(project.resolve("settings.gradle.kts"), "include(\"a\")");
        Cli.write(project.resolve("gradle/libs.versions.toml"), "[versions]", "java-target = \"21\"",
                "jdk = { strictly = \"17\" }");
        Cli.write(project.resolve("gradle.properties"), "javaVersion=11");
        Cli.write(project.resolve("a/build.gradle.kts"),
                "kotlin { jvmToolchain(libs.versions.java.target.get().toInt()) }");
        Cli.write(project.resolve("b/build.gradle"),
                "java.toolchain.languageVersion = JavaLanguageVersion.of(libs.versions.jdk.get())");
        Cli.write(project.resolve("c/build.gradle"), "sourceCompatibility = javaVersion");
        Cli.write(project.resolve("d/build.gradle.kts"),
                "java.sourceCompatibility = JavaVersion.toVersion(property(\"javaVersion\") as String)");
        assertEquals(21, release("a"));
        assertEquals(17, release("b"));
        assertEquals(11, release("c"));
        assertEquals(11, release("d"));
    }

    @Test
    void gradleConventionPluginsAreFollowed() throws IOException {
        Cli.write(project.resolve("settings.gradle.kts"), "");
        Cli.write(project.resolve("build-logic/src/main/kotlin/acme.base.gradle.kts"),
                "java { toolchain { languageVersion = JavaLanguageVersion.of(17) } }");
        Cli.write(project.resolve("build-logic/src/main/kotlin/acme.service.gradle.kts"),
                "plugins { id(\"acme.new\") }");
        Cli.write(project.resolve("build-logic/src/main/kotlin/acme.new.gradle.kts"),
                "tasks.compileJava { options.release = 21 }");
        Cli.write(project.resolve("a/build.gradle.kts"), "plugins { `acme.base` }");
        Cli.write(project.resolve("b/build.gradle.kts"), "plugins { id(\"acme.service\") }");
        assertEquals(17, release("a"));
        assertEquals(21, release("b"));
    }

    @Test
    void buildFilesComeBeforeVersionManagersAndTheNearestOfThoseCounts() throws IOException {
        Cli.write(project.resolve(".java-version"), "21");
        Cli.write(project.resolve("a/.sdkmanrc"), "java=25-tem");
        pom("b", "<properties><maven.compiler.release>17</maven.compiler.release></properties>");
        assertEquals(21, release("src"));
        assertEquals(25, release("a/src"));
        assertEquals(17, release("b/src"));
    }

    @Test
    void nothingAboveTheRepositoryCounts() throws IOException {
        Cli.write(project.resolve(".java-version"), "11");
        Files.createDirectories(project.resolve("repository/.git"));
        assertEquals(0, release("repository/src"));
    }
}
