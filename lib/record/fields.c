#include "lib/record/fields.h"

#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/url/authority.h"
#include "lib/wire/word.h"

#define HOST_MAX_BYTES CG_AUTHORITY_MAX_BYTES

/* The name itself. Hidden services have records of another kind, which no log holds. */
static cg_err check_name(const struct cg_record_fields *f)
{
    enum cg_plane plane;

    if (cg_plane_read(f->plane, &plane) != CG_OK || !cg_span_is(f->plane, cg_plane_name(plane)))
        return CG_SCHEMA;
    if (plane == CG_PLANE_GW)
        return CG_UNSUPPORTED;
    return cg_authority_check(plane, f->host) ? CG_SCHEMA : CG_OK;
}

static bool is_port(struct cg_span text)
{
    uint32_t port = 0;

    if (text.len == 0 || text.len > 5 || text.at[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.at[i] - '0');
    }
    return port <= UINT16_MAX;
}

/* host:port, the host as names in plane app are. */
static cg_err check_gateway(struct cg_span text)
{
    size_t colon = cg_span_find(text, ':');

    if (cg_authority_check(CG_PLANE_APP, cg_span_first(text, colon)) ||
        !is_port(cg_span_from(text, colon + 1)))
        return CG_SCHEMA;
    return CG_OK;
}

static cg_err check_gateways(const struct cg_record_fields *f, bool is_tombstone,
                             struct cg_record *out)
{
    if (!is_tombstone && (f->n_gateway_dids == 0 || f->n_gateways == 0))
        return CG_SCHEMA;
    for (size_t i = 0; i < f->n_gateway_dids; i++) {
        CG_TRY(cg_did_read(f->gateway_dids[i], &out->gateway_dids[i]));
        out->gateway_did_texts[i] = f->gateway_dids[i];
    }
    for (size_t i = 0; i < f->n_gateways; i++) {
        CG_TRY(check_gateway(f->gateways[i]));
        out->gateways[i] = f->gateways[i];
    }
    out->n_gateway_dids = f->n_gateway_dids;
    out->n_gateways = f->n_gateways;
    return CG_OK;
}

static cg_err check_target(const struct cg_record_fields *f, bool is_tombstone,
                           struct cg_record *out)
{
    struct cg_span spki = CG_LIT("spki:"), tlsls = CG_LIT("tlsls:");

    /* Whether it is a host that a gateway connects to is asked when it does (target.h). */
    if (f->target_host.len > HOST_MAX_BYTES || f->target_port > UINT16_MAX ||
        (!is_tombstone && f->target_port == 0))
        return CG_SCHEMA;
    out->target_host = f->target_host;
    out->target_port = (uint16_t)f->target_port;
    out->target_auth_text = f->target_auth;
    if (cg_span_starts(f->target_auth, spki)) {
        out->target_auth = CG_TARGET_SPKI;
        return cg_hex_read(cg_span_from(f->target_auth, spki.len), out->target_spki.bytes,
                           CG_HASH_BYTES);
    }
    if (cg_span_starts(f->target_auth, tlsls)) {
        out->target_auth = CG_TARGET_TLSLS;
        return cg_did_read(cg_span_from(f->target_auth, tlsls.len), &out->target_did);
    }
    out->target_auth = CG_TARGET_WEBPKI;
    return cg_span_is(f->target_auth, "webpki") ? CG_OK : CG_SCHEMA;
}

static cg_err check_numbers(const struct cg_record_fields *f, struct cg_record *out)
{
    if (f->serial == 0 || f->serial > CG_JSON_MAX_INT || f->ttl > CG_RECORD_MAX_TTL_S)
        return CG_SCHEMA;
    if (f->expires.s <= f->issued.s || f->expires.s - f->issued.s > CG_RECORD_MAX_SPAN_S)
        return CG_EXPIRED;
    out->serial = f->serial;
    out->ttl_s = (uint32_t)f->ttl;
    out->issued = f->issued;
    out->expires = f->expires;
    return CG_OK;
}

cg_err cg_record_fields_check(const struct cg_record_fields *fields, struct cg_record *out)
{
    const struct cg_record_fields *f = fields;
    bool is_tombstone = f->target_host.len == 0;
    struct cg_anchor anchor;

    CG_TRY(check_name(f));
    CG_TRY(check_target(f, is_tombstone, out));
    CG_TRY(check_gateways(f, is_tombstone, out));
    CG_TRY(check_numbers(f, out));
    CG_TRY(cg_did_read(f->rp_did, &out->owner));
    CG_TRY(cg_anchor_read(f->anchor, &anchor));
    if (!cg_is_word(f->profile))
        return CG_SCHEMA;
    out->plane = f->plane;
    out->host = f->host;
    out->owner_did = f->rp_did;
    out->tlsls_required = f->tlsls_required;
    out->profile = f->profile;
    out->anchor_text = f->anchor;
    out->log_id = anchor.log_id;
    out->anchor = anchor.commitment;
    return CG_OK;
}
