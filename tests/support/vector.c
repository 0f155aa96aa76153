#include "tests/support/vector.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char name[64];
    json_t *root;
} files[32];

static _Noreturn void stop(const char *what, const char *path)
{
    fprintf(stderr, "vector %s: %s\n", path, what);
    exit(2);
}

__attribute__((destructor)) static void forget(void)
{
    for (size_t i = 0; i < 32; i++)
        json_decref(files[i].root);
}

static json_t *load(const char *name, const char *path)
{
    size_t i = 0;
    char file[1024];
    json_error_t error;

    for (; i < 32 && files[i].root; i++)
        if (strcmp(files[i].name, name) == 0)
            return files[i].root;
    if (i == 32 || strlen(name) >= sizeof files[i].name)
        stop("too many files, or too long a name", path);
    snprintf(file, sizeof file, "%s/%s.json", HTTPCG_VECTORS, name);
    files[i].root = json_load_file(file, 0, &error);
    if (!files[i].root)
        stop(error.text, file);
    strcpy(files[i].name, name);
    return files[i].root;
}

static json_t *find(const char *path)
{
    char copy[512], *save = NULL;

    if (strlen(path) >= sizeof copy)
        stop("path too long", path);
    strcpy(copy, path);
    char *colon = strchr(copy, ':');
    if (!colon)
        stop("no file named", path);
    *colon = '\0';
    json_t *at = load(copy, path);
    for (char *part = strtok_r(colon + 1, ".", &save); part; part = strtok_r(NULL, ".", &save)) {
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(part, NULL, 10))
                               : json_object_get(at, part);
        if (!at)
            stop("not there", path);
    }
    return at;
}

const char *cg_vector(const char *path)
{
    const char *text = json_string_value(find(path));

    if (!text)
        stop("not a string", path);
    return text;
}

size_t cg_vector_count(const char *path)
{
    json_t *at = find(path);

    return json_is_array(at) ? json_array_size(at) : json_object_size(at);
}

/* Decoded values live until the program ends, so that tests need not free them. */
static struct kept {
    struct kept *next;
    uint8_t bytes[];
} * kept;

__attribute__((destructor)) static void forget_kept(void)
{
    while (kept) {
        struct kept *next = kept->next;
        free(kept);
        kept = next;
    }
}

static uint8_t *keep(size_t len)
{
    struct kept *k = malloc(sizeof *k + len + 1);

    if (!k)
        stop("out of memory", "any");
    k->next = kept;
    kept = k;
    return k->bytes;
}

struct cg_span cg_unhex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = keep(len);

    if (strlen(hex) % 2 != 0)
        stop("not hex", hex);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            stop("not hex", hex);
        bytes[i] = (uint8_t)byte;
    }
    return (struct cg_span){bytes, len};
}

struct cg_span cg_vector_hex(const char *path)
{
    return cg_unhex(cg_vector(path));
}

uint64_t cg_vector_uint(const char *path)
{
    char *end;
    const char *text = cg_vector(path);
    unsigned long long v = strtoull(text, &end, 10);

    if (end == text || *end)
        stop("not a number", path);
    return v;
}

struct cg_hash cg_vector_hash(const char *path)
{
    struct cg_span bytes = cg_vector_hex(path);
    struct cg_hash hash;

    if (bytes.len != sizeof hash.bytes)
        stop("not a hash", path);
    memcpy(hash.bytes, bytes.at, bytes.len);
    return hash;
}

const char *cg_vector_at(const char *format, ...)
{
    static char paths[8][128];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(path, sizeof paths[0], format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof paths[0])
        stop("path too long", format);
    return path;
}

struct cg_span cg_vector_cut(struct cg_span good, const char *path)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", path);
    size_t at = (size_t)cg_vector_uint(cg_vector_at("%s.at", copy));
    size_t remove = (size_t)cg_vector_uint(cg_vector_at("%s.remove", copy));
    struct cg_span insert = cg_vector_hex(cg_vector_at("%s.insert", copy));
    if (at > good.len || remove > good.len - at)
        stop("cuts outside", copy);
    size_t len = good.len - remove + insert.len;
    uint8_t *bytes = keep(len);

    if (at)
        memcpy(bytes, good.at, at);
    if (insert.len)
        memcpy(bytes + at, insert.at, insert.len);
    if (at + remove < good.len)
        memcpy(bytes + at + insert.len, good.at + at + remove, good.len - at - remove);
    return (struct cg_span){bytes, len};
}

bool cg_vector_expects(const char *path, cg_err err)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", path);
    const char *want = cg_vector(cg_vector_at("%s.error", copy));
    bool same = strcmp(want, cg_err_name(err)) == 0;
    if (!same)
        printf("# %s, \"%s\": %s, not %s\n", copy, cg_vector(cg_vector_at("%s.why", copy)),
               cg_err_name(err), want);
    return same;
}
