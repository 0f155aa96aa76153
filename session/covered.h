/* covered.h: takes out of a head what signatures cover. */
#ifndef CG_SESSION_COVERED_H
#define CG_SESSION_COVERED_H
#include "lib/base/buf.h"
#include "session/message.h"

#include <httpcg/sapi.h>

/* cg_covered_request fills the covered fields of a request's head, white space trimmed, absent ones
 * with at == NULL. Several Cookie lines are joined in cookies.
 * Owns    out borrows from head and from cookies, which is only touched where lines are joined.
 * Errors  CG_SCHEMA (another covered field occurs twice), CG_TOO_LARGE, CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_covered_request(const struct cg_head *head, struct cg_buf *cookies,
                                      struct cg_span out[static CG_COVERED_COUNT]);

struct cg_covered_reply {
    struct cg_response_fields fields;
    struct cg_span set_cookies[CG_HEAD_MAX_FIELDS];
};

/* cg_covered_reply_of does the same for a response's head.
 * Owns    out->fields points into out itself: it does not move. */
CG_MUST_USE cg_err cg_covered_reply_of(const struct cg_head *head, struct cg_covered_reply *out);

/* cg_covered_trailers digests a response's trailer fields, those that came from the backend:
 * Content-Digest and SAPI-Response are passed over. trailers may be NULL: there are none. */
CG_MUST_USE cg_err cg_covered_trailers(struct cg_kit *kit, const struct cg_head *trailers,
                                       struct cg_hash *out);

/* How a request announces its body. */
struct cg_body_plan {
    enum cg_body_mode mode;
    struct cg_hash digest; /* CG_BODY_DIGEST only */
};

/* cg_body_plan_of reads Content-Digest and Trailer.
 * Errors  CG_SCHEMA (both, or two Content-Digest lines), and those of cg_digest_read. */
CG_MUST_USE cg_err cg_body_plan_of(const struct cg_head *head, struct cg_body_plan *out);

#endif
