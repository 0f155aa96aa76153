#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/record/target.h"

#include <stdio.h>

static struct cg_ip ip_of(struct cg_span bytes)
{
    struct cg_ip ip = {.is_v6 = bytes.len == 16};

    memcpy(ip.bytes, bytes.at, bytes.len);
    return ip;
}

TEST(every_address_is_classified_by_its_number)
{
    for (size_t i = 0; i < cg_vector_count("ssrf:addresses"); i++) {
        struct cg_ip ip = ip_of(cg_vector_hex(cg_vector_at("ssrf:addresses.%zu.bytes", i)));
        bool want = *cg_vector(cg_vector_at("ssrf:addresses.%zu.public", i)) != '\0';

        if (!CHECK_INT(cg_target_is_public(&ip), want))
            printf("#   %s, %s\n", cg_vector(cg_vector_at("ssrf:addresses.%zu.address", i)),
                   cg_vector(cg_vector_at("ssrf:addresses.%zu.why", i)));
    }
}

TEST(a_target_is_a_name_and_no_spelling_of_an_address)
{
    for (size_t i = 0; i < cg_vector_count("ssrf:hosts"); i++) {
        struct cg_span host = cg_vector_hex(cg_vector_at("ssrf:hosts.%zu.host", i));
        bool want = *cg_vector(cg_vector_at("ssrf:hosts.%zu.ok", i)) != '\0';

        if (!CHECK_ERR(cg_target_check_host(host), want ? CG_OK : CG_TARGET))
            printf("#   %.*s\n", (int)host.len, (const char *)host.at);
    }
}

TEST(ports_are_the_usual_two_and_those_configured)
{
    static const uint16_t ports[] = {8080, 9443};

    CHECK_OK(cg_target_check_port(443, NULL, 0));
    CHECK_OK(cg_target_check_port(8443, NULL, 0));
    CHECK_ERR(cg_target_check_port(442, NULL, 0), CG_TARGET);
    CHECK_ERR(cg_target_check_port(0, NULL, 0), CG_TARGET);
    CHECK_ERR(cg_target_check_port(9443, ports, 1), CG_TARGET);
    CHECK_OK(cg_target_check_port(9443, ports, 2));
    CHECK_ERR(cg_target_check_port(65535, ports, 2), CG_TARGET);
}

TEST(one_private_address_refuses_the_name)
{
    struct cg_ip addresses[] = {
        {{8, 8, 8, 8}, false},
        {{0x26, 0x06, 0x47}, true},
        {{10, 0, 0, 1}, false},
    };

    CHECK_OK(cg_target_check_addresses(addresses, 2, NULL, 0));
    CHECK_ERR(cg_target_check_addresses(addresses, 3, NULL, 0), CG_TARGET);
    CHECK_ERR(cg_target_check_addresses(addresses + 1, 2, NULL, 0), CG_TARGET);
    CHECK_ERR(cg_target_check_addresses(addresses, 0, NULL, 0), CG_TARGET);
}

TEST(the_gateways_own_addresses_are_refused_in_either_family)
{
    struct cg_ip v4 = {{8, 8, 8, 8}, false};
    struct cg_ip mapped = {{[10] = 0xff, [11] = 0xff, 8, 8, 8, 8}, true};
    struct cg_ip v6 = {{0x26, 0x06, [15] = 1}, true}, v6_next = {{0x26, 0x06, [15] = 2}, true};
    /* Begins with the same four bytes as v4. */
    struct cg_ip looks_alike = {{8, 8, 8, 8}, true};

    CHECK_OK(cg_target_check_addresses(&v6, 1, &v4, 1));
    CHECK_OK(cg_target_check_addresses(&v4, 1, &looks_alike, 1));
    CHECK_ERR(cg_target_check_addresses(&v4, 1, &v4, 1), CG_TARGET);
    CHECK_ERR(cg_target_check_addresses(&v4, 1, &mapped, 1), CG_TARGET);
    CHECK_ERR(cg_target_check_addresses(&mapped, 1, &v4, 1), CG_TARGET);
    CHECK_ERR(cg_target_check_addresses(&v6, 1, &v6, 1), CG_TARGET);
    CHECK_OK(cg_target_check_addresses(&v6, 1, &v6_next, 1));
}

SUITE(target, T(every_address_is_classified_by_its_number),
      T(a_target_is_a_name_and_no_spelling_of_an_address),
      T(ports_are_the_usual_two_and_those_configured), T(one_private_address_refuses_the_name),
      T(the_gateways_own_addresses_are_refused_in_either_family))
