/* tlog.h: a log as a verifier knows it, its witnesses, and how many of them must have signed. */
#ifndef CG_LIB_MERKLE_TLOG_H
#define CG_LIB_MERKLE_TLOG_H
#include "lib/merkle/note.h"

#include <httpcg/cert.h>

#define CG_WITNESSES_MAX 32
#define CG_GROUPS_MAX 32
#define CG_GROUP_NONE UINT16_MAX

/* A witness, or a group of members of which k must have signed.  Each is a member of one group at
 * most, and stands before it: so a list and one pass over it is the whole tree. */
struct cg_quorum_node {
    bool is_group;
    uint16_t parent;        /* index of the group it belongs to, or CG_GROUP_NONE */
    uint16_t k;             /* of a group: how many members it takes */
    uint16_t n;             /* of a group: how many it has */
    struct cg_note_key key; /* of a witness */
};

struct cg_quorum {
    struct cg_quorum_node nodes[CG_WITNESSES_MAX + CG_GROUPS_MAX];
    size_t n_nodes;
    bool is_none;  /* "quorum none" */
    uint16_t goal; /* else: the node that must be satisfied */
};

/* cg_quorum_met tells whether the witnesses marked in has_signed (one flag a node) are enough.
 * Source  C2SP tlog-policy, "Defining the quorum" */
bool cg_quorum_met(const struct cg_quorum *quorum, const bool *has_signed);
/* cg_quorum_counts tells whether a node is the goal or belongs to it at some depth. */
bool cg_quorum_counts(const struct cg_quorum *quorum, size_t node);

struct cg_tlog {
    struct cg_note_key ed25519; /* both have the origin as their name */
    struct cg_note_key mldsa87;
    struct cg_log_id id;
    const struct cg_quorum *quorum;
    int64_t max_age_s; /* of the newest leaf, and of the newest cosignature that counts */
};

/* cg_tlog_init makes a log of its two public keys and a quorum, which it borrows.
 * Errors  as cg_vkey_read. */
CG_MUST_USE cg_err cg_tlog_init(const struct cg_crypto *crypto, struct cg_span origin,
                                const struct cg_public_keys *keys, const struct cg_quorum *quorum,
                                int64_t max_age_s, struct cg_tlog *out);
void cg_tlog_done(struct cg_tlog *log);
void cg_quorum_done(struct cg_quorum *quorum);

#endif
