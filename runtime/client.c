#include "runtime/client.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/loop.h"

cg_err cg_client_init(struct cg_client *client, struct cg_tls_conf *tls, struct cg_span name,
                      const struct cg_engine_conf *conf)
{
    if (name.len > CG_HOST_MAX_BYTES)
        return CG_TOO_LARGE;
    *client = (struct cg_client){.tls = tls, .name_len = name.len, .conf = *conf};
    if (name.len > 0)
        memcpy(client->name, name.at, name.len);
    client->speaks = tls ? CG_SPEAKS_ALPN : CG_SPEAKS_H1;
    return CG_OK;
}

cg_err cg_client_engine(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                        struct cg_engine **out)
{
    struct cg_client *client = ctx;
    struct cg_engine_conf conf = client->conf;
    struct cg_tls *tls = NULL;

    (void)peer;
    conf.scratch = cg_loop_scratch(loop);
    conf.blocks = cg_loop_blocks(loop);
    if (client->tls) {
        const struct cg_tls_dial how = {.name = cg_span_of(client->name, client->name_len),
                                        .now = cg_loop_wall(loop)};

        CG_TRY(cg_tls_connect(client->tls, &how, &tls));
    }
    return cg_stack_connect(&conf, tls, client->speaks, cg_loop_mono(loop), out);
}
