#include "runtime/config.h"
#include "runtime/log.h"

#include "lib/base/span.h"

#include <string.h>

static const char *const roles[] = {
    [CG_DUTY_GATEWAY] = "gateway",
    [CG_DUTY_REGISTRY] = "registry",
    [CG_DUTY_LEDGER] = "ledger",
    NULL,
};
static const char *const levels[] = {
    [CG_LOG_ERROR] = "error",
    [CG_LOG_WARN] = "warn",
    [CG_LOG_INFO] = "info",
    [CG_LOG_DEBUG] = "debug",
    NULL,
};
static const char *const formats[] = {
    [CG_LOG_JSON] = "json",
    [CG_LOG_LOGFMT] = "logfmt",
    NULL,
};

static const struct cg_option options[] = {
    {.key = "roles",
     .type = CG_OPTION_LIST,
     .item = CG_OPTION_ENUM,
     CG_OPTION_AT(struct cg_options, roles),
     .values = roles,
     .def = "[gateway, registry, ledger]",
     .help = "What this process does. Roles on several machines meet over their services "
             "listeners."},
    {.key = "state",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, state),
     .def = "/var/lib/httpcg",
     .help = "Folder of the databases and of whatever else must survive a restart."},
    {.key = "trust",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, trust),
     .def = "trust.conf",
     .reload = true,
     .help = "The trust file: which ledgers and registries are believed, and how many witnesses "
             "are asked for."},
    {.key = "files",
     .type = CG_OPTION_INT,
     CG_OPTION_AT(struct cg_options, files),
     .def = "0",
     .max = 1 << 20,
     .help = "How many files and sockets may be open; 0 takes what the system allows."},
    {.key = "threads.loops",
     .type = CG_OPTION_INT,
     CG_OPTION_AT(struct cg_options, threads.loops),
     .def = "0",
     .max = 256,
     .help = "Threads that serve connections; 0 takes one a core."},
    {.key = "threads.crypto",
     .type = CG_OPTION_INT,
     CG_OPTION_AT(struct cg_options, threads.crypto),
     .def = "0",
     .max = 256,
     .help = "Threads for signatures that take long; 0 takes one a core."},
    {.key = "listen.native",
     .type = CG_OPTION_LIST,
     .item = CG_OPTION_ADDRESS,
     CG_OPTION_AT(struct cg_options, listen.native),
     .max = 65535,
     .max_items = 16,
     .def = "[\"*:443\"]",
     .help = "Where the gateway takes httpcg connections. Port 0 takes a free one."},
    {.key = "listen.services",
     .type = CG_OPTION_LIST,
     .item = CG_OPTION_ADDRESS,
     CG_OPTION_AT(struct cg_options, listen.services),
     .max = 65535,
     .max_items = 16,
     .def = "[\"127.0.0.1:8440\"]",
     .help =
         "Where registry and ledger answer, and where backends fetch evidence from a gateway; [] "
         "opens none. Without a certificate only loopback addresses are allowed."},
    {.key = "listen.services_certificate",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, listen.services_certificate),
     .example = "services.crt",
     .reload = true,
     .help = "Certificate chain of the services listener, PEM; it is read again on reload."},
    {.key = "listen.services_key",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, listen.services_key),
     .example = "services.key",
     .reload = true,
     .help = "Its private key, PEM, readable by nobody else."},
    {.key = "admin.listen",
     .type = CG_OPTION_LIST,
     .item = CG_OPTION_ADDRESS,
     CG_OPTION_AT(struct cg_options, admin.listen),
     .max = 65535,
     .max_items = 16,
     .off = true,
     .def = "[\"127.0.0.1:8441\"]",
     .help = "Where /livez, /readyz and /metrics are answered, in plain http: keep it private."},
    {.key = "admin.socket",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, admin.socket),
     .off = true,
     .def = "/run/httpcg/admin.sock",
     .help = "The socket for commands (status, reload, drain, routes); only this user and root may "
             "use it."},
    {.key = "log.level",
     .type = CG_OPTION_ENUM,
     CG_OPTION_AT(struct cg_options, log.level),
     .values = levels,
     .def = "info",
     .reload = true,
     .help = "How much is logged."},
    {.key = "log.format",
     .type = CG_OPTION_ENUM,
     CG_OPTION_AT(struct cg_options, log.format),
     .values = formats,
     .def = "json",
     .help = "How a line is written."},
    {.key = "log.file",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, log.file),
     .off = true,
     .def = "off",
     .help = "Where the log goes; off is standard error. SIGUSR1 and reload open it anew."},
    {.key = "log.access",
     .type = CG_OPTION_PATH,
     CG_OPTION_AT(struct cg_options, log.access),
     .off = true,
     .def = "off",
     .help = "Where a line for each request goes."},
    {.key = "drain.stop",
     .type = CG_OPTION_DURATION,
     CG_OPTION_AT(struct cg_options, drain.stop_ms),
     .max = 3600000,
     .def = "30s",
     .reload = true,
     .help = "How long open requests may take to end when the process is asked to stop."},
};

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

static void check(const void *values, struct cg_option_check *check)
{
    const struct cg_options *options_now = values;
    bool has_certificate = options_now->listen.services_certificate != NULL;

    if (options_now->roles.n == 0)
        cg_option_refuse(check, "roles", "is empty, so there is nothing to do");
    if (has_certificate != (options_now->listen.services_key != NULL))
        cg_option_refuse(check,
                         has_certificate ? "listen.services_certificate" : "listen.services_key",
                         "certificate and key are set together or not at all");
    for (size_t i = 0; !has_certificate && i < options_now->listen.services.n; i++) {
        const struct cg_host_port *at =
            CG_LIST_AT(options_now->listen.services, struct cg_host_port, i);

        if (!is_loopback(at->host))
            cg_option_refuse(check, "listen.services",
                             "%s is no loopback address, so it needs "
                             "listen.services_certificate and listen.services_key",
                             at->host);
    }
}

const struct cg_option_table cg_option_table_common = {
    .section = "",
    .help = "What every role shares.",
    .options = options,
    .n_options = CG_COUNT(options),
    .size = sizeof(struct cg_options),
    .check = check,
};
