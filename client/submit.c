#include "client/submit.h"

#include "lib/base/span.h"
#include "lib/wire/cbor.h"

#include <string.h>

/* How often an answer of 202 ("not logged yet") is asked again, and for how long. */
#define POLLS_MAX 100
#define POLL_MS 100

const char *cl_registry_url(struct cl_run *run, char out[static 512])
{
    const char *given = cl_text(run->args, CL_REGISTRY);
    const struct cg_trust *trust = run->app.trust;

    if (given)
        return given;
    if (trust->n_registries == 0 || trust->registries[0].n_urls == 0 ||
        trust->registries[0].urls[0].len >= 512) {
        cl_fail(run->show, CL_EXIT_TRUST, CG_OK, "name one with --registry URL",
                "the trust file names no registry");
        return NULL;
    }
    struct cg_span url = trust->registries[0].urls[0];
    memcpy(out, url.at, url.len);
    out[url.len] = '\0';
    return out;
}

const char *cl_ledger_url(struct cl_run *run, char out[static 512])
{
    const char *given = cl_text(run->args, CL_LEDGER);

    return given ? given : cl_registry_url(run, out);
}

bool cl_answer_blames(const struct cl_answer *answer, const char *field)
{
    char text[48];
    int n = snprintf(text, sizeof text, "\"field\":\"%s\"", field);
    struct cg_span body = cg_buf_span(&answer->body);

    for (size_t at = 0; at + (size_t)n <= body.len; at++)
        if (cg_span_starts(cg_span_from(body, at), cg_span_of(text, (size_t)n)))
            return true;
    return false;
}

/* What to do about a member that is at fault, or what to look at. */
static const char *remedy_of(const struct cl_answer *answer)
{
    static const struct {
        const char *field, *remedy;
    } remedies[] = {
        {"fingerprint", "it has no certificate of this wallet with that fingerprint"},
        {"signature", "these are not the newest keys of the DID: httpcg ledger verify --did tells "
                      "what the ledger has"},
        {"did", "the DID is not logged: httpcg ledger submit WALLET.doc logs it"},
        {"seq", "the DID was changed meanwhile, or by somebody who has its next seed"},
        {"prev", "the DID was changed meanwhile, or by somebody who has its next seed"},
        {"issued_at",
         "by the ledger's clock it is not made yet: httpcg doctor looks at this clock"},
        {"expires_at", "by the ledger's clock it has run out: httpcg doctor looks at this clock"},
        {"bpi_anchor", "it is made for another ledger than this one"},
        {"version", "a policy's version must be higher than that of the one in force"},
    };

    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++)
        if (cl_answer_blames(answer, remedies[i].field))
            return remedies[i].remedy;
    if (answer->status == 422)
        return "it fails a check there, which the ledger's log names";
    return answer->status == 409 ? "the ledger has something newer of the same"
                                 : "is --ledger a ledger's URL? its operator's log says more";
}

/* Why the ledger does not log it; nothing but the problem's code is believed. */
static int refused(struct cl_run *run, const char *what, const struct cl_answer *answer)
{
    cg_err err = cl_answer_refused(&run->app, what, answer);
    char text[200];

    if (err == CG_RATE || err == CG_BUSY) {
        snprintf(text, sizeof text, "the ledger does not log %s", what);
        return cl_fail_later(run->show, err, text);
    }
    return cl_fail(run->show, CL_EXIT_POLICY, CG_OK, remedy_of(answer),
                   "the ledger does not log %s (status %d%s%s)", what, answer->status,
                   run->show->problem[0] ? ", " : "", run->show->problem);
}

/* The status, or 0 where it failed. */
static int submit_once(struct cl_run *run, const char *what, const char *url, struct cg_span object,
                       int *code)
{
    struct cl_answer answer;
    cg_err err = cl_ask(&run->app, cg_span_str(url), "POST", CG_LIT("/submit"), "application/cbor",
                        object, &answer);

    if (err != CG_OK) {
        *code = cl_fail(run->show, cl_exit_of(err), err, "is the ledger running? --ledger names it",
                        "cannot submit %s to %s", what, url);
        return 0;
    }
    bool is_settled = answer.status != 200 && answer.status != 202 && answer.status != 503;
    if (is_settled)
        *code = refused(run, what, &answer);
    else
        run->show->retry_after_s = answer.retry_after_s;
    cg_buf_done(&answer.body);
    return is_settled ? 0 : answer.status;
}

int cl_submit(struct cl_run *run, const char *what, struct cg_span object)
{
    const bool never = false;
    char room[512], text[200];
    const char *url = cl_ledger_url(run, room);
    int code = 0, status = url ? 202 : 0;

    /* The same object again is how one asks whether it is logged by now. */
    for (int i = 0; (status == 202 || status == 503) && i < POLLS_MAX; i++) {
        if (i > 0 && cl_app_wait(&run->app, &never, POLL_MS) == CG_CANCELLED)
            return cl_fail(run->show, cl_exit_of(CG_CANCELLED), CG_CANCELLED, NULL, "%s", what);
        status = submit_once(run, what, url, object, &code);
    }
    if (status == 202)
        return cl_fail(run->show, CL_EXIT_TIMEOUT, CG_TIMEOUT,
                       "it has it; the same command again tells whether it is logged",
                       "the ledger has not logged %s yet", what);
    if (status == 503) {
        snprintf(text, sizeof text, "the ledger does not log %s", what);
        return cl_fail_later(run->show, CG_BUSY, text);
    }
    if (status == 200)
        cl_say(run->show, "logged   %s", what);
    return url ? code : CL_EXIT_TRUST;
}

int cl_submit_wallet(struct cl_run *run, struct cg_span wallet_doc)
{
    struct cg_cbor r = cg_cbor_of(wallet_doc);
    int code = 0;

    if (cg_cbor_peek(&r) != CG_CBOR_ARRAY)
        return cl_submit(run, "the wallet's document", wallet_doc);
    /* In their order: each is judged by what was logged before. */
    size_t n = cg_cbor_array(&r, 2, 64);
    for (size_t i = 0; code == 0 && i < n; i++) {
        struct cg_span one = cg_cbor_bytes(&r, CG_DIDOP_MAX_BYTES);
        bool is_last = i + 1 == n;

        code = cl_submit(run,
                         i == 0    ? "the wallet's document"
                         : is_last ? "the newest rotation"
                                   : "an earlier rotation",
                         one);
    }
    return code;
}

/* The document of a wallet that was rotated: an array, which no other object is. */
static bool is_chain(struct cg_span object)
{
    struct cg_cbor r = cg_cbor_of(object);

    return cg_cbor_peek(&r) == CG_CBOR_ARRAY;
}

int cl_run_ledger_submit(struct cl_run *run)
{
    struct cg_buf object = {0};
    int code = cl_run_trust(run);

    if (code == 0)
        code = cl_read(run, run->words[0], 96 * 1024, &object);
    if (code == 0 && is_chain(cg_buf_span(&object)))
        code = cl_submit_wallet(run, cg_buf_span(&object));
    else if (code == 0)
        code = cl_submit(run, run->words[0], cg_buf_span(&object));
    cg_buf_done(&object);
    return code;
}
