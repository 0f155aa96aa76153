#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "tests/support/check.h"
#include "tests/support/vector.h"

#include <httpcg/identity.h>
#include <httpcg/url.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const part_names[] = {"whole", "scheme", "plane",   "authority",
                                         "path",  "query",  "fragment"};

static struct cg_span row(const char *list, size_t i, const char *member)
{
    char path[64];

    snprintf(path, sizeof path, "url:%s.%zu.%s", list, i, member);
    return cg_span_str(cg_vector(path));
}

/* Reads into a block of exactly the promised size, so that a byte too many is seen. */
static cg_err read_exactly(struct cg_span text, uint8_t **room, struct cg_url *out,
                           struct cg_url_fault *fault)
{
    *room = malloc(CG_URL_ROOM(text.len));
    return cg_url_read(text, *room, out, fault);
}

static struct cg_span written(const struct cg_url *url, char **text)
{
    *text = malloc(cg_url_chars(url) + 1);
    cg_url_write(url, *text);
    return cg_span_of(*text, cg_url_chars(url));
}

TEST(reads_every_url_of_the_table_into_its_canonical_parts)
{
    size_t n = cg_vector_count("url:accepted");

    CHECK(n >= 60);
    for (size_t i = 0; i < n; i++) {
        struct cg_url url = {0};
        struct cg_url_fault fault = {0};
        uint8_t *room;

        if (CHECK_OK(read_exactly(row("accepted", i, "text"), &room, &url, &fault))) {
            CHECK_SPAN(cg_span_str(cg_plane_name(url.plane)), row("accepted", i, "plane"));
            CHECK_SPAN(url.authority, row("accepted", i, "authority"));
            CHECK_SPAN(url.path, row("accepted", i, "path"));
            CHECK_SPAN(url.query, row("accepted", i, "query"));
            CHECK_SPAN(url.fragment, row("accepted", i, "fragment"));
        } else {
            printf("# row %zu: %s\n", i, fault.why);
        }
        free(room);
    }
}

TEST(writes_every_url_of_the_table_and_reads_the_same_again)
{
    for (size_t i = 0; i < cg_vector_count("url:accepted"); i++) {
        struct cg_url url = {0}, again = {0};
        uint8_t *room, *room2;
        char *text;

        CHECK_OK(read_exactly(row("accepted", i, "text"), &room, &url, NULL));
        struct cg_span whole = written(&url, &text);
        CHECK_SPAN(whole, row("accepted", i, "canonical"));
        CHECK_OK(read_exactly(whole, &room2, &again, NULL));
        CHECK(again.plane == url.plane);
        CHECK_SPAN(again.authority, url.authority);
        CHECK_SPAN(again.path, url.path);
        CHECK_SPAN(again.query, url.query);
        CHECK_SPAN(again.fragment, url.fragment);
        free(text);
        free(room);
        free(room2);
    }
}

TEST(refuses_every_other_row_and_says_where)
{
    size_t n = cg_vector_count("url:refused");

    CHECK(n >= 120);
    for (size_t i = 0; i < n; i++) {
        struct cg_span text = row("refused", i, "text");
        struct cg_url url = {.plane = CG_PLANE_COUNT};
        struct cg_url_fault fault = {0};
        uint8_t *room;
        cg_err err = read_exactly(text, &room, &url, &fault);

        bool ok = CHECK_SPAN(cg_span_str(cg_err_name(err)), row("refused", i, "error"));
        ok &= CHECK_SPAN(cg_span_str(part_names[fault.part]), row("refused", i, "part"));
        ok &= CHECK(fault.at <= text.len && fault.why != NULL);
        ok &= CHECK(url.plane == CG_PLANE_COUNT && url.path.at == NULL);
        if (!ok)
            printf("# row %zu: %.*s\n", i, (int)text.len, (const char *)text.at);
        free(room);
    }
}

TEST(points_at_the_byte_that_is_wrong)
{
    struct cg_url_fault fault;
    uint8_t room[64];
    struct cg_url url;

    CHECK_ERR(cg_url_read(CG_LIT("httpcg://app/a.example/b c"), room, &url, &fault), CG_SYNTAX);
    CHECK_INT(fault.at, 24);
    CHECK_ERR(cg_url_read(CG_LIT("httpcg://app/a.example/?b%4"), room, &url, &fault), CG_SYNTAX);
    CHECK_INT(fault.at, 25);
    CHECK_ERR(cg_url_read(CG_LIT("httpcg://web/a"), room, &url, &fault), CG_UNKNOWN);
    CHECK_INT(fault.at, 9);
}

TEST(an_absent_query_is_not_an_empty_one)
{
    uint8_t room[64];
    struct cg_url url;

    CHECK_OK(cg_url_read(CG_LIT("httpcg://app/a.example/x"), room, &url, NULL));
    CHECK_INT(url.query.len, 0);
    CHECK_OK(cg_url_read(CG_LIT("httpcg://app/a.example/x?"), room, &url, NULL));
    CHECK_SPAN(url.query, CG_LIT("?"));
}

/* A URL with a path of n bytes, a query of m (its '?' apart) and an authority that fills up to a
 * whole of len bytes. */
static struct cg_span long_url(char *text, size_t len, size_t n, size_t m)
{
    size_t at = 0;
    size_t authority = len - 13 - n - (m ? m + 1 : 0);

    at += (size_t)sprintf(text, "httpcg://app/");
    for (size_t i = 0; i < authority; i++)
        text[at++] = i % 50 == 49 && i + 1 < authority ? '.' : 'a';
    if (n > 0)
        text[at++] = '/';
    for (size_t i = 1; i < n; i++)
        text[at++] = 'p';
    if (m > 0)
        text[at++] = '?';
    for (size_t i = 0; i < m; i++)
        text[at++] = 'q';
    return cg_span_of(text, at);
}

static cg_err read_long(size_t len, size_t n, size_t m, enum cg_url_part *part)
{
    static char text[16 * 1024];
    struct cg_url_fault fault = {0};
    struct cg_url url;
    uint8_t *room;
    cg_err err = read_exactly(long_url(text, len, n, m), &room, &url, &fault);

    free(room);
    *part = fault.part;
    return err;
}

TEST(holds_the_limits_of_path_query_authority_and_whole)
{
    const size_t path = CG_PATH_MAX_BYTES, query = CG_QUERY_MAX_BYTES;
    enum cg_url_part part;

    CHECK_OK(read_long(13 + 20 + path - 1, path - 1, 0, &part));
    CHECK_OK(read_long(13 + 20 + path, path, 0, &part));
    CHECK_ERR(read_long(13 + 20 + path + 1, path + 1, 0, &part), CG_TOO_LARGE);
    CHECK(part == CG_URL_PATH);
    CHECK_OK(read_long(13 + 20 + 1 + query, 0, query, &part));
    CHECK_ERR(read_long(13 + 20 + 2 + query, 0, query + 1, &part), CG_TOO_LARGE);
    CHECK(part == CG_URL_QUERY);
    CHECK_OK(read_long(13 + 253, 0, 0, &part));
    CHECK_ERR(read_long(13 + 254, 0, 0, &part), CG_SCHEMA);
    CHECK(part == CG_URL_AUTHORITY);
    CHECK_OK(read_long(CG_URI_MAX_BYTES, path - 50, query, &part));
    CHECK_ERR(read_long(CG_URI_MAX_BYTES + 1, path - 50, query, &part), CG_TOO_LARGE);
    CHECK(part == CG_URL_WHOLE);
}

TEST(measures_the_limits_as_received_not_as_decoded)
{
    static char text[16 * 1024];
    struct cg_url url;
    uint8_t room[sizeof text];
    size_t n = (size_t)sprintf(text, "httpcg://app/a.example/");

    /* 1365 escapes and the slash are 4096 bytes; one more byte is too many. */
    for (int i = 0; i < 1365; i++)
        n += (size_t)sprintf(text + n, "%%61");
    CHECK_OK(cg_url_read(cg_span_of(text, n), room, &url, NULL));
    CHECK_INT(url.path.len, 1366);
    text[n++] = 'a';
    CHECK_ERR(cg_url_read(cg_span_of(text, n), room, &url, NULL), CG_TOO_LARGE);
}

TEST(refuses_every_prefix_or_reads_it_as_the_shorter_url_it_is)
{
    struct cg_span text = CG_LIT("httpcg://app/a.example/b?c=%41#d");

    for (size_t n = 0; n <= text.len; n++) {
        struct cg_url url = {0};
        uint8_t *room;
        bool is_url = read_exactly(cg_span_first(text, n), &room, &url, NULL) == CG_OK;
        /* From the authority's first character on, but not at "a.", "%" and "%4". */
        CHECK((n >= 14 && n != 15 && n != 28 && n != 29) == is_url);
        free(room);
    }
}

TEST(reads_what_http_says_as_the_url_it_stands_for)
{
    uint8_t room[64];
    struct cg_url url;
    struct cg_span target = CG_LIT("/a.example/b?c");

    CHECK_OK(cg_url_read_target(CG_LIT("App"), target, room, &url, NULL));
    CHECK(url.plane == CG_PLANE_APP);
    CHECK_SPAN(url.authority, CG_LIT("a.example"));
    CHECK_SPAN(url.path, CG_LIT("/b"));
    CHECK_SPAN(url.query, CG_LIT("?c"));
    CHECK_ERR(cg_url_read_target(CG_LIT("app"), CG_LIT("/a.example#f"), room, &url, NULL),
              CG_SYNTAX);
    CHECK_ERR(cg_url_read_target(CG_LIT("app:1"), target, room, &url, NULL), CG_UNKNOWN);
    CHECK_ERR(cg_url_read_target(CG_LIT("app"), CG_LIT("a.example/"), room, &url, NULL), CG_SYNTAX);
    CHECK_ERR(cg_url_read_target(CG_LIT("app"), CG_LIT(""), room, &url, NULL), CG_SYNTAX);
}

TEST(knows_canonical_names_from_others)
{
    CHECK_OK(cg_url_check_name(CG_LIT("app/app.example.com")));
    CHECK_OK(
        cg_url_check_name(CG_LIT("m2m/vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb")));
    CHECK_ERR(cg_url_check_name(CG_LIT("app")), CG_SYNTAX);
    CHECK_ERR(cg_url_check_name(CG_LIT("app/")), CG_SYNTAX);
    CHECK_ERR(cg_url_check_name(CG_LIT("/a.example")), CG_UNKNOWN);
    CHECK_ERR(cg_url_check_name(CG_LIT("web/a.example")), CG_UNKNOWN);
    CHECK_ERR(cg_url_check_name(CG_LIT("App/a.example")), CG_CANONICAL);
    CHECK_ERR(cg_url_check_name(CG_LIT("app/A.example")), CG_CANONICAL);
    CHECK_ERR(cg_url_check_name(CG_LIT("app/a.example/")), CG_SCHEMA);
    CHECK_ERR(cg_url_check_name(CG_LIT("app/a.example/x")), CG_SCHEMA);
    CHECK_ERR(cg_url_check_name(CG_LIT("app/a.example.")), CG_SCHEMA);
    CHECK_ERR(cg_url_check_name(CG_LIT("m2m/a.example")), CG_SCHEMA);
}

TEST(writes_the_name_of_a_url)
{
    uint8_t room[64];
    char name[32];
    struct cg_url url;

    CHECK_OK(cg_url_read(CG_LIT("httpcg://WALLET/W.Example/x?y"), room, &url, NULL));
    CHECK_INT(cg_url_name_chars(&url), 16);
    cg_url_name_write(&url, name);
    CHECK_SPAN(cg_span_of(name, 16), CG_LIT("wallet/w.example"));
    CHECK_OK(cg_url_check_name(cg_span_of(name, 16)));
}

SUITE(url, T(reads_every_url_of_the_table_into_its_canonical_parts),
      T(writes_every_url_of_the_table_and_reads_the_same_again),
      T(refuses_every_other_row_and_says_where), T(points_at_the_byte_that_is_wrong),
      T(an_absent_query_is_not_an_empty_one), T(holds_the_limits_of_path_query_authority_and_whole),
      T(measures_the_limits_as_received_not_as_decoded),
      T(refuses_every_prefix_or_reads_it_as_the_shorter_url_it_is),
      T(reads_what_http_says_as_the_url_it_stands_for), T(knows_canonical_names_from_others),
      T(writes_the_name_of_a_url))
