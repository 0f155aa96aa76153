#include "lib/url/target.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_span member(const char *list, size_t i, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "url:requests_%s.%zu.%s", list, i, name);
    return cg_span_str(cg_vector(path));
}

/* Reads a row into a block of exactly the promised size. */
static cg_err read_row(const char *list, size_t i, uint8_t **room, struct cg_url_target *out,
                       struct cg_fault *fault)
{
    struct cg_url_target_ask ask = {
        .method = member(list, i, "method"),
        .scheme = member(list, i, "scheme"),
        .authority = member(list, i, "authority"),
        .path = member(list, i, "path"),
        .protocol = member(list, i, "protocol"),
        .is_absolute = member(list, i, "form").len > 0,
        .sni = member(list, i, "sni"),
    };

    *room = malloc(CG_URL_ROOM(ask.path.len));
    return cg_url_target_read(&ask, *room, out, fault);
}

TEST(finds_the_url_of_every_native_request)
{
    for (size_t i = 0; i < cg_vector_count("url:requests_native"); i++) {
        struct cg_url_target out = {.kind = CG_URL_TARGET_CONTROL};
        struct cg_fault fault;
        uint8_t *room;
        char text[256];

        if (CHECK_OK(read_row("native", i, &room, &out, &fault))) {
            CHECK(out.kind == CG_URL_TARGET_NATIVE);
            cg_url_write(&out.url, text);
            CHECK_SPAN(cg_span_of(text, cg_url_chars(&out.url)), member("native", i, "native"));
        }
        free(room);
    }
}

TEST(finds_the_gateways_own_resources)
{
    for (size_t i = 0; i < cg_vector_count("url:requests_control"); i++) {
        struct cg_url_target out = {.kind = CG_URL_TARGET_NATIVE};
        struct cg_fault fault;
        uint8_t *room;

        if (CHECK_OK(read_row("control", i, &room, &out, &fault))) {
            CHECK(out.kind == CG_URL_TARGET_CONTROL);
            CHECK_SPAN(out.control, member("control", i, "control"));
            CHECK_SPAN(out.query, member("control", i, "query"));
        }
        free(room);
    }
}

TEST(refuses_everything_else_with_the_tables_code)
{
    CHECK(cg_vector_count("url:requests_refused") >= 20);
    for (size_t i = 0; i < cg_vector_count("url:requests_refused"); i++) {
        struct cg_url_target out = {.kind = (enum cg_url_target_kind)7};
        struct cg_fault fault = {0};
        uint8_t *room;
        cg_err err = read_row("refused", i, &room, &out, &fault);

        CHECK(err != CG_OK && err == fault.err && out.kind == (enum cg_url_target_kind)7);
        if (!CHECK_SPAN(cg_span_str(cg_refusal_code(fault.refusal)),
                        member("refused", i, "refusal")))
            printf("# row %zu\n", i);
        free(room);
    }
}

TEST(answers_414_to_what_is_too_long_on_either_side)
{
    static char path[CG_URI_MAX_BYTES + 2];
    static uint8_t room[CG_URL_ROOM(sizeof path)];
    struct cg_url_target_ask ask = {
        .method = CG_LIT("GET"), .scheme = CG_LIT("httpcg"), .authority = CG_LIT("app")};
    struct cg_url_target out;
    struct cg_fault fault;

    memset(path, 'a', sizeof path);
    memcpy(path, "/a.example/", 11);
    ask.path = cg_span_of(path, 10 + CG_PATH_MAX_BYTES);
    CHECK_OK(cg_url_target_read(&ask, room, &out, &fault));
    ask.path.len++;
    CHECK_ERR(cg_url_target_read(&ask, room, &out, &fault), CG_TOO_LARGE);
    CHECK(fault.refusal == CG_REFUSAL_URI_TOO_LONG);
    /* Path and query each within theirs, and together with "httpcg://app" at the whole's. */
    path[10 + CG_PATH_MAX_BYTES - 20] = '?';
    ask.path.len = CG_URI_MAX_BYTES - 12;
    CHECK_OK(cg_url_target_read(&ask, room, &out, &fault));
    ask.path.len++;
    CHECK_ERR(cg_url_target_read(&ask, room, &out, &fault), CG_TOO_LARGE);
    CHECK(fault.refusal == CG_REFUSAL_URI_TOO_LONG);
    path[10 + CG_PATH_MAX_BYTES - 20] = 'a';
    memcpy(path, CG_CONTROL_PREFIX, sizeof CG_CONTROL_PREFIX - 1);
    ask.scheme = CG_LIT("https");
    ask.path = cg_span_of(path, CG_URI_MAX_BYTES);
    CHECK_OK(cg_url_target_read(&ask, room, &out, &fault));
    ask.path.len++;
    CHECK_ERR(cg_url_target_read(&ask, room, &out, &fault), CG_TOO_LARGE);
    CHECK(fault.refusal == CG_REFUSAL_URI_TOO_LONG);
}

SUITE(target, T(finds_the_url_of_every_native_request), T(finds_the_gateways_own_resources),
      T(refuses_everything_else_with_the_tables_code),
      T(answers_414_to_what_is_too_long_on_either_side))
