#include "gateway/options.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"

#include <string.h>

static const char *check_name(struct cg_span text)
{
    static const char *const planes[] = {"app/", "bpi/", "gw/", "wallet/", "m2m/"};

    for (size_t i = 0; i < CG_COUNT(planes); i++)
        if (cg_span_starts(text, cg_span_str(planes[i])) && text.len > strlen(planes[i]))
            return NULL;
    return "is not plane/authority, such as app/shop.example";
}

static const char *check_endpoint(struct cg_span text)
{
    if (cg_span_starts(text, CG_LIT("https://")) || cg_span_starts(text, CG_LIT("local:")) ||
        cg_span_starts(text, CG_LIT("http://127.0.0.1:")) ||
        cg_span_starts(text, CG_LIT("http://[::1]:")))
        return NULL;
    return "is not https://host, http://127.0.0.1:port or local:role";
}

static const char *check_pin(struct cg_span text)
{
    uint8_t hash[CG_HASH_BYTES];

    return cg_hex_read(text, hash, sizeof hash) == CG_OK ? NULL : "is not 64 hexadecimal digits";
}

/* What a rule decided on is what the backend gets, byte for byte: no path in front of it. */
static void check_route(const void *values, struct cg_option_check *check)
{
    const struct gw_route *route = values;

    if (route->backend.text && route->backend.scheme != CG_TARGET_UNIX &&
        strcmp(route->backend.path, "/") != 0)
        cg_option_refuse(check, "backend", "has a path; requests keep their own");
    if (route->pin && route->backend.scheme != CG_TARGET_HTTPS)
        cg_option_refuse(check, "pin", "is for https backends only");
}

/* clang-format off */
#define AT(m) CG_OPTION_AT(struct gw_options, m)
#define ROUTE(m) CG_OPTION_AT(struct gw_route, m)

static const struct cg_option route_options[] = {
    {.key = "name", .type = CG_OPTION_STRING, ROUTE(name), .required = true, .unique = true, .check = check_name,
     .max = 260, .example = "app/shop.example", .help = "The published name: plane/authority."},
    {.key = "backend", .type = CG_OPTION_URL, ROUTE(backend), .required = true, .example = "http://127.0.0.1:3000",
     .help = "Where its requests go: http://, https:// or unix:/path."},
    {.key = "secret", .type = CG_OPTION_SECRET, ROUTE(secret),
     .help = "Shared with the backend; signs what the gateway says about the caller (RFC 9421, hmac-sha256)."},
    {.key = "key_id", .type = CG_OPTION_STRING, ROUTE(key_id), .def = "gateway", .max = 64, .help = "The secret's name in the signature."},
    {.key = "host", .type = CG_OPTION_STRING, ROUTE(host), .max = 253, .example = "shop.internal",
     .help = "The Host to send; the backend URL's if not set."},
    {.key = "pin", .type = CG_OPTION_STRING, ROUTE(pin), .max = 64, .check = check_pin,
     .example = "53c5c3440d18df75ce4c230d0e3843250aaa85ce438732c1342975b4728cb401",
     .help = "https: the SHA-256 of its SubjectPublicKeyInfo, in place of an ordinary certificate."},
};

static const struct cg_option_table route_table = {
    .section = "route", .help = "One backend.", .options = route_options, .n_options = CG_COUNT(route_options),
    .size = sizeof(struct gw_route), .check = check_route};

static const struct cg_option options[] = {
    {.key = "names", .required = true, .type = CG_OPTION_LIST, .item = CG_OPTION_STRING, AT(names), .max_items = 16, .example = "gw1.example.com",
     .help = "DNS names this gateway is reached under; each must be in its certificate."},
    {.key = "certificate", .required = true, .type = CG_OPTION_PATH, AT(certificate), .reload = true, .example = "gateway.tlsls",
     .help = "The TLSLS certificate (httpcg cert issue makes one)."},
    {.key = "key", .required = true, .type = CG_OPTION_PATH, AT(transport_key), .reload = true, .example = "transport.hck",
     .help = "Key file of the certificate's transport keys."},
    {.key = "passphrase", .required = true, .type = CG_OPTION_PATH, AT(transport_passphrase), .reload = true, .example = "transport.pass",
     .help = "File that holds the key file's passphrase, readable by this user alone."},
    {.key = "tls_certificate", .required = true, .type = CG_OPTION_PATH, AT(tls_certificate), .reload = true, .example = "tls.pem",
     .help = "The X.509 certificate (PEM, leaf first) that TLS presents."},
    {.key = "tls_key", .required = true, .type = CG_OPTION_PATH, AT(tls_key), .reload = true, .example = "tls.key", .help = "Its key (PEM)."},
    {.key = "policy", .required = true, .type = CG_OPTION_PATH, AT(policy), .reload = true, .example = "gateway.policy",
     .help = "The gateway policy document whose hash is in the certificate."},
    {.key = "registry", .required = true, .type = CG_OPTION_LIST, .item = CG_OPTION_STRING, AT(registry), .check = check_endpoint, .max_items = 8,
     .example = "https://registry.example", .help = "Registries to ask, in order: https://host, or local:registry in the same process."},
    {.key = "ledger", .required = true, .type = CG_OPTION_STRING, AT(ledger), .check = check_endpoint, .example = "https://ledger.example",
     .help = "The ledger to ask for keys and policies: https://host, or local:ledger in the same process."},
    {.key = "routes_folder", .type = CG_OPTION_PATH, AT(routes_folder), .def = "routes.d", .help = "Folder of *.yaml files, a route each."},
    {.key = "routes", .type = CG_OPTION_ROWS, AT(routes), .rows = &route_table, .folder = "routes_folder", .reload = true, .max_items = 4096,
     .help = "Backends that are not reachable by their record: private addresses, plain http, Unix sockets."},
    {.key = "ports", .type = CG_OPTION_LIST, .item = CG_OPTION_INT, AT(ports), .min = 1, .max = 65535, .max_items = 16, .example = "9443",
     .help = "Ports that records may name beside 443 and 8443."},
    {.key = "limits.connections", .type = CG_OPTION_INT, AT(limits.connections), .def = "20000", .min = 1, .max = 1000000,
     .help = "Client connections at a time."},
    {.key = "limits.body", .type = CG_OPTION_SIZE, AT(limits.body_bytes), .def = "16GiB", .min = 0, .max = INT64_C(1) << 44, .reload = true,
     .help = "Largest request body; a rule's max_body may say less."},
    {.key = "limits.answer", .type = CG_OPTION_SIZE, AT(limits.answer_bytes), .def = "0", .min = 0, .max = INT64_C(1) << 44, .reload = true,
     .help = "Largest response body; 0 sets no limit."},
    {.key = "limits.held_per_connection", .type = CG_OPTION_SIZE, AT(limits.held_conn_bytes), .def = "4MiB", .min = 1048576,
     .max = INT64_C(1) << 32, .reload = true, .help = "Request bodies held until their digest is checked, of one connection."},
    {.key = "limits.held", .type = CG_OPTION_SIZE, AT(limits.held_bytes), .def = "256MiB", .min = 1048576, .max = INT64_C(1) << 40,
     .reload = true, .help = "And of the whole process."},
    {.key = "limits.strangers", .type = CG_OPTION_INT, AT(limits.strangers_per_s), .def = "5", .min = 0, .max = 100000, .reload = true,
     .help = "Look-ups a second that unsigned requests of one address prefix may cause; signed ones 20 times as many, at least 100."},
    {.key = "limits.grants", .type = CG_OPTION_INT, AT(limits.grants_per_s), .def = "5", .min = 1, .max = 100000, .reload = true,
     .help = "Grants a second that strangers of one address prefix may ask for; a wallet that was granted before has ten times as many."},
    {.key = "limits.evidence", .type = CG_OPTION_SIZE, AT(limits.evidence_bytes), .def = "64MiB", .min = 65536, .max = INT64_C(1) << 36,
     .reload = true, .help = "Evidence of requests, kept a minute for backends to fetch from the services listener."},
    {.key = "limits.backend_connections", .type = CG_OPTION_INT, AT(limits.backend_connections), .def = "256", .min = 1, .max = 65535,
     .help = "Connections to one backend, of one thread."},
    {.key = "timeouts.connect", .type = CG_OPTION_DURATION, AT(timeouts.connect_ms), .def = "5s", .min = 1, .max = 600000, .reload = true,
     .help = "To reach a backend, its TLS included."},
    {.key = "timeouts.answer", .type = CG_OPTION_DURATION, AT(timeouts.answer_ms), .def = "30s", .min = 1, .max = 86400000, .reload = true,
     .help = "From the end of a request to the head of its response."},
    {.key = "timeouts.stall", .type = CG_OPTION_DURATION, AT(timeouts.stall_ms), .def = "30s", .min = 100, .max = 86400000, .reload = true,
     .help = "Bytes are due, and none moves, or less than 1 KiB of a client's; rules that stream are content with one byte."},
    {.key = "timeouts.idle", .type = CG_OPTION_DURATION, AT(timeouts.idle_ms), .def = "60s", .min = 100, .max = 86400000, .reload = true,
     .help = "A connection without request."},
    {.key = "timeouts.lookup", .type = CG_OPTION_DURATION, AT(timeouts.lookup_ms), .def = "10s", .min = 10, .max = 600000, .reload = true,
     .help = "All that a name needs: record, policy, keys."},
};
/* clang-format on */

const struct cg_option_table gw_option_table = {
    .section = "gateway",
    .role = "gateway",
    .help = "The gateway: verifies requests and forwards them.",
    .options = options,
    .n_options = CG_COUNT(options),
    .size = sizeof(struct gw_options),
};
