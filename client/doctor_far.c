#include "client/doctor.h"
#include "client/gateway_time.h"
#include "client/submit.h"
#include "client/way.h"

#include "lib/base/span.h"
#include "lib/merkle/staple.h"
#include "lib/wire/json.h"
#include "runtime/clock.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- whom is believed, and are they there ----------------------------------------------------- */

bool cl_look_at_trust(struct cl_doctor *d)
{
    struct cl_app *app = &d->run->app;
    const struct cg_trust *trust;

    int code = cl_app_trust(app, cl_text(d->run->args, CL_TRUST));

    if (code != 0) {
        cl_find_failure(d, code == CL_EXIT_TRUST ? "trust" : "seen");
        return false;
    }
    trust = app->trust;
    cl_find(d, CL_GOOD, "trust", NULL, "%zu log%s, %zu registr%s, %zu pin%s", trust->n_logs,
            trust->n_logs == 1 ? "" : "s", trust->n_registries,
            trust->n_registries == 1 ? "y" : "ies", trust->n_pins, trust->n_pins == 1 ? "" : "s");
    if (trust->quorum.is_none) {
        app->said_unwitnessed = true;
        cl_find(d, CL_REMARK, "trust", "a quorum line names the witnesses who must have signed",
                "quorum none: no witness watches the ledger; its operator alone is believed");
    }
    if (trust->n_registries == 0)
        cl_find(d, CL_BAD, "trust", "a line registry <DID> <URL> says whom to ask",
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

static const char *service_remedy(const struct cl_doctor *d, cg_err err)
{
    if (err == CG_TLS && d->run->app.ca_pem.len == 0)
        return "there are no certificates to verify it by: install ca-certificates, or use "
               "--cacert";
    if (err == CG_TLS)
        return "its TLS certificate is not one that this machine knows: --cacert names others";
    if (err == CG_CONFIG || err == CG_SYNTAX)
        return "a URL is https://host, or http:// of this machine alone";
    return "is it running, and does a firewall let us through?";
}

static void look_at_registry(struct cl_doctor *d, struct cg_span url, const struct cg_waddr *did)
{
    struct cl_answer answer;
    int64_t began = cg_clock_mono().us;
    cg_err err = cl_ask(&d->run->app, url, "GET", CG_LIT("/operator"), NULL,
                        (struct cg_span){NULL, 0}, &answer);
    int n = (int)url.len;

    if (err != CG_OK) {
        cl_find(d, CL_BAD, "registry", service_remedy(d, err), "%.*s: %s", n, (const char *)url.at,
                cg_err_text(err));
        return;
    }
    if (answer.status == 503 || answer.status == 429)
        cl_find(d, CL_BAD, "registry", "try again; if it stays so, its operator's log says why",
                "%.*s is there, and says %s (status %d)", n, (const char *)url.at,
                answer.status == 503 ? "not now" : "too often", answer.status);
    else if (answer.status != 200)
        cl_find(d, CL_BAD, "registry",
                "is this the URL of a registry? its operator's log says more",
                "%.*s answers with status %d", n, (const char *)url.at, answer.status);
    else if (!is_operator(cg_buf_span(&answer.body), did))
        cl_find(d, CL_BAD, "registry", "one of the two is wrong: ask whoever runs it",
                "%.*s is of another DID than the trust file says", n, (const char *)url.at);
    else
        cl_find(d, CL_GOOD, "registry", NULL, "%.*s, %.0f ms", n, (const char *)url.at,
                (double)(cg_clock_mono().us - began) / 1000);
    cg_buf_done(&answer.body);
}

static void tell_age(struct cl_doctor *d, const char *url, const struct cg_staple_facts *facts)
{
    int64_t age = cg_clock_wall().s - facts->head.time.s;

    if (age < -5)
        cl_find(d, CL_BAD, "clock", "set it: certificates and records would be from the future",
                "it is %" PRId64 " s behind the ledger's newest head", -age);
    cl_find(d, CL_GOOD, "ledger", NULL, "%s, %" PRIu64 " entries, newest head %" PRId64 " s old",
            url, facts->head.size, age < 0 ? 0 : age);
}

/* What was to be proved, and what to do where it was not. */
static void tell_unproved(struct cl_doctor *d, const char *url, enum cg_staple_step step,
                          cg_err err)
{
    const char *remedy =
        "do not use it until this is explained: httpcg ledger verify -v tells more, "
        "whoever runs the ledger should know";

    if (err == CG_EARLY)
        remedy = "this machine's clock is behind, or the ledger's is ahead: set it right";
    else if (err == CG_STALE || err == CG_EXPIRED)
        remedy = "this machine's clock is ahead, or the ledger publishes no heads any more";
    else if (err == CG_UNKNOWN || (step == CG_STAPLE_CHECKPOINT && err == CG_SIGNATURE))
        remedy = "the trust file is another ledger's, or somebody stands in for this one: ask who "
                 "runs it which is right, and send nothing until then";
    else if (step == CG_STAPLE_FORM)
        remedy = "is it a ledger? --ledger names another; its operator's log says more";
    else if (err == CG_QUORUM)
        remedy =
            "the witnesses that the trust file asks for have not signed: ask who runs the ledger";
    cl_find(d, CL_BAD, "ledger", remedy, "%s: it is not proved that %s: %s", url,
            cg_staple_step_text(step), cg_err_text(err));
}

static void look_at_ledger(struct cl_doctor *d)
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
    if (err != CG_OK) {
        cl_find(d, CL_BAD, "ledger", service_remedy(d, err), "%s: %s", url, cg_err_text(err));
        return;
    }
    if (answer.status != 200) {
        cl_find(d, CL_BAD, "ledger",
                "is it a ledger? --ledger names another; its operator's log says more",
                "%s answers with status %d", url, answer.status);
    } else {
        err = cg_staple_verify(cg_buf_span(&answer.body), &view, false, &ask, 1, &facts);
        if (err == CG_OK)
            tell_age(d, url, &facts);
        else
            tell_unproved(d, url, facts.failed, err);
    }
    cg_buf_done(&answer.body);
}

void cl_look_at_services(struct cl_doctor *d)
{
    const struct cg_trust *trust = d->run->app.trust;

    for (size_t i = 0; i < trust->n_registries; i++)
        for (size_t k = 0; k < trust->registries[i].n_urls; k++)
            look_at_registry(d, trust->registries[i].urls[k], &trust->registries[i].did);
    look_at_ledger(d);
}

/* --- a name, as far as its gateway ------------------------------------------------------------ */

/* The gateway's clock is the one that requests are judged by. */
static void compare_clocks(struct cl_doctor *d, struct cl_link *link)
{
    struct cg_wall there;
    cg_err err = cl_gateway_time(link, &there);

    if (err != CG_OK) {
        cl_find(d, CL_REMARK, "clock", NULL, "%s does not say what time it is: %s", link->host,
                cg_err_text(err));
        return;
    }
    int64_t apart = cg_clock_wall().s - there.s, amount = apart < 0 ? -apart : apart;
    const char *way = apart < 0 ? "behind" : "ahead of";

    if (amount > CG_NATIVE_OFFSET_MAX_S)
        cl_find(d, CL_BAD, "clock", "set it: requests are refused with so large a difference",
                "it is %" PRId64 " s %s the gateway's", amount, way);
    else if (amount > 10)
        cl_find(d, CL_REMARK, "clock", "it is made up for, up to 10 minutes; set it all the same",
                "it is %" PRId64 " s %s the gateway's", amount, way);
    else
        cl_find(d, CL_GOOD, "clock", NULL, "as the gateway's");
}

static const char *way_remedy(enum cl_way_step step, cg_err err)
{
    if (err == CG_NOT_FOUND)
        return "is it spelt right? httpcg publish publishes it";
    if (err == CG_UNREACHABLE || err == CG_TIMEOUT)
        return step == CL_WAY_RESOLVE ? "no registry of the trust file could be asked"
                                      : "is it running, and does a firewall let us through?";
    if (err == CG_EARLY || err == CG_STALE || err == CG_EXPIRED)
        return "is this machine's clock right? if so, whoever runs it has to renew it";
    if (err == CG_ROLLBACK || err == CG_CONFLICT)
        return "an attack, or a registry that was set back: tell whoever runs it";
    if (err == CG_TLS || err == CG_PROTOCOL || err == CG_CLOSED)
        return "is that a gateway, and of this version? its operator's log says more";
    return "it is not to be believed as it is; -v shows each check";
}

void cl_look_at_name(struct cl_doctor *d, const char *word)
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
        cl_find(d, CL_BAD, "name", "httpcg url parse shows what is wrong", "%.80s is no name",
                word);
        free(room);
        return;
    }
    /* No wallet is shown to anybody: the gateway's own proofs are what is looked at. */
    cg_err err = cl_way_find(&ways, &url, true, &way, &step);
    failed = cl_show_failed(d->run->show);
    bool is_its = failed && failed->err == err;
    if (err == CG_OK) {
        cl_find(d, CL_GOOD, "gateway", NULL, "%s:%u serves %s, its certificate is good",
                way->link->host, way->link->port, way->name);
        compare_clocks(d, way->link);
    } else {
        cl_find(d, CL_BAD, step == CL_WAY_RESOLVE ? "name" : "gateway", way_remedy(step, err),
                "%.80s: %s%s%s", word,
                err == CG_NOT_FOUND ? "the registry proved that there is no such name"
                                    : cg_err_text(err),
                is_its && err != CG_NOT_FOUND ? ": " : "",
                is_its && err != CG_NOT_FOUND ? failed->name : "");
    }
    cl_ways_done(&ways);
    free(room);
}
