#include "runtime/address.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static cg_err read_port(struct cg_span text, uint16_t *out)
{
    uint32_t port = 0;

    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.at[0] == '0'))
        return CG_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return CG_SYNTAX;
        port = port * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (port > UINT16_MAX)
        return CG_SYNTAX;
    *out = (uint16_t)port;
    return CG_OK;
}

cg_err cg_address_read_ip(struct cg_span text, uint16_t port, struct cg_address *out)
{
    struct cg_address got = {.port = port};
    char ip[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof ip || memchr(text.at, 0, text.len))
        return CG_SYNTAX;
    memcpy(ip, text.at, text.len);
    ip[text.len] = 0;
    if (inet_pton(AF_INET, ip, got.ip) == 1)
        got.kind = CG_ADDRESS_IP4;
    else if (inet_pton(AF_INET6, ip, got.ip) == 1)
        got.kind = CG_ADDRESS_IP6;
    else
        return CG_SYNTAX;
    *out = got;
    return CG_OK;
}

static cg_err read_unix(struct cg_span path, struct cg_address *out)
{
    struct cg_address got = {.kind = CG_ADDRESS_UNIX};

    if (path.len == 0 || memchr(path.at, 0, path.len))
        return CG_SYNTAX;
    if (path.len >= sizeof got.path)
        return CG_TOO_LARGE;
    memcpy(got.path, path.at, path.len);
    *out = got;
    return CG_OK;
}

cg_err cg_address_read(struct cg_span text, struct cg_address *out)
{
    struct cg_span ip;
    uint16_t port;
    size_t colon;

    if (cg_span_starts(text, CG_LIT("unix:")))
        return read_unix(cg_span_from(text, 5), out);
    if (text.len > 0 && text.at[0] == '[') {
        size_t end = cg_span_find(text, ']');

        ip = cg_span_from(cg_span_first(text, end), 1);
        if (cg_span_find(ip, ':') == ip.len)
            return CG_SYNTAX; /* brackets are for IPv6 */
        colon = end + 1;
    } else {
        colon = cg_span_find(text, ':');
        ip = cg_span_first(text, colon);
    }
    if (colon >= text.len || text.at[colon] != ':')
        return CG_SYNTAX;
    CG_TRY(read_port(cg_span_from(text, colon + 1), &port));
    return cg_address_read_ip(ip, port, out);
}

const char *cg_address_write(const struct cg_address *address, char out[CG_ADDRESS_TEXT_BYTES])
{
    char ip[INET6_ADDRSTRLEN] = "";

    switch (address->kind) {
    case CG_ADDRESS_IP4:
        inet_ntop(AF_INET, address->ip, ip, sizeof ip);
        snprintf(out, CG_ADDRESS_TEXT_BYTES, "%s:%u", ip, address->port);
        break;
    case CG_ADDRESS_IP6:
        inet_ntop(AF_INET6, address->ip, ip, sizeof ip);
        snprintf(out, CG_ADDRESS_TEXT_BYTES, "[%s]:%u", ip, address->port);
        break;
    case CG_ADDRESS_UNIX:
        snprintf(out, CG_ADDRESS_TEXT_BYTES, "unix:%.*s", CG_ADDRESS_TEXT_BYTES - 6, address->path);
        break;
    case CG_ADDRESS_NONE:
        out[0] = '-';
        out[1] = 0;
        break;
    }
    return out;
}

struct cg_span cg_address_ip(const struct cg_address *address)
{
    size_t len = address->kind == CG_ADDRESS_IP4 ? 4 : address->kind == CG_ADDRESS_IP6 ? 16 : 0;

    return cg_span_of(address->ip, len);
}

bool cg_address_eq(const struct cg_address *a, const struct cg_address *b)
{
    return a->kind == b->kind && a->port == b->port && a->scope == b->scope &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0 && strcmp(a->path, b->path) == 0;
}

bool cg_address_is_loopback(const struct cg_address *address)
{
    static const uint8_t one[16] = {[15] = 1};

    if (address->kind == CG_ADDRESS_IP4)
        return address->ip[0] == 127;
    return address->kind == CG_ADDRESS_IP6 && memcmp(address->ip, one, sizeof one) == 0;
}
