#include "runtime/listen_at.h"

#include "lib/base/span.h"

#include <string.h>

cg_err cg_listen_at(const struct cg_host_port *at, struct cg_address out[static CG_LISTEN_AT_MAX],
                    size_t *out_n)
{
    const char *texts[CG_LISTEN_AT_MAX] = {at->host, NULL};
    size_t n = 1;

    if (strcmp(at->host, "*") == 0) {
        texts[0] = "0.0.0.0";
        texts[1] = "::";
        n = 2;
    } else if (strcmp(at->host, "localhost") == 0) {
        texts[0] = "127.0.0.1";
    }
    for (size_t i = 0; i < n; i++)
        if (cg_address_read_ip(cg_span_str(texts[i]), at->port, &out[i]) != CG_OK)
            return CG_CONFIG;
    *out_n = n;
    return CG_OK;
}
