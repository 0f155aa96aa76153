#include "tests/support/check.h"

#include "gateway/fields.h"
#include "lib/base/span.h"
#include "lib/base/try.h"

struct heads {
    struct cg_arena arena;
    struct cg_head in, out;
};

static void heads_init(struct heads *h)
{
    cg_arena_init(&h->arena, 65536);
    cg_head_init(&h->in, &h->arena);
    cg_head_init(&h->out, &h->arena);
}

static void add(struct heads *h, const char *name, const char *value)
{
    CHECK_OK(cg_head_add_named(&h->in, cg_span_str(name), cg_span_str(value)));
}

static const struct cg_field *find(const struct heads *h, const char *name)
{
    return cg_head_find_named(&h->out, cg_span_str(name));
}

TEST(what_tells_who_somebody_is_never_passes_up)
{
    static const char *const names[] = {"x-httpcg-wallet-address",
                                        "x-httpcg-auth",
                                        "x-httpcg-anything",
                                        "qlock",
                                        "sapi",
                                        "sapi-response",
                                        "sapi-trailer",
                                        "sapi-other",
                                        "forwarded",
                                        "x-forwarded-for",
                                        "x-forwarded-host",
                                        "x-forwarded-new",
                                        "x-real-ip",
                                        "signature",
                                        "signature-input",
                                        "host",
                                        "expect",
                                        "trailer",
                                        "transfer-encoding",
                                        "keep-alive",
                                        "te",
                                        "upgrade",
                                        "proxy-authorization",
                                        "proxy-anything",
                                        "connection",
                                        "content-length"};
    struct heads h;

    heads_init(&h);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add(&h, names[i], "1");
    add(&h, "x-own", "kept");
    add(&h, "accept", "*/*");
    CHECK_OK(gw_fields_up(&h.in, true, &h.out));
    CHECK_INT(h.out.n_fields, 2);
    CHECK(find(&h, "x-own") && find(&h, "accept"));
    cg_arena_done(&h.arena);
}

TEST(fields_named_by_connection_go_with_it)
{
    struct heads h;

    heads_init(&h);
    add(&h, "connection", "close, x-secret , X-Other");
    add(&h, "x-secret", "1");
    add(&h, "x-other", "1");
    add(&h, "x-kept", "1");
    CHECK_OK(gw_fields_up(&h.in, true, &h.out));
    CHECK(!find(&h, "x-secret") && !find(&h, "x-other") && !find(&h, "connection"));
    CHECK(find(&h, "x-kept") != NULL);
    cg_arena_done(&h.arena);
}

TEST(cookie_crumbs_become_one_line)
{
    struct heads h;

    heads_init(&h);
    add(&h, "cookie", "a=1");
    add(&h, "x-between", "1");
    add(&h, "cookie", "b=2");
    CHECK_OK(gw_fields_up(&h.in, true, &h.out));
    CHECK_INT(cg_head_count(&h.out, CG_TOKEN_COOKIE), 1);
    CHECK_SPAN(cg_head_value(&h.out, CG_TOKEN_COOKIE), CG_LIT("a=1; b=2"));
    cg_arena_done(&h.arena);
}

TEST(the_digest_passes_only_where_it_is_checked)
{
    struct heads h;

    heads_init(&h);
    add(&h, "content-digest", "sha-256=:x:");
    CHECK_OK(gw_fields_up(&h.in, false, &h.out));
    CHECK_INT(h.out.n_fields, 0);
    CHECK_OK(gw_fields_up(&h.in, true, &h.out));
    CHECK_INT(h.out.n_fields, 1);
    cg_arena_done(&h.arena);
}

TEST(a_backend_cannot_speak_for_the_gateway)
{
    static const char *const names[] = {"qlock",
                                        "sapi-response",
                                        "sapi-trailer",
                                        "sapi",
                                        "x-httpcg-web2",
                                        "alt-svc",
                                        "strict-transport-security",
                                        "connection",
                                        "transfer-encoding",
                                        "trailer",
                                        "content-digest"};
    struct heads h;

    heads_init(&h);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add(&h, names[i], "1");
    add(&h, "set-cookie", "a");
    add(&h, "set-cookie", "b");
    add(&h, "cache-control", "no-store");
    add(&h, "cache-control", "private");
    CHECK_OK(gw_fields_down(&h.in, &h.out));
    CHECK_INT(h.out.n_fields, 3);
    CHECK_INT(cg_head_count(&h.out, CG_TOKEN_SET_COOKIE), 2);
    CHECK_SPAN(cg_head_value(&h.out, CG_TOKEN_CACHE_CONTROL), CG_LIT("no-store, private"));
    cg_arena_done(&h.arena);
}

TEST(two_content_types_of_a_backend_are_its_fault)
{
    struct heads h;

    heads_init(&h);
    add(&h, "content-type", "text/plain");
    add(&h, "content-type", "text/html");
    CHECK_ERR(gw_fields_down(&h.in, &h.out), CG_PROTOCOL);
    cg_arena_done(&h.arena);
}

SUITE(fields, T(what_tells_who_somebody_is_never_passes_up),
      T(fields_named_by_connection_go_with_it), T(cookie_crumbs_become_one_line),
      T(the_digest_passes_only_where_it_is_checked), T(a_backend_cannot_speak_for_the_gateway),
      T(two_content_types_of_a_backend_are_its_fault))
