/* The folder is known to the process as its working directory and to nobody else. */
#include "support/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int scratch_setup(void **state) {
    (void)state;
    char folder[] = "/tmp/wengert-test-XXXXXX";
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

/* Visits each entry but "." and ".."; returns how many there were. */
static size_t each_entry(int (*visit)(const char *name)) {
    size_t count = 0;
    DIR *folder = opendir(".");
    if (!folder) return 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            if (visit) visit(entry->d_name);
            count++;
        }
    closedir(folder);
    return count;
}

int scratch_teardown(void **state) {
    (void)state;
    char folder[256];
    if (!getcwd(folder, sizeof folder)) return -1;
    each_entry(remove);
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

void scratch_write(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

size_t scratch_count(void) {
    return each_entry(NULL);
}
