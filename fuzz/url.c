/* url: a URL of any of the five planes. What is read once is canonical: reading that again, whole
 * or as a request would say it, gives the same, and none of what could be understood in two ways is
 * in it. */
#include "fuzz/fuzz.h"

#include <httpcg/url.h>

static struct cg_span written(struct cg_fuzz *in, const struct cg_url *url)
{
    char *text = cg_fuzz_room(in, cg_url_chars(url));

    cg_url_write(url, text);
    return cg_span_of(text, cg_url_chars(url));
}

/* Looked for by other means than the reader's: what no canonical path has. */
static void check_path(struct cg_span path)
{
    MUST(path.len > 0 && path.at[0] == '/');
    for (size_t i = 0; i < path.len; i++) {
        struct cg_span rest = cg_span_from(path, i);
        uint8_t c = rest.at[0];

        MUST(c > ' ' && c < 0x7f && !strchr("?#\\\"<>^`{|}", c));
        MUST(!cg_span_starts(rest, CG_LIT("//")));
        if (c == '/') {
            struct cg_span segment = cg_span_from(rest, 1);
            segment = cg_span_first(segment, cg_span_find(segment, '/'));
            MUST(!cg_span_is(segment, ".") && !cg_span_is(segment, ".."));
        }
        if (c != '%')
            continue;
        MUST(rest.len >= 3);
        for (size_t k = 1; k < 3; k++)
            MUST(strchr("0123456789ABCDEF", rest.at[k]));
        MUST(!strchr("01", rest.at[1]) && !cg_span_starts(rest, CG_LIT("%7F")));
        MUST(!cg_span_starts(rest, CG_LIT("%2F")) && !cg_span_starts(rest, CG_LIT("%5C")));
        MUST(!cg_span_starts(rest, CG_LIT("%2E")) && !cg_span_starts(rest, CG_LIT("%41")));
    }
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span text = cg_fuzz_rest(in);
    struct cg_url url, again;
    struct cg_url_fault fault = {0};

    MARK(url);
    if (cg_url_read(text, cg_fuzz_room(in, CG_URL_ROOM(text.len)), &url, &fault) != CG_OK) {
        UNTOUCHED(url);
        MUST(fault.why && fault.at <= text.len);
        return;
    }
    check_path(url.path);
    struct cg_span canonical = written(in, &url);
    MUST_OK(cg_url_read(canonical, cg_fuzz_room(in, CG_URL_ROOM(canonical.len)), &again, NULL));
    MUST_SAME(written(in, &again), canonical);

    struct cg_span name = {cg_fuzz_room(in, cg_url_name_chars(&url)), cg_url_name_chars(&url)};
    cg_url_name_write(&url, (char *)(uintptr_t)name.at);
    MUST_OK(cg_url_check_name(name));

    /* "httpcg://app" and "/authority/path?query", without the fragment. */
    struct cg_span plane = cg_span_str(cg_plane_name(url.plane));
    struct cg_span target = cg_span_from(canonical, 9 + plane.len);
    target.len -= url.fragment.len;
    MUST_OK(
        cg_url_read_target(plane, target, cg_fuzz_room(in, CG_URL_ROOM(target.len)), &again, NULL));
    url.fragment.len = 0;
    MUST_SAME(written(in, &again), written(in, &url));
}
