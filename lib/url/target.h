/* target.h: what a request on the native listener is for: a resource of some plane, or one of the
 * gateway's own under /.well-known/httpcg/.
 *
 * Decided from the request line or pseudo-fields alone, before anything else is looked at. */
#ifndef CG_LIB_URL_TARGET_H
#define CG_LIB_URL_TARGET_H
#include "lib/wire/fault.h"

#include <httpcg/url.h>

#define CG_CONTROL_PREFIX "/.well-known/httpcg/"

enum cg_url_target_kind {
    CG_URL_TARGET_NATIVE,  /* scheme httpcg */
    CG_URL_TARGET_CONTROL, /* the gateway itself */
};

/* A request's head, as far as it names a target. Empty means absent. */
struct cg_url_target_ask {
    struct cg_span method;
    struct cg_span scheme;    /* HTTP/1.1 origin form: "https" */
    struct cg_span authority; /* :authority, or Host */
    struct cg_span path;      /* with query, as received */
    struct cg_span protocol;  /* extended CONNECT's (RFC 8441) */
    bool is_absolute;         /* HTTP/1.1 absolute form */
    struct cg_span sni;       /* empty: the connection has none, and no name is compared */
};

struct cg_url_target {
    enum cg_url_target_kind kind;
    struct cg_url url;      /* NATIVE */
    struct cg_span control; /* CONTROL: what follows the prefix, as received, without query */
    struct cg_span query;   /* CONTROL: without its '?' */
};

/* cg_url_target_read decides.
 * Owns    a native url points into room, CG_URL_ROOM(ask->path.len) bytes; control and query point
 *         into ask->path.
 * Errors  what fault says: 400, 405, 414 or 421. fault must not be NULL.
 * Source  docs/protocol/url.md, "On the wire" */
CG_MUST_USE cg_err cg_url_target_read(const struct cg_url_target_ask *ask, void *room,
                                      struct cg_url_target *out, struct cg_fault *fault);

#endif
