/* admin_inner.h: what pages and commands share; nobody else needs it. */
#ifndef CG_RUNTIME_ADMIN_INNER_H
#define CG_RUNTIME_ADMIN_INNER_H
#include "runtime/admin.h"
#include "runtime/serve.h"
#include "runtime/worker.h"

#define CG_ADMIN_SERVERS_MAX 34 /* the socket, and 16 addresses of two families */
#define CG_ADMIN_TABLES_MAX 8

struct cg_admin_condition {
    const char *name;
    cg_ready_fn ask;
    void *ctx;
    bool is_note;
};

struct cg_admin {
    struct cg_admin_setup setup;
    struct cg_admin_condition conditions[CG_ADMIN_CONDITIONS_MAX];
    size_t n_conditions;
    struct cg_workers *workers; /* one thread: reloads read files */
    struct cg_route_table pages, commands;
    const struct cg_route_table *tables[CG_ADMIN_TABLES_MAX]; /* of the socket */
    size_t n_tables;
    struct cg_server *servers[CG_ADMIN_SERVERS_MAX];
    size_t n_servers;
};

/* The handlers' tables: admin_pages.c, admin_commands.c. */
void cg_admin_fill_pages(struct cg_admin *admin);
void cg_admin_fill_commands(struct cg_admin *admin);

#endif
