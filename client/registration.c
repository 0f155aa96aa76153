#include "client/registration.h"

#include "client/interrupt.h"
#include "client/submit.h"
#include "lib/base/base64.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/record/record.h"
#include "lib/wire/json.h"
#include "lib/wire/refusal.h"
#include "runtime/clock.h"

#include <inttypes.h>
#include <string.h>

#define RECORD_DAYS 30
#define DAY_S 86400
#define BODY_MAX_BYTES (256 * 1024)
/* How often a record is looked for whose registration was not answered, and how far apart. */
#define LOOKS 10
#define LOOK_MS 300

static const char *proof_of(struct cl_run *run)
{
    const char *proof = cl_text(run->args, CL_PROOF);

    return proof ? proof : "operator";
}

/* --- what there is ------------------------------------------------------------------------------
 */

/* A wallet that was rotated since cannot have its record proved to it: that is signed with the keys
 * before. Its serial is only what the next one is counted from, and the registry counts, too. */
static cg_err look_bare(struct cl_run *run, struct cl_registration *r)
{
    char room[512], path[512];
    const char *url = cl_registry_url(run, room);
    struct cl_answer answer;
    struct cg_record record;
    int n = snprintf(path, sizeof path, "/resolve/%s?format=bare", r->name);

    if (!url || n < 0 || n >= (int)sizeof path)
        return CG_STALE;
    CG_TRY(cl_ask(&run->app, cg_span_str(url), "GET", cg_span_of(path, (size_t)n), NULL,
                  (struct cg_span){NULL, 0}, &answer));
    cg_err err =
        answer.status == 200 ? cg_record_read(cg_buf_span(&answer.body), false, &record) : CG_STALE;
    if (err == CG_OK && !cg_waddr_eq(&record.owner, &run->app.wallet.waddr))
        err = CG_STALE;
    if (err == CG_OK) {
        r->has_record = true;
        r->serial = record.serial + 1;
    }
    cg_buf_done(&answer.body);
    return err;
}

static bool was_rotated(const struct cl_app *app)
{
    return app->wallet.doc.len > CG_WALLET_DOC_BYTES;
}

static int cannot_look(struct cl_run *run, const struct cl_registration *r, cg_err err)
{
    switch (err) {
    case CG_RATE:
    case CG_BUSY:
        return cl_fail_later(run->show, err, r->name);
    case CG_UNREACHABLE:
    case CG_TIMEOUT:
        return cl_fail(
            run->show, cl_exit_of(err), err,
            "is it running, and does a firewall let us through? httpcg doctor tells more",
            "cannot ask the registry about %s", r->name);
    default:
        return cl_fail(run->show, err == CG_CANCELLED ? cl_exit_of(err) : CL_EXIT_RECORD, err,
                       "httpcg resolve -v shows each check", "cannot look %s up", r->name);
    }
}

int cl_registration_look(struct cl_run *run, struct cl_registration *r)
{
    struct cl_resolved resolved = {0};
    cg_err err = cl_resolve(&run->app, r->plane, r->authority, &resolved);
    const struct cg_record *record = &resolved.result.record;
    int code = 0;

    if (err == CG_STALE && was_rotated(&run->app) && look_bare(run, r) == CG_OK) {
        cl_resolved_done(&resolved);
        return 0;
    }
    if (err == CG_OK || err == CG_NOT_FOUND) {
        r->has_record = resolved.result.has_record;
        r->has_tombstone = r->has_record && cg_record_is_tombstone(record);
        r->serial = r->has_record ? record->serial + 1 : 1;
        if (r->has_record && !r->has_tombstone &&
            !cg_waddr_eq(&record->owner, &run->app.wallet.waddr))
            code = cl_fail(run->show, CL_EXIT_POLICY, CG_OK,
                           "only its owner can change it or give it up: --wallet names his",
                           "%s belongs to another wallet, did:bpi:%s", r->name, record->owner.text);
    } else {
        code = cannot_look(run, r, err);
    }
    cl_resolved_done(&resolved);
    return code;
}

/* --- what a registry's refusal means ------------------------------------------------------------
 */

struct meaning {
    const char *why, *remedy;
};

static struct meaning fault_of(struct cl_run *run, const struct cl_answer *answer)
{
    static const struct {
        const char *field;
        struct meaning meaning;
    } faults[] = {
        {"previous_signature",
         {"it belongs to another wallet, who would have to agree",
          "only its owner can give it up"}},
        {"token",
         {"what was asked for first is not good any more", "the same command again will do"}},
        {"issued_at",
         {"by the registry's clock it is not made yet", "httpcg doctor looks at this clock"}},
        {"expires_at",
         {"by the registry's clock it has run out", "httpcg doctor looks at this clock"}},
        {"bpi_anchor",
         {"the registry writes into another ledger than the trust file's first",
          "httpcg trust show tells which; ask whoever runs the registry"}},
        {"wallet_doc",
         {"by the ledger, these are not this wallet's newest keys",
          "use the newest ones: httpcg ledger verify --did tells what the ledger has"}},
        {"owner_signature",
         {"by the ledger, these are not this wallet's newest keys",
          "use the newest ones: httpcg ledger verify --did tells what the ledger has"}},
        {"target_host",
         {"there is no such name to be taken back", "httpcg resolve shows what there is"}},
        {"record",
         {"its ledger does not log this record",
          "ask whoever runs the registry: its log says why"}},
    };
    bool is_self = strcmp(proof_of(run), "self") == 0;

    if (cl_answer_blames(answer, "proof"))
        return is_self
                   ? (struct meaning){"only a wallet's own address proves itself",
                                      "the name would have to be that of httpcg wallet show; or "
                                      "use --proof operator"}
                   : (struct meaning){"it is not under a suffix that this registry allots",
                                      "ask whoever runs the registry for its suffixes"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (cl_answer_blames(answer, faults[i].field))
            return faults[i].meaning;
    return (struct meaning){"it fails a check there", "ask whoever runs the registry: its log "
                                                      "says why"};
}

static struct meaning meaning_of(struct cl_run *run, const struct cl_answer *answer)
{
    switch (cg_refusal_of_code(cg_span_str(run->show->problem))) {
    case CG_REFUSAL_FORBIDDEN:
        return (struct meaning){
            "it is not allotted to this wallet",
            "the registry's operator allots it: PUT /registry/allow/NAME with the DID that httpcg "
            "wallet show prints, on its admin socket, or a row of registry.allow"};
    case CG_REFUSAL_CONFLICT:
        return (struct meaning){"it was changed by somebody else meanwhile",
                                "the same command again goes on from there"};
    case CG_REFUSAL_UNPROCESSABLE:
        return fault_of(run, answer);
    case CG_REFUSAL_NOT_IMPLEMENTED:
        return (struct meaning){"this registry does not do that",
                                "it knows --proof operator and --proof self, and no names of the "
                                "plane gw"};
    case CG_REFUSAL_BAD_REQUEST:
    case CG_REFUSAL_TOO_LARGE:
        return (struct meaning){"it does not understand what it was sent",
                                "is it a registry of the same version, and --registry its URL?"};
    default:
        return (struct meaning){"it does not say why",
                                "is --registry a registry's URL? its operator's log says more"};
    }
}

static int refused(struct cl_run *run, const struct cl_registration *r,
                   const struct cl_answer *answer)
{
    cg_err err = cl_answer_refused(&run->app, "registry", answer);
    char what[400];

    if (err == CG_RATE || err == CG_BUSY) {
        snprintf(what, sizeof what, "the registry does not record %s", r->name);
        return cl_fail_later(run->show, err, what);
    }
    struct meaning meaning = meaning_of(run, answer);
    return cl_fail(run->show, CL_EXIT_POLICY, CG_OK, meaning.remedy,
                   "the registry does not record %s: %s (status %d%s%s)", r->name, meaning.why,
                   answer->status, run->show->problem[0] ? ", " : "", run->show->problem);
}

static int unreachable(struct cl_run *run, const char *url, cg_err err)
{
    return cl_fail(run->show, cl_exit_of(err), err,
                   "is it running, and does a firewall let us through? httpcg doctor tells more",
                   "cannot ask the registry at %s", url);
}

static cg_err post(struct cl_run *run, const struct cl_registration *r, const char *path,
                   struct cg_span body, struct cl_answer *answer)
{
    return cl_ask(&run->app, cg_span_str(r->url), "POST", cg_span_str(path), "application/json",
                  body, answer);
}

/* --- leave
 * ---------------------------------------------------------------------------------------- */

static cg_err put_challenge(struct cl_run *run, const struct cl_registration *r,
                            struct cg_writer *w)
{
    cg_put_str(w, "{\"plane\":");
    cg_json_put_text(w, r->plane);
    cg_json_put_key(w, "authority", false);
    cg_json_put_text(w, r->authority);
    cg_put_str(w, ",\"rp_did\":\"did:bpi:");
    cg_put_str(w, run->app.wallet.waddr.text);
    cg_put_str(w, "\"}");
    return cg_writer_end(w);
}

static int read_token(struct cl_run *run, struct cg_span body, char out[static 128])
{
    struct cg_span token;
    uint64_t expires;
    const struct cg_json_member members[] = {
        {"token", CG_JSON_TEXT, .span = &token},
        {"expires", CG_JSON_UINT, .number = &expires},
    };

    if (cg_json_object(body, CG_JSON_DOCUMENT, members, 2) != CG_OK || token.len >= 128)
        return cl_fail(run->show, CL_EXIT_RECEIVE, CG_OK, "is --registry a registry's URL?",
                       "what the registry answers is none of its answers");
    snprintf(out, 128, "%.*s", (int)token.len, (const char *)token.at);
    return 0;
}

int cl_registration_begin(struct cl_run *run, struct cl_registration *r)
{
    char body[1024], room[512];
    struct cg_writer w = cg_writer_fixed(body, sizeof body);
    struct cl_answer answer = {0};
    const char *url = cl_registry_url(run, room);
    int code;

    if (!url)
        return CL_EXIT_TRUST;
    if (strlen(url) >= sizeof r->url || put_challenge(run, r, &w) != CG_OK)
        return cl_fail(run->show, CL_EXIT_URL, CG_OK, NULL, "--registry or %s is too long",
                       r->name);
    snprintf(r->url, sizeof r->url, "%s", url);
    cg_err err = post(run, r, "/challenge", cg_writer_span(&w), &answer);
    if (err != CG_OK)
        return unreachable(run, url, err);
    if (answer.status == 200)
        code = read_token(run, cg_buf_span(&answer.body), r->token);
    else
        code = refused(run, r, &answer);
    cg_buf_done(&answer.body);
    return code;
}

/* --- the record
 * ----------------------------------------------------------------------------------- */

static cg_err put_record(struct cl_run *run, const struct cl_registration *r, struct cg_writer *w)
{
    struct cg_signer *owner;
    const struct cg_record_ask ask = {
        .plane = r->plane,
        .host = r->authority,
        .target_host = r->is_tombstone ? (struct cg_span){NULL, 0} : r->authority,
        .target_port = r->is_tombstone ? 0 : 443,
        .owner = &run->app.wallet.waddr,
        .tlsls_required = true,
        .profile = cg_span_str(r->profile),
        .log_id = run->app.trust->log_ids[0],
        .issued = r->issued,
        .expires = {r->issued.s + RECORD_DAYS * DAY_S},
        .serial = r->serial,
        .ttl_s = (uint32_t)r->ttl_s,
        .gateway_dids = r->gateway_dids,
        .n_gateway_dids = r->n_gateway_dids,
        .gateways = r->gateways,
        .n_gateways = r->n_gateways,
        .target_auth = CG_LIT("webpki"),
    };

    CG_TRY(cl_wallet_signer(&run->app, &owner));
    cg_err err = cg_record_issue(owner, &ask, w);
    cg_signer_free(owner);
    return err;
}

static cg_err put_registration(struct cl_run *run, const struct cl_registration *r,
                               struct cg_buf *out)
{
    struct cg_span doc = cg_buf_span(&run->app.wallet.doc);

    cg_buf_init(out, BODY_MAX_BYTES);
    struct cg_writer w = cg_writer_into(out);
    cg_put_str(&w, "{\"record\":");
    CG_TRY(put_record(run, r, &w));
    cg_json_put_key(&w, "token", false);
    cg_json_put_text(&w, cg_span_str(r->token));
    cg_put_str(&w, ",\"proof\":{\"type\":");
    cg_json_put_text(&w, cg_span_str(proof_of(run)));
    cg_put_str(&w, "},\"wallet_doc\":\"");
    uint8_t *room = cg_put_room(&w, cg_base64_chars(CG_BASE64, doc.len));
    if (room)
        cg_base64_write(CG_BASE64, doc, (char *)room);
    cg_put_str(&w, "\"}");
    return cg_writer_end(&w);
}

/* Whether the name's record is the one we sent, whatever the answer to it was. */
static bool is_recorded(struct cl_run *run, const struct cl_registration *r)
{
    struct cl_resolved resolved = {0};
    cg_err err = cl_resolve(&run->app, r->plane, r->authority, &resolved);
    const struct cg_record *record = &resolved.result.record;
    bool is_ours = (err == CG_OK || err == CG_NOT_FOUND) && resolved.result.has_record &&
                   record->serial == r->serial && record->issued.s == r->issued.s &&
                   cg_waddr_eq(&record->owner, &run->app.wallet.waddr);

    cl_resolved_done(&resolved);
    return is_ours;
}

/* No answer, or one that does not say what became of it: what was proposed the registry may still
 * take to the ledger. */
static bool turns_up(struct cl_run *run, const struct cl_registration *r)
{
    const bool never = false;

    for (int i = 0; i < LOOKS; i++) {
        if (cl_app_wait(&run->app, &never, LOOK_MS) == CG_CANCELLED)
            return false;
        if (is_recorded(run, r))
            return true;
    }
    return false;
}

static bool is_open_ended(cg_err err, int status)
{
    if (err != CG_OK)
        return err != CG_UNREACHABLE; /* then nothing was sent */
    return status >= 500 && status != 501;
}

static int send(struct cl_run *run, struct cl_registration *r, struct cg_span body)
{
    struct cl_answer answer = {0};
    cg_err err = post(run, r, "/register", body, &answer);
    bool is_open = is_open_ended(err, answer.status);
    int code = 0;

    if (is_open && turns_up(run, r)) {
        cg_buf_done(&answer.body);
        return 0;
    }
    if (err != CG_OK)
        code = unreachable(run, r->url, err);
    else if (answer.status != 200)
        code = refused(run, r, &answer);
    if (is_open)
        cl_fail_more(run->show, "whether it will be recorded all the same is not certain: httpcg "
                                "resolve tells, and the same command again does no harm");
    cg_buf_done(&answer.body);
    return code;
}

int cl_registration_send(struct cl_run *run, struct cl_registration *r)
{
    struct cg_buf body = {0};

    r->issued = cg_clock_wall();
    cg_err err = put_registration(run, r, &body);
    int code = err == CG_OK ? send(run, r, cg_buf_span(&body))
                            : cl_fail(run->show, CL_EXIT_USAGE, err,
                                      "gateways are host:port, profiles a-z, 0-9 and '-'",
                                      "cannot make the record");
    cg_buf_done(&body);
    if (code == 0) {
        cl_say(run->show, "%s %s, serial %" PRIu64, r->is_tombstone ? "gone    " : "recorded",
               r->name, r->serial);
        cl_add(run->show, "serial", json_integer((json_int_t)r->serial));
    }
    return code;
}
