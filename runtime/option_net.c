#include "runtime/option_read.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#define HOST_MAX_BYTES 253
#define LABEL_MAX_BYTES 63
#define SOCKET_PATH_MAX_BYTES 107 /* what sockaddr_un holds, less its NUL */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_host_name(struct cg_span host)
{
    size_t label = 0;

    if (host.len == 0 || host.len > HOST_MAX_BYTES)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.at[i];
        bool is_alnum = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (c == '.') {
            if (label == 0 || host.at[i - 1] == '-')
                return false;
            label = 0;
        } else if (is_alnum || c == '_' || (c == '-' && label > 0)) {
            if (++label > LABEL_MAX_BYTES)
                return false;
        } else {
            return false;
        }
    }
    return label > 0 && host.at[host.len - 1] != '-';
}

/* A name whose last label is a number is read as an address by some programs and as a name by
 * others, so it has to be a whole IPv4 address. */
static bool looks_like_ipv4(struct cg_span host)
{
    size_t i = host.len;

    while (i > 0 && host.at[i - 1] != '.')
        i--;
    return i < host.len && is_digit(host.at[i]) && is_digit(host.at[host.len - 1]);
}

/* take_host reads "name", "1.2.3.4" or "[::1]" off the front of text; *host comes without brackets
 * and *len is what it took. */
static cg_err take_host(const struct cg_reading *r, struct cg_span text, struct cg_span *host,
                        size_t *len)
{
    char number[64];
    uint8_t binary[16];
    bool is_six = text.len > 0 && text.at[0] == '[';
    struct cg_span at;

    if (is_six) {
        size_t end = cg_span_find(text, ']');
        if (end == text.len)
            return cg_reading_refuse(r, "lacks the closing bracket of an IPv6 address");
        at = cg_span_of(text.at + 1, end - 1);
        *len = end + 1;
    } else {
        size_t end = 0;
        while (end < text.len && text.at[end] != ':' && text.at[end] != '/')
            end++;
        at = cg_span_first(text, end);
        *len = end;
    }
    bool fits = at.len < sizeof number;
    snprintf(number, sizeof number, "%.*s", fits ? (int)at.len : 0,
             at.len ? (const char *)at.at : "");
    if (is_six && inet_pton(AF_INET6, number, binary) != 1)
        return cg_reading_refuse(r, "does not hold an IPv6 address between its brackets");
    if (!is_six && !is_host_name(at))
        return cg_reading_refuse(r, at.len == 0 ? "lacks a host"
                                                : "does not hold a host name or an address");
    if (!is_six && looks_like_ipv4(at) && inet_pton(AF_INET, number, binary) != 1)
        return cg_reading_refuse(r, "does not hold a whole IPv4 address");
    *host = at;
    return CG_OK;
}

static cg_err read_port(const struct cg_reading *r, struct cg_span text, uint16_t *out)
{
    int64_t port;
    size_t len;
    int64_t least = r->option->min != 0 || r->option->max != 0 ? r->option->min : 1;
    int64_t most = r->option->max != 0 ? r->option->max : UINT16_MAX;

    if (text.len == 0)
        return cg_reading_refuse(r, "lacks a port after the colon");
    if (cg_reading_digits(text, &port, &len) != CG_OK || len != text.len || port > UINT16_MAX)
        return cg_reading_refuse(r, "has no port number after the colon (1 to 65535)");
    if (port < least || port > most)
        return cg_reading_refuse(r, "has a port outside %" PRId64 " to %" PRId64, least, most);
    *out = (uint16_t)port;
    return CG_OK;
}

static size_t count(struct cg_span text, uint8_t c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == c;
    return n;
}

cg_err cg_reading_address(const struct cg_reading *r, struct cg_host_port *out)
{
    struct cg_host_port got;
    struct cg_span host;
    size_t len;

    if (r->text.len > 1 && r->text.at[0] == '*' && r->text.at[1] == ':') {
        host = cg_span_first(r->text, 1);
        len = 1;
    } else if (r->text.len > 0 && r->text.at[0] != '[' && count(r->text, ':') > 1) {
        return cg_reading_refuse(r, "is an IPv6 address without brackets; write [::1]:443");
    } else {
        CG_TRY(take_host(r, r->text, &host, &len));
    }
    if (len == r->text.len)
        return cg_reading_refuse(r, "lacks a port; write host:port");
    if (r->text.at[len] != ':')
        return cg_reading_refuse(r, "is not host:port");
    CG_TRY(read_port(r, cg_span_from(r->text, len + 1), &got.port));
    got.host = cg_reading_copy(r, host);
    if (!got.host)
        return CG_NO_MEMORY;
    *out = got;
    return CG_OK;
}

static bool is_base_path(struct cg_span path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.at[i] <= 0x20 || path.at[i] >= 0x7f || memchr("\"<>\\^`{|}?#", path.at[i], 11))
            return false;
    return true;
}

cg_err cg_reading_url(const struct cg_reading *r, struct cg_target_option *out)
{
    struct cg_target_option got = {0};
    struct cg_span rest, host = {0};
    size_t len = 0;

    if (cg_span_starts(r->text, CG_LIT("unix:"))) {
        got.scheme = CG_TARGET_UNIX;
        rest = cg_span_from(r->text, 5);
        if (rest.len < 2 || rest.at[0] != '/')
            return cg_reading_refuse(r, "lacks the socket's whole path; write unix:/run/name.sock");
        if (rest.len > SOCKET_PATH_MAX_BYTES)
            return cg_reading_refuse(r, "is too long for a socket's path (at most 107 bytes)");
    } else {
        bool is_https = cg_span_starts(r->text, CG_LIT("https://"));

        if (!is_https && !cg_span_starts(r->text, CG_LIT("http://")))
            return cg_reading_refuse(
                r, "has no scheme known here; write http://host:port/, https://host/ or "
                   "unix:/path");
        got.scheme = is_https ? CG_TARGET_HTTPS : CG_TARGET_HTTP;
        got.port = is_https ? 443 : 80;
        rest = cg_span_from(r->text, is_https ? 8 : 7);
        CG_TRY(take_host(r, rest, &host, &len));
        rest = cg_span_from(rest, len);
        if (rest.len > 0 && rest.at[0] == ':') {
            size_t end = cg_span_find(rest, '/');
            CG_TRY(read_port(r, cg_span_from(cg_span_first(rest, end), 1), &got.port));
            rest = cg_span_from(rest, end);
        }
        if (rest.len > 0 && rest.at[0] != '/')
            return cg_reading_refuse(r, "goes on after its host in a way no URL does");
        if (rest.len == 0)
            rest = CG_LIT("/");
    }
    if (!is_base_path(rest))
        return cg_reading_refuse(
            r, "holds something a base URL has not: no query, fragment or spaces");
    got.text = cg_reading_copy(r, r->text);
    got.path = cg_reading_copy(r, rest);
    got.host = host.len ? cg_reading_copy(r, host) : NULL;
    if (!got.text || !got.path || (host.len && !got.host))
        return CG_NO_MEMORY;
    *out = got;
    return CG_OK;
}
