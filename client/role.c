/* role.c: httpcg role grant, show; and the credentials of --cred. */
#include "client/role.h"

#include "client/wallet.h"
#include "lib/access/cred.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/clock.h"
#include "runtime/entropy.h"

#include <time.h>

#define DEFAULT_DAYS 30
#define DAYS_MAX 3650
#define DEFAULT_PROFILE "web-default"

static void date(struct cg_wall when, char out[static 32])
{
    time_t seconds = (time_t)when.s;
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, 32, "%lld", (long long)when.s);
}

static void tell(struct cl_run *run, const struct cg_cred *cred)
{
    char did[CG_DID_CHARS + 1], until[32];

    cg_did_write(&cred->owner, did);
    date(cred->until, until);
    cl_say(run->show, "role     %.*s", (int)cred->role.len, (const char *)cred->role.at);
    cl_say(run->show, "profile  %.*s", (int)cred->aud.len, (const char *)cred->aud.at);
    cl_say(run->show, "owner    %s", did);
    cl_say(run->show, "wallet   %s", cred->wallet.text);
    cl_say(run->show, "until    %s", until);
    cl_add(run->show, "role", json_stringn((const char *)cred->role.at, cred->role.len));
    cl_add(run->show, "profile", json_stringn((const char *)cred->aud.at, cred->aud.len));
    cl_add_text(run->show, "owner", did);
    cl_add_text(run->show, "wallet", cred->wallet.text);
    cl_add(run->show, "until", json_integer(cred->until.s));
}

/* A file that is a credential; nothing of it is verified. */
static int read_one(struct cl_run *run, const char *path, struct cg_buf *wire, struct cg_cred *cred)
{
    int code = cl_read(run, path, CG_CRED_MAX_BYTES, wire);

    if (code == 0 && cg_cred_open(cg_buf_span(wire), cred) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_READ, CG_OK, "httpcg role grant makes one",
                       "%s is no role credential", path);
    return code;
}

/* --- signing --------------------------------------------------------------------------------- */

static int read_wallet(struct cl_run *run, const char *text, struct cg_waddr *out)
{
    struct cg_span span = cg_span_str(text);
    bool is_did = cg_span_starts(span, CG_LIT("did:bpi:"));

    if ((is_did ? cg_did_read(span, out) : cg_waddr_read(span, out)) == CG_OK)
        return 0;
    return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                   "httpcg wallet show prints the address, 56 characters, and the DID",
                   "%.80s is no wallet's address", text);
}

static int read_words(struct cl_run *run, struct cg_cred *out)
{
    const char *profile = cl_text(run->args, CL_PROFILE), *days = cl_text(run->args, CL_DAYS);
    uint64_t n = DEFAULT_DAYS;

    if (days && cl_number(days, 1, DAYS_MAX, &n) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--days %s: 1 to %d", days, DAYS_MAX);
    out->role = cg_span_str(run->words[0]);
    out->aud = cg_span_str(profile ? profile : DEFAULT_PROFILE);
    out->owner = run->app.wallet.waddr;
    out->until.s = cg_clock_wall().s + (int64_t)n * 86400;
    return read_wallet(run, run->words[1], &out->wallet);
}

static int sign(struct cl_run *run, const struct cg_cred *cred, struct cg_buf *out)
{
    uint8_t nonce[CG_CRED_NONCE_BYTES];
    struct cg_signer *signer = NULL;

    cg_buf_init(out, CG_CRED_MAX_BYTES);
    cg_err err = cg_entropy_fill(nonce, sizeof nonce);
    if (err == CG_OK)
        err = cl_wallet_signer(&run->app, &signer);
    if (err == CG_OK)
        err = cg_cred_issue(signer, cred, nonce, out);
    cg_signer_free(signer);
    if (err == CG_SCHEMA)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                       "both are words of a-z, 0-9, '-', '_' and '.', as the profile writes them",
                       "that is no name of a role or profile");
    return err == CG_OK ? 0 : cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot sign");
}

int cl_run_role_grant(struct cl_run *run)
{
    const char *path = cl_text(run->args, CL_OUTPUT);
    struct cg_buf document = {0};
    struct cg_cred cred = {0};
    int code = cl_run_open(run);

    if (code == 0 && !path)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "-o FILE is missing");
    if (code == 0)
        code = cl_wallet_open(run);
    if (code == 0)
        code = read_words(run, &cred);
    if (code == 0)
        code = sign(run, &cred, &document);
    if (code == 0)
        code = cl_write(run, path, cg_buf_span(&document));
    if (code == 0)
        tell(run, &cred);
    cg_buf_done(&document);
    return code;
}

int cl_run_role_show(struct cl_run *run)
{
    struct cg_buf document = {0};
    struct cg_cred cred;
    int code = cl_run_open(run);

    if (code == 0)
        code = read_one(run, run->words[0], &document, &cred);
    if (code == 0)
        tell(run, &cred);
    cg_buf_done(&document);
    return code;
}

/* --- showing them to a gateway -----------------------------------------------------------------
 */

static int check_use(struct cl_run *run, const char *path, const struct cg_cred *cred,
                     const struct cg_waddr *wallet)
{
    char until[32];

    date(cred->until, until);
    if (!cg_waddr_eq(&cred->wallet, wallet))
        return cl_fail(run->show, CL_EXIT_IDENTITY, CG_OK, "--wallet names another wallet",
                       "%s is for the wallet %s, which is not this one", path, cred->wallet.text);
    if (cred->until.s <= cg_clock_wall().s)
        return cl_fail(run->show, CL_EXIT_READ, CG_OK, "ask its owner for a new one",
                       "%s was good until %s", path, until);
    return 0;
}

int cl_creds_read(struct cl_run *run)
{
    struct cl_app *app = &run->app;
    struct cg_did_state wallet;
    struct cg_buf doc = {0};
    struct cg_cred cred;
    const char *path;
    size_t at = 0;
    int code = 0;

    if (!cl_was_given(run->args, CL_CRED))
        return 0;
    code = cl_wallet_doc(run, &wallet, &doc);
    while (code == 0 && (path = cl_next(run->args, CL_CRED, &at))) {
        if (app->n_creds == CG_GRANT_CREDS_MAX)
            code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "more than %d --cred",
                           CG_GRANT_CREDS_MAX);
        else
            code = read_one(run, path, &app->creds[app->n_creds++], &cred);
        if (code == 0)
            code = check_use(run, path, &cred, &wallet.waddr);
    }
    cg_buf_done(&doc);
    return code;
}
