/* services: the listener of registry, ledger and evidence: https, or plain http on loopback. */
#include "httpcgd/process.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/file.h"
#include "runtime/listen_at.h"
#include "runtime/serve.h"

static cg_err services_engine(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                              struct cg_engine **out)
{
    struct cd_process *p = ctx;
    const struct cg_engine_conf conf = {.scratch = cg_loop_scratch(loop)};
    struct cg_tls *tls = NULL;

    (void)peer;
    if (p->server_tls)
        CG_TRY(cg_tls_accept(p->server_tls, p->sites, &tls));
    return cg_stack_accept(&conf, tls, tls ? CG_SPEAKS_ALPN : CG_SPEAKS_H1, cg_loop_mono(loop),
                           out);
}

static cg_err make_services_tls(struct cd_process *p, struct cg_problems *problems)
{
    const struct cg_options *options = cg_config_common(p->config);
    struct cg_buf chain = {0}, key = {0};
    const struct cg_tls_server_options tls = {.kind = CG_TLS_SERVICES};

    if (!options->listen.services_certificate)
        return CG_OK;
    cg_err err = cg_file_read(options->listen.services_certificate, 65536, &chain);
    if (err == CG_OK)
        err = cg_file_read_secret(options->listen.services_key, 65536, &key);
    if (err == CG_OK) {
        const struct cg_tls_site_options site = {.chain = cg_buf_span(&chain),
                                                 .key = cg_buf_span(&key)};
        err = cg_tls_site_new(&site, &p->site);
    }
    cg_buf_done(&chain);
    cg_buf_wipe(&key);
    if (err != CG_OK) {
        cg_problem_add(problems, options->listen.services_certificate, 0, 0,
                       "and listen.services_key cannot be used together: %s", cg_err_text(err));
        return CG_CONFIG;
    }
    CG_TRY(cg_tls_sites_new(&p->site, 1, NULL, NULL, &p->sites));
    return cg_tls_conf_server(&tls, &p->server_tls);
}

cg_err cd_services_listen(struct cd_process *p, struct cg_problems *problems)
{
    const struct cg_options *options = cg_config_common(p->config);

    CG_TRY(make_services_tls(p, problems));
    for (size_t i = 0; i < options->listen.services.n; i++) {
        const struct cg_host_port *at =
            CG_LIST_AT(options->listen.services, struct cg_host_port, i);
        struct cg_address addresses[CG_LISTEN_AT_MAX];
        size_t n = 0;

        if (cg_listen_at(at, addresses, &n) != CG_OK) {
            cg_problem_add(problems, "listen.services", 0, 0,
                           "%s is not an address of this machine; write an IP, or *", at->host);
            return CG_CONFIG;
        }
        for (size_t k = 0; k < n && p->n_servers < CD_SERVERS_MAX; k++) {
            const struct cg_serve_options serve = {
                .at = addresses[k],
                .engine = services_engine,
                .engine_ctx = p,
                .tables = p->tables,
                .n_tables = p->n_tables,
            };
            char text[CG_ADDRESS_TEXT_BYTES];

            if (!p->server_tls && !cg_address_is_loopback(&addresses[k])) {
                cg_problem_add(problems, "listen.services", 0, 0,
                               "%s is not loopback and needs listen.services_certificate",
                               cg_address_write(&addresses[k], text));
                return CG_CONFIG;
            }
            cg_err err = cg_server_new(p->service, &serve, &p->servers[p->n_servers]);
            if (err != CG_OK) {
                cg_problem_add(problems, "listen.services", 0, 0, "cannot listen on %s: %s",
                               cg_address_write(&addresses[k], text),
                               err == CG_CONFLICT ? "the port is taken; stop the other program or "
                                                    "choose another port"
                                                  : cg_err_text(err));
                return err;
            }
            p->n_servers++;
        }
    }
    return CG_OK;
}
