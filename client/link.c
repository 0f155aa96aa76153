#include "client/link.h"

#include "client/floor.h"
#include "client/show.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/staple.h"
#include "lib/url/target.h"
#include "runtime/entropy.h"

#include <stdlib.h>

#define DEFAULT_EPOCHS 10
/* The longest that we wait by ourselves for a gateway that asks us to. */
#define WAIT_MAX_S 3

static void settle(struct cl_link *link, cg_err err)
{
    if (link->state == CL_FAILED || (link->state == CL_READY && err == CG_OK))
        return;
    link->failed_at = link->state;
    link->state = err == CG_OK ? CL_READY : CL_FAILED;
    link->ready = cg_loop_mono(link->app->loop);
    link->ask.on_done(link, err);
    cl_app_wake(link->app);
}

/* --- the certificate ---------------------------------------------------------------------------
 */

static cg_err check_staple(struct cl_link *link, const struct cg_did_state *did)
{
    struct cl_app *app = link->app;
    const struct cg_ledger_view view = {
        .logs = app->trust->logs,
        .n_logs = app->trust->n_logs,
        .seen = app->heads,
        .now = cg_loop_wall(app->loop),
    };
    struct cg_staple_facts facts = {0};
    cg_err err = cg_staple_verify_cert(link->cert.staple, &view, &link->cert, did, &facts);

    CG_TRY(cl_show_check(app->show, "is logged, not revoked, of its DID's newest keys", err,
                         err == CG_OK ? NULL : cg_staple_step_text(facts.failed)));
    if (facts.checkpoint.is_unwitnessed)
        cl_app_say_unwitnessed(app);
    return cl_app_remember(app, facts.log, &facts.head);
}

static cg_err check_certificate(struct cl_link *link)
{
    struct cl_app *app = link->app;
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(link->conn));
    struct cg_span announced = cg_tls_reference(tls);
    struct cg_cert_checks checks = {0};
    struct cg_did_state did;
    struct cg_hash spki;
    struct cg_cert_ref ref, own;

    CG_TRY(cg_tls_peer_spki(tls, &spki));
    CG_TRY(cl_show_check(app->show, "the gateway's certificate is well-formed",
                         cg_cert_read(cg_buf_span(&link->document), &link->cert), NULL));
    /* The reference in the handshake must be this certificate's: it is what QLOCK binds to. */
    if (announced.len == 0)
        return cl_show_check(app->show, "announces a certificate in the handshake", CG_MISMATCH,
                             NULL);
    CG_TRY(cl_show_check(app->show, "announces a certificate in the handshake",
                         cg_cert_ref_read(announced, &ref), NULL));
    cg_cert_ref_of(&link->cert, &own);
    CG_TRY(cl_show_check(app->show, "is the one announced",
                         cg_cert_ref_eq(&ref, &own) ? CG_OK : CG_MISMATCH, NULL));
    const struct cg_cert_expect expect = {
        .now = cg_loop_wall(app->loop),
        .role = CG_ROLE_GATEWAY,
        .leaf_spki = &spki,
        .name = cg_span_str(link->host),
        .subjects = link->ask.gateway_dids,
        .n_subjects = link->ask.n_gateway_dids,
        .logs = app->trust->log_ids,
        .n_logs = app->trust->n_logs,
    };
    cg_err err = cg_cert_verify(app->crypto, &link->cert, &expect, &checks, &did);
    for (int i = 0; i < CG_CERT_STEP_COUNT; i++)
        if (checks.verdict[i] == CG_PASSED || checks.verdict[i] == CG_FAILED)
            cl_show_check(app->show, cg_cert_step_text((enum cg_cert_step)i),
                          checks.verdict[i] == CG_PASSED ? CG_OK : err, NULL);
    CG_TRY(err);
    CG_TRY(check_staple(link, &did));
    return cg_verifier_new(app->crypto, &link->cert.transport, &link->transport);
}

/* --- asking the gateway's own resources ------------------------------------------------------- */

/* A wallet's document may be longer than there is room at once. */
static cg_err send_rest(struct cl_link *link)
{
    size_t taken;

    if (link->unsent.len == 0)
        return CG_OK;
    CG_TRY(cg_exchange_send(link->x, link->unsent, &taken));
    link->unsent = cg_span_from(link->unsent, taken);
    return link->unsent.len == 0 ? cg_exchange_end(link->x, NULL) : CG_OK;
}

static cg_err ask(struct cl_link *link, const char *method, const char *path, const char *type,
                  struct cg_span body)
{
    CG_AUTO(arena) struct cg_arena arena = {0};
    struct cg_head head;

    cg_arena_init(&arena, 16384);
    cg_head_init(&head, &arena);
    head.method = cg_span_str(method);
    head.scheme = CG_LIT("https");
    head.authority = cg_span_str(link->host);
    head.path = cg_span_str(path);
    if (type) {
        CG_TRY(cg_head_add(&head, CG_TOKEN_CONTENT_TYPE, cg_span_str(type)));
        head.content_length = (int64_t)body.len;
    }
    CG_TRY(cg_engine_begin(cg_conn_engine(link->conn), &head, !type, &link->x));
    link->x->owner = link;
    cg_buf_clear(&link->body);
    link->unsent = body;
    CG_TRY(send_rest(link));
    cg_conn_wake(link->conn);
    return CG_OK;
}

static cg_err ask_grant(struct cl_link *link)
{
    struct cl_app *app = link->app;
    struct cg_span creds[CG_GRANT_CREDS_MAX];
    struct cg_native_grant_ask grant = {
        .wallet = app->wallet.waddr,
        .scope = link->ask.scope,
        .n_scope = link->ask.n_scope,
        .modes = CG_MODES_LISTED,
        .epochs = app->epochs ? app->epochs : DEFAULT_EPOCHS,
        .creds = creds,
        .n_creds = app->n_creds,
    };
    uint8_t signature[CG_HSIG_BYTES];

    for (size_t i = 0; i < app->n_creds; i++)
        creds[i] = cg_buf_span(&app->creds[i]);
    CG_TRY(cg_entropy_fill(grant.session_seed.bytes, sizeof grant.session_seed.bytes));
    CG_TRY(cg_entropy_fill(grant.nonce, sizeof grant.nonce));
    if (link->has_pending)
        cg_native_pending_done(&link->pending);
    link->has_pending = false;
    cg_err err = cg_native_grant_make(&link->native, app->kit, &grant, cg_loop_wall(app->loop),
                                      &link->pending);
    cg_secret_done(&grant.session_seed);
    CG_TRY(err);
    link->has_pending = true;
    struct cg_signer *signer;
    CG_TRY(cl_wallet_signer(app, &signer));
    err = cg_grant_sign(signer, cg_buf_span(&link->pending.grant), signature);
    cg_signer_free(signer);
    CG_TRY(err);
    const struct cg_grant_body whole = {cg_buf_span(&link->pending.grant),
                                        cg_buf_span(&app->wallet.doc), CG_BYTES(signature)};
    cg_buf_clear(&link->grant);
    CG_TRY(cg_grant_body_write(&whole, &link->grant));
    link->state = CL_GRANT;
    app->show->step = "signed";
    return ask(link, "POST", CG_CONTROL_PREFIX "grant", CG_GRANT_MEDIA_TYPE,
               cg_buf_span(&link->grant));
}

/* A clock-skew answer tells the gateway's time: believed once, for this connection only. */
static bool may_correct_clock(struct cl_link *link)
{
    struct cl_app *app = link->app;

    return !link->did_correct && app->show->server_time > 0 &&
           cg_native_learn_time(&link->native, app->show->server_time, cg_loop_wall(app->loop)) ==
               CG_OK;
}

static void on_again(struct cg_timer *timer)
{
    struct cl_link *link = (struct cl_link *)((char *)timer - offsetof(struct cl_link, again));
    cg_err err = link->conn ? ask_grant(link) : CG_CLOSED;

    link->waits_for = CG_OK;
    if (err != CG_OK)
        settle(link, err);
}

/* A grant that is to be renewed holds for some minutes more. */
static bool has_another(struct cl_link *link)
{
    return link->native.has_grant &&
           cg_native_state_at(&link->native, cg_loop_wall(link->app->loop)) == CG_NATIVE_RENEW;
}

/* A grant is as good with another nonce, on the same connection: nothing was done with the one that
 * was refused, and no request was sent yet. */
static cg_err refused_grant(struct cl_link *link, const struct cl_refused *refused)
{
    struct cl_app *app = link->app;
    cg_err err = cl_show_learn(app->show, refused);
    bool is_later = err == CG_RATE || err == CG_BUSY;
    char note[64];

    if (err == CG_SKEW && may_correct_clock(link)) {
        link->did_correct = true;
        cl_show_note(app->show, "this machine's clock differs from the gateway's; once more");
        return ask_grant(link);
    }
    if (is_later && !link->did_wait && refused->retry_after_s >= 0 &&
        refused->retry_after_s <= WAIT_MAX_S) {
        link->did_wait = true;
        link->waits_for = err;
        snprintf(note, sizeof note, "not now, says the gateway; once more in %d s",
                 (int)refused->retry_after_s);
        cl_show_note(app->show, note);
        cg_loop_set(app->loop, &link->again,
                    cg_mono_after(cg_loop_mono(app->loop), refused->retry_after_s * 1000));
        return CG_OK;
    }
    if (is_later && has_another(link)) {
        cl_show_note(app->show, "the grant cannot be renewed now; the old one still holds");
        settle(link, CG_OK);
        return CG_OK;
    }
    return cl_show_refusal(app->show, "the gateway takes the wallet's grant", refused);
}

static cg_err granted(struct cl_link *link, const struct cl_refused *answer)
{
    struct cl_app *app = link->app;
    struct cg_fault fault = {0};

    if (answer->status != 200)
        return refused_grant(link, answer);
    cg_err err = cg_native_grant_accept(
        &link->native, app->kit, &link->pending, cg_buf_span(&link->body), link->transport,
        &link->cert.subject, cg_loop_wall(app->loop), &link->answer, &fault);
    CG_TRY(cl_show_check(app->show, "the gateway proves that this connection is its own", err,
                         err == CG_OK ? NULL : fault.check));
    settle(link, CG_OK);
    return CG_OK;
}

/* The gateway is who it says: now, and not before, the wallet shows itself. */
static cg_err enter(struct cl_link *link)
{
    if (link->ask.is_anonymous) {
        settle(link, CG_OK);
        return CG_OK;
    }
    return ask_grant(link);
}

static cg_err ask_policy(struct cl_link *link)
{
    char path[sizeof CG_CONTROL_PREFIX "policy/" + 2 * CG_HASH_BYTES] = CG_CONTROL_PREFIX "policy/";

    cg_hex_write(cg_hash_span(&link->cert.policy_hash), path + strlen(path));
    link->state = CL_FLOOR;
    return ask(link, "GET", path, NULL, (struct cg_span){NULL, 0});
}

static cg_err promised(struct cl_link *link, const struct cl_refused *answer)
{
    struct cl_app *app = link->app;
    const char *why;

    if (answer->status != 200)
        return cl_show_refusal(app->show, "the gateway shows its policy", answer);
    cg_err err =
        cl_floor_check(app->trust, &link->cert.policy_hash, cg_buf_span(&link->body), &why);
    CG_TRY(cl_show_check(app->show, "its policy promises what the trust file asks for", err, why));
    return enter(link);
}

static cg_err certified(struct cl_link *link, const struct cl_refused *answer)
{
    struct cl_app *app = link->app;
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(link->conn));
    struct cg_secret exporter;
    struct cg_hash spki;

    if (answer->status != 200)
        return cl_show_refusal(app->show, "the gateway shows its certificate", answer);
    link->document = link->body;
    cg_buf_init(&link->body, CG_CERT_MAX_BYTES);
    CG_TRY(check_certificate(link));
    CG_TRY(cg_tls_export(tls, CG_EXPORTER_LABEL, &exporter));
    CG_TRY(cg_tls_peer_spki(tls, &spki));
    cg_err err = cg_native_init(&link->native, app->kit, &exporter, &spki, &link->cert.fingerprint);
    cg_secret_done(&exporter);
    CG_TRY(err);
    link->has_native = true;
    return cl_floor_is_set(link->app->trust) ? ask_policy(link) : enter(link);
}

static cg_err answered(struct cl_link *link, struct cg_exchange *x, unsigned what)
{
    if ((what & CG_X_RESET) != 0)
        return x->fault != CG_OK ? x->fault : CG_CLOSED;
    if ((what & CG_X_ROOM) != 0)
        CG_TRY(send_rest(link));
    for (struct cg_span bytes = cg_exchange_peek(x); bytes.len > 0; bytes = cg_exchange_peek(x)) {
        CG_TRY(cg_buf_add(&link->body, bytes));
        cg_exchange_take(x, bytes.len);
    }
    if (!cg_exchange_is_read(x))
        return CG_OK;
    const struct cl_refused answer = {x->in.status, cl_retry_after(&x->in),
                                      cg_buf_span(&link->body)};
    cg_exchange_release(x);
    link->x = NULL;
    switch (link->state) {
    case CL_TLSLS:
        return certified(link, &answer);
    case CL_FLOOR:
        return promised(link, &answer);
    default:
        return granted(link, &answer);
    }
}

/* --- the connection ------------------------------------------------------------------------------
 */

static void on_open(struct cg_conn *conn)
{
    struct cl_link *link = cg_conn_owner(conn);
    struct cg_tls *tls = cg_stack_tls(cg_conn_engine(conn));

    cl_show_tls(link->app->show, tls);
    link->secured = cg_loop_mono(link->app->loop);
    link->state = CL_TLSLS;
    link->app->show->step = "control";
    cg_err err = ask(link, "GET", CG_CONTROL_PREFIX "tlsls", NULL, (struct cg_span){NULL, 0});
    if (err != CG_OK)
        settle(link, err);
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    struct cl_link *link = cg_conn_owner(conn);

    if (x == link->x) {
        cg_err err = answered(link, x, what);

        if (err != CG_OK)
            settle(link, err);
    } else if (x->owner) {
        struct cl_asker *asker = x->owner;

        asker->on_event(asker, what);
    } else {
        cg_exchange_release(x);
    }
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct cl_link *link = cg_conn_owner(conn);

    link->is_closed = true;
    if (link->state != CL_READY) {
        struct cg_tls *tls = cg_stack_tls(cg_conn_engine(conn));

        if (tls && cg_tls_why(tls) != CG_OK)
            cl_show_note(link->app->show, cg_tls_reason(tls));
    }
    link->conn = NULL;
    if (link->waits_for != CG_OK)
        why = link->waits_for;
    settle(link, why == CG_OK ? CG_CLOSED : why);
    cl_app_wake(link->app);
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

static void on_call(void *owner, struct cg_call *call)
{
    struct cl_link *link = owner;
    struct cl_app *app = link->app;
    struct cg_engine *engine;

    if (call->err != CG_OK) {
        settle(link, call->err);
        return;
    }
    int fd = cg_dial_take(call, &link->peer);
    link->connected = cg_loop_mono(app->loop);
    cg_err err = cg_client_engine(&link->client, &link->peer, app->loop, &engine);
    if (err == CG_OK)
        err = cg_conn_new(app->loop, fd, &link->peer, engine, &events, link, &link->conn);
    if (err != CG_OK)
        settle(link, err);
}

/* "host:port"; the port may be left out. */
static cg_err take_place(struct cl_link *link, struct cg_span text)
{
    size_t colon = cg_span_find(text, ':');
    uint32_t port = 0;

    if (colon == 0 || colon > CG_HOST_MAX_BYTES)
        return CG_SYNTAX;
    memcpy(link->host, text.at, colon);
    link->host[colon] = '\0';
    for (size_t i = colon + 1; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || port > 65535)
            return CG_SYNTAX;
        port = port * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (port > 65535)
        return CG_SYNTAX;
    link->port = (uint16_t)(port ? port : 443);
    return CG_OK;
}

static cg_err dial(struct cl_link *link)
{
    struct cl_app *app = link->app;
    struct cg_target target = {.host = cg_span_str(link->host), .port = link->port};
    const struct cg_engine_conf conf = {
        /* One exchange whose reader is slow must not take the whole connection's window. */
        .idle_ms = 600000,
        .stall_ms = 60000,
        .in_max_bytes = 1 << 20,
        .window_max_bytes = 16 << 20};

    cl_app_detour(app, &target.host, &target.port);
    CG_TRY(cg_client_init(&link->client, app->native_tls, cg_span_str(link->host), &conf));
    return cg_dial_begin(app->resolver, &target, link->ticket, 1,
                         cg_mono_after(cg_loop_mono(app->loop), app->connect_ms));
}

cg_err cl_link_open(struct cl_app *app, const struct cl_link_ask *asked, struct cl_link **out)
{
    struct cl_link *link = calloc(1, sizeof *link);

    if (!link)
        return CG_NO_MEMORY;
    link->app = app;
    link->ask = *asked;
    link->owner = asked->owner;
    link->began = cg_loop_mono(app->loop);
    app->show->step = "connect";
    cg_buf_init(&link->body, CG_CERT_MAX_BYTES);
    cg_buf_init(&link->grant, CG_DOCUMENT_MAX_BYTES);
    cg_timer_init(&link->again, on_again);
    cg_err err = take_place(link, asked->gateway);
    if (err == CG_OK)
        err = cg_slot_open(app->loop, on_call, link, &link->ticket);
    if (err == CG_OK)
        err = dial(link);
    if (err != CG_OK) {
        cl_link_free(link);
        return err;
    }
    *out = link;
    return CG_OK;
}

cg_err cl_link_renew(struct cl_link *link)
{
    link->did_correct = link->did_wait = false;
    return ask_grant(link);
}

void cl_link_free(struct cl_link *link)
{
    if (!link)
        return;
    link->state = CL_FAILED;
    cg_loop_unset(link->app->loop, &link->again);
    cg_slot_end(link->app->loop, link->ticket);
    if (link->conn) {
        /* The connection outlives the call by a pass; its last event must find its owner. */
        cg_conn_close(link->conn, CG_CLOSED);
        while (!link->is_closed)
            cg_loop_run_for(link->app->loop, 100);
    }
    if (link->has_pending)
        cg_native_pending_done(&link->pending);
    if (link->has_native)
        cg_native_done(&link->native);
    cg_verifier_free(link->transport);
    cg_buf_done(&link->document);
    cg_buf_done(&link->body);
    cg_buf_done(&link->grant);
    free(link);
}
