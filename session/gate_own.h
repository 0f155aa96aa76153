/* gate_own.h: what the files of gate.h share. */
#ifndef CG_SESSION_GATE_OWN_H
#define CG_SESSION_GATE_OWN_H
#include "session/gate.h"

/* A wallet's public keys: one copy for the grants and requests of a connection that have them. All
 * of those live on one thread. */
struct cg_gate_keys {
    unsigned refs;
    struct cg_public_keys keys;
    struct cg_hash next;
    bool is_first; /* they are those that the DID began with */
};

struct cg_gate_keys *cg_gate_keys_ref(struct cg_gate_keys *keys);
void cg_gate_keys_unref(struct cg_gate_keys *keys);

/* A grant's scope, names and their text in one block. */
struct cg_gate_scope {
    size_t n;
    struct cg_span names[];
};

/* What was posted of a grant, in one block, for as long as the grant or a request needs it: its
 * bytes, in which the credentials are, and the wallet's signature over them. */
struct cg_gate_posted {
    unsigned refs;
    struct cg_span grant;
    struct cg_span signature;
    size_t n_creds;
    struct cg_span creds[CG_GRANT_CREDS_MAX];
    uint8_t bytes[];
};

struct cg_gate_posted *cg_gate_posted_ref(struct cg_gate_posted *posted);
void cg_gate_posted_unref(struct cg_gate_posted *posted);

/* cg_gate_grant_done wipes and frees; a zeroed grant is nothing. */
void cg_gate_grant_done(struct cg_gate_grant *grant);
/* cg_gate_grant_valid tells whether a grant covers a minute. */
bool cg_gate_grant_valid(const struct cg_gate_grant *grant, uint64_t minute_epoch);

/* cg_gate_fail fills fault for a check of this gate. */
cg_err cg_gate_fail(struct cg_fault *fault, enum cg_refusal refusal, cg_err err,
                    enum cg_gate_check check);
/* cg_gate_fail_auth is cg_gate_fail for a failure of authentication, or of our own. */
cg_err cg_gate_fail_auth(struct cg_fault *fault, cg_err err, enum cg_gate_check check);
/* cg_gate_fail_own is cg_gate_fail where only we can be at fault. */
cg_err cg_gate_fail_own(struct cg_fault *fault, cg_err err, enum cg_gate_check check);
/* cg_gate_find_one finds the one line of a token, and tells whether there is one.
 * Errors  CG_SCHEMA: there are two. */
cg_err cg_gate_find_one(const struct cg_head *head, enum cg_token token, struct cg_span *out,
                        bool *has);
/* cg_gate_check_signature verifies a MAC at once and makes a job of anything else; hex is of the
 * mode's length, as its header's reader checked. */
cg_err cg_gate_check_signature(const struct cg_gate_request *req, struct cg_kit *kit,
                               struct cg_span tbs, struct cg_span hex, struct cg_sig_job **job);
/* cg_timestamp_accepts tells whether a timestamp is within CG_TIMESTAMP_WINDOW_S of now. */
bool cg_timestamp_accepts(uint64_t timestamp, struct cg_wall now);

#endif
