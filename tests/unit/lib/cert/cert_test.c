#include "tests/unit/lib/cert/fixture.h"

#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/limits.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/cert/payload.h"
#include "lib/crypto/hash.h"

TEST(issues_the_certificate_of_the_vectors)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cert_ask ask = fixture_ask();

    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    CHECK_OK(cg_cert_issue(cg_test_signer(FIXTURE_GATEWAY), &ask, FIXTURE_NOTHING, FIXTURE_NOTHING,
                           &wire));
    CHECK_SPAN(cg_buf_span(&wire), cg_vector_hex("v1:tlsls.cose_without_unprotected"));
}

TEST(reads_the_certificate_of_the_vectors)
{
    struct cg_cert cert;
    char text[CG_ANCHOR_CHARS + 1];

    CHECK_OK(cg_cert_read(cg_vector_hex("v1:tlsls.cose_without_unprotected"), &cert));
    CHECK_INT(cert.role, CG_ROLE_GATEWAY);
    CHECK_SPAN(CG_BYTES(cert.transport.ed25519), cg_vector_hex("v1:gateway.transport_ed25519"));
    CHECK_SPAN(CG_BYTES(cert.transport.mldsa87), cg_vector_hex("v1:gateway.transport_mldsa87"));
    CHECK_SPAN(cg_hash_span(&cert.policy_hash), cg_vector_hex("v1:policy.policy_hash"));
    CHECK_INT(cert.issued.s, FIXTURE_NOW);
    CHECK_INT(cert.expires.s, FIXTURE_NOW + 30 * 86400);
    CHECK_INT(cert.n_spki, 1);
    CHECK_SPAN(cg_hash_span(&cert.spki[0]), cg_vector_hex("v1:qlock.spki"));
    CHECK_INT(cert.n_names, 1);
    CHECK_SPAN(cert.names[0], CG_LIT("gw1.example.com"));
    CHECK_SPAN(CG_BYTES(cert.serial), cg_unhex("000102030405060708090a0b0c0d0e0f"));
    CHECK_SPAN(cg_hash_span(&cert.fingerprint), cg_vector_hex("v1:tlsls.fingerprint"));
    cg_cert_anchor(&cert, text);
    CHECK_SPAN(cg_span_str(text), cg_span_str(cg_vector("v1:tlsls.anchor")));
}

TEST(the_fingerprint_does_not_see_what_travels_unsigned)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cert cert, again;

    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    CHECK_OK(cg_cert_read(cg_vector_hex("v1:tlsls.cose_without_unprotected"), &cert));
    CHECK_OK(cg_cert_write(&cert, CG_LIT("wallet"), CG_LIT("staple"), &wire));
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &again));
    CHECK_SPAN(again.wallet_doc, CG_LIT("wallet"));
    CHECK_SPAN(again.staple, CG_LIT("staple"));
    CHECK_SPAN(cg_hash_span(&again.fingerprint), cg_hash_span(&cert.fingerprint));
}

TEST(what_cannot_be_a_certificate_is_not_issued)
{
    CG_AUTO(buf) struct cg_buf wire = {0};
    const struct cg_span dotted = CG_LIT("a..b"), ip = CG_LIT("127.0.0.1"), upper = CG_LIT("A.b");
    const struct cg_span *const bad[] = {&dotted, &ip, &upper};
    struct cg_cert_ask ask = fixture_ask();
    const struct cg_signer *signer = cg_test_signer(FIXTURE_GATEWAY);

    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    ask.n_spki = 0;
    CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_SCHEMA);
    ask.n_spki = 5;
    CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_SCHEMA);
    ask = fixture_ask();
    ask.n_names = 17;
    CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_SCHEMA);
    ask = fixture_ask();
    ask.role = CG_ROLE_COUNT;
    CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_SCHEMA);
    for (size_t i = 0; i < 3; i++) {
        ask = fixture_ask();
        ask.names = bad[i];
        CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_SYNTAX);
    }
    ask = fixture_ask();
    ask.expires = ask.issued;
    CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_SCHEMA);
    ask.expires.s = ask.issued.s + CG_CERT_MAX_SPAN_S + 1;
    CHECK_ERR(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire), CG_TOO_LARGE);
    CHECK_INT(wire.len, 0);
    ask.expires.s--;
    CHECK_OK(cg_cert_issue(signer, &ask, FIXTURE_NOTHING, FIXTURE_NOTHING, &wire));
}

TEST(the_largest_certificate_is_written_and_read)
{
    static char name[CG_AUTHORITY_MAX_BYTES];
    CG_AUTO(buf) struct cg_buf wire = {0};
    struct cg_cert_ask ask = fixture_ask();
    struct cg_span names[CG_CERT_NAMES_MAX];
    struct cg_hash spki[CG_CERT_SPKI_MAX] = {{{0}}};
    struct cg_cert cert;

    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < sizeof name; i += 64)
        name[i] = '.';
    for (size_t i = 0; i < CG_CERT_NAMES_MAX; i++)
        names[i] = CG_BYTES((const uint8_t *)name);
    ask.names = names;
    ask.n_names = CG_CERT_NAMES_MAX;
    ask.spki = spki;
    ask.n_spki = CG_CERT_SPKI_MAX;
    cg_buf_init(&wire, CG_CERT_MAX_BYTES);
    CHECK_OK(cg_cert_issue(cg_test_signer(FIXTURE_GATEWAY), &ask, FIXTURE_NOTHING, FIXTURE_NOTHING,
                           &wire));
    CHECK_OK(cg_cert_read(cg_buf_span(&wire), &cert));
    CHECK_INT(cert.n_names, CG_CERT_NAMES_MAX);
    CHECK_INT(cert.n_spki, CG_CERT_SPKI_MAX);
    struct cg_hash commitment;
    CHECK_OK(cg_cert_commitment(&cert, &commitment));
    CHECK_SPAN(cg_hash_span(&commitment), cg_hash_span(&cert.anchor));
}

/* Places in the payload of the vectors. */
static size_t place_of(const char *key)
{
    struct cg_span payload = cg_vector_hex("v1:tlsls.payload");
    const uint8_t *at = memmem(payload.at, payload.len, key, strlen(key));

    return at ? (size_t)(at - payload.at) + strlen(key) : 0;
}

static cg_err read_changed(size_t at, uint8_t value)
{
    static uint8_t payload[4096];
    struct cg_span good = cg_vector_hex("v1:tlsls.payload");
    struct cg_cert cert;

    memcpy(payload, good.at, good.len);
    payload[at] = value;
    return cg_cert_payload_read(cg_span_of(payload, good.len), &cert);
}

TEST(a_payload_is_a_closed_schema)
{
    const struct {
        const char *key;
        size_t more; /* behind the key */
        uint8_t value;
        cg_err want;
    } changes[] = {
        {"\x61v", 0, 2, CG_VERSION},
        {"role", 0, 0x47, CG_SCHEMA},  /* bytes for text */
        {"role", 1, 'G', CG_SCHEMA},   /* a role that is none */
        {"spki", 0, 0x80, CG_SCHEMA},  /* no TLS key */
        {"spki", 0, 0x85, CG_SCHEMA},  /* five */
        {"names", 0, 0x91, CG_SCHEMA}, /* seventeen */
        {"names", 2, 'G', CG_SYNTAX},  /* a name in upper case */
        {"names", 5, '_', CG_SYNTAX},
        {"serial", 0, 0x4f, CG_SCHEMA},     /* fifteen bytes */
        {"issued_at", 0, 0x3a, CG_SCHEMA},  /* before 1970 */
        {"issued_at", 0, 0xfa, CG_SCHEMA},  /* a float */
        {"issued_at", 0, 0x18, CG_SCHEMA},  /* shorter, so that the rest is no key */
        {"bpi_anchor", 2, 'B', CG_SYNTAX},  /* bpi1 */
        {"bpi_anchor", 7, 'F', CG_SYNTAX},  /* upper-case hex */
        {"bpi_anchor", 23, '.', CG_SYNTAX}, /* no colon */
        {"issuer_did", 2, 'D', CG_SYNTAX},
        {"issuer_did", 12, 'a', CG_MISMATCH}, /* an address whose checksum is wrong */
        {"policy_hash", 2, 'A', CG_SYNTAX},
        {"policy_hash", 1, 0x3f, CG_SCHEMA}, /* 63 characters */
        {"subject_did", 12, 'a', CG_MISMATCH},
        {"public_key_ed25519", 1, 0x1f, CG_SCHEMA},
        {"public_key_dilithium", 2, 0x21, CG_TOO_LARGE},
        {"public_key_dilithium", 2, 0x1f, CG_SCHEMA},
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        size_t at = place_of(changes[i].key);

        CHECK(at > 0);
        CHECK_ERR(read_changed(at + changes[i].more, changes[i].value), changes[i].want);
    }
    /* Each key with another first letter; the map with one pair less or more. */
    const char *const keys[] = {"\x61v",
                                "\x64role",
                                "\x64spki",
                                "\x65names",
                                "\x66serial",
                                "\x69issued_at",
                                "\x6a"
                                "bpi_anchor",
                                "\x6a"
                                "expires_at",
                                "\x6aissuer_did",
                                "\x6bpolicy_hash",
                                "\x6bsubject_did",
                                "\x72public_key_ed25519",
                                "\x74public_key_dilithium"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        CHECK_ERR(read_changed(place_of(keys[i]) - strlen(keys[i]) + 1, 'x'), CG_SCHEMA);
    CHECK_ERR(read_changed(0, 0xac), CG_SCHEMA);
    CHECK_ERR(read_changed(0, 0xae), CG_SCHEMA);
    CHECK_ERR(read_changed(0, 0xbf), CG_CANONICAL);
}

TEST(every_prefix_of_a_payload_is_short)
{
    struct cg_span good = cg_vector_hex("v1:tlsls.payload");
    struct cg_cert cert;

    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_cert_payload_read(cg_span_first(good, n), &cert), CG_SHORT);
}

TEST(an_issuer_that_is_not_the_subject_is_refused)
{
    static uint8_t payload[4096];
    struct cg_span good = cg_vector_hex("v1:tlsls.payload");
    struct cg_cert cert;

    memcpy(payload, good.at, good.len);
    memcpy(payload + place_of("issuer_did") + 2 + 8, cg_vector("v1:wallet.waddr"), CG_WADDR_CHARS);
    CHECK_ERR(cg_cert_payload_read(cg_span_of(payload, good.len), &cert), CG_MISMATCH);
}

TEST(an_unsuccessful_read_leaves_the_output_alone)
{
    struct cg_span good = cg_vector_hex("v1:tlsls.cose_without_unprotected");
    struct cg_cert cert = {.n_names = 77};

    for (size_t n = 0; n < good.len; n++)
        CHECK_ERR(cg_cert_read(cg_span_first(good, n), &cert), CG_SHORT);
    CHECK_INT(cert.n_names, 77);
}

/* Read back by the JSON reader itself. */
TEST(the_json_view_shows_every_member)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    struct cg_cert cert;

    cg_buf_init(&json, 65536);
    CHECK_OK(cg_cert_read(cg_vector_hex("v1:tlsls.cose_without_unprotected"), &cert));
    CHECK_OK(cg_cert_write_json(&cert, &json));
    CHECK_OK(fixture_check_json(cg_buf_span(&json)));
    for (size_t n = 0; n <= 2; n++) {
        static const char *const shown[] = {"\"names\":[],", "\"names\":[\"a.example\"],",
                                            "\"names\":[\"a.example\",\"b.example\"],"};

        cert.n_names = n;
        cert.names[0] = CG_LIT("a.example");
        cert.names[1] = CG_LIT("b.example");
        cg_buf_clear(&json);
        CHECK_OK(cg_cert_write_json(&cert, &json));
        CHECK_OK(cg_buf_add(&json, cg_span_of("", 1)));
        CHECK(strstr((const char *)json.at, shown[n]) != NULL);
        json.len--;
    }
    json.max = json.len;
    cg_buf_clear(&json);
    CHECK_OK(cg_cert_write_json(&cert, &json));
    json.max--;
    json.len = 0;
    CHECK_ERR(cg_cert_write_json(&cert, &json), CG_TOO_LARGE);
    CHECK_INT(json.len, 0);
}

SUITE(cert, T(issues_the_certificate_of_the_vectors), T(reads_the_certificate_of_the_vectors),
      T(the_fingerprint_does_not_see_what_travels_unsigned),
      T(what_cannot_be_a_certificate_is_not_issued), T(the_largest_certificate_is_written_and_read),
      T(a_payload_is_a_closed_schema), T(every_prefix_of_a_payload_is_short),
      T(an_issuer_that_is_not_the_subject_is_refused),
      T(an_unsuccessful_read_leaves_the_output_alone), T(the_json_view_shows_every_member))
