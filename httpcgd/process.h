/* process.h: what one httpcgd is made of; known to the files of this folder alone. */
#ifndef CG_HTTPCGD_PROCESS_H
#define CG_HTTPCGD_PROCESS_H
#include "httpcgd/wire.h"

#include "runtime/client.h"

#include <pthread.h>

#define CD_SERVERS_MAX 16
#define CD_LOOPS_MAX 256 /* threads.loops */

/* A loop's sign of life: what it carries is not served while it hangs. */
struct cd_beat {
    struct cg_loop *loop;
    struct cg_pulse *pulse;
    struct cg_timer timer;
    struct cg_task start; /* timers are set on their own loop */
};

struct cd_process {
    struct cg_log *log;
    struct cg_daemon *daemon;
    struct cg_config *config; /* of the start: what needs a restart stays */
    struct cg_crypto *crypto;
    struct cg_trust *trust;
    struct cg_buf ca_pem;
    struct cg_metrics *metrics;
    struct cg_workers *workers;

    struct cg_loop *service;
    pthread_t thread;
    bool is_running;
    struct cg_locals *locals;
    struct cg_resolver *resolver;
    struct cg_pool *pool;
    struct cg_tls_conf *client_tls;
    struct cg_client ledger_client;
    struct cg_endpoint *ledger_endpoint; /* the registry's way to its ledger */

    struct lg_ledger *ledger;
    struct rg_registry *registry;
    struct gw_gateway *gateway;
    struct gw_evidence *evidence;

    struct cg_tls_conf *server_tls;
    struct cg_tls_site *site;
    struct cg_tls_sites *sites;
    const struct cg_route_table *tables[3];
    size_t n_tables;
    struct cg_server *servers[CD_SERVERS_MAX];
    size_t n_servers;
    size_t n_drained; /* on the service loop */
    _Atomic bool servers_drained;
    struct cg_task draining;
    struct cg_admin *admin;
    struct cd_beat beats[1 + CD_LOOPS_MAX];
    size_t n_beats;
    char database[1024];
    int state_lock; /* of the state folder; -1: not ours */
};

/* cd_services_listen opens the services listener for p->tables, where the configuration names one.
 * Errors  CG_CONFIG, CG_CONFLICT (the port is taken) and others, all said in problems. */
CG_MUST_USE cg_err cd_services_listen(struct cd_process *p, struct cg_problems *problems);

/* cd_beats_begin lets every loop give signs of life; cd_beats_end ends that. */
void cd_beats_begin(struct cd_process *p);
void cd_beats_end(struct cd_process *p);

#endif
