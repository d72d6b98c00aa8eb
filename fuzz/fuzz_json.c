/* Any bytes as values given to the command: as JSON, one value and an object of them, and as the
 * text of --at; and what is read in every element type that it can take. */
#include "support.h"

#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static void take_all(struct cli *c, struct named_list *list) {
    for (size_t i = 0; i < list->item.count; i++) {
        struct named *value = &list->item.at[i];
        for (int dtype = 0; dtype < WG_DTYPE_COUNT && !value->bare && !value->typed; dtype++) {
            wg_tensor tensor = {0};
            c->error = (wg_error){0};
            if (take_value(c, value, (wg_dtype)dtype, &tensor))
                wg_tensor_free(&tensor, &c->allocator);
            fuzz_require_sound(&c->error, "take_value");
        }
    }
}

enum notation { JSON_VALUE, JSON_OBJECT, TEXT, NOTATIONS };

static void read_as(enum notation notation, const char *path, const char *text) {
    struct cli c = {.allocator = fuzz_allocator};
    c.arena.allocator = c.out.allocator = c.allocator;
    struct named_list list = {.option = "--at"};
    bool ok = false;
    if (notation == JSON_VALUE) {
        struct named *value = add_value(&c, &list, "x", 1);
        ok = value && read_json_value(&c, path, value);
        if (!ok) list.item.count = 0;
    } else if (notation == JSON_OBJECT) {
        ok = read_json_object(&c, path, &list);
    } else {
        struct given *given = VEC_PUSH(&c.allocator, &c.given);
        if (given) {
            *given = (struct given){OPT_AT, text};
            ok = read_values(&c, OPT_AT, true, &list);
        }
    }
    fuzz_require_sound(&c.error, "reading values");
    fuzz_require(ok == (c.error.status == WG_OK), "%s", ok ? c.error.message : "no error");
    if (ok) take_all(&c, &list);
    free_values(&c, &list);
    VEC_FREE(&c.allocator, &c.given);
    arena_free(&c.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    read_as(JSON_VALUE, path, NULL);
    read_as(JSON_OBJECT, path, NULL);
    if (memchr(data, '@', size)) return 0; /* it could name any file */
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    read_as(TEXT, path, text);
    free(text);
    return 0;
}
