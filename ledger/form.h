/* form.h: one form of submission: how it is read, what must be known to judge it, and how it is
 * judged.  admit.c runs them. */
#ifndef CG_LEDGER_FORM_H
#define CG_LEDGER_FORM_H
#include "ledger/admit.h"

#define LG_FIRST_BYTE_WALLET_DOC 0xa4 /* a map of four */
#define LG_FIRST_BYTE_RECORD 0x83     /* an array of three */

struct lg_form {
    enum cg_entry_kind kind;
    bool is_cose;
    enum cg_doc_type type; /* of COSE; the document is taken apart and kept by admit.c */
    /* Fills the item's commitment, subject and extra, and did. */
    cg_err (*read)(const struct lg_rules *rules, struct lg_admission *a);
    /* Reads more than the DID's state, which is there already; NULL: nothing. */
    cg_err (*gather)(const struct lg_rules *rules, struct cg_store *store, struct lg_admission *a);
    cg_err (*judge)(const struct lg_rules *rules, struct cg_wall now, struct lg_admission *a);
};

extern const struct lg_form lg_form_inception;
extern const struct lg_form lg_form_didop;
extern const struct lg_form lg_form_cert;
extern const struct lg_form lg_form_revoke;
extern const struct lg_form lg_form_record;
extern const struct lg_form lg_form_policy;
extern const struct lg_form lg_form_kem;

/* lg_refuse notes a refusal and gives CG_DENIED. */
CG_MUST_USE cg_err lg_refuse(struct lg_admission *a, enum cg_refusal refusal, const char *field);
/* lg_refuse_unless_ours does so for errors that are not our own; those it hands on. */
CG_MUST_USE cg_err lg_refuse_unless_ours(struct lg_admission *a, cg_err err,
                                         enum cg_refusal refusal, const char *field);
/* lg_check_cose verifies both signatures of the document by the DID's present keys. */
CG_MUST_USE cg_err lg_check_cose(const struct lg_rules *rules, struct lg_admission *a);
/* lg_expect_state looks a key of the map up and notes what it says as expected. */
CG_MUST_USE cg_err lg_expect_state(struct cg_store *store, const char *kind, struct cg_span id,
                                   struct lg_admission *a, bool *out_is_present,
                                   uint64_t *out_index);
/* lg_inception_fill fills an item whose object is the inception document of state. */
CG_MUST_USE cg_err lg_inception_fill(struct lg_item *item, const struct cg_did_state *state);
/* lg_subject_did copies a DID into an item as its subject. */
CG_MUST_USE cg_err lg_subject_did(struct lg_item *item, const struct cg_waddr *waddr);

#endif
