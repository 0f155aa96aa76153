#include "runtime/admin.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/admin_inner.h"
#include "runtime/listen_at.h"
#include "session/stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNS_MAX 64
#define JOBS_MAX 16

cg_err cg_admin_new(const struct cg_admin_setup *setup, struct cg_admin **out)
{
    struct cg_admin *admin = calloc(1, sizeof *admin);
    cg_err err;

    if (!admin)
        return CG_NO_MEMORY;
    admin->setup = *setup;
    cg_admin_fill_pages(admin);
    cg_admin_fill_commands(admin);
    err = cg_workers_new("admin", 1, JOBS_MAX, &admin->workers);
    if (err != CG_OK) {
        free(admin);
        return err;
    }
    *out = admin;
    return CG_OK;
}

void cg_admin_free(struct cg_admin *admin)
{
    if (!admin)
        return;
    cg_admin_close(admin);
    cg_workers_free(admin->workers);
    free(admin);
}

static cg_err add(struct cg_admin *admin, struct cg_admin_condition condition)
{
    if (admin->n_conditions == CG_ADMIN_CONDITIONS_MAX)
        return CG_TOO_LARGE;
    admin->conditions[admin->n_conditions++] = condition;
    return CG_OK;
}

cg_err cg_admin_condition(struct cg_admin *admin, const char *name, cg_ready_fn ask, void *ctx)
{
    return add(admin, (struct cg_admin_condition){name, ask, ctx, false});
}

cg_err cg_admin_note(struct cg_admin *admin, const char *name, cg_ready_fn ask, void *ctx)
{
    return add(admin, (struct cg_admin_condition){name, ask, ctx, true});
}

const struct cg_route_table *cg_admin_pages(struct cg_admin *admin)
{
    return &admin->pages;
}

const struct cg_route_table *cg_admin_commands(struct cg_admin *admin)
{
    return &admin->commands;
}

static cg_err make_engine(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                          struct cg_engine **out)
{
    struct cg_engine_conf conf = {.scratch = cg_loop_scratch(loop)};

    (void)ctx;
    (void)peer;
    return cg_stack_accept(&conf, NULL, CG_SPEAKS_H1, cg_loop_mono(loop), out);
}

static int errno_of(cg_err err)
{
    switch (err) {
    case CG_CONFLICT:
        return EADDRINUSE;
    case CG_DENIED:
        return EACCES;
    case CG_NO_MEMORY:
        return ENOMEM;
    default:
        return errno != 0 ? errno : EADDRNOTAVAIL;
    }
}

static cg_err serve(struct cg_admin *admin, struct cg_loop *loop, const struct cg_address *at,
                    const struct cg_route_table *const *tables, size_t n_tables,
                    const char *setting, struct cg_problems *problems)
{
    struct cg_serve_options options = {.at = *at,
                                       .n_conns_max = CONNS_MAX,
                                       .engine = make_engine,
                                       .tables = tables,
                                       .n_tables = n_tables};
    char text[CG_ADDRESS_TEXT_BYTES];
    cg_err err;

    if (admin->n_servers == CG_ADMIN_SERVERS_MAX)
        return CG_TOO_LARGE;
    errno = 0;
    err = cg_server_new(loop, &options, &admin->servers[admin->n_servers]);
    if (err != CG_OK) {
        cg_problem_attempt(problems, CG_ATTEMPT_LISTEN,
                           at->kind == CG_ADDRESS_UNIX ? at->path : cg_address_write(at, text),
                           setting, errno_of(err));
        return err;
    }
    cg_log(cg_daemon_log(admin->setup.daemon), INFO, listening, CG_STR("for", setting),
           CG_STR("at", cg_address_write(cg_server_at(admin->servers[admin->n_servers]), text)));
    admin->n_servers++;
    return CG_OK;
}

static cg_err serve_socket(struct cg_admin *admin, struct cg_loop *loop, const char *path,
                           struct cg_problems *problems)
{
    struct cg_address at = {.kind = CG_ADDRESS_UNIX};
    int n = snprintf(at.path, sizeof at.path, "%s", path);

    if (n < 0 || (size_t)n >= sizeof at.path) {
        cg_problem_add(problems, "", 0, 0,
                       "cannot listen on %s: a socket's path has at most %zu bytes; choose a "
                       "shorter one (setting admin.socket)",
                       path, sizeof at.path - 1);
        return CG_CONFIG;
    }
    return serve(admin, loop, &at, admin->tables, admin->n_tables, "admin.socket", problems);
}

static cg_err serve_pages(struct cg_admin *admin, struct cg_loop *loop,
                          const struct cg_host_port *where, struct cg_problems *problems)
{
    struct cg_address at[CG_LISTEN_AT_MAX];
    size_t n;

    if (cg_listen_at(where, at, &n) != CG_OK) {
        cg_problem_add(problems, "", 0, 0,
                       "cannot listen on %s: it is no address; write one of this machine's, "
                       "localhost or * (setting admin.listen)",
                       where->host);
        return CG_CONFIG;
    }
    for (size_t i = 0; i < n; i++)
        CG_TRY(serve(admin, loop, &at[i], &admin->tables[0], 1, "admin.listen", problems));
    return CG_OK;
}

cg_err cg_admin_listen(struct cg_admin *admin, struct cg_loop *loop, const struct cg_config *config,
                       const struct cg_route_table *const *more, size_t n_more,
                       struct cg_problems *problems)
{
    const struct cg_options *common = cg_config_common(config);

    if (n_more > CG_ADMIN_TABLES_MAX - 2)
        return CG_TOO_LARGE;
    /* The first is the pages', which the socket serves too. */
    admin->tables[0] = &admin->pages;
    admin->tables[1] = &admin->commands;
    for (size_t i = 0; i < n_more; i++)
        admin->tables[2 + i] = more[i];
    admin->n_tables = 2 + n_more;
    if (common->admin.socket)
        CG_TRY(serve_socket(admin, loop, common->admin.socket, problems));
    for (size_t i = 0; i < common->admin.listen.n; i++)
        CG_TRY(serve_pages(admin, loop, CG_LIST_AT(common->admin.listen, struct cg_host_port, i),
                           problems));
    return CG_OK;
}

void cg_admin_close(struct cg_admin *admin)
{
    while (admin->n_servers > 0)
        cg_server_free(admin->servers[--admin->n_servers]);
}
