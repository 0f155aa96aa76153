/* anchor.h: bpi_anchor, which names a log and commits to the content that is anchored there.
 *
 *   bpi_anchor = "bpi1:" || hex(log_id) || ":" || hex(C)
 *   C          = H(TUP("httpcg-anchor/v1"; kind, content with bpi_anchor = ""))
 *   log_id     = H(TUP("httpcg-log-id/v1"; origin, ed25519, H(mldsa87)))[0..8]
 *
 * It commits to content without itself, so it can stand inside what is signed. */
#ifndef CG_LIB_CERT_ANCHOR_H
#define CG_LIB_CERT_ANCHOR_H
#include <httpcg/cert.h>

struct cg_anchor {
    struct cg_log_id log_id;
    struct cg_hash commitment;
};

/* cg_log_id_of computes a log's short name from its origin and both its keys. */
CG_MUST_USE cg_err cg_log_id_of(struct cg_span origin, const struct cg_public_keys *keys,
                                struct cg_log_id *out);
bool cg_log_id_eq(const struct cg_log_id *a, const struct cg_log_id *b);
/* cg_anchor_commit computes C for a ledger entry kind, such as "tlsls" or "registry". */
CG_MUST_USE cg_err cg_anchor_commit(const char *kind, struct cg_span content, struct cg_hash *out);
/* cg_anchor_write writes the text and a NUL. */
void cg_anchor_write(const struct cg_anchor *anchor, char out[CG_ANCHOR_CHARS + 1]);
/* cg_anchor_read parses. Errors CG_SHORT, CG_EXTRA, CG_SYNTAX. */
CG_MUST_USE cg_err cg_anchor_read(struct cg_span text, struct cg_anchor *out);

#endif
