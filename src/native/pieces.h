/* Texts of C in pieces: what stands at the top level of the runtime's texts, so that C which is
 * shipped holds the functions that it uses and no others. */
#ifndef NATIVE_PIECES_H
#define NATIVE_PIECES_H

#include "base/base.h"

#include <ctype.h>

/* Words of C. */
static inline bool begins_word(char c) {
    return isalpha((unsigned char)c) || c == '_';
}
/* Of the word that begins at s; 0: none does. */
static inline size_t word_length(const char *s) {
    size_t length = 0;
    while (begins_word(s[length]) || (length && isdigit((unsigned char)s[length]))) length++;
    return length;
}

/* A text, and what stands for the words T and U in it, and behind the names F(name) (NULL: these
 * words are left as they are). LOWEST is the smallest T. */
struct source_text {
    const char *text, *type, *unsigned_type, *suffix, *lowest;
};

/* Appends to `out`, in their order, the pieces of these texts that `body` names, and those that
 * they name. Of two texts that define one name the first has it. Functions become static; include
 * guards, #include lines and comments that stand alone are left out. False without memory. */
bool add_used_pieces(const struct source_text *source, size_t count, const char *body,
                     wg_text *out);

/* Whether a word of C stands in a text. */
bool has_word(const char *text, const char *word);

#endif
