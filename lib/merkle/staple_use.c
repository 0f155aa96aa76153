/* What staples are used for: certificates, DIDs, denials. Records are lib/record's. */
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/merkle/staple.h"
#include "lib/wire/writer.h"

cg_err cg_did_is_current(const struct cg_did_state *state, const struct cg_staple_ask *answer)
{
    if (state->is_deactivated)
        return CG_REVOKED;
    /* Without an entry the inception stands; an operation counts once it is in the log. */
    if (!answer->is_present)
        return state->seq == 0 ? CG_OK : CG_STALE;
    return cg_hash_eq(&answer->value, &state->newest) ? CG_OK : CG_STALE;
}

cg_err cg_staple_verify_cert(struct cg_span wire, const struct cg_ledger_view *view,
                             const struct cg_cert *cert, const struct cg_did_state *did,
                             struct cg_staple_facts *out)
{
    char fingerprint[2 * CG_HASH_BYTES], subject[CG_DID_CHARS + 1];
    struct cg_writer w = cg_writer_fixed(fingerprint, sizeof fingerprint);
    struct cg_staple_ask asks[] = {
        {.kind = "tlsls-rev", .id = cg_span_of(fingerprint, sizeof fingerprint)},
        {.kind = "did", .id = cg_span_str(cert->subject.text)},
    };

    cg_put_hex(&w, cg_hash_span(&cert->fingerprint));
    CG_TRY(cg_staple_verify(wire, view, true, asks, 2, out));
    out->failed = CG_STAPLE_INCLUSION;
    cg_did_write(&cert->subject, subject);
    if (!cg_log_id_eq(&cert->log_id, &view->logs[out->log].id) ||
        out->entry.kind != CG_ENTRY_TLSLS || !cg_span_is(out->entry.subject, subject) ||
        !cg_hash_eq(&out->entry.commitment, &cert->anchor))
        return CG_MISMATCH;
    out->failed = CG_STAPLE_MAP;
    if (asks[0].is_present)
        return CG_REVOKED;
    if (!cg_waddr_eq(&did->waddr, &cert->subject))
        return CG_MISMATCH;
    CG_TRY(cg_did_is_current(did, &asks[1]));
    out->failed = CG_STAPLE_STEP_COUNT;
    return CG_OK;
}

cg_err cg_staple_verify_did(struct cg_span wire, const struct cg_ledger_view *view,
                            const struct cg_did_state *did, struct cg_staple_facts *out)
{
    struct cg_staple_ask ask = {.kind = "did", .id = cg_span_str(did->waddr.text)};

    CG_TRY(cg_staple_verify(wire, view, false, &ask, 1, out));
    out->failed = CG_STAPLE_MAP;
    CG_TRY(cg_did_is_current(did, &ask));
    out->failed = CG_STAPLE_STEP_COUNT;
    return CG_OK;
}

cg_err cg_staple_verify_absent(struct cg_span wire, const struct cg_ledger_view *view,
                               const char *kind, struct cg_span id, struct cg_staple_facts *out)
{
    struct cg_staple_ask ask = {.kind = kind, .id = id};

    CG_TRY(cg_staple_verify(wire, view, false, &ask, 1, out));
    if (!ask.is_present)
        return CG_OK;
    out->failed = CG_STAPLE_MAP;
    return CG_CONFLICT;
}
