/* record.h: writing records, and the bytes that are signed.
 *
 *   R(anchor, osig) = TUP("httpcg-registry-record/v1"; httpcg_host, target_host, u16 port, rp_did,
 *      u8 tlsls_required, rbac_profile, anchor, u64 expires_at, plane, u64 serial, u64 issued_at,
 *      u32 ttl, LIST(gateway_dids), LIST(gateways), target_auth, osig)
 *   bpi_anchor's commitment = H(TUP("httpcg-anchor/v1"; "registry", R("", "")))
 *   owner_signature = HSIG("registry-owner",    R(bpi_anchor, ""))
 *   signature       = HSIG("registry-operator", R(bpi_anchor, H(owner_signature)))  */
#ifndef CG_LIB_RECORD_RECORD_H
#define CG_LIB_RECORD_RECORD_H
#include "lib/wire/writer.h"

#include <httpcg/record.h>

/* R with nothing, with the anchor, with the anchor and the owner's signature. */
enum cg_record_form {
    CG_RECORD_BARE,
    CG_RECORD_FOR_OWNER,
    CG_RECORD_FOR_OPERATOR,
};

/* Two lists of 16 texts of at most 259 bytes, and 14 fields that are no longer. */
#define CG_RECORD_SIGNED_MAX_BYTES 12288
/* 9999-12-31T23:59:59Z: later has no spelling in JSON. */
#define CG_RECORD_TIME_MAX_S 253402300799

/* cg_record_bytes writes R in one of its three forms. */
CG_MUST_USE cg_err cg_record_bytes(const struct cg_record *record, enum cg_record_form form,
                                   struct cg_writer *out);
/* cg_record_commit computes what bpi_anchor commits to. */
CG_MUST_USE cg_err cg_record_commit(const struct cg_record *record, struct cg_hash *out);
/* cg_record_write writes the JSON, with as many signatures as the record has. */
CG_MUST_USE cg_err cg_record_write(const struct cg_record *record, struct cg_writer *out);

/* What an owner says about a name; the texts must have the form that cg_record_read asks for. */
struct cg_record_ask {
    struct cg_span plane;
    struct cg_span host;
    struct cg_span target_host; /* empty, with port 0 and no gateways: a tombstone */
    uint16_t target_port;
    const struct cg_waddr *owner;
    bool tlsls_required;
    struct cg_span profile;
    struct cg_log_id log_id;
    struct cg_wall issued;
    struct cg_wall expires;
    uint64_t serial;
    uint32_t ttl_s;
    const struct cg_waddr *gateway_dids;
    size_t n_gateway_dids;
    const struct cg_span *gateways;
    size_t n_gateways;
    struct cg_span target_auth; /* "webpki", "spki:<hex>", "tlsls:<did>" */
};

/* cg_record_issue writes the JSON of a record with its anchor and the owner's signature.
 * Errors  those of cg_record_read for what it would refuse, CG_CRYPTO. */
CG_MUST_USE cg_err cg_record_issue(const struct cg_signer *owner, const struct cg_record_ask *ask,
                                   struct cg_writer *out);
/* cg_record_confirm adds the registry's signature; 1.6 ms. */
CG_MUST_USE cg_err cg_record_confirm(const struct cg_signer *operator_signer,
                                     struct cg_record *record);
/* cg_record_check_owner and cg_record_check_operator verify one signature each. */
CG_MUST_USE cg_err cg_record_check_owner(const struct cg_record *record,
                                         const struct cg_verifier *owner);
CG_MUST_USE cg_err cg_record_check_operator(const struct cg_record *record,
                                            const struct cg_verifier *operator_verifier);
/* cg_record_check_anchor tells whether bpi_anchor commits to this content. Errors CG_PROOF. */
CG_MUST_USE cg_err cg_record_check_anchor(const struct cg_record *record);
/* cg_record_check_times: not from the future, not expired, ttl within bounds.
 * Errors  CG_EARLY, CG_EXPIRED, CG_SCHEMA. */
CG_MUST_USE cg_err cg_record_check_times(const struct cg_record *record, struct cg_wall now);
/* cg_record_check_serial compares with what was seen.
 * Errors  CG_ROLLBACK (an older serial), CG_CONFLICT (the same serial with other content). */
CG_MUST_USE cg_err cg_record_check_serial(const struct cg_record *record,
                                          const struct cg_record_seen *seen);

/* The object that the ledger keeps of a record: CBOR [R(anchor, ""), owner_sig, operator_sig]. */
CG_MUST_USE cg_err cg_record_object(const struct cg_record *record, struct cg_writer *out);
/* cg_record_object_read takes such an object apart and reads R back into a record, so that a ledger
 * admits it by the same checks.
 * Owns    out borrows from wire. */
CG_MUST_USE cg_err cg_record_object_read(struct cg_span wire, struct cg_record *out);

#endif
