/* fields.h: which header fields pass the gateway, in either direction.
 *
 * Fields are copied one by one into a new head, never edited in place: what is not copied cannot
 * pass.  Fields that tell who somebody is are dropped before ours are set, and hop-by-hop ones are
 * dropped before that, so that no Connection field of a peer can name one of ours. */
#ifndef CG_GATEWAY_FIELDS_H
#define CG_GATEWAY_FIELDS_H
#include "session/message.h"

/* gw_fields_up copies a request's fields for the backend; cookie crumbs become one line
 * (RFC 9113, 8.2.3). The announced digest stays only where the gateway checks it.
 * Errors  those of cg_head_add. */
CG_MUST_USE cg_err gw_fields_up(const struct cg_head *in, bool keep_digest, struct cg_head *out);
/* gw_fields_down copies a response's fields for the client, one line for each field that the
 * response signature covers (set-cookie excepted).
 * Errors  CG_PROTOCOL (a covered field twice that has only one value), those of cg_head_add. */
CG_MUST_USE cg_err gw_fields_down(const struct cg_head *in, struct cg_head *out);

#endif
