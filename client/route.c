#include "client/route.h"

#include "client/admin.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/wire/json.h"
#include "lib/wire/writer.h"

#include <stdlib.h>
#include <sys/stat.h>

#define USUAL_ADMIN "/run/httpcg/admin.sock"
#define ROUTE_MAX_BYTES (64 * 1024)

/* Which socket; *out_is_guess tells that nobody named it. */
static const char *find_socket(struct cl_run *run, bool *out_is_guess)
{
    const char *given = cl_text(run->args, CL_ADMIN), *usual = getenv("HTTPCG_ADMIN_SOCKET");

    *out_is_guess = !given && !(usual && usual[0]);
    return given ? given : usual && usual[0] ? usual : USUAL_ADMIN;
}

/* "app/shop.example" is written in the file "app-shop.example". */
void cl_route_init(struct cl_route *route, const char *name)
{
    int n;

    *route = (struct cl_route){.name = name};
    n = snprintf(route->path, sizeof route->path, "/routes/%s", name);
    for (int i = 8; i < n && i < (int)sizeof route->path; i++)
        if (route->path[i] == '/')
            route->path[i] = '-';
}

void cl_route_done(struct cl_route *route)
{
    cg_buf_wipe(&route->before);
    *route = (struct cl_route){0};
}

static int ask(struct cl_run *run, const struct cl_route *route, const char *method,
               struct cg_span body, struct cl_answer *answer)
{
    bool is_guess;
    const char *socket = find_socket(run, &is_guess);
    cg_err err = cl_admin_ask(&run->app, socket, method, route->path, body, answer);

    if (err == CG_OK)
        return 0;
    return cl_fail(run->show, cl_exit_of(err), err,
                   "run this where the gateway runs, as its user; --admin-socket names its socket",
                   "cannot reach the gateway's admin socket %s", socket);
}

/* What the gateway says of a route that it does not take: {"problems":[{"problem":…}]}, or a
 * problem document. It is this machine's own and may be shown. */
static void read_problem(const struct cl_answer *answer, char *out, size_t room)
{
    json_t *said = json_loadb((const char *)answer->body.at, answer->body.len, 0, NULL);
    json_t *first = json_array_get(json_object_get(said, "problems"), 0);
    const char *text = json_string_value(json_object_get(first, "problem"));

    if (!text)
        text = json_string_value(json_object_get(said, "title"));
    snprintf(out, room, "%s", text ? text : "it does not say why");
    json_decref(said);
}

static int refused(struct cl_run *run, const struct cl_route *route, const struct cl_answer *answer)
{
    char why[256];

    if (answer->status == 403)
        return cl_fail(run->show, CL_EXIT_POLICY, CG_OK,
                       "run this as the gateway's user, or as root",
                       "the gateway takes no commands from this user");
    read_problem(answer, why, sizeof why);
    return cl_fail(run->show, CL_EXIT_POLICY, CG_OK,
                   "nothing was changed; httpcgd --check-config tells whether the rest is right",
                   "the gateway does not take the route of %s: %s (status %d)", route->name, why,
                   answer->status);
}

/* --- putting one --------------------------------------------------------------------------------
 */

static int keep_before(struct cl_run *run, struct cl_route *route)
{
    struct cl_answer answer;
    int code = ask(run, route, "GET", (struct cg_span){NULL, 0}, &answer);

    if (code != 0)
        return code;
    if (answer.status == 200) {
        route->had = true;
        route->before = answer.body;
        return 0;
    }
    if (answer.status != 404)
        code = refused(run, route, &answer);
    cg_buf_wipe(&answer.body);
    return code;
}

static int put(struct cl_run *run, struct cl_route *route, struct cg_span text)
{
    struct cl_answer answer;

    /* Also where the answer does not arrive it may have been put. */
    route->is_put = true;
    int code = ask(run, route, "PUT", text, &answer);
    if (code != 0) {
        route->is_put = code != CL_EXIT_CONNECT;
        return code;
    }
    if (answer.status / 100 != 2) {
        route->is_put = false;
        code = refused(run, route, &answer);
    }
    cg_buf_wipe(&answer.body);
    return code;
}

int cl_route_put(struct cl_run *run, struct cl_route *route, const char *backend,
                 const char *secret, const char *key_id)
{
    char text[2048];
    int code = keep_before(run, route);

    if (code != 0)
        return code;
    /* Quoted as JSON is, so that a word is a word and nothing else of YAML's. */
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    cg_put_str(&w, "{\"name\":");
    cg_json_put_text(&w, cg_span_str(route->name));
    cg_json_put_key(&w, "backend", false);
    cg_json_put_text(&w, cg_span_str(backend));
    cg_json_put_key(&w, "secret", false);
    cg_json_put_text(&w, cg_span_str(secret));
    cg_json_put_key(&w, "key_id", false);
    cg_json_put_text(&w, cg_span_str(key_id ? key_id : "gateway"));
    cg_put_str(&w, "}\n");
    if (cg_writer_end(&w) == CG_OK)
        code = put(run, route, cg_writer_span(&w));
    else
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "BACKEND or --key-id");
    cg_wipe(text, sizeof text);
    return code;
}

/* --- taking it back -----------------------------------------------------------------------------
 */

void cl_route_undo(struct cl_run *run, struct cl_route *route)
{
    bool is_guess;
    const char *socket = find_socket(run, &is_guess);
    struct cl_answer answer = {0};
    char text[512];

    if (!route->is_put)
        return;
    cg_err err = cl_admin_ask(&run->app, socket, route->had ? "PUT" : "DELETE", route->path,
                              cg_buf_span(&route->before), &answer);
    bool is_undone =
        err == CG_OK && (answer.status / 100 == 2 || (!route->had && answer.status == 404));
    if (is_undone)
        snprintf(text, sizeof text, "the gateway's route of %s is %s", route->name,
                 route->had ? "what it was before" : "taken back");
    else
        snprintf(text, sizeof text,
                 "the gateway's route of %s could not be taken back; %s %s on %s does it",
                 route->name, route->had ? "a PUT of what it was to" : "DELETE", route->path,
                 socket);
    cl_fail_more(run->show, text);
    cg_buf_wipe(&answer.body);
    route->is_put = !is_undone;
}

int cl_route_drop(struct cl_run *run, struct cl_route *route)
{
    struct cl_answer answer;
    struct stat info;
    bool is_guess;
    const char *socket = find_socket(run, &is_guess);

    if (is_guess && stat(socket, &info) != 0) {
        cl_say(run->show, "route    none on this machine: no gateway listens at %s", socket);
        return 0;
    }
    int code = ask(run, route, "DELETE", (struct cg_span){NULL, 0}, &answer);
    if (code != 0)
        return code;
    if (answer.status / 100 == 2)
        cl_say(run->show, "route    removed from the gateway");
    else if (answer.status == 404)
        cl_say(run->show, "route    the gateway had none");
    else
        code = refused(run, route, &answer);
    cg_buf_wipe(&answer.body);
    return code;
}
