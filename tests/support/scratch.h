/* A folder of its own for a test that needs files: the test runs in it, so that file names, and the
 * messages about them, are short. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/* For cmocka_run_group_tests: makes the folder and enters it; removes it with the files in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Writes a file. Fails the test where it cannot. */
void scratch_write(const char *name, const void *bytes, size_t size);
/* The number of files in the folder. */
size_t scratch_count(void);

#endif
