#include "runtime/admin_inner.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With ".yaml", and what a file has behind its name while it is written, it fits into NAME_MAX. */
#define NAME_MAX_BYTES 224
#define RELOAD_LIMIT_US 30000000

bool cg_admin_allows(struct cg_admin *admin, const struct cg_message *in, struct cg_reply *out)
{
    const struct cg_peer *peer = in->peer;
    bool is_ours = peer->has_uid && (peer->uid == geteuid() || peer->uid == 0);
    struct cg_log *log = cg_daemon_log(admin->setup.daemon);

    if (is_ours) {
        cg_log(log, INFO, admin_command, CG_TEXT("method", in->head->method),
               CG_TEXT("path", in->path), CG_UINT("uid", peer->uid), CG_UINT("pid", peer->pid));
        return true;
    }
    cg_log(log, WARN, admin_refused, CG_TEXT("method", in->head->method), CG_TEXT("path", in->path),
           CG_INT("uid", peer->has_uid ? (int64_t)peer->uid : -1));
    cg_reply_refuse(out, CG_REFUSAL_FORBIDDEN, NULL);
    return false;
}

/* Takes the object. */
static void send_json(struct cg_reply *out, int status, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(object);
    if (!text) {
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
        return;
    }
    cg_reply_add(out, cg_span_str(text));
    cg_reply_add(out, CG_LIT("\n"));
    cg_reply_send(out, status, "application/json");
    free(text);
}

static json_t *problems_json(const struct cg_problems *problems)
{
    json_t *list = json_array();

    for (size_t i = 0; i < problems->n; i++) {
        const struct cg_problem *problem = &problems->at[i];

        /* A path may be no UTF-8; jansson then gives NULL, and the place is left out. */
        json_t *where = json_string(problem->where), *text = json_string(problem->text);
        json_array_append_new(list, json_pack("{s:o*, s:i, s:i, s:o*}", "where", where, "line",
                                              (int)problem->line, "column", (int)problem->column,
                                              "problem", text));
    }
    return json_pack("{s:b, s:o, s:i}", "ok", 0, "problems", list, "more", (int)problems->n_more);
}

static json_t *conditions_json(struct cg_admin *admin)
{
    json_t *object = json_object();

    for (size_t i = 0; i < admin->n_conditions; i++) {
        const struct cg_admin_condition *condition = &admin->conditions[i];
        const char *missing = condition->ask(condition->ctx);

        json_object_set_new(object, condition->name, json_string(missing ? missing : "ok"));
    }
    return object;
}

static void status(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_admin *admin = in->role;
    struct cg_daemon *daemon = admin->setup.daemon;
    struct cg_log *log = cg_daemon_log(daemon);

    if (!cg_admin_allows(admin, in, out))
        return;
    send_json(out, 200,
              json_pack("{s:s, s:I, s:I, s:b, s:b, s:o, s:I, s:{s:I, s:I}}", "version",
                        cg_version(), "pid", (json_int_t)getpid(), "uptime_s",
                        (json_int_t)cg_daemon_uptime_s(daemon), "draining",
                        cg_daemon_is_draining(daemon), "ready", cg_admin_missing(admin) == NULL,
                        "conditions", conditions_json(admin), "config_generation",
                        (json_int_t)cg_config_live_generation(cg_daemon_config(daemon)),
                        "log_dropped", "events", (json_int_t)cg_log_dropped(log, false), "access",
                        (json_int_t)cg_log_dropped(log, true)));
}

static void config(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_admin *admin = in->role;
    struct cg_config *now;
    struct cg_buf text;

    if (!cg_admin_allows(admin, in, out))
        return;
    cg_buf_init(&text, CG_CONFIG_MAX_BYTES * 4);
    now = cg_config_live_ref(cg_daemon_config(admin->setup.daemon));
    if (cg_config_print(now, &text) != CG_OK) {
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
    } else {
        cg_reply_add(out, cg_buf_span(&text));
        cg_reply_send(out, 200, "application/yaml");
    }
    cg_config_unref(now);
    cg_buf_done(&text);
}

static void drain(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_admin *admin = in->role;

    if (!cg_admin_allows(admin, in, out))
        return;
    cg_daemon_stop(admin->setup.daemon);
    send_json(out, 202, json_pack("{s:b, s:b}", "ok", 1, "draining", 1));
}

static void reopen_log(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_admin *admin = in->role;

    if (!cg_admin_allows(admin, in, out))
        return;
    cg_log_reopen(cg_daemon_log(admin->setup.daemon));
    send_json(out, 200, json_pack("{s:b}", "ok", 1));
}

/* --- reloads, with or without a change to a route: on the worker, for they read files --- */

enum change {
    CHANGE_NOTHING,
    CHANGE_READ, /* and no reload either */
    CHANGE_PUT,
    CHANGE_REMOVE,
};

struct reload {
    struct cg_admin *admin;
    enum change change;
    char name[NAME_MAX_BYTES + 1];
    struct cg_buf text; /* as given; then as it is written: may hold a secret */
    char path[4096];    /* of the row's file */
    bool is_absent;     /* nothing to read or remove */
    struct cg_problems problems;
};

static void free_reload(void *work)
{
    struct reload *reload = work;

    cg_buf_wipe(&reload->text);
    free(reload);
}

static const struct cg_option *rows_option(const struct cg_admin *admin)
{
    return cg_option_find(admin->setup.table, cg_span_str(admin->setup.key));
}

/* A new or changed file is whole or not there (cg_file_write); a removed one is gone for good only
 * once its folder is on the disk. */
static cg_err remove_file(const char *path, const char *folder)
{
    int fd;

    if (unlink(path) != 0)
        return CG_IO;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return CG_IO;
    int rc = fsync(fd);
    close(fd);
    return rc == 0 ? CG_OK : CG_IO;
}

static int errno_of(cg_err err)
{
    if (err == CG_DENIED)
        return EACCES;
    return errno != 0 ? errno : EIO;
}

/* Called between the check of the whole new configuration and its taking effect. */
static cg_err keep_change(void *ctx, struct cg_problems *problems)
{
    struct reload *reload = ctx;
    char *slash = strrchr(reload->path, '/');
    cg_err err;

    errno = 0;
    *slash = '\0';
    err = reload->change == CHANGE_PUT ? cg_folder_make(reload->path) : CG_OK;
    if (err != CG_OK)
        cg_problem_attempt(problems, CG_ATTEMPT_FOLDER, reload->path, NULL, errno_of(err));
    *slash = '/';
    CG_TRY(err);

    if (reload->change == CHANGE_PUT) {
        err = cg_file_write(reload->path, cg_buf_span(&reload->text));
    } else {
        *slash = '\0';
        char folder[sizeof reload->path];
        snprintf(folder, sizeof folder, "%s", reload->path);
        *slash = '/';
        err = remove_file(reload->path, folder);
    }
    if (err != CG_OK)
        cg_problem_attempt(problems, CG_ATTEMPT_WRITE, reload->path, NULL, errno_of(err));
    return err;
}

/* The body in the words of the table, so that the file holds nothing else. */
static cg_err rewrite_body(struct reload *reload)
{
    struct cg_buf written;
    cg_err err;

    cg_buf_init(&written, 2 * CG_ADMIN_BODY_MAX_BYTES);
    err = cg_config_row_write(rows_option(reload->admin)->rows, cg_buf_span(&reload->text), "body",
                              &reload->problems, &written);
    cg_buf_wipe(&reload->text);
    reload->text = written;
    return err;
}

static cg_err find_path(struct reload *reload)
{
    const struct cg_admin_setup *setup = &reload->admin->setup;
    const struct cg_option *rows = rows_option(reload->admin);
    const struct cg_option *folder = cg_option_find(setup->table, cg_span_str(rows->folder));
    struct cg_config *now = cg_config_live_ref(cg_daemon_config(setup->daemon));
    const char *values = cg_config_values(now, setup->table);
    const char *path = *(const char *const *)(const void *)(values + folder->offset);
    int n =
        path ? snprintf(reload->path, sizeof reload->path, "%s/%s.yaml", path, reload->name) : 0;

    cg_config_unref(now);
    if (!path)
        cg_problem_add(&reload->problems, "", 0, 0, "%s.%s is off, so routes cannot be changed",
                       setup->table->section, folder->key);
    else if (n < 0 || (size_t)n >= sizeof reload->path)
        cg_problem_add(&reload->problems, "", 0, 0, "the path of the file would be too long");
    return reload->problems.n == 0 ? CG_OK : CG_CONFIG;
}

static cg_err read_route(struct reload *reload)
{
    cg_err err;

    CG_TRY(find_path(reload));
    errno = 0;
    err = cg_file_read(reload->path, CG_ADMIN_BODY_MAX_BYTES, &reload->text);
    reload->is_absent = err == CG_NOT_FOUND;
    if (err != CG_OK && err != CG_NOT_FOUND)
        cg_problem_add(&reload->problems, reload->path, 0, 0, "cannot be read: the system says %s",
                       strerrorname_np(errno_of(err)));
    return err;
}

static cg_err run_reload(void *work)
{
    struct reload *reload = work;
    struct cg_daemon *daemon = reload->admin->setup.daemon;
    struct cg_config_change change = {
        .table = reload->admin->setup.table, .key = reload->admin->setup.key, .name = reload->name};

    if (reload->change == CHANGE_NOTHING)
        return cg_daemon_reload(daemon, NULL, NULL, NULL, &reload->problems);
    if (reload->change == CHANGE_READ)
        return read_route(reload);
    CG_TRY(find_path(reload));
    if (reload->change == CHANGE_PUT)
        CG_TRY(rewrite_body(reload));
    reload->is_absent = reload->change == CHANGE_REMOVE && access(reload->path, F_OK) != 0;
    if (reload->is_absent)
        return CG_NOT_FOUND;
    change.bytes = cg_buf_span(&reload->text); /* empty: the file goes */
    CG_TRY(cg_daemon_reload(daemon, &change, keep_change, reload, &reload->problems));
    if (reload->change == CHANGE_PUT)
        cg_log(cg_daemon_log(daemon), INFO, route_added, CG_STR("name", reload->name));
    else
        cg_log(cg_daemon_log(daemon), INFO, route_removed, CG_STR("name", reload->name));
    return CG_OK;
}

static void send_route(struct cg_reply *out, struct cg_span text)
{
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store"));
    cg_reply_add(out, text);
    cg_reply_send(out, 200, "application/yaml");
}

static void on_reloaded(void *owner, struct cg_call *call)
{
    struct cg_reply *out = owner;
    const struct reload *reload = cg_job_work(call);

    if (!reload)
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
    else if (reload->is_absent)
        cg_reply_refuse(out, CG_REFUSAL_NOT_FOUND, NULL);
    else if (call->err == CG_NO_MEMORY || (call->err != CG_OK && reload->problems.n == 0))
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
    else if (call->err != CG_OK)
        send_json(out, 422, problems_json(&reload->problems));
    else if (reload->change == CHANGE_READ)
        send_route(out, cg_buf_span(&reload->text));
    else
        send_json(out, 200, json_pack("{s:b}", "ok", 1));
}

static void begin_reload(const struct cg_message *in, struct cg_reply *out, enum change change,
                         struct cg_span name)
{
    static const struct cg_job_kind kind = {"reload", run_reload, free_reload};
    struct cg_admin *admin = in->role;
    struct cg_loop *loop = cg_reply_loop(out);
    struct reload *reload = calloc(1, sizeof *reload);
    struct cg_mono limit = cg_loop_mono(loop);
    cg_err err = reload ? CG_OK : CG_NO_MEMORY;

    if (reload) {
        reload->admin = admin;
        reload->change = change;
        snprintf(reload->name, sizeof reload->name, "%.*s", (int)name.len,
                 name.len ? (const char *)name.at : "");
        cg_buf_init(&reload->text, CG_ADMIN_BODY_MAX_BYTES);
        if (change == CHANGE_PUT)
            err = cg_buf_add(&reload->text, in->body);
        if (err != CG_OK)
            free_reload(reload);
    }
    limit.us += RELOAD_LIMIT_US;
    if (err == CG_OK)
        err = cg_job_begin(admin->workers, &kind, reload, loop, cg_reply_ticket(out, on_reloaded),
                           0, limit);
    if (err != CG_OK)
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
}

static void reload(const struct cg_message *in, struct cg_reply *out)
{
    if (cg_admin_allows(in->role, in, out))
        begin_reload(in, out, CHANGE_NOTHING, (struct cg_span){0});
}

/* A name becomes a file's, so it is one: no slash, no leading dot, nothing a shell would read. */
static bool is_file_name(struct cg_span name)
{
    if (name.len == 0 || name.len > NAME_MAX_BYTES || name.at[0] == '.' || name.at[0] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static void change_route(const struct cg_message *in, struct cg_reply *out, enum change change)
{
    struct cg_admin *admin = in->role;

    if (!cg_admin_allows(admin, in, out))
        return;
    if (!admin->setup.table)
        cg_reply_refuse(out, CG_REFUSAL_NOT_FOUND, NULL);
    else if (!is_file_name(in->param[0]))
        cg_reply_refuse(out, CG_REFUSAL_UNPROCESSABLE, &(struct cg_refusal_extra){.field = "name"});
    else
        begin_reload(in, out, change, in->param[0]);
}

static void get_route(const struct cg_message *in, struct cg_reply *out)
{
    change_route(in, out, CHANGE_READ);
}

static void put_route(const struct cg_message *in, struct cg_reply *out)
{
    change_route(in, out, CHANGE_PUT);
}

static void delete_route(const struct cg_message *in, struct cg_reply *out)
{
    change_route(in, out, CHANGE_REMOVE);
}

static const struct cg_route commands[] = {
    {"GET", "/status", status},           {"GET", "/config", config},
    {"POST", "/reload", reload},          {"POST", "/drain", drain},
    {"POST", "/log/reopen", reopen_log},  {"GET", "/routes/{name}", get_route},
    {"PUT", "/routes/{name}", put_route}, {"DELETE", "/routes/{name}", delete_route},
};

void cg_admin_fill_commands(struct cg_admin *admin)
{
    admin->commands = (struct cg_route_table){.name = "admin",
                                              .routes = commands,
                                              .n_routes = CG_COUNT(commands),
                                              .body_max = CG_ADMIN_BODY_MAX_BYTES,
                                              .role = admin};
}
