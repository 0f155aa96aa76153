/* doctor.c: httpcg doctor: what may be wrong with this installation, and what to do about each. */
#include "client/heads.h"
#include "client/submit.h"
#include "client/wallet.h"
#include "client/way.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/merkle/staple.h"
#include "lib/wire/json.h"
#include "runtime/clock.h"
#include "runtime/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

enum finding {
    GOOD,
    REMARK, /* works, but should be known */
    BAD,
};

struct doctor {
    struct cl_run *run;
    json_t *list;
    unsigned n_bad;
};

/* One finding: what was looked at, how it is, what to do. */
static void find(struct doctor *d, enum finding finding, const char *what, const char *remedy,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void find(struct doctor *d, enum finding finding, const char *what, const char *remedy,
                 const char *format, ...)
{
    static const char *const words[] = {[GOOD] = "ok", [REMARK] = "note", [BAD] = "BAD"};
    char detail[768];
    json_t *one = json_object();
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    d->n_bad += finding == BAD;
    cl_say(d->run->show, "%-4s  %-10s %s", words[finding], what, detail);
    if (remedy)
        cl_say(d->run->show, "                 %s", remedy);
    json_object_set_new(one, "what", json_string(what));
    json_object_set_new(one, "finding", json_string(words[finding]));
    json_object_set_new(one, "detail", json_string(detail));
    if (remedy)
        json_object_set_new(one, "remedy", json_string(remedy));
    json_array_append_new(d->list, one);
}

/* --- this machine ----------------------------------------------------------------------------- */

static void look_at_clock(struct doctor *d)
{
    struct timex state = {0};

    /* Firmware without a battery says 1970, and a certificate is then from the future. */
    if (cg_clock_wall().s < INT64_C(1735689600)) {
        find(d, BAD, "clock", "set it, or start a time service (systemd-timesyncd, chrony)",
             "it says that this is before 2025");
        return;
    }
    if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
        find(d, REMARK, "clock",
             "a time service (systemd-timesyncd, chrony) keeps it right; minutes count here",
             "nothing keeps it in step, as far as the kernel knows");
    else
        find(d, GOOD, "clock", NULL, "kept in step");
}

static void look_at_memory(struct doctor *d)
{
    struct cg_locked *page;
    const struct cg_secret nothing = {{0}};

    if (cg_locked_new(&nothing, &page) != CG_OK) {
        find(d, BAD, "memory", "raise the limit: ulimit -l, or LimitMEMLOCK= in a unit",
             "no page can be locked, so keys cannot be kept from the swap");
        return;
    }
    cg_locked_free(page);
    find(d, GOOD, "memory", NULL, "keys can be kept from the swap");
}

static bool look_at_home(struct doctor *d)
{
    const char *folder = d->run->app.folder;
    struct stat info;

    if (stat(folder, &info) != 0) {
        find(d, BAD, "home", "httpcg wallet new makes it; --home or HTTPCG_HOME name another",
             "%s: %s", folder, strerror(errno));
        return false;
    }
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() ||
        (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        find(d, BAD, "home",
             "it must be a folder of yours that nobody else may write to: chmod go-w",
             "%s is not private", folder);
        return false;
    }
    find(d, GOOD, "home", NULL, "%s", folder);
    return true;
}

static void look_at_agent(struct doctor *d)
{
    char path[CL_PATH_MAX_BYTES];
    struct stat info;

    snprintf(path, sizeof path, "%s/agent.sock", d->run->app.folder);
    if (stat(path, &info) != 0)
        find(d, GOOD, "agent", NULL, "none runs; each call connects for itself");
    else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 || info.st_uid != geteuid())
        find(d, BAD, "agent", "stop it, remove the socket, and start it again",
             "others may use the socket %s", path);
    else
        find(d, GOOD, "agent", NULL, "%s", path);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void look_at_key(struct doctor *d, const char *path, const struct cg_waddr *waddr)
{
    struct cg_buf bytes = {0};
    struct cg_keyfile file;
    cg_err err = cg_file_read_secret(path, CG_KEYFILE_MAX_BYTES, &bytes);

    if (err == CG_CONFIG)
        find(d, BAD, "wallet", "chmod 600 the file", "others may read or write %s", path);
    else if (err == CG_NOT_FOUND)
        find(d, BAD, "wallet", "httpcg wallet restore makes it again from a backup",
             "there is no %s", path);
    else if (err != CG_OK || (err = cg_keyfile_read(cg_buf_span(&bytes), &file)) != CG_OK)
        find(d, BAD, "wallet", "httpcg wallet restore makes it again from a backup", "%s: %s", path,
             cg_err_text(err));
    else if (!cg_span_is(file.hint, waddr->text))
        find(d, BAD, "wallet", "put the key file and the document of one wallet together",
             "%s and the document beside it are of two wallets", path);
    else
        find(d, GOOD, "wallet", NULL, "did:bpi:%s", waddr->text);
    cg_buf_done(&bytes);
}

static void look_at_wallet(struct doctor *d)
{
    char key[CL_PATH_MAX_BYTES], doc[CL_PATH_MAX_BYTES], next[CL_PATH_MAX_BYTES];
    struct cl_run *run = d->run;
    struct cg_did_state state;
    struct cg_buf bytes = {0};

    if (cl_wallet_paths(run, key, doc) != 0)
        return;
    if (access(doc, F_OK) != 0) {
        find(d, BAD, "wallet", "httpcg wallet new makes one", "there is no %s", doc);
        return;
    }
    if (cl_wallet_doc(run, &state, &bytes) != 0) {
        find(d, BAD, "wallet", "httpcg wallet restore makes it again from a backup",
             "%s cannot be used", doc);
        return;
    }
    cg_buf_done(&bytes);
    look_at_key(d, key, &state.waddr);
    if (state.is_deactivated)
        find(d, BAD, "wallet", "httpcg wallet new makes another", "its DID is deactivated");
    snprintf(next, sizeof next, "%s/next.hck", run->app.folder);
    if (access(next, F_OK) == 0)
        find(d, REMARK, "wallet", "keep it apart: whoever has both files has the wallet for good",
             "next.hck lies beside wallet.hck");
}

/* --- whom is believed, and are they there ----------------------------------------------------- */

static bool look_at_trust(struct doctor *d)
{
    struct cl_app *app = &d->run->app;
    const struct cg_trust *trust;

    if (cl_app_trust(app, cl_text(d->run->args, CL_TRUST)) != 0) {
        find(d, BAD, "trust", "httpcg trust make writes one; httpcg trust show checks it",
             "the trust file cannot be used");
        return false;
    }
    trust = app->trust;
    find(d, GOOD, "trust", NULL, "%zu log%s, %zu registr%s, %zu pin%s", trust->n_logs,
         trust->n_logs == 1 ? "" : "s", trust->n_registries, trust->n_registries == 1 ? "y" : "ies",
         trust->n_pins, trust->n_pins == 1 ? "" : "s");
    if (trust->quorum.is_none) {
        app->said_unwitnessed = true;
        find(d, REMARK, "trust", "a quorum line names the witnesses who must have signed",
             "quorum none: no witness watches the ledger; its operator alone is believed");
    }
    if (trust->n_registries == 0)
        find(d, BAD, "trust", "a line registry <DID> <URL> says whom to ask",
             "no name can be looked up");
    return true;
}

/* {"operator_did":…,"operator_doc":…}: no signature, but another DID than the trust file's is a
 * mistake that is worth knowing. */
static bool is_operator(struct cg_span body, const struct cg_waddr *expected)
{
    struct cg_span did, doc;
    struct cg_waddr waddr;
    const struct cg_json_member members[] = {
        {"operator_did", CG_JSON_TEXT, .span = &did},
        {"operator_doc", CG_JSON_TEXT, .span = &doc},
    };

    return cg_json_object(body, CG_JSON_DOCUMENT, members, 2) == CG_OK &&
           cg_did_read(did, &waddr) == CG_OK && cg_waddr_eq(&waddr, expected);
}

static void look_at_registry(struct doctor *d, struct cg_span url, const struct cg_waddr *did)
{
    struct cl_answer answer;
    int64_t began = cg_clock_mono().us;
    cg_err err = cl_ask(&d->run->app, url, "GET", CG_LIT("/operator"), NULL,
                        (struct cg_span){NULL, 0}, &answer);
    int n = (int)url.len;

    if (err != CG_OK) {
        find(d, BAD, "registry", "is it running, and does a firewall let us through?", "%.*s: %s",
             n, (const char *)url.at, cg_err_text(err));
        return;
    }
    if (answer.status != 200)
        find(d, BAD, "registry", "look at its log", "%.*s answers with status %d", n,
             (const char *)url.at, answer.status);
    else if (!is_operator(cg_buf_span(&answer.body), did))
        find(d, BAD, "registry", "one of the two is wrong: ask whoever runs it",
             "%.*s is of another DID than the trust file says", n, (const char *)url.at);
    else
        find(d, GOOD, "registry", NULL, "%.*s, %.0f ms", n, (const char *)url.at,
             (double)(cg_clock_mono().us - began) / 1000);
    cg_buf_done(&answer.body);
}

static void tell_age(struct doctor *d, const char *url, const struct cg_staple_facts *facts)
{
    int64_t age = cg_clock_wall().s - facts->head.time.s;

    if (age < -5)
        find(d, BAD, "clock", "set it: certificates and records would be from the future",
             "it is %" PRId64 " s behind the ledger's newest head", -age);
    find(d, GOOD, "ledger", NULL, "%s, %" PRIu64 " entries, newest head %" PRId64 " s old", url,
         facts->head.size, age < 0 ? 0 : age);
}

static void look_at_ledger(struct doctor *d)
{
    struct cl_app *app = &d->run->app;
    char room[512], path[32 + CG_DID_CHARS];
    const char *url;
    struct cl_answer answer;
    struct cg_staple_facts facts = {0};
    const struct cg_ledger_view view = {.logs = app->trust->logs,
                                        .n_logs = app->trust->n_logs,
                                        .seen = app->heads,
                                        .now = cg_clock_wall()};

    if (app->trust->n_registries == 0 || !(url = cl_ledger_url(d->run, room)))
        return;
    const char *waddr = app->trust->registries[0].did.text;
    struct cg_staple_ask ask = {.kind = "did", .id = cg_span_str(waddr)};
    snprintf(path, sizeof path, "/staple?did=did:bpi:%s", waddr);
    cg_err err = cl_ask(app, cg_span_str(url), "GET", cg_span_str(path), NULL,
                        (struct cg_span){NULL, 0}, &answer);
    if (err != CG_OK || answer.status != 200) {
        find(d, BAD, "ledger", "is it running? --ledger names it", "%s: %s", url,
             err != CG_OK ? cg_err_text(err) : "it has no proof for us");
        if (err == CG_OK)
            cg_buf_done(&answer.body);
        return;
    }
    err = cg_staple_verify(cg_buf_span(&answer.body), &view, false, &ask, 1, &facts);
    cg_buf_done(&answer.body);
    if (err == CG_OK)
        tell_age(d, url, &facts);
    else
        find(d, BAD, "ledger",
             err == CG_STALE || err == CG_EARLY
                 ? "is this machine's clock right? does the ledger still publish?"
                 : "httpcg ledger verify -v tells more; do not use it until it is explained",
             "%s: %s: %s", url, cg_staple_step_text(facts.failed), cg_err_text(err));
}

/* --- a name, as far as its gateway ------------------------------------------------------------ */

static void look_at_name(struct doctor *d, const char *word)
{
    struct cl_ways ways = {.app = &d->run->app};
    char text[600];
    enum cl_way_step step;
    struct cl_way *way;
    struct cg_url url;
    const struct cl_check *failed;
    int n = strstr(word, "://") ? snprintf(text, sizeof text, "%s", word)
                                : snprintf(text, sizeof text, "httpcg://%s/", word);
    void *room = malloc(CG_URL_ROOM(sizeof text));

    if (!room || n < 0 || n >= (int)sizeof text ||
        cg_url_read(cg_span_of(text, (size_t)n), room, &url, NULL) != CG_OK) {
        find(d, BAD, "name", "httpcg url parse shows what is wrong", "%.80s is no name", word);
        free(room);
        return;
    }
    /* No wallet is shown to anybody: the gateway's own proofs are what is looked at. */
    cg_err err = cl_way_find(&ways, &url, true, &way, &step);
    failed = cl_show_failed(d->run->show);
    if (err == CG_OK)
        find(d, GOOD, "gateway", NULL, "%s:%u serves %s, its certificate is good", way->link->host,
             way->link->port, way->name);
    else
        find(d, BAD, step == CL_WAY_RESOLVE ? "name" : "gateway",
             err == CG_UNREACHABLE ? "is it running, and does a firewall let us through?"
                                   : "-v shows each check",
             "%.80s: %s%s%s", word,
             err == CG_NOT_FOUND ? "the registry proved that there is no such name"
                                 : cg_err_text(err),
             failed ? ": " : "", failed ? failed->name : "");
    cl_ways_done(&ways);
    free(room);
}

int cl_run_doctor(struct cl_run *run)
{
    struct doctor d = {.run = run, .list = json_array()};
    bool was_silent = run->show->is_silent;
    int code = cl_run_open(run);

    if (code != 0) {
        json_decref(d.list);
        return code;
    }
    /* Each finding says itself what is wrong. */
    run->show->is_silent = true;
    look_at_clock(&d);
    look_at_memory(&d);
    if (look_at_home(&d)) {
        look_at_wallet(&d);
        look_at_agent(&d);
        if (look_at_trust(&d)) {
            const struct cg_trust *trust = run->app.trust;

            for (size_t i = 0; i < trust->n_registries; i++)
                for (size_t k = 0; k < trust->registries[i].n_urls; k++)
                    look_at_registry(&d, trust->registries[i].urls[k], &trust->registries[i].did);
            look_at_ledger(&d);
            for (size_t i = 0; i < run->n_words; i++)
                look_at_name(&d, run->words[i]);
        }
    }
    run->show->is_silent = was_silent;
    cl_add(run->show, "findings", d.list);
    if (d.n_bad == 0) {
        cl_say(run->show, "all is well");
        return 0;
    }
    return cl_fail(run->show, CL_EXIT_DOCTOR, CG_OK, NULL, "%u thing%s wrong", d.n_bad,
                   d.n_bad == 1 ? " is" : "s are");
}
