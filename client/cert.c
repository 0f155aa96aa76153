/* cert.c: httpcg cert issue, show, verify: TLSLS certificates of gateways. */
#include "client/bundle.h"
#include "client/policy.h"
#include "client/submit.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/issue.h"
#include "lib/crypto/leaf.h"
#include "lib/identity/cose.h"
#include "lib/merkle/staple.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"

#include <httpcg/policy.h>

#include <stdlib.h>

#define DAY_S 86400
#define DEFAULT_DAYS 30
#define LEAF_DAYS 365

struct issue {
    struct cg_span names[CG_CERT_NAMES_MAX];
    size_t n_names;
    struct cg_wall now;
    uint64_t days;
    struct cg_hash policy_hash;
    struct cg_hash spki;
    struct cg_signer *transport;
    /* What is made, and where it goes; the last two only where no TLS certificate was given. */
    struct cg_buf key, cert, tls_key, tls;
    char key_path[CL_PATH_MAX_BYTES], cert_path[CL_PATH_MAX_BYTES], tls_key_path[CL_PATH_MAX_BYTES],
        tls_path[CL_PATH_MAX_BYTES];
    struct cl_bundle bundle;
};

static int read_names(struct cl_run *run, struct issue *is)
{
    const char *name;
    size_t at = 0;

    while ((name = cl_next(run->args, CL_NAME, &at)) != NULL) {
        if (is->n_names == CG_CERT_NAMES_MAX)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "more than %d --name",
                           CG_CERT_NAMES_MAX);
        is->names[is->n_names++] = cg_span_str(name);
    }
    if (is->n_names == 0)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "--name is missing: the DNS name clients reach the gateway under");
    const char *days = cl_text(run->args, CL_DAYS);
    is->days = DEFAULT_DAYS;
    if (days && cl_number(days, 1, 90, &is->days) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--days %s: 1 to 90", days);
    return 0;
}

static int read_policy(struct cl_run *run, struct issue *is)
{
    const char *path = cl_text(run->args, CL_POLICY);
    struct cg_buf document = {0};
    struct cg_cose cose;

    if (!path)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                       "httpcg policy sign --role gateway -o gateway.policy makes one",
                       "--policy FILE is missing: what the gateway promises");
    int code = cl_read(run, path, CG_DOCUMENT_MAX_BYTES, &document);
    if (code == 0 && (cg_cose_read(cg_buf_span(&document), CG_DOC_POLICY, &cose) != CG_OK ||
                      cg_policy_hash_of(cose.payload, &is->policy_hash) != CG_OK))
        code = cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "%s is no signed policy", path);
    cg_buf_done(&document);
    return code;
}

static int cannot_make(struct cl_run *run, cg_err err, const char *what)
{
    bool is_name = err == CG_SYNTAX || err == CG_SCHEMA;

    return cl_fail(run->show, is_name ? CL_EXIT_USAGE : CL_EXIT_KEY, err,
                   is_name ? "names are DNS names in lower case, such as gw1.example.com" : NULL,
                   "cannot make %s", what);
}

/* A self-signed TLS leaf: a native client believes the certificate that is issued beside it. */
static int make_leaf(struct cl_run *run, struct issue *is)
{
    struct cg_leaf_ask ask = {
        .names = is->names,
        .n_names = is->n_names,
        .not_before = {is->now.s - DAY_S},
        .not_after = {is->now.s + (int64_t)LEAF_DAYS * DAY_S},
    };

    cg_buf_init(&is->tls, CG_LEAF_MAX_BYTES);
    cg_buf_init(&is->tls_key, CG_LEAF_MAX_BYTES);
    cg_err err = cg_entropy_fill(ask.seed.bytes, sizeof ask.seed.bytes);
    if (err == CG_OK)
        err = cg_entropy_fill(ask.serial, sizeof ask.serial);
    if (err == CG_OK)
        err = cg_leaf_issue(&ask, &is->tls, &is->tls_key);
    cg_secret_done(&ask.seed);
    if (err == CG_OK)
        err = cg_leaf_spki(cg_buf_span(&is->tls), &is->spki);
    return err == CG_OK ? 0 : cannot_make(run, err, "a TLS certificate");
}

/* The TLS leaf: the operator's own, or one that is made. */
static int take_leaf(struct cl_run *run, struct issue *is)
{
    const char *given = cl_text(run->args, CL_TLS_CERT);
    struct cg_buf cert = {0};

    if (!given)
        return make_leaf(run, is);
    int code = cl_read(run, given, CG_LEAF_MAX_BYTES * 8, &cert);
    if (code == 0 && cg_leaf_spki(cg_buf_span(&cert), &is->spki) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "%s is no PEM certificate", given);
    cg_buf_done(&cert);
    return code;
}

static int make_transport(struct cl_run *run, struct issue *is)
{
    struct cl_key key = {0};
    struct cg_buf pass = {0};
    int code = cl_key_new(run, "transport", &key);

    if (code == 0)
        code = cl_pass_get(run, CL_PASS_NEW, is->key_path, &pass);
    if (code == 0)
        code = cl_key_seal(run, is->key_path, &key, cg_buf_span(&pass), &is->key);
    if (code == 0) {
        cg_err err = cg_key_heap_signer(run->app.crypto, cg_locked_get(key.seed), &is->transport);

        if (err != CG_OK)
            code = cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot use the transport keys");
    }
    cg_buf_wipe(&pass);
    cl_key_done(&key);
    return code;
}

static int issue(struct cl_run *run, struct issue *is)
{
    struct cg_cert_ask ask = {
        .role = CG_ROLE_GATEWAY,
        .subject = &run->app.wallet.waddr,
        .transport = cg_signer_public(is->transport),
        .policy_hash = is->policy_hash,
        .log_id = run->app.trust->log_ids[0],
        .issued = is->now,
        .expires = {is->now.s + (int64_t)is->days * DAY_S},
        .spki = &is->spki,
        .n_spki = 1,
        .names = is->names,
        .n_names = is->n_names,
    };
    struct cg_signer *identity = NULL;
    cg_err err = cg_entropy_fill(ask.serial, sizeof ask.serial);

    cg_buf_init(&is->cert, CG_CERT_MAX_BYTES);
    if (err == CG_OK)
        err = cl_wallet_signer(&run->app, &identity);
    if (err == CG_OK)
        err = cg_cert_issue(identity, &ask, cg_buf_span(&run->app.wallet.doc),
                            (struct cg_span){NULL, 0}, &is->cert);
    cg_signer_free(identity);
    return err == CG_OK ? 0 : cannot_make(run, err, "the certificate");
}

static int tell(struct cl_run *run, const struct cg_cert *cert)
{
    char fpr[2 * CG_HASH_BYTES + 1] = {0}, anchor[CG_ANCHOR_CHARS + 1], did[CG_DID_CHARS + 1];

    cg_hex_write(cg_hash_span(&cert->fingerprint), fpr);
    cg_cert_anchor(cert, anchor);
    cg_did_write(&cert->subject, did);
    cl_say(run->show, "subject     %s", did);
    cl_say(run->show, "role        %s", cg_role_name(cert->role));
    for (size_t i = 0; i < cert->n_names; i++)
        cl_say(run->show, "name        %.*s", (int)cert->names[i].len,
               (const char *)cert->names[i].at);
    cl_say(run->show, "fingerprint %s", fpr);
    cl_say(run->show, "anchor      %s", anchor);
    cl_say(run->show, "expires     %lld (Unix time)", (long long)cert->expires.s);
    cl_add_text(run->show, "subject", did);
    cl_add_text(run->show, "fingerprint", fpr);
    cl_add_text(run->show, "anchor", anchor);
    cl_add(run->show, "expires_at", json_integer((json_int_t)cert->expires.s));
    return 0;
}

/* Where everything goes; what is there already is found before anybody is asked for anything. */
static int plan(struct cl_run *run, struct issue *is)
{
    const struct {
        const char *name;
        char *path;
    } files[] = {{"transport.hck", is->key_path},
                 {"gateway.tlsls", is->cert_path},
                 {"tls.key", is->tls_key_path},
                 {"tls.pem", is->tls_path}};
    size_t n = cl_text(run->args, CL_TLS_CERT) ? 2 : 4;
    int code = 0;

    cl_bundle_init(&is->bundle, run);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = cl_path_in(run, NULL, files[i].name, files[i].path);
        if (code == 0)
            code = cl_bundle_plan(&is->bundle, files[i].path);
    }
    return code;
}

static int write_all(struct cl_run *run, struct issue *is)
{
    int code = cl_bundle_begin(&is->bundle, cl_text(run->args, CL_FOLDER));

    if (code == 0)
        code = cl_bundle_write(&is->bundle, is->key_path, cg_buf_span(&is->key));
    if (code == 0 && is->tls.len > 0)
        code = cl_bundle_write(&is->bundle, is->tls_key_path, cg_buf_span(&is->tls_key));
    if (code == 0 && is->tls.len > 0)
        code = cl_bundle_write(&is->bundle, is->tls_path, cg_buf_span(&is->tls));
    return code == 0 ? cl_bundle_write(&is->bundle, is->cert_path, cg_buf_span(&is->cert)) : code;
}

/* Logged before it is served: the document without what may change beside it. */
static int log_certificate(struct cl_run *run, struct cg_span document)
{
    int code = cl_submit_wallet(run, cg_buf_span(&run->app.wallet.doc));

    return code == 0 ? cl_submit(run, "the certificate", document) : code;
}

/* Everything is made before anything is written, and written before it is logged: nothing is shown
 * to the world whose keys could still be lost. */
static int issue_all(struct cl_run *run, struct issue *is)
{
    struct cg_cert cert;
    int code = read_names(run, is);

    if (code == 0)
        code = read_policy(run, is);
    if (code == 0)
        code = plan(run, is);
    if (code == 0)
        code = cl_wallet_open(run);
    if (code == 0)
        code = take_leaf(run, is);
    if (code == 0)
        code = make_transport(run, is);
    if (code == 0)
        code = issue(run, is);
    if (code == 0 && cg_cert_read(cg_buf_span(&is->cert), &cert) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_KEY, CG_INTERNAL, NULL, "the certificate");
    if (code == 0)
        code = write_all(run, is);
    if (code == 0 && cl_is_on(run->args, CL_SUBMIT))
        code = log_certificate(run, cg_buf_span(&is->cert));
    if (code != 0 && is->bundle.is_begun)
        cl_fail_more(run->show, "nothing is kept of what was made: the same command again is safe");
    cl_bundle_end(&is->bundle, code == 0);
    return code == 0 ? tell(run, &cert) : code;
}

int cl_run_cert_issue(struct cl_run *run)
{
    struct issue *is = calloc(1, sizeof *is);
    int code = cl_run_trust(run);

    if (!is)
        return CL_EXIT_MEMORY;
    is->now = cg_clock_wall();
    if (code == 0)
        code = issue_all(run, is);
    cg_signer_free(is->transport);
    cg_buf_wipe(&is->key);
    cg_buf_wipe(&is->tls_key);
    cg_buf_done(&is->tls);
    cg_buf_done(&is->cert);
    free(is);
    return code;
}

static int read_cert(struct cl_run *run, struct cg_buf *document, struct cg_cert *cert)
{
    int code = cl_read(run, run->words[0], CG_CERT_MAX_BYTES, document);

    if (code == 0 && cg_cert_read(cg_buf_span(document), cert) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_CERTIFICATE, CG_OK, NULL, "%s is no TLSLS certificate",
                       run->words[0]);
    return code;
}

int cl_run_cert_show(struct cl_run *run)
{
    struct cg_buf document = {0};
    struct cg_cert cert;
    int code = cl_run_open(run);

    if (code == 0)
        code = read_cert(run, &document, &cert);
    if (code == 0)
        code = tell(run, &cert);
    cg_buf_done(&document);
    return code;
}

/* The ledger's newest word on a certificate, where it has none with it. */
static int get_staple(struct cl_run *run, const struct cg_cert *cert, struct cl_answer *answer)
{
    char room[512], path[32 + 2 * CG_HASH_BYTES];
    const char *url = cl_ledger_url(run, room);
    struct cg_writer w = cg_writer_fixed(path, sizeof path);

    if (!url)
        return CL_EXIT_TRUST;
    cg_put_str(&w, "/staple?fpr=");
    cg_put_hex(&w, cg_hash_span(&cert->fingerprint));
    cg_err err = cl_ask(&run->app, cg_span_str(url), "GET", cg_writer_span(&w), NULL,
                        (struct cg_span){NULL, 0}, answer);
    if (err == CG_OK && answer->status == 200)
        return 0;
    if (err == CG_OK) {
        cg_buf_done(&answer->body);
        return cl_fail(run->show, CL_EXIT_CERTIFICATE, CG_OK, "httpcg ledger submit FILE logs it",
                       "the ledger has no such certificate");
    }
    return cl_fail(run->show, cl_exit_of(err), err, NULL, "cannot ask the ledger at %s", url);
}

static int verify(struct cl_run *run, const struct cg_cert *cert, struct cg_span staple)
{
    struct cl_app *app = &run->app;
    struct cg_cert_checks checks = {0};
    struct cg_staple_facts facts = {0};
    struct cg_did_state did;
    const struct cg_cert_expect expect = {
        .now = cg_clock_wall(),
        .any_role = true,
        .logs = app->trust->log_ids,
        .n_logs = app->trust->n_logs,
    };
    const struct cg_ledger_view view = {.logs = app->trust->logs,
                                        .n_logs = app->trust->n_logs,
                                        .seen = app->heads,
                                        .now = expect.now};

    cg_err err = cg_cert_verify(app->crypto, cert, &expect, &checks, &did);
    for (int i = 0; i < CG_CERT_STEP_COUNT; i++)
        if (checks.verdict[i] == CG_PASSED || checks.verdict[i] == CG_FAILED)
            cl_show_check(run->show, cg_cert_step_text((enum cg_cert_step)i),
                          checks.verdict[i] == CG_PASSED ? CG_OK : err, NULL);
    if (err == CG_OK)
        err = cl_show_check(run->show, "logged, current and not revoked",
                            cg_staple_verify_cert(staple, &view, cert, &did, &facts), NULL);
    if (err == CG_OK)
        err = cl_app_remember(app, facts.log, &facts.head);
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_CERTIFICATE, err, NULL, "the certificate is not good");
    cl_say(run->show, "good: issued by its DID, logged, not revoked, its keys the newest");
    return 0;
}

int cl_run_cert_verify(struct cl_run *run)
{
    struct cg_buf document = {0};
    struct cl_answer answer = {0};
    struct cg_cert cert;
    int code = cl_run_trust(run);

    if (code == 0)
        code = read_cert(run, &document, &cert);
    if (code == 0 && cert.staple.len == 0)
        code = get_staple(run, &cert, &answer);
    if (code == 0)
        code = verify(run, &cert, cert.staple.len > 0 ? cert.staple : cg_buf_span(&answer.body));
    cg_buf_done(&answer.body);
    cg_buf_done(&document);
    return code;
}
