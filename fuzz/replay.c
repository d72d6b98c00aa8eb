/* Replays a corpus without libFuzzer: puts every file of the folders given, and every file given,
 * through the fuzzer that it is linked with. A fault ends it, the file's name printed above. */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t replayed;

static void replay_file(const char *path, FILE *file) {
    uint8_t *data = NULL;
    size_t size = 0, count = 1;
    while (count > 0) {
        uint8_t *more = realloc(data, size + 65536);
        fuzz_require(more != NULL, "%s: no memory", path);
        data = more;
        count = fread(data + size, 1, 65536, file);
        size += count;
    }
    /* a block of the exact size, so that a sanitizer sees every byte read beyond it */
    uint8_t *exact = malloc(size ? size : 1);
    fuzz_require(exact != NULL, "%s: no memory", path);
    memcpy(exact, data, size);
    free(data);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replayed++;
}

static void replay(const char *path) {
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL, "%s cannot be read", path);
    replay_file(path, file);
    fclose(file);
}

static void replay_folder(const char *path, DIR *folder) {
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];
        if (entry->d_name[0] == '.') continue;
        int length = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        fuzz_require(length > 0 && (size_t)length < sizeof name, "%s: a name too long", path);
        replay(name);
    }
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder) {
            replay_folder(argv[i], folder);
            closedir(folder);
        } else {
            replay(argv[i]);
        }
    }
    printf("%zu inputs replayed\n", replayed);
    return replayed ? EXIT_SUCCESS : EXIT_FAILURE;
}
