#include "client/submit.h"

#include "lib/base/span.h"
#include "runtime/clock.h"

#include <string.h>
#include <time.h>

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

static int submit_once(struct cl_run *run, const char *what, const char *url, struct cg_span object,
                       bool *again)
{
    struct cl_answer answer;
    cg_err err = cl_ask(&run->app, cg_span_str(url), "POST", CG_LIT("/submit"), "application/cbor",
                        object, &answer);
    int code = 0;

    *again = false;
    if (err != CG_OK)
        return cl_fail(run->show, cl_exit_of(err), err, "is the ledger running? --ledger names it",
                       "cannot submit %s to %s", what, url);
    if (answer.status == 202 || answer.status == 503) {
        *again = true;
    } else if (answer.status != 200) {
        cl_show_refusal(run->show, what, answer.status, cg_buf_span(&answer.body));
        code = cl_fail(run->show, CL_EXIT_POLICY, CG_OK, NULL, "the ledger refuses %s", what);
    }
    cg_buf_done(&answer.body);
    return code;
}

int cl_submit(struct cl_run *run, const char *what, struct cg_span object)
{
    char room[512];
    const char *url = cl_ledger_url(run, room);
    bool again = true;
    int code = url ? 0 : CL_EXIT_TRUST;

    /* The same object again is how one asks whether it is logged by now. */
    for (int i = 0; code == 0 && again && i < POLLS_MAX; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        code = submit_once(run, what, url, object, &again);
    }
    if (code == 0 && again)
        return cl_fail(run->show, CL_EXIT_TIMEOUT, CG_TIMEOUT,
                       "it has it; the same command again tells whether it is logged",
                       "the ledger has not logged %s yet", what);
    if (code == 0)
        cl_say(run->show, "logged   %s", what);
    return code;
}

int cl_run_ledger_submit(struct cl_run *run)
{
    struct cg_buf object = {0};
    int code = cl_run_trust(run);

    if (code == 0)
        code = cl_read(run, run->words[0], 96 * 1024, &object);
    if (code == 0)
        code = cl_submit(run, run->words[0], cg_buf_span(&object));
    cg_buf_done(&object);
    return code;
}
