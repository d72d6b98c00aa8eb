/* cache: what the cache of compiled programs holds. */
#include "cli/cli.h"
#include "native/toolchain.h"

#include <time.h>

static bool add_time(wg_text *out, int64_t seconds) {
    time_t moment = (time_t)seconds;
    struct tm utc;
    char text[32];
    if (!gmtime_r(&moment, &utc) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M", &utc))
        return text_add(out, "unknown           ");
    return text_format(out, "%s  ", text);
}

static bool write_list(wg_text *out, const struct cache_listing *listing) {
    size_t count = listing->entry.count;
    bool ok = count == 0 ||
              text_add(out, "     bytes  compiled          used              program\n");
    for (size_t i = 0; ok && i < count; i++) {
        const struct cache_entry *entry = &listing->entry.at[i];
        ok = text_format(out, "%10llu  ", (unsigned long long)entry->bytes) &&
             add_time(out, entry->made) && add_time(out, entry->used) &&
             text_format(out, "%s\n", entry->key);
    }
    return ok && text_format(out, "%zu program%s, %llu of %llu bytes\n", count,
                             count == 1 ? "" : "s", (unsigned long long)listing->bytes,
                             (unsigned long long)cache_default_limit());
}

static bool list_or_clear(struct cli *c, const char *directory) {
    struct cache_listing listing = {.bytes = 0};
    if (!cache_list(&c->allocator, directory, &listing, &c->error)) return false;
    size_t count = listing.entry.count;
    bool ok;
    if (has_option(c, OPT_CLEAR))
        ok = cache_trim(&c->allocator, directory, 0, &c->error) &&
             (text_format(&c->out, "removed %zu program%s, %llu bytes\n", count,
                          count == 1 ? "" : "s", (unsigned long long)listing.bytes) ||
              !fail_memory(&c->error));
    else
        ok = write_list(&c->out, &listing) || !fail_memory(&c->error);
    cache_listing_free(&c->allocator, &listing);
    return ok;
}

bool command_cache(struct cli *c) {
    wg_text directory = {.allocator = c->allocator};
    if (has_option(c, OPT_CLEAR) && has_option(c, OPT_PATH))
        return usage_error(c, "--clear and --path exclude each other");
    bool ok = cache_place(NULL, &directory, &c->error);
    if (ok && has_option(c, OPT_PATH))
        ok = text_format(&c->out, "%s\n", directory.data) || !fail_memory(&c->error);
    else if (ok)
        ok = list_or_clear(c, directory.data);
    wg_text_free(&directory);
    return ok;
}
