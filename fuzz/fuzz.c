#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#define BUF_MAX_BYTES (4 * 1024 * 1024)

struct cg_fuzz_block {
    struct cg_fuzz_block *next;
    void *at;
    struct cg_buf buf;
};

_Noreturn void cg_fuzz_stop(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

void cg_fuzz_ok(cg_err err, const char *file, int line, const char *what)
{
    if (err == CG_OK)
        return;
    fprintf(stderr, "%s: ", cg_err_name(err));
    cg_fuzz_stop(file, line, what);
}

void cg_fuzz_same(struct cg_span got, struct cg_span want, const char *file, int line,
                  const char *what)
{
    size_t i = 0;

    if (cg_span_eq(got, want))
        return;
    while (i < got.len && i < want.len && got.at[i] == want.at[i])
        i++;
    fprintf(stderr, "%zu bytes, not %zu; they part at byte %zu\n", got.len, want.len, i);
    if (got.len)
        fprintf(stderr, "  is  \"%.*s\"\n", (int)got.len, (const char *)got.at);
    if (want.len)
        fprintf(stderr, "  not \"%.*s\"\n", (int)want.len, (const char *)want.at);
    cg_fuzz_stop(file, line, what);
}

bool cg_fuzz_is_marked(const void *at, size_t len)
{
    const uint8_t *bytes = at;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0xa5)
            return false;
    return true;
}

static struct cg_fuzz_block *block(struct cg_fuzz *in)
{
    struct cg_fuzz_block *b = calloc(1, sizeof *b);

    if (!b)
        exit(2);
    b->next = in->blocks;
    in->blocks = b;
    return b;
}

void *cg_fuzz_room(struct cg_fuzz *in, size_t n)
{
    struct cg_fuzz_block *b = block(in);

    b->at = malloc(n ? n : 1);
    if (!b->at)
        exit(2);
    return b->at;
}

struct cg_buf *cg_fuzz_buf(struct cg_fuzz *in)
{
    struct cg_fuzz_block *b = block(in);

    cg_buf_init(&b->buf, BUF_MAX_BYTES);
    return &b->buf;
}

struct cg_span cg_fuzz_bytes(struct cg_fuzz *in, size_t n)
{
    struct cg_span part = cg_span_first(in->left, n);
    uint8_t *copy = cg_fuzz_room(in, part.len);

    if (part.len)
        memcpy(copy, part.at, part.len);
    in->left = cg_span_from(in->left, part.len);
    return cg_span_of(copy, part.len);
}

struct cg_span cg_fuzz_rest(struct cg_fuzz *in)
{
    return cg_fuzz_bytes(in, in->left.len);
}

struct cg_span cg_fuzz_line(struct cg_fuzz *in)
{
    struct cg_span line = cg_fuzz_bytes(in, cg_span_find(in->left, '\n'));

    in->left = cg_span_from(in->left, 1);
    return line;
}

uint8_t cg_fuzz_byte(struct cg_fuzz *in)
{
    uint8_t byte = in->left.len ? in->left.at[0] : 0;

    in->left = cg_span_from(in->left, 1);
    return byte;
}

static struct cg_crypto *crypto;

static void forget(void)
{
    cg_crypto_free(crypto);
}

const struct cg_crypto *cg_fuzz_crypto(void)
{
    if (!crypto) {
        MUST_OK(cg_crypto_new(&crypto));
        atexit(forget);
    }
    return crypto;
}

/* The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct cg_fuzz in = {.left = {at, len}};

    cg_fuzz_one(&in);
    while (in.blocks) {
        struct cg_fuzz_block *b = in.blocks;

        in.blocks = b->next;
        cg_buf_done(&b->buf);
        free(b->at);
        free(b);
    }
    return 0;
}
