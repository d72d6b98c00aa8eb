/* A shrinker: from a program that shows a failure to a small one that still shows it, and its text,
 * which can be pasted into a test (wg_program_read). It works on the text, one instruction a line,
 * and knows nothing of operations: what it tries is a program if it reads back. */
#ifndef SHRINK_H
#define SHRINK_H

#include <wengert.h>

/* 0 if the program is fine, else which failure it shows. May not end the test: it is asked again
 * and again. message: NULL, or room for SHRINK_MESSAGE bytes that say what was seen. */
enum { SHRINK_MESSAGE = 512 };
typedef int shrink_check(const wg_program *program, void *ctx, char *message);

/* The text of a program, no longer than the given one, that shows the same failure (the same
 * number), and that no single one of the simplifications listed in shrink.c makes smaller. For
 * malloc's free. The program given must show a failure (cmocka fails if not). */
char *shrink_program(const wg_program *program, shrink_check *check, void *ctx);

/* Fails the test if check finds a failure: what was seen, what was seen on the smallest program
 * that shows it, and that program. `what` tells the program, "program 17". */
void assert_holds(const wg_program *program, shrink_check *check, void *ctx, const char *what);

#endif
