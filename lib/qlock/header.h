/* header.h: what a QLOCK header is made of. */
#ifndef CG_LIB_QLOCK_HEADER_H
#define CG_LIB_QLOCK_HEADER_H
#include <httpcg/qlock.h>

/* cg_session_id_read takes 36 characters of lower-case UUID and adds a NUL.
 * Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX. */
CG_MUST_USE cg_err cg_session_id_read(struct cg_span text,
                                      char out[static CG_SESSION_ID_CHARS + 1]);
/* cg_qlock_compare compares a header with this end's session and the hash it derived, in constant
 * time. Errors  CG_BINDING. */
CG_MUST_USE cg_err cg_qlock_compare(const struct cg_channel *channel, const struct cg_hash *want,
                                    const struct cg_qlock *qlock);

#endif
