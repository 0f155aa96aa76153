/* The whole role beside a ledger, asked over its endpoint; what it answers is checked as a resolver
 * checks it. */
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/roles.h"

#include "lib/base/base64.h"
#include "lib/base/hex.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/crypto/hsig.h"
#include "lib/identity/didop.h"
#include "lib/record/record.h"
#include "lib/record/resolve.h"
#include "lib/wire/json.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER 0x00
#define NEXT 0x20
#define THIRD 0x30
#define OTHER 0x40
#define OTHER_NEXT 0x60

static struct cg_roles roles;

static void begin(void)
{
    cg_roles_init(&roles, true);
    cg_roles_start(&roles);
}

static void end(void)
{
    cg_roles_done(&roles);
}

/* --- what a registrant does --- */

/* What is registered; the defaults make a good claim for app/shop.local. */
struct claim {
    const char *plane, *host, *target;
    uint8_t owner, owner_next; /* its wallet */
    uint8_t signer;
    uint64_t serial;
    int64_t issued, expires;
    const struct cg_log_id *log;
    const char *proof;
    struct cg_span doc;
    bool no_doc;
    const char *token;      /* NULL: a new one */
    const char *previous;   /* hex */
    const char *replace[2]; /* a text of the record, and what stands there instead */
    bool signature_outside; /* beside the record, not in it */
};

static struct claim good(void)
{
    return (struct claim){.plane = "app",
                          .host = "shop.local",
                          .owner = OWNER,
                          .owner_next = NEXT,
                          .signer = OWNER,
                          .serial = 1,
                          .expires = 86400,
                          .proof = "operator"};
}

static char token[64];

static const char *new_token(const char *plane, const char *host, const char *did)
{
    char body[512];
    struct cg_span text;
    uint64_t expires;
    const struct cg_json_member members[] = {{"token", CG_JSON_TEXT, .span = &text},
                                             {"expires", CG_JSON_UINT, .number = &expires}};

    snprintf(body, sizeof body, "{\"plane\":\"%s\",\"authority\":\"%s\",\"rp_did\":\"%s\"}", plane,
             host, did);
    CHECK_INT(cg_roles_post(&roles, roles.to_registry, "/challenge", cg_span_str(body)), 200);
    CHECK_OK(cg_json_object(cg_buf_span(&roles.body), CG_JSON_DOCUMENT, members, 2));
    CHECK_INT(text.len, 43);
    CHECK(expires > (uint64_t)cg_roles_now(&roles).s);
    snprintf(token, sizeof token, "%.*s", (int)text.len, (const char *)text.at);
    return token;
}

static void make_record(const struct claim *c, struct cg_buf *out)
{
    struct cg_waddr owner = cg_test_waddr(c->owner, c->owner_next);
    struct cg_waddr gateway = cg_test_waddr(OTHER, OTHER_NEXT);
    struct cg_span at = CG_LIT("gw1.example.com:443");
    bool is_tombstone = c->target && c->target[0] == '\0';
    struct cg_record_ask ask = {
        .plane = cg_span_str(c->plane),
        .host = cg_span_str(c->host),
        .target_host = cg_span_str(c->target ? c->target : c->host),
        .target_port = is_tombstone ? 0 : 443,
        .owner = &owner,
        .tlsls_required = true,
        .profile = CG_LIT("web-default"),
        .log_id = c->log ? *c->log : *lg_id(roles.ledger),
        .issued = {cg_roles_now(&roles).s + c->issued},
        .expires = {cg_roles_now(&roles).s + c->expires},
        .serial = c->serial,
        .ttl_s = 300,
        .gateway_dids = &gateway,
        .n_gateway_dids = !is_tombstone,
        .gateways = &at,
        .n_gateways = !is_tombstone,
        .target_auth = CG_LIT("webpki"),
    };
    struct cg_writer w = cg_writer_into(out);

    CHECK_OK(cg_record_issue(cg_test_signer(c->signer), &ask, &w));
    if (c->replace[0]) {
        CHECK_OK(cg_buf_add(out, (struct cg_span){(const uint8_t *)"", 1}));
        char *found = strstr((char *)out->at, c->replace[0]);
        CHECK(found && strlen(c->replace[0]) == strlen(c->replace[1]));
        if (found)
            memcpy(found, c->replace[1], strlen(c->replace[1]));
        out->len--;
    }
}

/* The record's JSON with its last member, the owner's signature, taken out of it. */
static struct cg_span cut_signature(struct cg_buf *record, struct cg_span *out_sig)
{
    const char *name = ",\"owner_signature\":\"";
    size_t sig_len = 2 * CG_HSIG_BYTES, tail = strlen(name) + sig_len + 2;

    *out_sig = cg_span_of(record->at + record->len - sig_len - 2, sig_len);
    record->at[record->len - tail] = '}';
    return cg_span_first(cg_buf_span(record), record->len - tail + 1);
}

static int post_claim(const struct claim *c)
{
    CG_AUTO(buf) struct cg_buf record = {0}, body = {0};
    struct cg_span doc = c->doc.len ? c->doc : cg_test_wallet(c->owner, c->owner_next);
    struct cg_span sig = {NULL, 0};
    const char *token_now =
        c->token ? c->token : new_token(c->plane, c->host, cg_test_did(c->owner, c->owner_next));

    cg_buf_init(&record, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&body, CG_RESOLVE_MAX_BYTES);
    make_record(c, &record);
    struct cg_span json = cg_buf_span(&record);
    struct cg_writer w = cg_writer_into(&body);
    cg_put_str(&w, "{\"record\":");
    if (c->signature_outside)
        json = cut_signature(&record, &sig);
    cg_put(&w, json);
    if (c->signature_outside) {
        cg_put_str(&w, ",\"owner_signature\":\"");
        cg_put(&w, sig);
        cg_put_str(&w, "\"");
    }
    cg_put_str(&w, ",\"token\":\"");
    cg_put_str(&w, token_now);
    cg_put_str(&w, "\",\"proof\":{\"type\":\"");
    cg_put_str(&w, c->proof);
    cg_put_str(&w, "\"}");
    if (!c->no_doc) {
        cg_put_str(&w, ",\"wallet_doc\":\"");
        uint8_t *room = cg_put_room(&w, cg_base64_chars(CG_BASE64, doc.len));
        cg_base64_write(CG_BASE64, doc, (char *)room);
        cg_put_str(&w, "\"");
    }
    if (c->previous) {
        cg_put_str(&w, ",\"previous_signature\":\"");
        cg_put_str(&w, c->previous);
        cg_put_str(&w, "\"");
    }
    cg_put_str(&w, "}");
    CHECK_OK(cg_writer_end(&w));
    return cg_roles_post(&roles, roles.to_registry, "/register", cg_buf_span(&body));
}

/* --- what a resolver does --- */

static struct cg_resolve_result result;
static struct cg_buf room;

__attribute__((destructor)) static void forget(void)
{
    cg_buf_done(&room);
}

static cg_err verify(const char *plane, const char *host, bool is_denial)
{
    struct cg_resolve_ask ask = {
        .crypto = cg_test_crypto(),
        .trust = roles.trust,
        .plane = cg_span_str(plane),
        .authority = cg_span_str(host),
        .now = cg_roles_now(&roles),
    };

    cg_buf_done(&room);
    cg_buf_init(&room, CG_RESOLVE_MAX_BYTES);
    return is_denial ? cg_resolve_verify_denial(&ask, cg_buf_span(&roles.body), &room, &result)
                     : cg_resolve_verify(&ask, cg_buf_span(&roles.body), &room, &result);
}

static int resolve(const char *plane, const char *host)
{
    char path[512];

    snprintf(path, sizeof path, "/resolve/%s/%s", plane, host);
    return cg_roles_get(&roles, roles.to_registry, path);
}

TEST(a_registered_name_resolves_and_every_check_passes)
{
    struct claim c = good();

    begin();
    CHECK_INT(post_claim(&c), 200);
    CHECK_OK(verify("app", "shop.local", false));
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    CHECK_INT(result.record.serial, 1);
    struct cg_waddr owner = cg_test_waddr(OWNER, NEXT);
    CHECK(cg_waddr_eq(&result.owner.waddr, &owner));
    CHECK_SPAN(result.record.target_host, CG_LIT("shop.local"));
    for (size_t i = 0; i < CG_RESOLVE_STEP_COUNT; i++)
        CHECK_INT(result.checks.verdict[i], CG_PASSED);
    CHECK_ERR(verify("app", "other.local", false), CG_MISMATCH);
    end();
}

TEST(a_name_nobody_registered_is_denied_with_proof)
{
    struct claim c = good();

    begin();
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("app", "nobody.example"), 404);
    CHECK_OK(verify("app", "nobody.example", true));
    CHECK(result.is_gone && !result.has_record);
    CHECK(verify("app", "shop.local", true) != CG_OK); /* it hides no name that is there */
    end();
}

TEST(the_owners_signature_may_stand_beside_the_record)
{
    struct claim c = good();

    begin();
    c.signature_outside = true;
    CHECK_INT(post_claim(&c), 200);
    CHECK_OK(verify("app", "shop.local", false));
    end();
}

TEST(a_communicators_name_is_proved_by_its_address)
{
    struct claim c = good();
    struct cg_waddr waddr = cg_test_waddr(OWNER, NEXT), other = cg_test_waddr(OTHER, OTHER_NEXT);

    begin();
    c.plane = "m2m";
    c.host = waddr.text;
    c.proof = "self";
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("m2m", waddr.text), 200);
    c.host = other.text;
    CHECK_INT(post_claim(&c), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("proof"));
    c.plane = "app";
    c.host = "shop.local";
    CHECK_INT(post_claim(&c), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("proof"));
    end();
}

TEST(serials_go_up_by_one)
{
    struct claim c = good();

    begin();
    c.serial = 2;
    CHECK_INT(post_claim(&c), 409);
    c.serial = 1;
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(post_claim(&c), 409);
    c.serial = 3;
    CHECK_INT(post_claim(&c), 409);
    c.serial = 2;
    c.no_doc = true; /* it is known from before */
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    CHECK_INT(result.record.serial, 2);
    c.serial = 1;
    CHECK_INT(post_claim(&c), 409);
    /* They last over a restart. */
    cg_roles_stop(&roles);
    cg_roles_start(&roles);
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    CHECK_INT(result.record.serial, 2);
    c.serial = 2;
    CHECK_INT(post_claim(&c), 409);
    c.serial = 3;
    CHECK_INT(post_claim(&c), 200);
    end();
}

TEST(a_name_given_up_is_denied_with_its_tombstone_and_may_be_taken_again)
{
    struct claim c = good();

    begin();
    c.target = "";
    CHECK_INT(post_claim(&c), 422); /* there is nothing to give up */
    c.target = NULL;
    CHECK_INT(post_claim(&c), 200);
    c.serial = 2;
    c.target = "";
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("app", "shop.local"), 404);
    CHECK_OK(verify("app", "shop.local", true));
    CHECK(result.is_gone && result.has_record);
    CHECK_INT(result.record.serial, 2);
    c = good();
    c.owner = c.signer = OTHER;
    c.owner_next = OTHER_NEXT;
    c.serial = 1;
    CHECK_INT(post_claim(&c), 409);
    c.serial = 3;
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    end();
}

TEST(a_record_that_ran_out_is_denied_with_itself)
{
    struct claim c = good();

    begin();
    c.expires = 6;
    CHECK_INT(post_claim(&c), 200);
    for (unsigned i = 0; i < 120 && resolve("app", "shop.local") == 200; i++)
        cg_roles_run(&roles, 100);
    CHECK_INT(roles.status, 404);
    CHECK_OK(verify("app", "shop.local", true));
    CHECK(result.is_gone && result.has_record);
    c.serial = 2;
    c.expires = 86400;
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("app", "shop.local"), 200);
    end();
}

TEST(claims_that_fail_a_check_are_refused)
{
    struct cg_log_id other = {{1, 2, 3}};
    const struct {
        struct claim c;
        const char *field;
    } cases[] = {
        {{.signer = OTHER}, "owner_signature"},
        {{.issued = 400}, "issued_at"},
        {{.issued = -90000, .expires = -1}, "expires_at"},
        {{.log = &other}, "bpi_anchor"},
        {{.replace = {"web-default", "web-defaulx"}}, "bpi_anchor"},
        {{.replace = {"\"ttl\":300", "\"ttl\":301"}}, "bpi_anchor"},
        {{.doc = cg_test_wallet(OTHER, OTHER_NEXT)}, "wallet_doc"},
        {{.no_doc = true}, "wallet_doc"},
        {{.host = "shop.example"}, "proof"},
        {{.host = "local"}, "proof"},
        {{.host = "notlocal"}, "proof"},
        {{.token = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "token"},
    };

    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct claim c = good();
        const struct claim *bad = &cases[i].c;

        c.signer = bad->signer ? bad->signer : c.signer;
        c.issued = bad->issued;
        c.expires = bad->expires ? bad->expires : c.expires;
        c.log = bad->log;
        c.replace[0] = bad->replace[0];
        c.replace[1] = bad->replace[1];
        c.doc = bad->doc;
        c.no_doc = bad->no_doc;
        c.host = bad->host ? bad->host : c.host;
        c.token = bad->token;
        if (!CHECK_INT(post_claim(&c), 422) ||
            !CHECK_SPAN(cg_roles_field(&roles), cg_span_str(cases[i].field)))
            printf("# case %zu\n", i);
    }
    CHECK_INT(resolve("app", "shop.local"), 404);
    CHECK_OK(verify("app", "shop.local", true));
    end();
}

TEST(a_token_is_good_once_for_one_name_and_one_did)
{
    struct claim c = good();
    char used[64];

    begin();
    c.token = new_token("app", "other.local", cg_test_did(OWNER, NEXT));
    CHECK_INT(post_claim(&c), 422);
    c.token = new_token("app", "shop.local", cg_test_did(OTHER, OTHER_NEXT));
    CHECK_INT(post_claim(&c), 422);
    snprintf(used, sizeof used, "%s", new_token("app", "shop.local", cg_test_did(OWNER, NEXT)));
    c.token = used;
    CHECK_INT(post_claim(&c), 200);
    c.serial = 2;
    CHECK_INT(post_claim(&c), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("token"));
    end();
}

TEST(what_this_build_does_not_check_is_said_to_be_so)
{
    struct claim c = good();

    begin();
    c.proof = "dns";
    CHECK_INT(post_claim(&c), 501);
    c.proof = "https";
    CHECK_INT(post_claim(&c), 501);
    c.proof = "magic";
    CHECK_INT(post_claim(&c), 400);
    c = good();
    c.target = "backend.example.net";
    CHECK_INT(post_claim(&c), 501);
    CHECK_INT(cg_roles_get(&roles, roles.to_registry,
                           "/resolve/gw/library.vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdt"
                           "a32yb.mznfwawkjf5fkoj4kijseagtvzy3gfzm"),
              501);
    end();
}

TEST(malformed_requests_are_refused)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "{\"plane\":\"app\",\"authority\":\"shop.local\"}",
        "{\"plane\":\"app\",\"authority\":\"Shop.local\",\"rp_did\":\"did:bpi:x\"}",
        "{\"plane\":\"nowhere\",\"authority\":\"shop.local\",\"rp_did\":\"%s\"}",
        "{\"plane\":\"app\",\"authority\":\"SHOP.local\",\"rp_did\":\"%s\"}",
        "{\"plane\":\"app\",\"authority\":\"127.0.0.1\",\"rp_did\":\"%s\"}",
        "{\"plane\":\"app\",\"authority\":\"shop.local\",\"rp_did\":\"%s\",\"more\":1}",
    };

    begin();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char body[512];

        snprintf(body, sizeof body, bodies[i], cg_test_did(OWNER, NEXT));
        CHECK_INT(cg_roles_post(&roles, roles.to_registry, "/challenge", cg_span_str(body)), 400);
        CHECK_INT(cg_roles_post(&roles, roles.to_registry, "/register", cg_span_str(body)), 400);
    }
    CHECK_INT(resolve("app", "Shop.local"), 400);
    CHECK_INT(resolve("nowhere", "shop.local"), 400);
    CHECK_INT(resolve("app", "127.0.0.1"), 400);
    CHECK_INT(cg_roles_get(&roles, roles.to_registry, "/resolve/app"), 404);
    end();
}

TEST(challenges_are_bounded)
{
    char body[512];

    cg_roles_init(&roles, true);
    roles.registry_options.challenges = 2;
    cg_roles_start(&roles);
    new_token("app", "a.local", cg_test_did(OWNER, NEXT));
    new_token("app", "b.local", cg_test_did(OWNER, NEXT));
    snprintf(body, sizeof body, "{\"plane\":\"app\",\"authority\":\"c.local\",\"rp_did\":\"%s\"}",
             cg_test_did(OWNER, NEXT));
    CHECK_INT(cg_roles_post(&roles, roles.to_registry, "/challenge", cg_span_str(body)), 429);
    end();
}

TEST(the_allow_list_decides_where_the_rule_is_list)
{
    struct claim c = good();
    struct cg_store *store = NULL;
    char why[CG_STORE_WHY_BYTES];

    cg_roles_init(&roles, true);
    roles.registry_options.suffix_rule = RG_SUFFIX_LIST;
    roles.allow[0] = (struct rg_allow){"app/mine.local", cg_test_did(OTHER, OTHER_NEXT)};
    roles.registry_options.allow.n = 1;
    cg_roles_start(&roles);
    CHECK_INT(post_claim(&c), 403);
    c.host = "mine.local";
    CHECK_INT(post_claim(&c), 403);
    c.owner = c.signer = OTHER;
    c.owner_next = OTHER_NEXT;
    CHECK_INT(post_claim(&c), 200);
    /* What came over the admin socket counts more than the file. */
    CHECK_OK(cg_store_open_sqlite(cg_scratch_file(&roles.scratch, "httpcg.db"), why, &store));
    CHECK_OK(
        cg_store_allow_put(store, CG_LIT("app/shop.local"), cg_span_str(cg_test_did(OWNER, NEXT))));
    CHECK_OK(
        cg_store_allow_put(store, CG_LIT("app/mine.local"), cg_span_str(cg_test_did(OWNER, NEXT))));
    cg_store_free(store);
    c = good();
    CHECK_INT(post_claim(&c), 200);
    c.host = "mine.local";
    c.owner = c.signer = OTHER;
    c.owner_next = OTHER_NEXT;
    c.serial = 2;
    CHECK_INT(post_claim(&c), 403);
    end();
}

/* The hex of an owner's signature over a claim's record, as the owner before gives it. */
static char *sign_as_previous(const struct claim *c, uint8_t signer)
{
    CG_AUTO(buf) struct cg_buf json = {0};
    struct claim copy = *c;
    struct cg_record *record = malloc(sizeof *record);
    char *hex = calloc(1, 2 * CG_HSIG_BYTES + 1);

    copy.signer = signer;
    cg_buf_init(&json, CG_DOCUMENT_MAX_BYTES);
    make_record(&copy, &json);
    CHECK_OK(cg_record_read(cg_buf_span(&json), true, record));
    cg_hex_write(CG_BYTES(record->owner_signature), hex);
    free(record);
    return hex;
}

TEST(a_living_name_changes_hands_only_by_its_owners_word)
{
    struct claim c = good();

    begin();
    CHECK_INT(post_claim(&c), 200);
    c.owner = c.signer = OTHER;
    c.owner_next = OTHER_NEXT;
    c.serial = 2;
    CHECK_INT(post_claim(&c), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("previous_signature"));
    char *by_other = sign_as_previous(&c, OTHER);
    c.previous = by_other;
    CHECK_INT(post_claim(&c), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("previous_signature"));
    struct claim another = c;
    another.serial = 3;
    char *of_another = sign_as_previous(&another, OWNER);
    c.previous = of_another;
    CHECK_INT(post_claim(&c), 422);
    c.previous = "00";
    CHECK_INT(post_claim(&c), 400);
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    CHECK_INT(result.record.serial, 1);

    /* The record's times are those of the moment: both signatures must fall into one second. */
    int status = 0;
    for (unsigned i = 0; i < 5 && status != 200; i++) {
        char *by_owner = sign_as_previous(&c, OWNER);
        c.previous = by_owner;
        status = post_claim(&c);
        free(by_owner);
    }
    CHECK_INT(status, 200);
    CHECK_OK(verify("app", "shop.local", false));
    free(by_other);
    free(of_another);
    end();
}

TEST(an_owner_who_rotated_signs_with_the_new_keys)
{
    CG_AUTO(buf) struct cg_buf op = {0}, doc = {0};
    struct cg_did_state state;
    struct cg_hash next;
    struct claim c = good();

    begin();
    CHECK_INT(post_claim(&c), 200);
    cg_buf_init(&op, CG_DIDOP_MAX_BYTES);
    cg_buf_init(&doc, CG_DOCUMENT_MAX_BYTES);
    CHECK_OK(cg_did_begin(cg_test_wallet(OWNER, NEXT), &state));
    CHECK_OK(cg_next_hash(cg_signer_public(cg_test_signer(THIRD)), &next));
    CHECK_OK(cg_didop_issue(cg_test_signer(NEXT), CG_DIDOP_ROTATE, &state, &next, &op));
    CHECK_OK(cg_did_append(cg_test_wallet(OWNER, NEXT), cg_buf_span(&op), &doc));
    /* Before the ledger has the rotation, the new keys are nobody's. */
    c.serial = 2;
    c.doc = cg_buf_span(&doc);
    c.signer = NEXT;
    CHECK_INT(post_claim(&c), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("wallet_doc"));
    CHECK_INT(cg_roles_post(&roles, roles.to_ledger, "/submit", cg_buf_span(&op)), 200);
    /* Resolvers no longer believe the old record; the old keys renew nothing. */
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_ERR(verify("app", "shop.local", false), CG_STALE);
    struct claim old = good();
    old.serial = 2;
    CHECK_INT(post_claim(&old), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("wallet_doc"));
    old.doc = cg_buf_span(&doc);
    CHECK_INT(post_claim(&old), 422);
    CHECK_SPAN(cg_roles_field(&roles), CG_LIT("owner_signature"));
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    end();
}

TEST(the_operators_document_is_given_to_whoever_asks)
{
    struct cg_span did, doc;
    const struct cg_json_member members[] = {{"operator_did", CG_JSON_TEXT, .span = &did},
                                             {"operator_doc", CG_JSON_TEXT, .span = &doc}};
    uint8_t bytes[CG_WALLET_DOC_BYTES];
    size_t len;

    begin();
    CHECK_INT(cg_roles_get(&roles, roles.to_registry, "/operator"), 200);
    CHECK_OK(cg_json_object(cg_buf_span(&roles.body), CG_JSON_DOCUMENT, members, 2));
    CHECK_SPAN(did, cg_span_str(cg_test_did(CG_ROLES_REGISTRY, CG_ROLES_REGISTRY_NEXT)));
    CHECK_OK(cg_base64_read(CG_BASE64, doc, bytes, sizeof bytes, &len));
    CHECK_SPAN(cg_span_of(bytes, len), cg_test_wallet(CG_ROLES_REGISTRY, CG_ROLES_REGISTRY_NEXT));
    end();
}

TEST(a_bare_record_is_given_to_those_who_look_by_hand)
{
    struct claim c = good();
    struct cg_record *record = malloc(sizeof *record);

    begin();
    CHECK_INT(post_claim(&c), 200);
    CHECK_INT(cg_roles_get(&roles, roles.to_registry, "/resolve/app/shop.local?format=bare"), 200);
    CHECK_OK(cg_record_read(cg_buf_span(&roles.body), false, record));
    free(record);
    end();
}

/* Leaves a proposal in the database, as a registry that was killed would. */
static void leave_proposed(const struct claim *c, uint8_t operator_seed)
{
    CG_AUTO(buf) struct cg_buf submitted = {0}, json = {0};
    struct cg_record *record = malloc(sizeof *record);
    struct cg_store *store = NULL;
    char why[CG_STORE_WHY_BYTES], name[256];

    cg_buf_init(&submitted, CG_DOCUMENT_MAX_BYTES);
    cg_buf_init(&json, CG_DOCUMENT_MAX_BYTES);
    make_record(c, &submitted);
    CHECK_OK(cg_record_read(cg_buf_span(&submitted), true, record));
    CHECK_OK(cg_record_confirm(cg_test_signer(operator_seed), record));
    struct cg_writer w = cg_writer_into(&json);
    CHECK_OK(cg_record_write(record, &w));
    snprintf(name, sizeof name, "%s/%s", c->plane, c->host);
    const struct cg_stored_name row = {
        .name = cg_span_str(name),
        .serial = c->serial,
        .owner = record->owner_did,
        .commitment = record->anchor,
        .record = cg_buf_span(&json),
        .expires_at = record->expires,
    };
    CHECK_OK(cg_store_open_sqlite(cg_scratch_file(&roles.scratch, "httpcg.db"), why, &store));
    CHECK_OK(
        cg_store_wallet_put(store, record->owner_did, cg_test_wallet(c->owner, c->owner_next)));
    CHECK_OK(cg_store_name_propose(store, &row));
    cg_store_free(store);
    free(record);
}

TEST(what_a_crash_left_proposed_is_taken_to_the_ledger)
{
    struct claim first = good(), second = good(), forged = good();

    begin();
    CHECK_INT(cg_roles_post(&roles, roles.to_ledger, "/submit", cg_test_wallet(OWNER, NEXT)), 200);
    second.host = "zoo.local";
    forged.host = "forged.local";
    leave_proposed(&first, CG_ROLES_REGISTRY);
    leave_proposed(&second, CG_ROLES_REGISTRY);
    leave_proposed(&forged, OTHER); /* the ledger will not have it */
    cg_roles_stop(&roles);
    cg_roles_start(&roles);
    for (unsigned i = 0; i < 100 && resolve("app", "zoo.local") != 200; i++)
        cg_roles_run(&roles, 50);
    CHECK_OK(verify("app", "zoo.local", false));
    CHECK_INT(resolve("app", "shop.local"), 200);
    CHECK_OK(verify("app", "shop.local", false));
    CHECK_INT(resolve("app", "forged.local"), 404);
    /* Its serial is free again, also for other content; those of the others are not. */
    forged.expires = 5000;
    CHECK_INT(post_claim(&forged), 200);
    CHECK_INT(post_claim(&first), 409);
    end();
}

TEST(the_option_table_is_sound)
{
    const char *fault = cg_option_table_fault(&rg_option_table);

    if (!CHECK(fault == NULL))
        printf("# %s\n", fault);
}

TEST(a_registry_whose_keys_do_not_fit_does_not_start)
{
    struct cg_problems problems = {0};
    struct rg_registry *registry = NULL;
    struct rg_options bad;

    begin();
    bad = roles.registry_options;
    struct rg_setup setup = {.options = &bad,
                             .database = cg_scratch_file(&roles.scratch, "other.db"),
                             .crypto = cg_test_crypto(),
                             .trust = roles.trust,
                             .loop = roles.loop,
                             .workers = roles.workers,
                             .ledger = roles.to_ledger};
    bad.key = roles.ledger_options.key;
    CHECK_ERR(rg_start(&setup, &problems, &registry), CG_CONFIG);
    CHECK(strstr(problems.at[0].text, "is not a key of the role registry") != NULL);
    problems.n = 0;
    bad = roles.registry_options;
    bad.wallet_doc = bad.key;
    CHECK_ERR(rg_start(&setup, &problems, &registry), CG_CONFIG);
    CHECK(strstr(problems.at[0].text, "is not the wallet document") != NULL);
    CHECK(registry == NULL);
    end();
}

SUITE(registry, T(a_registered_name_resolves_and_every_check_passes),
      T(a_name_nobody_registered_is_denied_with_proof),
      T(the_owners_signature_may_stand_beside_the_record),
      T(a_communicators_name_is_proved_by_its_address), T(serials_go_up_by_one),
      T(a_name_given_up_is_denied_with_its_tombstone_and_may_be_taken_again),
      T(a_record_that_ran_out_is_denied_with_itself), T(claims_that_fail_a_check_are_refused),
      T(a_token_is_good_once_for_one_name_and_one_did),
      T(what_this_build_does_not_check_is_said_to_be_so), T(malformed_requests_are_refused),
      T(challenges_are_bounded), T(the_allow_list_decides_where_the_rule_is_list),
      T(a_living_name_changes_hands_only_by_its_owners_word),
      T(an_owner_who_rotated_signs_with_the_new_keys),
      T(the_operators_document_is_given_to_whoever_asks),
      T(a_bare_record_is_given_to_those_who_look_by_hand),
      T(what_a_crash_left_proposed_is_taken_to_the_ledger), T(the_option_table_is_sound),
      T(a_registry_whose_keys_do_not_fit_does_not_start))
