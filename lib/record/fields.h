/* fields.h: a record's members as they come, from JSON or from the signed bytes, and the one place
 * that judges their form. */
#ifndef CG_LIB_RECORD_FIELDS_H
#define CG_LIB_RECORD_FIELDS_H
#include <httpcg/record.h>

struct cg_record_fields {
    struct cg_span plane, host, target_host, rp_did, profile, anchor, target_auth;
    struct cg_span gateway_dids[CG_RECORD_GATEWAYS_MAX];
    struct cg_span gateways[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateway_dids, n_gateways;
    uint64_t target_port, serial, ttl;
    struct cg_wall issued, expires;
    bool tlsls_required;
};

/* cg_record_fields_check makes a record of them, without signatures.
 * Owns    out borrows what the fields borrow. Errors  as cg_record_read. */
CG_MUST_USE cg_err cg_record_fields_check(const struct cg_record_fields *fields,
                                          struct cg_record *out);

#endif
