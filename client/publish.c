/* publish.c: httpcg publish, unpublish: a name for a service, and the way to it.
 *
 *   profile    who may do what: the one that is there, or the default, signed and logged
 *   record     the name, its owner and its gateways, signed by the owner, confirmed by the registry
 *   route      the private address of the backend, in the gateway's configuration and nowhere else
 *
 * The record's target is the name itself: nothing about the backend becomes public. */
#include "client/admin.h"
#include "client/policy.h"
#include "client/submit.h"
#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/staple.h"
#include "lib/wire/json.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"
#include "runtime/file.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_DAYS 30
#define DAY_S 86400
#define BODY_MAX_BYTES (256 * 1024)
#define USUAL_ADMIN "/run/httpcg/admin.sock"

struct publication {
    struct cg_span plane, authority;
    const char *name, *profile;
    bool is_tombstone;
    uint64_t serial, ttl_s;
    struct cg_waddr gateway_dids[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateway_dids;
    struct cg_span gateways[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateways;
};

static int read_name(struct cl_run *run, struct publication *p)
{
    p->name = run->words[0];
    struct cg_span name = cg_span_str(p->name);
    size_t slash = cg_span_find(name, '/');

    if (cg_url_check_name(name) != CG_OK)
        return cl_fail(run->show, CL_EXIT_URL, CG_OK,
                       "a name is plane/authority in lower case, "
                       "such as app/shop.example",
                       "%s is no name", p->name);
    p->plane = cg_span_first(name, slash);
    p->authority = cg_span_from(name, slash + 1);
    return 0;
}

static int read_gateways(struct cl_run *run, struct publication *p)
{
    const char *text;
    size_t at = 0;

    while ((text = cl_next(run->args, CL_GATEWAY, &at)) != NULL) {
        if (p->n_gateways == CG_RECORD_GATEWAYS_MAX)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "too many --gateway");
        p->gateways[p->n_gateways++] = cg_span_str(text);
    }
    if (p->n_gateways == 0)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "--gateway HOST:PORT is missing: where clients find the gateway");
    at = 0;
    while ((text = cl_next(run->args, CL_GATEWAY_DID, &at)) != NULL) {
        if (p->n_gateway_dids == CG_RECORD_GATEWAYS_MAX ||
            cg_did_read(cg_span_str(text), &p->gateway_dids[p->n_gateway_dids]) != CG_OK)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--gateway-did %s: no DID", text);
        p->n_gateway_dids++;
    }
    if (p->n_gateway_dids == 0)
        p->gateway_dids[p->n_gateway_dids++] = run->app.wallet.waddr;
    return 0;
}

static int read_options(struct cl_run *run, struct publication *p)
{
    const char *profile = cl_text(run->args, CL_PROFILE), *ttl = cl_text(run->args, CL_TTL);

    p->profile = profile ? profile : "web-default";
    p->ttl_s = 300;
    if (ttl && cl_number(ttl, 1, CG_RECORD_MAX_TTL_S, &p->ttl_s) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--ttl %s: 1 to %d", ttl,
                       CG_RECORD_MAX_TTL_S);
    return p->is_tombstone ? 0 : read_gateways(run, p);
}

/* --- the profile
 * ---------------------------------------------------------------------------------- */

static int has_profile(struct cl_run *run, const struct publication *p, bool *out)
{
    char room[512], path[256];
    const char *url = cl_ledger_url(run, room);
    struct cl_answer answer;

    if (!url)
        return CL_EXIT_TRUST;
    int n = snprintf(path, sizeof path, "/state?kind=policy&id=did:bpi:%s/%s",
                     run->app.wallet.waddr.text, p->profile);
    cg_err err = cl_ask(&run->app, cg_span_str(url), "GET", cg_span_of(path, (size_t)n), NULL,
                        (struct cg_span){NULL, 0}, &answer);
    if (err != CG_OK)
        return cl_fail(run->show, cl_exit_of(err), err, "is the ledger running?",
                       "cannot ask the ledger at %s", url);
    /* Only a guess, for which nothing has to be proved: the gateway verifies what it is told. An
     * absent key's answer has empty members, and is short. */
    *out = answer.status == 200 && answer.body.len > 0;
    struct cg_cbor r = cg_cbor_of(cg_buf_span(&answer.body));
    if (*out && cg_cbor_peek(&r) == CG_CBOR_MAP) {
        cg_cbor_map(&r, 1, 8);
        cg_cbor_key(&r, "entry");
        *out = cg_cbor_bytes(&r, CG_ENTRY_MAX_BYTES).len > 0;
    }
    cg_buf_done(&answer.body);
    return 0;
}

static int make_profile(struct cl_run *run, const struct publication *p)
{
    struct cg_buf json = {0}, document = {0};
    bool is_there = false;
    int code = has_profile(run, p, &is_there);

    if (code != 0 || is_there)
        return code;
    if (cl_policy_default("rbac", p->profile, &run->app.wallet.waddr, &json) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--profile %s", p->profile);
    if (code == 0)
        code = cl_policy_sign(run, "the default profile", cg_buf_span(&json), &document);
    if (code == 0)
        code = cl_submit(run, "the default profile", cg_buf_span(&document));
    cg_buf_done(&json);
    cg_buf_done(&document);
    return code;
}

/* --- the record
 * ------------------------------------------------------------------------------------ */

/* The serial after the newest one: also after a tombstone. */
static int next_serial(struct cl_run *run, struct publication *p)
{
    struct cl_resolved resolved = {0};
    cg_err err = cl_resolve(&run->app, p->plane, p->authority, &resolved);

    p->serial = 1;
    if (err != CG_OK && err != CG_NOT_FOUND)
        return cl_fail(run->show, CL_EXIT_RECORD, err, NULL, "cannot look %s up", p->name);
    if (resolved.result.has_record)
        p->serial = resolved.result.record.serial + 1;
    cl_resolved_done(&resolved);
    return 0;
}

static int post(struct cl_run *run, const char *url, const char *path, struct cg_span body,
                struct cl_answer *answer)
{
    cg_err err = cl_ask(&run->app, cg_span_str(url), "POST", cg_span_str(path), "application/json",
                        body, answer);

    if (err != CG_OK)
        return cl_fail(run->show, cl_exit_of(err), err, "is the registry running?",
                       "cannot ask the registry at %s", url);
    if (answer->status == 200)
        return 0;
    cl_show_refusal(run->show, "registry", answer->status, cg_buf_span(&answer->body));
    cg_buf_done(&answer->body);
    return cl_fail(run->show, CL_EXIT_POLICY, CG_OK,
                   "a name under the operator's own suffix needs its allowance, any other a proof",
                   "the registry refuses");
}

static cg_err put_challenge(struct cl_run *run, const struct publication *p, struct cg_writer *w)
{
    cg_put_str(w, "{\"plane\":");
    cg_json_put_text(w, p->plane);
    cg_json_put_key(w, "authority", false);
    cg_json_put_text(w, p->authority);
    cg_put_str(w, ",\"rp_did\":\"did:bpi:");
    cg_put_str(w, run->app.wallet.waddr.text);
    cg_put_str(w, "\"}");
    return cg_writer_end(w);
}

static int get_token(struct cl_run *run, const struct publication *p, const char *url,
                     char out[static 128])
{
    char body[1024];
    struct cg_writer w = cg_writer_fixed(body, sizeof body);
    struct cl_answer answer = {0};
    struct cg_span token;
    uint64_t expires;
    const struct cg_json_member members[] = {
        {"token", CG_JSON_TEXT, .span = &token},
        {"expires", CG_JSON_UINT, .number = &expires},
    };

    if (put_challenge(run, p, &w) != CG_OK)
        return cl_fail(run->show, CL_EXIT_URL, CG_OK, NULL, "%s", p->name);
    int code = post(run, url, "/challenge", cg_writer_span(&w), &answer);
    if (code != 0)
        return code;
    if (cg_json_object(cg_buf_span(&answer.body), CG_JSON_DOCUMENT, members, 2) != CG_OK ||
        token.len >= 128)
        code = cl_fail(run->show, CL_EXIT_RECEIVE, CG_SYNTAX, NULL, "the registry's challenge");
    else
        snprintf(out, 128, "%.*s", (int)token.len, (const char *)token.at);
    cg_buf_done(&answer.body);
    return code;
}

static cg_err put_record(struct cl_run *run, const struct publication *p, struct cg_writer *w)
{
    struct cg_wall now = cg_clock_wall();
    struct cg_signer *owner;
    const struct cg_record_ask ask = {
        .plane = p->plane,
        .host = p->authority,
        .target_host = p->is_tombstone ? (struct cg_span){NULL, 0} : p->authority,
        .target_port = p->is_tombstone ? 0 : 443,
        .owner = &run->app.wallet.waddr,
        .tlsls_required = true,
        .profile = cg_span_str(p->profile),
        .log_id = run->app.trust->log_ids[0],
        .issued = now,
        .expires = {now.s + RECORD_DAYS * DAY_S},
        .serial = p->serial,
        .ttl_s = (uint32_t)p->ttl_s,
        .gateway_dids = p->gateway_dids,
        .n_gateway_dids = p->n_gateway_dids,
        .gateways = p->gateways,
        .n_gateways = p->n_gateways,
        .target_auth = CG_LIT("webpki"),
    };

    CG_TRY(cg_wallet_signer(run->app.crypto, cg_locked_get(run->app.wallet.seed), &owner));
    cg_err err = cg_record_issue(owner, &ask, w);
    cg_signer_free(owner);
    return err;
}

static cg_err put_registration(struct cl_run *run, const struct publication *p, const char *token,
                               struct cg_buf *out)
{
    const char *proof = cl_text(run->args, CL_PROOF);
    struct cg_span doc = cg_buf_span(&run->app.wallet.doc);

    cg_buf_init(out, BODY_MAX_BYTES);
    struct cg_writer w = cg_writer_into(out);
    cg_put_str(&w, "{\"record\":");
    CG_TRY(put_record(run, p, &w));
    cg_json_put_key(&w, "token", false);
    cg_json_put_text(&w, cg_span_str(token));
    cg_put_str(&w, ",\"proof\":{\"type\":");
    cg_json_put_text(&w, cg_span_str(proof ? proof : "operator"));
    cg_put_str(&w, "},\"wallet_doc\":\"");
    uint8_t *room = cg_put_room(&w, cg_base64_chars(CG_BASE64, doc.len));
    if (room)
        cg_base64_write(CG_BASE64, doc, (char *)room);
    cg_put_str(&w, "\"}");
    return cg_writer_end(&w);
}

static int register_record(struct cl_run *run, struct publication *p)
{
    char room[512], token[128];
    const char *url = cl_registry_url(run, room);
    struct cg_buf body = {0};
    struct cl_answer answer = {0};
    int code = url ? next_serial(run, p) : CL_EXIT_TRUST;

    if (code == 0)
        code = get_token(run, p, url, token);
    if (code == 0) {
        cg_err err = put_registration(run, p, token, &body);

        if (err != CG_OK)
            code = cl_fail(run->show, CL_EXIT_USAGE, err,
                           "gateways are host:port, profiles a-z, 0-9 and '-'",
                           "cannot make the record");
    }
    if (code == 0)
        code = post(run, url, "/register", cg_buf_span(&body), &answer);
    cg_buf_done(&answer.body);
    cg_buf_done(&body);
    if (code == 0) {
        cl_say(run->show, "%s %s, serial %llu", p->is_tombstone ? "removed " : "recorded", p->name,
               (unsigned long long)p->serial);
        cl_add(run->show, "serial", json_integer((json_int_t)p->serial));
    }
    return code;
}

/* --- the route
 * --------------------------------------------------------------------------------------- */

static const char *admin_socket(struct cl_run *run)
{
    const char *given = cl_text(run->args, CL_ADMIN), *usual = getenv("HTTPCG_ADMIN_SOCKET");

    return given ? given : usual && usual[0] ? usual : USUAL_ADMIN;
}

/* "app/shop.example" is written in the file "app-shop.example". */
static void route_path(const struct publication *p, char out[static 320])
{
    int n = snprintf(out, 320, "/routes/%s", p->name);

    for (int i = 8; i < n; i++)
        if (out[i] == '/')
            out[i] = '-';
}

/* The secret of gateway and backend: the file's, or a fresh one that is put there. */
static int get_secret(struct cl_run *run, char out[static 65])
{
    const char *path = cl_text(run->args, CL_SECRET_FILE);
    struct cg_secret secret;
    struct cg_buf file = {0};
    int code = 0;

    if (path && cg_file_read_secret(path, 128, &file) == CG_OK) {
        struct cg_span text = cg_buf_span(&file);

        while (text.len > 0 && text.at[text.len - 1] <= ' ')
            text.len--;
        if (cg_hex_read(text, secret.bytes, sizeof secret.bytes) != CG_OK)
            code = cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL,
                           "%s does not hold 64 hexadecimal digits", path);
    } else if (cg_entropy_fill(secret.bytes, sizeof secret.bytes) != CG_OK) {
        code = cl_fail(run->show, CL_EXIT_KEY, CG_IO, NULL, "no random bytes");
    } else if (path) {
        cg_hex_write(CG_BYTES(secret.bytes), out);
        code = cl_write_new(run, path, cg_span_of(out, 64));
    }
    if (code == 0) {
        cg_hex_write(CG_BYTES(secret.bytes), out);
        out[64] = '\0';
    }
    cg_buf_wipe(&file);
    cg_secret_done(&secret);
    return code;
}

static int put_route(struct cl_run *run, const struct publication *p, const char *backend)
{
    char path[320], secret[65], body[2048];
    const char *socket = admin_socket(run), *key_id = cl_text(run->args, CL_KEY_ID);
    struct cl_answer answer = {0};
    int code = get_secret(run, secret);

    if (code != 0)
        return code;
    route_path(p, path);
    int n = snprintf(body, sizeof body, "name: %s\nbackend: %s\nsecret: %s\nkey_id: %s\n", p->name,
                     backend, secret, key_id ? key_id : "gateway");
    cg_err err =
        n < 0 || (size_t)n >= sizeof body
            ? CG_TOO_LARGE
            : cl_admin_ask(&run->app, socket, "PUT", path, cg_span_of(body, (size_t)n), &answer);
    cg_wipe(body, sizeof body);
    if (err != CG_OK)
        code = cl_fail(run->show, cl_exit_of(err), err,
                       "run this where the gateway runs, as its user; --admin-socket names it",
                       "cannot reach the gateway's admin socket %s", socket);
    else if (answer.status / 100 != 2)
        code =
            cl_fail(run->show, CL_EXIT_POLICY, CG_OK, NULL, "the gateway refuses the route: %.*s",
                    (int)answer.body.len, (const char *)answer.body.at);
    if (code == 0 && cl_text(run->args, CL_SECRET_FILE))
        cl_say(run->show, "secret   %s: the backend verifies the gateway's signatures with it",
               cl_text(run->args, CL_SECRET_FILE));
    else if (code == 0)
        cl_say(run->show, "secret   %s", secret);
    cg_wipe(secret, sizeof secret);
    cg_buf_done(&answer.body);
    return code;
}

static int drop_route(struct cl_run *run, const struct publication *p)
{
    char path[320];
    struct cl_answer answer = {0};

    route_path(p, path);
    cg_err err = cl_admin_ask(&run->app, admin_socket(run), "DELETE", path,
                              (struct cg_span){NULL, 0}, &answer);
    if (err != CG_OK || (answer.status / 100 != 2 && answer.status != 404))
        cl_show_warn(run->show, "the gateway's route stays: its admin socket does not answer");
    cg_buf_done(&answer.body);
    return 0;
}

/* --- the commands
 * ------------------------------------------------------------------------------------ */

static int open_all(struct cl_run *run, struct publication *p)
{
    int code = cl_run_trust(run);

    if (code == 0)
        code = read_name(run, p);
    if (code == 0)
        code = cl_wallet_open(run);
    return code == 0 ? read_options(run, p) : code;
}

int cl_run_publish(struct cl_run *run)
{
    struct publication p = {0};
    int code = open_all(run, &p);

    if (code == 0)
        code = cl_submit(run, "the wallet's document", cg_buf_span(&run->app.wallet.doc));
    if (code == 0)
        code = make_profile(run, &p);
    /* The route first: a name is not shown before somebody is behind it. */
    if (code == 0 && run->n_words > 1)
        code = put_route(run, &p, run->words[1]);
    if (code == 0)
        code = register_record(run, &p);
    if (code == 0)
        cl_say(run->show, "\nhttpcg://%s/ is published", p.name);
    return code;
}

int cl_run_unpublish(struct cl_run *run)
{
    struct publication p = {.is_tombstone = true};
    int code = open_all(run, &p);

    if (code == 0)
        code = register_record(run, &p);
    return code == 0 ? drop_route(run, &p) : code;
}
