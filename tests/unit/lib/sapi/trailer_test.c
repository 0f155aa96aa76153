#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "tests/support/channel.h"
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include <httpcg/sapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_span text(size_t i, const char *member)
{
    char path[96];

    snprintf(path, sizeof path, "sapi:requests.%zu.%s", i, member);
    return cg_span_str(cg_vector(path));
}

TEST(reads_signs_and_writes_every_trailer_of_the_table)
{
    size_t n = 0;

    for (size_t i = 0; i < cg_vector_count("sapi:requests"); i++) {
        uint8_t tbs[CG_SAPI_TRAILER_TBS_BYTES], raw[CG_HSIG_BYTES];
        struct cg_sapi_trailer trailer;
        struct cg_hash tbs_hash, digest;
        enum cg_sapi_mode mode;

        if (!cg_span_is(text(i, "body_mode"), "2"))
            continue;
        n++;
        struct cg_span value = text(i, "trailer");
        CHECK_OK(cg_sapi_mode_read(text(i, "mode"), &mode));
        CHECK_OK(cg_sapi_trailer_read(value, mode, &trailer));
        CHECK_OK(cg_sha256(text(i, "body"), &digest));
        CHECK(cg_hash_eq(&digest, &trailer.digest));
        CHECK_OK(cg_sha256(cg_unhex((const char *)text(i, "tbs").at), &tbs_hash));
        CHECK_OK(cg_sapi_trailer_tbs(&tbs_hash, &digest, tbs));
        CHECK_SPAN(CG_BYTES(tbs), cg_unhex((const char *)text(i, "trailer_tbs").at));
        size_t len = cg_sapi_signature_bytes(mode);
        CHECK_OK(cg_hex_read(trailer.signature, raw, len));
        CHECK_INT(cg_sapi_trailer_chars(mode), value.len);
        char *out = malloc(cg_sapi_trailer_chars(mode));
        cg_sapi_trailer_write(&trailer.digest, cg_span_of(raw, len), out);
        CHECK_SPAN(cg_span_of(out, value.len), value);
        free(out);
    }
    CHECK_INT(n, 9);
}

#define DIGEST "FM8FV7fL62wtDLMMaiDrYMofaw5tCNWP5ThYnFiRE38="
#define TAG "68d3f2efe5ecc174c701d202bab5febf07443e9b2b5e9616e4aaa3cd7d15bfd2"

TEST(refuses_trailers_that_are_malformed)
{
    static const struct {
        const char *text;
        cg_err err;
    } bad[] = {
        {"", CG_SHORT},
        {"{\"digest\":\"" DIGEST "\"}", CG_SCHEMA},
        {"{\"signature\":\"" TAG "\"}", CG_SCHEMA},
        {"{\"digest\":\"" DIGEST "\",\"signature\":\"" TAG "\",\"alg\":\"grant\"}", CG_SCHEMA},
        {"{\"digest\":\"" DIGEST "\",\"signature\":\"" TAG "\"}x", CG_EXTRA},
        {"{\"digest\":\"AAAA\",\"signature\":\"" TAG "\"}", CG_SHORT},
        {"{\"digest\":\"\",\"signature\":\"" TAG "\"}", CG_SHORT},
        {"{\"digest\":\"FM8FV7fL62wtDLMMaiDrYMofaw5tCNWP5ThYnFiRE38\",\"signature\":\"" TAG "\"}",
         CG_SYNTAX},
        {"{\"digest\":\"FM8FV7fL62wtDLMMaiDrYMofaw5tCNWP5ThYnFiRE39=\",\"signature\":\"" TAG "\"}",
         CG_CANONICAL},
        {"{\"digest\":\"sha-256=:" DIGEST ":\",\"signature\":\"" TAG "\"}", CG_SYNTAX},
        {"{\"digest\":\"" DIGEST "\",\"signature\":\"" TAG "00\"}", CG_EXTRA},
        {"{\"digest\":\"" DIGEST "\",\"signature\":\"\"}", CG_SHORT},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cg_sapi_trailer trailer = {.digest = {{7}}};

        if (!CHECK_ERR(cg_sapi_trailer_read(cg_span_str(bad[i].text), CG_SAPI_GRANT, &trailer),
                       bad[i].err))
            CHECK_SPAN(CG_LIT("row"), cg_span_str(bad[i].text));
        CHECK(trailer.digest.bytes[0] == 7);
    }
}

TEST(a_trailer_is_read_in_its_requests_mode_only)
{
    const struct cg_span good = CG_LIT("{\"digest\":\"" DIGEST "\",\"signature\":\"" TAG "\"}");
    struct cg_sapi_trailer trailer;

    CHECK_OK(cg_sapi_trailer_read(good, CG_SAPI_GRANT, &trailer));
    CHECK_ERR(cg_sapi_trailer_read(good, CG_SAPI_ED25519, &trailer), CG_SHORT);
    CHECK_ERR(cg_sapi_trailer_read(good, CG_SAPI_HYBRID, &trailer), CG_SHORT);
    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_sapi_trailer_read(cg_span_first(good, n), CG_SAPI_GRANT, &trailer), CG_SHORT);
}

TEST(takes_10240_bytes_of_trailer_and_no_more)
{
    static char room[CG_SAPI_MAX_BYTES + 2];
    struct cg_sapi_trailer trailer;
    int pad =
        CG_SAPI_MAX_BYTES - (int)sizeof "{\"digest\":\"" DIGEST "\",\"signature\":\"" TAG "\"}" + 1;
    int n = snprintf(room, sizeof room, "{%*s\"digest\":\"" DIGEST "\",\"signature\":\"" TAG "\"}",
                     pad, "");

    CHECK_INT(n, CG_SAPI_MAX_BYTES);
    CHECK_OK(cg_sapi_trailer_read(cg_span_of(room, (size_t)n), CG_SAPI_GRANT, &trailer));
    memmove(room + 2, room + 1, (size_t)n - 1);
    CHECK_ERR(cg_sapi_trailer_read(cg_span_of(room, (size_t)n + 1), CG_SAPI_GRANT, &trailer),
              CG_TOO_LARGE);
}

SUITE(trailer, T(reads_signs_and_writes_every_trailer_of_the_table),
      T(refuses_trailers_that_are_malformed), T(a_trailer_is_read_in_its_requests_mode_only),
      T(takes_10240_bytes_of_trailer_and_no_more))
