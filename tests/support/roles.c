#include "tests/support/roles.h"

#include "lib/base/span.h"
#include "lib/crypto/keyfile.h"
#include "lib/wire/json.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "tests/support/check.h"
#include "tests/support/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "ledger.example/bpi1"
#define PATIENCE_MS 30000

/* --- wallets --- */

static struct wallet {
    uint8_t doc[CG_WALLET_DOC_BYTES];
    struct cg_waddr waddr;
    char did[CG_DID_CHARS + 1];
    bool is_made;
} * wallets[256][256];

__attribute__((destructor)) static void forget(void)
{
    for (size_t i = 0; i < 256; i++)
        for (size_t j = 0; j < 256; j++)
            free(wallets[i][j]);
}

static _Noreturn void stop(const char *what, cg_err err)
{
    fprintf(stderr, "test roles: %s: %s\n", what, cg_err_text(err));
    exit(2);
}

static void must(cg_err err, const char *what)
{
    if (err != CG_OK)
        stop(what, err);
}

static struct wallet *wallet_of(uint8_t first, uint8_t next)
{
    struct wallet *w = wallets[first][next];
    struct cg_wallet_doc doc;
    struct cg_hash hash;

    if (w)
        return w;
    w = wallets[first][next] = calloc(1, sizeof *w);
    if (!w)
        stop("wallet", CG_NO_MEMORY);
    must(cg_next_hash(cg_signer_public(cg_test_signer(next)), &hash), "next");
    cg_wallet_doc_make(cg_test_signer(first), &hash, &doc);
    cg_wallet_doc_write(&doc, w->doc);
    must(cg_wallet_doc_address(&doc, &w->waddr), "address");
    cg_did_write(&w->waddr, w->did);
    return w;
}

struct cg_span cg_test_wallet(uint8_t first, uint8_t next)
{
    return CG_BYTES(wallet_of(first, next)->doc);
}

struct cg_waddr cg_test_waddr(uint8_t first, uint8_t next)
{
    return wallet_of(first, next)->waddr;
}

const char *cg_test_did(uint8_t first, uint8_t next)
{
    return wallet_of(first, next)->did;
}

/* --- files --- */

void cg_roles_key_file(const struct cg_roles *roles, const char *name, uint8_t seed,
                       const char *role)
{
    const struct cg_keyfile_content content = {.seed = cg_test_seed(seed), .created = {1795366003}};
    const struct cg_argon2_cost cheap = {8, 1, 1};
    static const uint8_t salt[CG_KEYFILE_SALT_BYTES], nonce[12];
    struct cg_buf file;

    cg_buf_init(&file, CG_KEYFILE_MAX_BYTES);
    must(cg_keyfile_write(cg_test_crypto(), &content, cg_span_str(role), CG_LIT(""),
                          CG_LIT("secret"), cheap, salt, nonce, &file),
         "key file");
    must(cg_file_write(cg_scratch_file(&roles->scratch, name), cg_buf_span(&file)), "key file");
    cg_buf_done(&file);
}

static const char *kept_path(const struct cg_roles *roles, const char *name)
{
    return strdup(cg_scratch_file(&roles->scratch, name));
}

static void make_trust(struct cg_roles *roles)
{
    struct cg_buf text;
    struct cg_trust_fault fault = {0};

    cg_buf_init(&text, 65536);
    struct cg_writer w = cg_writer_into(&text);
    must(cg_trust_log_write(CG_LIT(ORIGIN), cg_signer_public(cg_test_signer(CG_ROLES_LOG)), &w),
         "trust");
    cg_put_str(&w, "quorum none\nregistry ");
    cg_put_str(&w, roles->registries[0]);
    cg_put_str(&w, " https://registry.example\n");
    must(cg_writer_end(&w), "trust");
    if (cg_trust_read(cg_test_crypto(), cg_buf_span(&text), &roles->trust, &fault) != CG_OK)
        stop(fault.text ? fault.text : "trust", CG_CONFIG);
    cg_buf_done(&text);
}

void cg_roles_init(struct cg_roles *roles, bool with_registry)
{
    *roles = (struct cg_roles){.status = 0};
    cg_scratch_init(&roles->scratch);
    cg_roles_key_file(roles, "log.hck", CG_ROLES_LOG, "log");
    must(cg_file_write(cg_scratch_file(&roles->scratch, "pass"), CG_LIT("secret\n")), "passphrase");
    roles->registries[0] = cg_test_did(CG_ROLES_REGISTRY, CG_ROLES_REGISTRY_NEXT);
    roles->ledger_options = (struct lg_options){
        .origin = ORIGIN,
        .key = kept_path(roles, "log.hck"),
        .passphrase = kept_path(roles, "pass"),
        .publish_interval_ms = 10,
        .heartbeat_ms = 3600 * 1000,
        .wait_ms = 20000,
        .registries = {roles->registries, 1},
        .queue = 64,
    };
    make_trust(roles);
    if (!with_registry)
        return;
    cg_roles_key_file(roles, "registry.hck", CG_ROLES_REGISTRY, "registry");
    must(cg_file_write(cg_scratch_file(&roles->scratch, "registry.wallet"),
                       cg_test_wallet(CG_ROLES_REGISTRY, CG_ROLES_REGISTRY_NEXT)),
         "wallet document");
    roles->suffixes[0] = ".local";
    roles->registry_options = (struct rg_options){
        .key = kept_path(roles, "registry.hck"),
        .passphrase = roles->ledger_options.passphrase,
        .wallet_doc = kept_path(roles, "registry.wallet"),
        .suffixes = {roles->suffixes, 1},
        .suffix_rule = RG_SUFFIX_FIRST,
        .allow = {roles->allow, 0},
        .challenge_ms = 60000,
        .challenges = 100,
        .ledger_ms = 20000,
    };
}

/* --- start and stop --- */

static void on_answer(void *owner, struct cg_call *call)
{
    struct cg_roles *roles = owner;
    const struct cg_answer *answer = cg_answer_of(call);
    struct cg_span field;

    roles->err = call->err;
    roles->status = answer ? answer->head->status : 0;
    roles->statuses[roles->n_answered++ % 64] = roles->status;
    cg_buf_clear(&roles->body);
    if (answer) {
        must(cg_buf_add(&roles->body, answer->body), "answer");
        field = cg_head_value(answer->head, CG_TOKEN_LOCATION);
        snprintf(roles->location, sizeof roles->location, "%.*s", (int)field.len,
                 field.at ? (const char *)field.at : "");
        field = cg_head_value(answer->head, CG_TOKEN_CACHE_CONTROL);
        snprintf(roles->cache_control, sizeof roles->cache_control, "%.*s", (int)field.len,
                 field.at ? (const char *)field.at : "");
    }
    cg_loop_stop(roles->loop);
}

static struct cg_endpoint *endpoint_to(struct cg_roles *roles, const char *url)
{
    const struct cg_endpoint_options options = {.url = url, .locals = roles->locals};
    struct cg_endpoint *endpoint = NULL;

    must(cg_endpoint_new(roles->loop, &options, &endpoint), url);
    return endpoint;
}

static void wait_ready(struct cg_roles *roles)
{
    const char *why = "";

    for (int64_t ms = 0; ms < PATIENCE_MS; ms += 20) {
        if (lg_is_ready(roles->ledger, &why) &&
            (!roles->registry || rg_is_ready(roles->registry, &why)))
            return;
        (void)cg_loop_run_for(roles->loop, 20);
    }
    fprintf(stderr, "test roles: not ready: %s\n", why);
    exit(2);
}

void cg_roles_start(struct cg_roles *roles)
{
    struct cg_problems problems = {0};
    const char *database = cg_scratch_file(&roles->scratch, "httpcg.db");

    must(cg_loop_new(&roles->loop), "loop");
    must(cg_workers_new("test", 2, 64, &roles->workers), "workers");
    must(cg_locals_new(&roles->locals), "locals");
    const struct lg_setup ledger = {
        .options = &roles->ledger_options,
        .database = database,
        .crypto = cg_test_crypto(),
        .loop = roles->loop,
        .workers = roles->workers,
    };
    if (lg_start(&ledger, &problems, &roles->ledger) != CG_OK)
        stop(problems.at[0].text, CG_CONFIG);
    must(cg_locals_add(roles->locals, roles->loop, lg_routes(roles->ledger)), "ledger");
    roles->to_ledger = endpoint_to(roles, "local:ledger");
    if (roles->registry_options.key) {
        const struct rg_setup registry = {
            .options = &roles->registry_options,
            .database = database,
            .crypto = cg_test_crypto(),
            .trust = roles->trust,
            .loop = roles->loop,
            .workers = roles->workers,
            .ledger = roles->to_ledger,
        };
        if (rg_start(&registry, &problems, &roles->registry) != CG_OK)
            stop(problems.at[0].text, CG_CONFIG);
        must(cg_locals_add(roles->locals, roles->loop, rg_routes(roles->registry)), "registry");
        roles->to_registry = endpoint_to(roles, "local:registry");
    }
    cg_buf_init(&roles->body, 1 << 20);
    must(cg_slot_open(roles->loop, on_answer, roles, &roles->ticket), "slot");
    wait_ready(roles);
}

void cg_roles_stop(struct cg_roles *roles)
{
    if (!roles->loop)
        return;
    cg_slot_end(roles->loop, roles->ticket);
    rg_stop(roles->registry);
    cg_endpoint_free(roles->to_registry);
    cg_endpoint_free(roles->to_ledger);
    lg_stop(roles->ledger);
    cg_workers_free(roles->workers);
    cg_locals_free(roles->locals);
    cg_loop_free(roles->loop);
    cg_buf_done(&roles->body);
    roles->registry = NULL;
    roles->to_registry = NULL;
    roles->loop = NULL;
}

void cg_roles_done(struct cg_roles *roles)
{
    cg_roles_stop(roles);
    cg_trust_free(roles->trust);
    free((void *)roles->ledger_options.key);
    free((void *)roles->ledger_options.passphrase);
    free((void *)roles->registry_options.key);
    free((void *)roles->registry_options.wallet_doc);
    cg_scratch_done(&roles->scratch);
}

/* --- asking --- */

static struct cg_mono later(struct cg_roles *roles)
{
    return cg_mono_after(cg_loop_mono(roles->loop), PATIENCE_MS);
}

static int ask(struct cg_roles *roles, struct cg_endpoint *to, struct cg_span method,
               const char *path, struct cg_span body)
{
    roles->status = 0;
    roles->err = CG_TIMEOUT;
    must(cg_endpoint_begin(to, method, cg_span_str(path), NULL, 0, body, roles->ticket, 0,
                           later(roles)),
         path);
    return cg_roles_wait(roles);
}

int cg_roles_get(struct cg_roles *roles, struct cg_endpoint *to, const char *path)
{
    return ask(roles, to, CG_LIT("GET"), path, CG_LIT(""));
}

int cg_roles_post(struct cg_roles *roles, struct cg_endpoint *to, const char *path,
                  struct cg_span body)
{
    return ask(roles, to, CG_LIT("POST"), path, body);
}

void cg_roles_begin(struct cg_roles *roles, struct cg_endpoint *to, const char *path,
                    struct cg_span body)
{
    must(cg_endpoint_begin(to, CG_LIT("POST"), cg_span_str(path), NULL, 0, body, roles->ticket, 0,
                           later(roles)),
         path);
}

int cg_roles_wait(struct cg_roles *roles)
{
    if (roles->n_waited == roles->n_answered && !cg_loop_run_for(roles->loop, PATIENCE_MS + 1000))
        stop("no answer came", CG_TIMEOUT);
    return roles->statuses[roles->n_waited++ % 64];
}

void cg_roles_run(struct cg_roles *roles, int64_t ms)
{
    (void)cg_loop_run_for(roles->loop, ms);
}

struct cg_wall cg_roles_now(struct cg_roles *roles)
{
    (void)roles;
    return cg_clock_wall();
}

struct cg_span cg_roles_field(const struct cg_roles *roles)
{
    struct cg_span type, title, instance, field = {NULL, 0};
    uint64_t status;
    bool has_field;
    const struct cg_json_member members[] = {
        {"type", CG_JSON_TEXT, .span = &type},
        {"title", CG_JSON_TEXT, .span = &title},
        {"status", CG_JSON_UINT, .number = &status},
        {"instance", CG_JSON_TEXT, .span = &instance},
        {"field", CG_JSON_TEXT, .span = &field, .has = &has_field},
    };

    if (cg_json_object(cg_buf_span(&roles->body), CG_JSON_DOCUMENT, members, 5) != CG_OK)
        return (struct cg_span){NULL, 0};
    return field;
}

struct cg_ledger_view cg_roles_view(struct cg_roles *roles)
{
    return (struct cg_ledger_view){
        .logs = roles->trust->logs, .n_logs = roles->trust->n_logs, .now = cg_roles_now(roles)};
}
