/* What the fuzzers share. Each fuzz_x.c defines libFuzzer's entry point, which takes any bytes; a
 * fault is a report of a sanitizer, or fuzz_require, which says what did not hold and aborts. */
#ifndef FUZZ_SUPPORT_H
#define FUZZ_SUPPORT_H

#include <wengert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with the message unless the condition holds. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void fuzz_require(bool holds, const char *format, ...);
/* The error is one that bytes may cause: none, or any but WG_EINTERNAL. */
void fuzz_require_sound(const wg_error *error, const char *where);

/* Refuses blocks above 16 MB, so that a few bytes cannot claim all memory. */
extern const wg_allocator fuzz_allocator;

/* The bytes as a file; its name. The file is the same at every call and goes with the process. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* Puts a program, or NULL, through everything: it is printed, read back and shown, differentiated
 * in both modes and batched, and all of these are run if they are small. */
void fuzz_program(const wg_program *program);

#endif
