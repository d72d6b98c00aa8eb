/* Writes files as C: embed NAME=FILE... defines `static const char embedded_NAME[]` for each, its
 * text without the lines that include other files of the project. */
#include <stdio.h>
#include <string.h>

static int embed(const char *name, size_t length, const char *path) {
    char line[4096];
    FILE *file = fopen(path, "r");
    if (!file) return perror(path), 1;
    printf("static const char embedded_%.*s[] = {", (int)length, name);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "#include \"", 10) == 0) continue;
        putchar('\n');
        for (const char *c = line; *c; c++) printf("%d,", *c);
    }
    puts("0};");
    fclose(file);
    return 0;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int k = 1; k < argc && !failed; k++) {
        const char *equal = strchr(argv[k], '=');
        if (!equal) return fprintf(stderr, "embed: NAME=FILE...\n"), 2;
        failed = embed(argv[k], (size_t)(equal - argv[k]), equal + 1);
    }
    return failed;
}
