/* target: what a request is for. The input is its words, a line each: method, scheme, authority,
 * path, protocol, SNI; and whether it came in absolute form. */
#include "lib/url/target.h"
#include "fuzz/fuzz.h"
#include "lib/base/limits.h"

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_url_target_ask ask = {
        .method = cg_fuzz_line(in),
        .scheme = cg_fuzz_line(in),
        .authority = cg_fuzz_line(in),
        .path = cg_fuzz_line(in),
        .protocol = cg_fuzz_line(in),
        .sni = cg_fuzz_line(in),
        .is_absolute = cg_fuzz_byte(in) == 'a',
    };
    void *room = cg_fuzz_room(in, CG_URL_ROOM(ask.path.len));
    struct cg_url_target target;
    struct cg_fault fault = {0};

    MARK(target);
    cg_err err = cg_url_target_read(&ask, room, &target, &fault);
    if (err != CG_OK) {
        int status = cg_refusal_status(fault.refusal);
        UNTOUCHED(target);
        MUST(fault.err == err &&
             (status == 400 || status == 405 || status == 414 || status == 421));
        return;
    }
    MUST(!cg_span_is(ask.method, "TRACE"));
    MUST(!cg_span_is(ask.method, "CONNECT") || ask.protocol.len > 0);
    if (target.kind == CG_URL_TARGET_CONTROL) {
        MUST(cg_span_eq_nocase(ask.scheme, CG_LIT("https")) && !ask.is_absolute);
        MUST(cg_span_starts(ask.path, CG_LIT(CG_CONTROL_PREFIX)));
        MUST(cg_span_find(target.control, '?') == target.control.len);
        MUST(target.control.len + target.query.len + sizeof CG_CONTROL_PREFIX - 1 <= ask.path.len);
        return;
    }
    /* The same by the other way in. */
    struct cg_url url;
    struct cg_span plane = cg_span_str(cg_plane_name(target.url.plane));
    MUST(cg_span_eq_nocase(ask.scheme, CG_LIT("httpcg")) &&
         cg_span_eq_nocase(ask.authority, plane));
    MUST(target.url.fragment.len == 0 && ask.path.len <= CG_URI_MAX_BYTES);
    MUST_OK(cg_url_read_target(plane, ask.path, cg_fuzz_room(in, CG_URL_ROOM(ask.path.len)), &url,
                               NULL));
    MUST_SAME(url.path, target.url.path);
    MUST_SAME(url.query, target.url.query);
}
