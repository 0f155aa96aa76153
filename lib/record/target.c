#include "lib/record/target.h"

#include "lib/base/span.h"
#include "lib/url/authority.h"

struct block {
    uint8_t bytes[16];
    uint8_t bits;
};

/* clang-format off */
/* IPv4 that is not everybody's (IANA IPv4 Special-Purpose Address Registry, and 6to4 relays, RFC
 * 7526; multicast and reserved at the end). */
static const struct block v4_denied[] = {
    {{0},              8},  /* this network */
    {{10},             8},  /* private, RFC 1918 */
    {{100, 64},       10},  /* shared by providers, RFC 6598 */
    {{127},            8},  /* loopback */
    {{169, 254},      16},  /* link-local, and clouds' metadata */
    {{172, 16},       12},  /* private */
    {{192, 0, 0},     24},  /* protocol assignments */
    {{192, 0, 2},     24},  /* documentation */
    {{192, 88, 99},   24},  /* 6to4 relays */
    {{192, 168},      16},  /* private */
    {{198, 18},       15},  /* benchmarks */
    {{198, 51, 100},  24},  /* documentation */
    {{203, 0, 113},   24},  /* documentation */
    {{224},            4},  /* multicast */
    {{240},            4},  /* reserved, and broadcast */
};

/* IPv6: of 2000::/3, which alone is global unicast, these are not. 2001::/32 and 2002::/16 are
 * judged by what they wrap, before this. */
static const struct block v6_global = {{0x20}, 3};
static const struct block v6_denied[] = {
    {{0x20, 0x01, 0x00},             23}, /* protocol assignments */
    {{0x20, 0x01, 0x0d, 0xb8},       32}, /* documentation */
    {{0x3f, 0xff, 0x00},             20}, /* documentation, RFC 9637 */
};

static const struct block v6_mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
static const struct block v6_nat64  = {{0, 0x64, 0xff, 0x9b}, 96};
static const struct block v6_6to4   = {{0x20, 0x02}, 16};
static const struct block v6_teredo = {{0x20, 0x01, 0, 0}, 32};
/* clang-format on */

static bool is_in(const uint8_t *bytes, const struct block *block)
{
    size_t whole = block->bits / 8, rest = block->bits % 8;

    if (memcmp(bytes, block->bytes, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ block->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_public_v4(const uint8_t *bytes)
{
    for (size_t i = 0; i < sizeof v4_denied / sizeof v4_denied[0]; i++)
        if (is_in(bytes, &v4_denied[i]))
            return false;
    return true;
}

static bool is_public_v6(const uint8_t *bytes)
{
    if (is_in(bytes, &v6_mapped) || is_in(bytes, &v6_nat64))
        return is_public_v4(bytes + 12);
    if (is_in(bytes, &v6_6to4))
        return is_public_v4(bytes + 2);
    if (is_in(bytes, &v6_teredo)) {
        /* RFC 4380, 4: the server, and the client with all bits turned; a packet can reach both. */
        uint8_t client[4];

        for (size_t i = 0; i < 4; i++)
            client[i] = (uint8_t)~bytes[12 + i];
        return is_public_v4(bytes + 4) && is_public_v4(client);
    }
    if (!is_in(bytes, &v6_global))
        return false;
    for (size_t i = 0; i < sizeof v6_denied / sizeof v6_denied[0]; i++)
        if (is_in(bytes, &v6_denied[i]))
            return false;
    return true;
}

bool cg_target_is_public(const struct cg_ip *address)
{
    return address->is_v6 ? is_public_v6(address->bytes) : is_public_v4(address->bytes);
}

cg_err cg_target_check_host(struct cg_span host)
{
    return cg_authority_check(CG_PLANE_APP, host) ? CG_TARGET : CG_OK;
}

cg_err cg_target_check_port(uint16_t port, const uint16_t *ports, size_t n_ports)
{
    if (port == 443 || port == 8443)
        return CG_OK;
    for (size_t i = 0; i < n_ports; i++)
        if (ports[i] == port)
            return CG_OK;
    return CG_TARGET;
}

/* The same address in either family: our own may be reached as ::ffff:a.b.c.d. */
static bool is_same(const struct cg_ip *a, const struct cg_ip *b)
{
    const uint8_t *x = a->bytes, *y = b->bytes;
    bool is_v4_x = !a->is_v6 || is_in(x, &v6_mapped), is_v4_y = !b->is_v6 || is_in(y, &v6_mapped);

    if (is_v4_x != is_v4_y)
        return false;
    if (!is_v4_x)
        return memcmp(x, y, 16) == 0;
    return memcmp(a->is_v6 ? x + 12 : x, b->is_v6 ? y + 12 : y, 4) == 0;
}

cg_err cg_target_check_addresses(const struct cg_ip *addresses, size_t n_addresses,
                                 const struct cg_ip *own, size_t n_own)
{
    for (size_t i = 0; i < n_addresses; i++) {
        if (!cg_target_is_public(&addresses[i]))
            return CG_TARGET;
        for (size_t j = 0; j < n_own; j++)
            if (is_same(&addresses[i], &own[j]))
                return CG_TARGET;
    }
    return n_addresses > 0 ? CG_OK : CG_TARGET;
}
