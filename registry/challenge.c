/* POST /challenge: a token that a registration has to come with. It costs the asker a round trip
 * and is good once, for one name and one DID, so that whatever registration costs us is not
 * repeated at will; proofs of ownership that are published elsewhere will show it. */
#include "registry/inner.h"

#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/hash.h"
#include "lib/wire/json.h"
#include "runtime/entropy.h"

#include <httpcg/identity.h>
#include <httpcg/url.h>

#include <stdlib.h>

#define TOKEN_CHARS 43 /* 32 bytes in base64url */

struct put_job {
    struct rg_store_job job;
    struct cg_stored_challenge challenge;
    struct cg_wall now;
    size_t n_max;
    char name[RG_NAME_MAX_BYTES];
    char did[CG_DID_CHARS + 1];
};

struct asked {
    struct cg_pending pending;
    char token[TOKEN_CHARS];
    struct cg_wall expires;
};

static cg_err run(struct rg_store_job *job, struct cg_store *store)
{
    struct put_job *put = (struct put_job *)job;

    return cg_store_challenge_put(store, &put->challenge, put->now, put->n_max);
}

static void free_job(struct rg_store_job *job)
{
    free(job);
}

static void refuse_rate(struct cg_reply *out)
{
    cg_reply_field(out, CG_TOKEN_RETRY_AFTER, CG_LIT("60"));
    cg_reply_refuse(out, CG_REFUSAL_RATE_LIMITED, NULL);
}

static void on_call(struct cg_pending *pending, struct cg_call *call)
{
    struct asked *asked = (struct asked *)pending;
    uint8_t body[128];
    struct cg_writer w = cg_writer_fixed(body, sizeof body);

    if (call->err == CG_RATE) {
        refuse_rate(cg_pending_close(pending));
        return;
    }
    if (call->err != CG_OK) {
        cg_pending_refuse(pending, call->err);
        return;
    }
    struct cg_reply *out = cg_pending_close(pending);
    cg_put_str(&w, "{\"token\":");
    cg_json_put_text(&w, cg_span_of(asked->token, TOKEN_CHARS));
    cg_put_str(&w, ",\"expires\":");
    cg_put_decimal(&w, (uint64_t)asked->expires.s);
    cg_put_str(&w, "}\n");
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store"));
    cg_reply_add(out, cg_writer_span(&w));
    cg_reply_send(out, 200, "application/json");
}

/* Reads what is asked for into the job. */
static cg_err read_ask(struct cg_span body, struct put_job *put)
{
    struct cg_span plane, authority, did;
    struct cg_waddr waddr;
    const struct cg_json_member members[] = {
        {"plane", CG_JSON_TEXT, .span = &plane},
        {"authority", CG_JSON_TEXT, .span = &authority},
        {"rp_did", CG_JSON_TEXT, .span = &did},
    };
    struct cg_writer w = cg_writer_fixed(put->name, sizeof put->name);

    CG_TRY(cg_json_object(body, CG_JSON_DOCUMENT, members, 3));
    CG_TRY(cg_did_read(did, &waddr));
    cg_did_write(&waddr, put->did);
    cg_put(&w, plane);
    cg_put_str(&w, "/");
    cg_put(&w, authority);
    CG_TRY(cg_writer_end(&w));
    put->challenge.name = cg_writer_span(&w);
    put->challenge.did = cg_span_str(put->did);
    return cg_url_check_name(put->challenge.name);
}

/* The token goes to the asker alone; we keep its hash. */
static cg_err make_token(struct asked *asked, struct put_job *put)
{
    uint8_t token[RG_TOKEN_BYTES];

    CG_TRY(cg_entropy_fill(token, sizeof token));
    cg_base64_write(CG_BASE64URL, CG_BYTES(token), asked->token);
    return cg_sha256(CG_BYTES(token), &put->challenge.token);
}

static cg_err begin(struct asked *asked, struct put_job *put)
{
    struct rg_registry *registry = rg_of(&asked->pending);
    const struct rg_options *options = registry->setup.options;

    cg_err err = make_token(asked, put);
    if (err != CG_OK) {
        free(put);
        return err;
    }
    put->now = cg_loop_wall(registry->setup.loop);
    put->n_max = (size_t)options->challenges;
    put->challenge.expires.s = put->now.s + options->challenge_ms / 1000;
    asked->expires = put->challenge.expires;
    return rg_store_begin(registry, &put->job, cg_pending_ticket(&asked->pending), 0);
}

static bool is_within_budget(struct rg_registry *registry, const struct cg_message *in)
{
    int64_t per_min = registry->setup.options->challenges_per_min;

    if (per_min == 0 || in->peer->is_local_role || cg_address_is_loopback(&in->peer->at))
        return true;
    /* per_min tokens a second, and 60 of them a challenge. */
    return cg_bucket_take(&registry->askers, cg_address_ip(&in->peer->at), per_min, 60 * per_min,
                          60, cg_loop_mono(registry->setup.loop));
}

void rg_challenge(const struct cg_message *in, struct cg_reply *out)
{
    struct rg_registry *registry = in->role;

    if (!is_within_budget(registry, in)) {
        refuse_rate(out);
        return;
    }
    struct put_job *put = calloc(1, sizeof *put);
    struct asked *asked;

    if (put && read_ask(in->body, put) != CG_OK) {
        free(put);
        cg_reply_refuse(out, CG_REFUSAL_BAD_REQUEST, NULL);
        return;
    }
    asked = cg_pending_open(&registry->pending, out, sizeof *asked, on_call);
    if (!asked) {
        free(put);
        return;
    }
    if (put)
        put->job = (struct rg_store_job){.run = run, .free = free_job};
    cg_err err = put ? begin(asked, put) : CG_NO_MEMORY;
    if (err != CG_OK)
        cg_pending_refuse(&asked->pending, err);
}
