#include "lib/url/authority.h"

#include "lib/base/limits.h"
#include "lib/base/span.h"

#include <httpcg/identity.h>

#define LABEL_MAX_BYTES 63
#define NSIG_CHARS 32
#define OHPH_CHARS 32

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static const char *check_label(struct cg_span label)
{
    if (label.len == 0)
        return "a label is empty";
    if (label.len > LABEL_MAX_BYTES)
        return "a label is over 63 characters";
    for (size_t i = 0; i < label.len; i++)
        if (!is_lower(label.at[i]) && !is_digit(label.at[i]) && label.at[i] != '-')
            return "labels are made of letters, digits and hyphens";
    if (label.at[0] == '-' || label.at[label.len - 1] == '-')
        return "a label begins or ends with a hyphen";
    return NULL;
}

/* A last label that resolvers take for (a part of) an IPv4 address: decimal, or hex behind 0x. */
static bool is_numeric(struct cg_span label)
{
    bool is_hex = label.len > 2 && label.at[0] == '0' && label.at[1] == 'x';

    for (size_t i = is_hex ? 2 : 0; i < label.len; i++) {
        uint8_t c = label.at[i];

        if (!is_digit(c) && !(is_hex && c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

/* Cuts the next label off; false after the last. */
static bool next_label(struct cg_span *left, bool *is_last, struct cg_span *label)
{
    if (*is_last)
        return false;
    size_t n = cg_span_find(*left, '.');

    *is_last = n == left->len;
    *label = cg_span_first(*left, n);
    *left = cg_span_from(*left, n + 1);
    return true;
}

static const char *check_name(struct cg_span authority)
{
    struct cg_span left = authority, label = authority;
    bool is_last = false;

    if (authority.len > CG_AUTHORITY_MAX_BYTES)
        return "it is over 253 characters";
    while (next_label(&left, &is_last, &label)) {
        const char *why = check_label(label);

        if (why)
            return why;
    }
    return is_numeric(label) ? "it is an IP address, not a name" : NULL;
}

static const char *check_base32(struct cg_span text, size_t n_chars, const char *why)
{
    if (text.len != n_chars)
        return why;
    for (size_t i = 0; i < text.len; i++)
        if (!is_lower(text.at[i]) && (text.at[i] < '2' || text.at[i] > '7'))
            return why;
    return NULL;
}

static const char *check_waddr(struct cg_span text)
{
    struct cg_waddr waddr;

    return cg_waddr_read(text, &waddr) == CG_OK ? NULL : "there is no wallet address in it";
}

/* name "." WADDR "." NSIG */
static const char *check_hidden(struct cg_span authority)
{
    struct cg_span left = authority, name, waddr, nsig;
    bool is_last = false;

    if (!next_label(&left, &is_last, &name) || !next_label(&left, &is_last, &waddr) ||
        !next_label(&left, &is_last, &nsig) || !is_last)
        return "it is not made of a name, a wallet address and a name signature";
    const char *why = check_label(name);
    if (!why)
        why = check_waddr(waddr);
    if (!why)
        why = check_base32(nsig, NSIG_CHARS, "there is no name signature in it");
    return why;
}

const char *cg_authority_check(enum cg_plane plane, struct cg_span authority)
{
    switch (plane) {
    case CG_PLANE_GW:
        return check_hidden(authority);
    case CG_PLANE_M2M:
        return check_waddr(authority);
    default:
        return check_name(authority);
    }
}

const char *cg_ohph_check(struct cg_span segment)
{
    return check_base32(segment, OHPH_CHARS, "the path does not begin with a one-hop path hash");
}
