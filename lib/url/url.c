#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/url/authority.h"

/* A text being read: where it began, for telling places, and where its canonical form goes. */
struct reading {
    const uint8_t *begin;
    const uint8_t *end;
    uint8_t *put;
    struct cg_url_fault *fault;
};

static cg_err fail(struct reading *r, cg_err err, enum cg_url_part part, const uint8_t *at,
                   const char *why)
{
    /* An empty span that was cut off the end points nowhere. */
    size_t place = (size_t)((at ? at : r->end) - r->begin);

    if (r->fault)
        *r->fault = (struct cg_url_fault){part, place, why};
    return err;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986, 3.3, percent-encoding apart. */
static bool is_pchar(uint8_t c)
{
    return is_unreserved(c) || (c != '\0' && strchr("!$&'()*+,;=:@", c) != NULL);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the two digits behind a '%' at at; -1 where there are none. */
static int percent_value(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 3)
        return -1;
    int high = hex_value(at[1]), low = hex_value(at[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static void put_percent(struct reading *r, int value)
{
    static const char digits[] = "0123456789ABCDEF";

    *r->put++ = '%';
    *r->put++ = (uint8_t)digits[value >> 4];
    *r->put++ = (uint8_t)digits[value & 15];
}

/* Checks one escape of any part; *value gets the byte it stands for. */
static cg_err take_percent(struct reading *r, enum cg_url_part part, const uint8_t *at,
                           const uint8_t *end, int *value)
{
    int v = percent_value(at, end);

    if (v < 0)
        return fail(r, CG_SYNTAX, part, at, "'%' is not followed by two hexadecimal digits");
    if (v < 0x20 || v == 0x7f)
        return fail(r, CG_SYNTAX, part, at, "an encoded control character");
    *value = v;
    return CG_OK;
}

/* Dot segments are refused, never resolved: whoever wrote them meant another path than the bytes
 * say. So are those with parameters behind the dots, which some servers cut off before they
 * resolve. */
static bool is_dots(const uint8_t *segment, const uint8_t *end)
{
    size_t n = 0;

    while (segment + n < end && n < 3 && segment[n] == '.')
        n++;
    return (n == 1 || n == 2) && (segment + n == end || segment[n] == ';');
}

static cg_err take_path(struct reading *r, struct cg_span path, struct cg_span *out)
{
    const uint8_t *at = path.at, *end = cg_span_end(path);
    uint8_t *begin = r->put, *segment = begin + 1;

    if (path.len > CG_PATH_MAX_BYTES)
        return fail(r, CG_TOO_LARGE, CG_URL_PATH, at, "the path is over 4096 bytes");
    if (path.len == 0)
        *r->put++ = '/';
    while (at < end) {
        int v = *at;

        if (v == '/') {
            if (r->put > begin && r->put == segment)
                return fail(r, CG_SYNTAX, CG_URL_PATH, at, "an empty segment");
            if (r->put > begin && is_dots(segment, r->put))
                return fail(r, CG_SYNTAX, CG_URL_PATH, at - 1, "a dot segment");
            *r->put++ = '/';
            segment = r->put;
            at++;
        } else if (v == '%') {
            CG_TRY(take_percent(r, CG_URL_PATH, at, end, &v));
            if (v == '/' || v == '\\')
                return fail(r, CG_SYNTAX, CG_URL_PATH, at, "an encoded slash or backslash");
            if (is_unreserved((uint8_t)v))
                *r->put++ = (uint8_t)v;
            else
                put_percent(r, v);
            at += 3;
        } else if (is_pchar((uint8_t)v)) {
            *r->put++ = (uint8_t)v;
            at++;
        } else {
            return fail(r, CG_SYNTAX, CG_URL_PATH, at, "a character that must be encoded");
        }
    }
    if (is_dots(segment, r->put))
        return fail(r, CG_SYNTAX, CG_URL_PATH, end, "a dot segment");
    *out = cg_span_of(begin, (size_t)(r->put - begin));
    return CG_OK;
}

/* Query and fragment, with the character they begin with: kept byte for byte, but for the case of
 * escapes. */
static cg_err take_tail(struct reading *r, enum cg_url_part part, struct cg_span tail,
                        struct cg_span *out)
{
    const uint8_t *at = tail.at, *end = cg_span_end(tail);
    uint8_t *begin = r->put;

    while (at < end) {
        int v = *at;

        if (v == '%') {
            CG_TRY(take_percent(r, part, at, end, &v));
            put_percent(r, v);
            at += 3;
        } else if (at == tail.at || is_pchar((uint8_t)v) || v == '/' || v == '?') {
            *r->put++ = (uint8_t)v;
            at++;
        } else {
            return fail(r, CG_SYNTAX, part, at, "a character that must be encoded");
        }
    }
    *out = cg_span_of(begin, (size_t)(r->put - begin));
    return CG_OK;
}

static cg_err take_authority(struct reading *r, enum cg_plane plane, struct cg_span authority,
                             struct cg_span *out)
{
    uint8_t *begin = r->put;

    if (authority.len == 0)
        return fail(r, CG_SYNTAX, CG_URL_AUTHORITY, authority.at, "there is no authority");
    for (size_t i = 0; i < authority.len; i++) {
        uint8_t c = authority.at[i];

        *r->put++ = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }
    *out = cg_span_of(begin, authority.len);
    const char *why = cg_authority_check(plane, *out);
    return why ? fail(r, CG_SCHEMA, CG_URL_AUTHORITY, authority.at, why) : CG_OK;
}

static size_t find_any(struct cg_span text, const char *any)
{
    size_t i = 0;

    while (i < text.len && (text.at[i] == '\0' || !strchr(any, text.at[i])))
        i++;
    return i;
}

/* Reads what follows the plane: "/" authority path ["?" query] ["#" fragment]. */
static cg_err take_rest(struct reading *r, struct cg_span rest, struct cg_url *url)
{
    if (rest.len == 0 || rest.at[0] != '/')
        return fail(r, CG_SYNTAX, CG_URL_AUTHORITY, rest.at, "there is no authority");
    rest = cg_span_from(rest, 1);
    size_t n = find_any(rest, "/?#");
    struct cg_span authority = cg_span_first(rest, n);
    rest = cg_span_from(rest, n);
    n = find_any(rest, "?#");
    struct cg_span path = cg_span_first(rest, n);
    rest = cg_span_from(rest, n);
    n = find_any(rest, "#");
    struct cg_span query = cg_span_first(rest, n);
    struct cg_span fragment = cg_span_from(rest, n);

    CG_TRY(take_authority(r, url->plane, authority, &url->authority));
    CG_TRY(take_path(r, path, &url->path));
    if (query.len > 1 + CG_QUERY_MAX_BYTES)
        return fail(r, CG_TOO_LARGE, CG_URL_QUERY, query.at, "the query is over 8192 bytes");
    CG_TRY(take_tail(r, CG_URL_QUERY, query, &url->query));
    CG_TRY(take_tail(r, CG_URL_FRAGMENT, fragment, &url->fragment));
    if (url->plane == CG_PLANE_M2M) {
        struct cg_span first = cg_span_from(url->path, 1);
        const char *why = cg_ohph_check(cg_span_first(first, cg_span_find(first, '/')));

        if (why)
            return fail(r, CG_SCHEMA, CG_URL_PATH, path.at, why);
    }
    return CG_OK;
}

cg_err cg_url_read(struct cg_span text, void *room, struct cg_url *out, struct cg_url_fault *fault)
{
    struct reading r = {text.at, cg_span_end(text), room, fault};
    struct cg_url url = {0};
    size_t n = cg_span_find(text, ':');
    struct cg_span rest = cg_span_from(text, n);

    if (text.len > CG_URI_MAX_BYTES)
        return fail(&r, CG_TOO_LARGE, CG_URL_WHOLE, text.at, "it is over 12288 bytes");
    if (!cg_span_starts(rest, CG_LIT("://")))
        return fail(&r, CG_SYNTAX, CG_URL_SCHEME, text.at, "it does not begin with httpcg://");
    if (!cg_span_eq_nocase(cg_span_first(text, n), CG_LIT("httpcg")))
        return fail(&r, CG_UNKNOWN, CG_URL_SCHEME, text.at, "the scheme is not httpcg");
    rest = cg_span_from(rest, 3);
    n = find_any(rest, "/?#");
    struct cg_span plane = cg_span_first(rest, n);
    if (n == 0)
        return fail(&r, CG_SYNTAX, CG_URL_PLANE, rest.at, "there is no plane");
    if (cg_plane_read(plane, &url.plane) != CG_OK)
        return fail(&r, CG_UNKNOWN, CG_URL_PLANE, rest.at,
                    "the plane is none of app, bpi, gw, wallet, m2m");
    CG_TRY(take_rest(&r, cg_span_from(rest, n), &url));
    *out = url;
    return CG_OK;
}

cg_err cg_url_read_target(struct cg_span plane, struct cg_span target, void *room,
                          struct cg_url *out, struct cg_url_fault *fault)
{
    struct reading r = {target.at, cg_span_end(target), room, fault};
    struct cg_url url = {0};

    if (plane.len > CG_URI_MAX_BYTES ||
        sizeof "httpcg://" - 1 + plane.len + target.len > CG_URI_MAX_BYTES)
        return fail(&r, CG_TOO_LARGE, CG_URL_WHOLE, target.at, "it is over 12288 bytes");
    if (cg_plane_read(plane, &url.plane) != CG_OK)
        return fail(&r, CG_UNKNOWN, CG_URL_PLANE, target.at,
                    "the plane is none of app, bpi, gw, wallet, m2m");
    CG_TRY(take_rest(&r, target, &url));
    if (url.fragment.len > 0)
        return fail(&r, CG_SYNTAX, CG_URL_FRAGMENT, target.at + cg_span_find(target, '#'),
                    "a fragment is never sent");
    *out = url;
    return CG_OK;
}

cg_err cg_url_check_name(struct cg_span name)
{
    size_t n = cg_span_find(name, '/');
    struct cg_span authority = cg_span_from(name, n + 1);
    enum cg_plane plane;

    if (n == name.len || authority.len == 0)
        return CG_SYNTAX;
    CG_TRY(cg_plane_read(cg_span_first(name, n), &plane));
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] >= 'A' && name.at[i] <= 'Z')
            return CG_CANONICAL;
    return cg_authority_check(plane, authority) ? CG_SCHEMA : CG_OK;
}

static char *append(char *out, struct cg_span text)
{
    if (text.len > 0)
        memcpy(out, text.at, text.len);
    return out + text.len;
}

size_t cg_url_name_chars(const struct cg_url *url)
{
    return strlen(cg_plane_name(url->plane)) + 1 + url->authority.len;
}

void cg_url_name_write(const struct cg_url *url, char *out)
{
    out = append(out, cg_span_str(cg_plane_name(url->plane)));
    out = append(out, CG_LIT("/"));
    append(out, url->authority);
}

size_t cg_url_chars(const struct cg_url *url)
{
    return sizeof "httpcg://" - 1 + cg_url_name_chars(url) + url->path.len + url->query.len +
           url->fragment.len;
}

void cg_url_write(const struct cg_url *url, char *out)
{
    out = append(out, CG_LIT("httpcg://"));
    cg_url_name_write(url, out);
    out = append(out + cg_url_name_chars(url), url->path);
    out = append(out, url->query);
    append(out, url->fragment);
}
