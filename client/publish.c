/* publish.c: httpcg publish, unpublish: a name for a service, and the way to it.
 *
 *   profile    who may do what: the one that is there, or the default, signed and logged
 *   route      the private address of the backend, in the gateway's configuration and nowhere else
 *   record     the name, its owner and its gateways, signed by the owner, confirmed by the registry
 *
 * The record's target is the name itself: nothing about the backend becomes public. The route comes
 * before the record, so that a name is not shown before somebody is behind it; where the record
 * then fails, route and secret are what they were before. What was logged stays, and harms nobody.
 */
#include "client/interrupt.h"
#include "client/policy.h"
#include "client/registration.h"
#include "client/route.h"
#include "client/submit.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/merkle/staple.h"
#include "runtime/entropy.h"
#include "runtime/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The secret of gateway and backend, in a file. */
struct secret {
    char path[CL_PATH_MAX_BYTES];
    char text[65];
    bool is_new; /* the file is ours to remove again */
};

static int read_name(struct cl_run *run, struct cl_registration *r)
{
    r->name = run->words[0];
    struct cg_span name = cg_span_str(r->name);
    size_t slash = cg_span_find(name, '/');

    if (cg_url_check_name(name) != CG_OK)
        return cl_fail(run->show, CL_EXIT_URL, CG_OK,
                       "a name is plane/authority in lower case, "
                       "such as app/shop.example",
                       "%s is no name", r->name);
    r->plane = cg_span_first(name, slash);
    r->authority = cg_span_from(name, slash + 1);
    return 0;
}

static int read_gateways(struct cl_run *run, struct cl_registration *r)
{
    const char *text;
    size_t at = 0;

    while ((text = cl_next(run->args, CL_GATEWAY, &at)) != NULL) {
        if (r->n_gateways == CG_RECORD_GATEWAYS_MAX)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "too many --gateway");
        r->gateways[r->n_gateways++] = cg_span_str(text);
    }
    if (r->n_gateways == 0)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "--gateway HOST:PORT is missing: where clients find the gateway");
    at = 0;
    while ((text = cl_next(run->args, CL_GATEWAY_DID, &at)) != NULL) {
        if (r->n_gateway_dids == CG_RECORD_GATEWAYS_MAX ||
            cg_did_read(cg_span_str(text), &r->gateway_dids[r->n_gateway_dids]) != CG_OK)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--gateway-did %s: no DID", text);
        r->n_gateway_dids++;
    }
    if (r->n_gateway_dids == 0)
        r->gateway_dids[r->n_gateway_dids++] = run->app.wallet.waddr;
    return 0;
}

static int read_options(struct cl_run *run, struct cl_registration *r)
{
    const char *profile = cl_text(run->args, CL_PROFILE), *ttl = cl_text(run->args, CL_TTL);

    r->profile = profile ? profile : "web-default";
    r->ttl_s = 300;
    if (ttl && cl_number(ttl, 1, CG_RECORD_MAX_TTL_S, &r->ttl_s) != CG_OK)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--ttl %s: 1 to %d", ttl,
                       CG_RECORD_MAX_TTL_S);
    return r->is_tombstone ? 0 : read_gateways(run, r);
}

/* --- the profile
 * ---------------------------------------------------------------------------------- */

static int has_profile(struct cl_run *run, const struct cl_registration *r, bool *out)
{
    char room[512], path[256];
    const char *url = cl_ledger_url(run, room);
    struct cl_answer answer;

    if (!url)
        return CL_EXIT_TRUST;
    int n = snprintf(path, sizeof path, "/state?kind=policy&id=did:bpi:%s/%s",
                     run->app.wallet.waddr.text, r->profile);
    if (n < 0 || n >= (int)sizeof path)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "--profile");
    cg_err err = cl_ask(&run->app, cg_span_str(url), "GET", cg_span_of(path, (size_t)n), NULL,
                        (struct cg_span){NULL, 0}, &answer);
    if (err != CG_OK)
        return cl_fail(run->show, cl_exit_of(err), err, "is the ledger running?",
                       "cannot ask the ledger at %s", url);
    /* Only a guess, for which nothing has to be proved: the gateway verifies what it is told. An
     * absent key's answer has empty members, and is short. */
    *out = answer.status == 200 && answer.body.len > 0;
    struct cg_cbor cbor = cg_cbor_of(cg_buf_span(&answer.body));
    if (*out && cg_cbor_peek(&cbor) == CG_CBOR_MAP) {
        cg_cbor_map(&cbor, 1, 8);
        cg_cbor_key(&cbor, "entry");
        *out = cg_cbor_bytes(&cbor, CG_ENTRY_MAX_BYTES).len > 0;
    }
    cg_buf_done(&answer.body);
    return 0;
}

static int make_profile(struct cl_run *run, const struct cl_registration *r)
{
    struct cg_buf json = {0}, document = {0};
    bool is_there = false;
    int code = has_profile(run, r, &is_there);

    if (code != 0 || is_there)
        return code;
    if (cl_policy_default("rbac", r->profile, &run->app.wallet.waddr, &json) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--profile %s", r->profile);
    if (code == 0)
        code = cl_policy_sign(run, "the default profile", cg_buf_span(&json), &document);
    if (code == 0)
        code = cl_submit(run, "the default profile", cg_buf_span(&document));
    cg_buf_done(&json);
    cg_buf_done(&document);
    return code;
}

/* --- the secret
 * ------------------------------------------------------------------------------------ */

/* Where nobody says otherwise: in the home folder, by the name, so that the same name published
 * again keeps its secret. */
static int find_secret_path(struct cl_run *run, const char *name, struct secret *out)
{
    const char *given = cl_text(run->args, CL_SECRET_FILE);
    size_t from = given ? 0 : strlen(run->app.folder) + 1;
    int n = given ? snprintf(out->path, sizeof out->path, "%s", given)
                  : snprintf(out->path, sizeof out->path, "%s/%s.secret", run->app.folder, name);

    if (n < 0 || n >= (int)sizeof out->path)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "the path of the secret");
    for (char *c = out->path + from; !given && *c; c++)
        if (*c == '/')
            *c = '-';
    return 0;
}

static int read_secret(struct cl_run *run, struct cg_span text, struct secret *out)
{
    struct cg_secret secret;

    while (text.len > 0 && text.at[text.len - 1] <= ' ')
        text.len--;
    if (cg_hex_read(text, secret.bytes, sizeof secret.bytes) != CG_OK)
        return cl_fail(run->show, CL_EXIT_READ, CG_OK,
                       "name another --secret-file, or remove this one to have a new one made",
                       "%s does not hold 64 hexadecimal digits", out->path);
    cg_hex_write(CG_BYTES(secret.bytes), out->text);
    cg_secret_done(&secret);
    return 0;
}

static int make_secret(struct cl_run *run, struct secret *out)
{
    struct cg_secret secret;
    char line[66];
    cg_err err = cg_entropy_fill(secret.bytes, sizeof secret.bytes);

    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_KEY, err, NULL, "no random bytes");
    cg_hex_write(CG_BYTES(secret.bytes), out->text);
    snprintf(line, sizeof line, "%s\n", out->text);
    int code = cl_write_new(run, out->path, cg_span_of(line, 65));
    out->is_new = code == 0;
    cg_secret_done(&secret);
    cg_wipe(line, sizeof line);
    return code;
}

/* The file's, or a fresh one that is put there: 0600, whole, and never over another file. */
static int get_secret(struct cl_run *run, const char *name, struct secret *out)
{
    struct cg_buf file = {0};
    int code = find_secret_path(run, name, out);

    if (code != 0)
        return code;
    cg_err err = cg_file_read_secret(out->path, 128, &file);
    if (err == CG_NOT_FOUND)
        code = make_secret(run, out);
    else if (err == CG_OK)
        code = read_secret(run, cg_buf_span(&file), out);
    else if (err == CG_CONFIG)
        code = cl_fail(run->show, CL_EXIT_READ, CG_OK, "chmod 600 the file",
                       "others may read or write the secret in %s", out->path);
    else
        code =
            cl_fail(run->show, CL_EXIT_READ, err, NULL, "cannot read the secret in %s", out->path);
    cg_buf_wipe(&file);
    return code;
}

static void undo_secret(struct cl_run *run, struct secret *secret)
{
    if (secret->is_new && unlink(secret->path) != 0)
        cl_fail_more(run->show,
                     "the secret that was made stays: it is nobody's, and may be removed");
}

/* --- the commands
 * ------------------------------------------------------------------------------------ */

static int open_all(struct cl_run *run, struct cl_registration *r)
{
    int code = cl_run_trust(run);

    if (code == 0)
        code = read_name(run, r);
    if (code == 0)
        code = cl_wallet_open(run);
    return code == 0 ? read_options(run, r) : code;
}

/* What comes after the route is there, or fails with it. */
static int put_behind(struct cl_run *run, struct cl_registration *r, struct cl_route *route,
                      struct secret *secret)
{
    const char *backend = run->n_words > 1 ? run->words[1] : NULL;
    int code = 0;

    if (backend)
        code = get_secret(run, r->name, secret);
    if (code == 0 && backend)
        code = cl_route_put(run, route, backend, secret->text, cl_text(run->args, CL_KEY_ID));
    return code == 0 ? cl_registration_send(run, r) : code;
}

static void tell(struct cl_run *run, const struct cl_registration *r, const struct secret *secret)
{
    if (secret->path[0]) {
        cl_say(run->show, "secret   %s%s: the backend verifies the gateway's signatures with it",
               secret->path, secret->is_new ? " (new)" : "");
        cl_add_text(run->show, "secret_file", secret->path);
    }
    cl_say(run->show, "\nhttpcg://%s/ is published", r->name);
}

int cl_run_publish(struct cl_run *run)
{
    struct cl_registration r = {0};
    struct cl_route route = {0};
    struct secret secret = {0};
    int code = open_all(run, &r);

    if (code == 0)
        code = cl_registration_look(run, &r);
    if (code == 0)
        code = cl_registration_begin(run, &r);
    if (code == 0)
        code = cl_submit_wallet(run, cg_buf_span(&run->app.wallet.doc));
    if (code == 0)
        code = make_profile(run, &r);
    if (code == 0) {
        cl_route_init(&route, r.name);
        cl_interrupt_catch(&run->app);
        code = put_behind(run, &r, &route, &secret);
        if (code != 0) {
            cl_interrupt_clean();
            cl_route_undo(run, &route);
            undo_secret(run, &secret);
        }
        cl_interrupt_release();
    }
    if (code == 0)
        tell(run, &r, &secret);
    cg_wipe(secret.text, sizeof secret.text);
    cl_route_done(&route);
    return code;
}

/* The tombstone first: while the name is shown somebody should be behind it. */
static int take_back(struct cl_run *run, struct cl_registration *r)
{
    int code = cl_registration_look(run, r);

    if (code != 0)
        return code;
    if (r->has_tombstone)
        cl_say(run->show, "gone     %s was taken back before", r->name);
    if (!r->has_record || r->has_tombstone)
        return 0;
    code = cl_registration_begin(run, r);
    return code == 0 ? cl_registration_send(run, r) : code;
}

int cl_run_unpublish(struct cl_run *run)
{
    struct cl_registration r = {.is_tombstone = true};
    struct cl_route route = {0};
    int code = open_all(run, &r);

    if (code == 0)
        code = take_back(run, &r);
    if (code != 0) {
        if (r.has_record)
            cl_fail_more(run->show, "nothing was changed: the name is still published, and the "
                                    "gateway still has its route");
        return code;
    }
    cl_route_init(&route, r.name);
    code = cl_route_drop(run, &route);
    if (code != 0)
        cl_fail_more(run->show, "the name is gone, but the gateway still has its route: the same "
                                "command again, where the gateway runs, removes it");
    else if (!r.has_record)
        code = cl_fail(run->show, CL_EXIT_UNRESOLVED, CG_OK, NULL,
                       "%s: the registry proved that there never was such a name", r.name);
    cl_route_done(&route);
    return code;
}
