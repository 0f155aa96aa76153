/* resolve.h: a registry's answer about a name, and every check of it in order.
 *
 * 200: {"record":{...},"staple":b64,"wallet_doc":b64,"operator_did":did,"operator_doc":b64}
 * 404: a problem document with "staple", and for a name that existed once (a tombstone, or a record
 *      that ran out) the four other members as well. */
#ifndef CG_LIB_RECORD_RESOLVE_H
#define CG_LIB_RECORD_RESOLVE_H
#include "lib/base/buf.h"
#include "lib/merkle/staple.h"
#include "lib/record/record.h"
#include "lib/trust/trust.h"

/* The answer, decoded. */
struct cg_resolve_answer {
    struct cg_span record; /* the JSON object as it came, borrowed; empty in a plain denial */
    struct cg_span staple; /* the rest is decoded into the buffer given to cg_resolve_read */
    struct cg_span wallet_doc;
    struct cg_span operator_doc;
    struct cg_waddr operator_did;
};

/* cg_resolve_read parses a 200 answer.
 * Owns    record borrows from json, the decoded members from room. */
CG_MUST_USE cg_err cg_resolve_read(struct cg_span json, struct cg_buf *room,
                                   struct cg_resolve_answer *out);
CG_MUST_USE cg_err cg_resolve_write(const struct cg_resolve_answer *answer, struct cg_writer *out);
/* cg_resolve_read_denial parses a 404 problem document of the code "name-unresolved".
 * Owns    as cg_resolve_read; a plain denial has a staple only, and its other members are empty. */
CG_MUST_USE cg_err cg_resolve_read_denial(struct cg_span json, struct cg_buf *room,
                                          struct cg_resolve_answer *out);
/* cg_resolve_write_denial writes that document; id is the request's, 16 bytes. */
CG_MUST_USE cg_err cg_resolve_write_denial(const struct cg_resolve_answer *answer,
                                           const uint8_t id[16], struct cg_writer *out);

/* What was asked, and what the asker knows. */
struct cg_resolve_ask {
    const struct cg_crypto *crypto;
    const struct cg_trust *trust;
    struct cg_span plane;     /* canonical */
    struct cg_span authority; /* canonical */
    struct cg_wall now;
    int64_t max_age_s;                 /* the policy's; 0: the trust file's alone */
    const struct cg_record_seen *seen; /* of this name */
    const struct cg_tlog_seen *heads;  /* of each log of the trust file, or NULL */
    const uint16_t *ports;             /* target ports beyond 443 and 8443 */
    size_t n_ports;
    bool is_local; /* the operator's configuration maps this name itself: the target is not used */
};

struct cg_resolve_result {
    struct cg_resolve_checks checks;
    struct cg_resolve_answer answer;
    struct cg_record record;
    bool is_gone; /* a denial was proved: by absence, a tombstone, or a record that ran out */
    bool has_record;
    struct cg_did_state owner;
    struct cg_did_state operator_state;
    struct cg_staple_facts staple;
};

/* cg_resolve_verify makes all checks of a 200 answer; the first failure ends it. What it does not
 * do is to judge addresses: cg_target_check_addresses, once they are known.
 * Owns    out borrows from json and room; after an error only out->checks counts.
 * Errors  CG_MISMATCH, CG_EARLY, CG_EXPIRED, CG_ROLLBACK and CG_CONFLICT (alarms), CG_UNKNOWN
 *         (registry or log), CG_REVOKED, CG_KEY, CG_SIGNATURE, CG_PROOF, CG_STALE, CG_QUORUM,
 *         CG_TARGET, CG_NOT_FOUND (a tombstone: all else is proved), and those of what is
 *         malformed. */
CG_MUST_USE cg_err cg_resolve_verify(const struct cg_resolve_ask *ask, struct cg_span json,
                                     struct cg_buf *room, struct cg_resolve_result *out);
/* cg_resolve_verify_denial does the same for a 404: CG_OK means that the name is proved to be gone
 * or never to have been; whatever else means that this endpoint failed.
 * Errors  as above; CG_CONFLICT (the name lives), CG_ROLLBACK (never heard of, but seen before). */
CG_MUST_USE cg_err cg_resolve_verify_denial(const struct cg_resolve_ask *ask, struct cg_span json,
                                            struct cg_buf *room, struct cg_resolve_result *out);

#endif
