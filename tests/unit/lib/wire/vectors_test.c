#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/cbor.h"
#include "lib/wire/json.h"
#include "lib/wire/tup.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_BYTES (1 << 20)

/* A field: its bytes, so many times over. The caller frees. */
static struct cg_span repeated(const char *path)
{
    char copy[128];

    snprintf(copy, sizeof copy, "%s", path);
    struct cg_span one = cg_vector_hex(cg_vector_at("%s.byte", copy));
    size_t n = (size_t)cg_vector_uint(cg_vector_at("%s.count", copy));
    uint8_t *bytes = malloc(one.len * n + 1);
    for (size_t i = 0; i < n && one.len; i++)
        memcpy(bytes + i * one.len, one.at, one.len);
    return cg_span_of(bytes, one.len * n);
}

static void forget(struct cg_span *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((void *)fields[i].at);
    free(fields);
}

/* What the object at path says of the bytes: length and hash, and all of them where they are few.
 */
static void check_wire(const char *path, struct cg_span wire)
{
    char copy[128];
    struct cg_hash hash, want;

    snprintf(copy, sizeof copy, "%s", path);
    want = cg_vector_hash(cg_vector_at("%s.sha256", copy));
    CHECK_INT(wire.len, cg_vector_uint(cg_vector_at("%s.length", copy)));
    CHECK_OK(cg_sha256(wire, &hash));
    if (!CHECK(cg_hash_eq(&hash, &want)))
        printf("# %s: %s\n", copy, cg_vector(cg_vector_at("%s.why", copy)));
    if (wire.len <= 128)
        CHECK_SPAN(wire, cg_vector_hex(cg_vector_at("%s.wire", copy)));
}

TEST(tuples_are_written_as_in_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("encodings:tuples"); i++) {
        size_t n = cg_vector_count(cg_vector_at("encodings:tuples.%zu.fields", i));
        struct cg_span *fields = calloc(n + 1, sizeof *fields);
        CG_AUTO(buf) struct cg_buf buf = {0};

        cg_buf_init(&buf, MAX_BYTES);
        struct cg_writer w = cg_writer_into(&buf);
        struct cg_tup t =
            cg_tup_begin(&w, cg_vector(cg_vector_at("encodings:tuples.%zu.label", i)), (uint8_t)n);
        for (size_t f = 0; f < n; f++) {
            fields[f] = repeated(cg_vector_at("encodings:tuples.%zu.fields.%zu", i, f));
            cg_tup_bytes(&t, fields[f]);
        }
        CHECK_OK(cg_tup_end(&t));
        check_wire(cg_vector_at("encodings:tuples.%zu", i), cg_buf_span(&buf));
        forget(fields, n);
    }
}

/* The items of list i, times over, as the one field of a tuple. */
static cg_err write_list(size_t i, size_t times, struct cg_writer *w)
{
    size_t n = cg_vector_count(cg_vector_at("encodings:lists.%zu.items", i));
    struct cg_span *items = calloc(n + 1, sizeof *items);
    struct cg_span *all = calloc(n * times + 1, sizeof *all);

    for (size_t k = 0; k < n; k++)
        items[k] = repeated(cg_vector_at("encodings:lists.%zu.items.%zu", i, k));
    for (size_t k = 0; k < n * times; k++)
        all[k] = items[k % n];
    struct cg_tup t = cg_tup_begin(w, "t", 1);
    cg_tup_list(&t, all, n * times);
    cg_err err = cg_tup_end(&t);
    forget(items, n);
    free(all);
    return err;
}

TEST(lists_are_written_as_in_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("encodings:lists"); i++) {
        size_t times = (size_t)cg_vector_uint(cg_vector_at("encodings:lists.%zu.times", i));
        CG_AUTO(buf) struct cg_buf buf = {0};

        cg_buf_init(&buf, MAX_BYTES);
        struct cg_writer w = cg_writer_into(&buf);
        CHECK_OK(write_list(i, times, &w));
        check_wire(cg_vector_at("encodings:lists.%zu", i), cg_buf_span(&buf));
    }
    /* One item more than its u16 counts. */
    CG_AUTO(buf) struct cg_buf buf = {0};
    cg_buf_init(&buf, MAX_BYTES);
    struct cg_writer w = cg_writer_into(&buf);
    CHECK_ERR(write_list(1, 65536, &w), CG_TOO_LARGE);
}

static bool is_of(const char *path, const char *type)
{
    return strcmp(cg_vector(cg_vector_at("%s.type", path)), type) == 0;
}

static void put_item(const char *at, struct cg_writer *w)
{
    char path[128];

    snprintf(path, sizeof path, "%s", at);
    if (is_of(path, "null")) {
        cg_cbor_put_null(w);
    } else if (is_of(path, "bool")) {
        cg_cbor_put_bool(w, *cg_vector(cg_vector_at("%s.value", path)) != '\0');
    } else if (is_of(path, "int")) {
        const char *value = cg_vector(cg_vector_at("%s.value", path));

        if (*value == '-')
            cg_cbor_put_int(w, strtoll(value, NULL, 10));
        else
            cg_cbor_put_uint(w, strtoull(value, NULL, 10));
    } else if (is_of(path, "array")) {
        size_t n = cg_vector_count(cg_vector_at("%s.items", path));

        cg_cbor_put_array(w, n);
        for (size_t i = 0; i < n; i++)
            put_item(cg_vector_at("%s.items.%zu", path, i), w);
    } else if (is_of(path, "map")) {
        size_t n = cg_vector_count(cg_vector_at("%s.pairs", path));

        cg_cbor_put_map(w, n);
        for (size_t i = 0; i < n; i++) {
            put_item(cg_vector_at("%s.pairs.%zu.key", path, i), w);
            put_item(cg_vector_at("%s.pairs.%zu.value", path, i), w);
        }
    } else {
        struct cg_span bytes = repeated(path);

        if (is_of(path, "text"))
            cg_cbor_put_text(w, bytes);
        else
            cg_cbor_put_bytes(w, bytes);
        free((void *)bytes.at);
    }
}

static void take_item(const char *at, struct cg_cbor *r)
{
    char path[128];

    snprintf(path, sizeof path, "%s", at);
    if (is_of(path, "null")) {
        CHECK(cg_cbor_null(r));
    } else if (is_of(path, "bool")) {
        CHECK(cg_cbor_bool(r) == (*cg_vector(cg_vector_at("%s.value", path)) != '\0'));
    } else if (is_of(path, "int")) {
        const char *value = cg_vector(cg_vector_at("%s.value", path));

        if (*value == '-')
            CHECK(cg_cbor_int(r) == strtoll(value, NULL, 10));
        else
            CHECK(cg_cbor_uint(r) == strtoull(value, NULL, 10));
    } else if (is_of(path, "array")) {
        size_t n = cg_vector_count(cg_vector_at("%s.items", path));

        CHECK_INT(cg_cbor_array(r, n, n), n);
        for (size_t i = 0; i < n; i++)
            take_item(cg_vector_at("%s.items.%zu", path, i), r);
    } else if (is_of(path, "map")) {
        size_t n = cg_vector_count(cg_vector_at("%s.pairs", path));

        CHECK_INT(cg_cbor_map(r, n, n), n);
        for (size_t i = 0; i < n; i++) {
            take_item(cg_vector_at("%s.pairs.%zu.key", path, i), r);
            take_item(cg_vector_at("%s.pairs.%zu.value", path, i), r);
        }
    } else {
        struct cg_span want = repeated(path);
        bool is_text = is_of(path, "text");

        CHECK_SPAN(is_text ? cg_cbor_text(r, want.len) : cg_cbor_bytes(r, want.len), want);
        free((void *)want.at);
    }
}

TEST(cbor_is_written_and_read_as_in_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("encodings:cbor"); i++) {
        CG_AUTO(buf) struct cg_buf buf = {0};

        cg_buf_init(&buf, MAX_BYTES);
        struct cg_writer w = cg_writer_into(&buf);
        put_item(cg_vector_at("encodings:cbor.%zu.item", i), &w);
        CHECK_OK(cg_writer_end(&w));
        check_wire(cg_vector_at("encodings:cbor.%zu", i), cg_buf_span(&buf));

        struct cg_cbor r = cg_cbor_of(cg_buf_span(&buf));
        take_item(cg_vector_at("encodings:cbor.%zu.item", i), &r);
        CHECK_OK(cg_cbor_end(&r));
        r = cg_cbor_of(cg_buf_span(&buf));
        CHECK_INT(cg_cbor_item(&r).len, buf.len);
        CHECK_OK(cg_cbor_end(&r));
        for (size_t n = 0; n < buf.len && buf.len <= 128; n++) {
            r = cg_cbor_of(cg_span_first(cg_buf_span(&buf), n));
            CHECK_INT(cg_cbor_item(&r).len, 0);
            CHECK_ERR(cg_cbor_end(&r), CG_SHORT);
        }
    }
}

TEST(bad_cbor_is_refused_for_its_reason)
{
    for (size_t i = 0; i < cg_vector_count("encodings:cbor_bad"); i++) {
        struct cg_cbor r =
            cg_cbor_of(cg_vector_hex(cg_vector_at("encodings:cbor_bad.%zu.wire", i)));

        cg_cbor_item(&r);
        CHECK(cg_vector_expects(cg_vector_at("encodings:cbor_bad.%zu", i), cg_cbor_end(&r)));
    }
}

static cg_err to_cbor(const char *text, struct cg_buf *out)
{
    struct cg_writer w = cg_writer_into(out);

    return cg_json_to_cbor(cg_span_str(text), &w);
}

TEST(json_becomes_the_cbor_of_the_vectors)
{
    for (size_t i = 0; i < cg_vector_count("encodings:json"); i++) {
        CG_AUTO(buf) struct cg_buf buf = {0};

        cg_buf_init(&buf, MAX_BYTES);
        CHECK_OK(to_cbor(cg_vector(cg_vector_at("encodings:json.%zu.json", i)), &buf));
        CHECK_SPAN(cg_buf_span(&buf), cg_vector_hex(cg_vector_at("encodings:json.%zu.cbor", i)));
    }
}

TEST(bad_json_is_refused_for_its_reason)
{
    for (size_t i = 0; i < cg_vector_count("encodings:json_bad"); i++) {
        CG_AUTO(buf) struct cg_buf buf = {0};

        cg_buf_init(&buf, MAX_BYTES);
        CHECK(cg_vector_expects(
            cg_vector_at("encodings:json_bad.%zu", i),
            to_cbor(cg_vector(cg_vector_at("encodings:json_bad.%zu.json", i)), &buf)));
    }
}

SUITE(wire_vectors, T(tuples_are_written_as_in_the_vectors), T(lists_are_written_as_in_the_vectors),
      T(cbor_is_written_and_read_as_in_the_vectors), T(bad_cbor_is_refused_for_its_reason),
      T(json_becomes_the_cbor_of_the_vectors), T(bad_json_is_refused_for_its_reason))
