/* roles.h: a ledger, and a registry beside it if wanted, in this process, on a scratch folder,
 * asked over local endpoints as any other role would. */
#ifndef CG_TESTS_ROLES_H
#define CG_TESTS_ROLES_H
#include "ledger/ledger.h"
#include "lib/merkle/staple.h"
#include "lib/trust/trust.h"
#include "registry/registry.h"
#include "runtime/endpoint.h"
#include "tests/support/scratch.h"

/* Seeds of keys.h that the roles use; tests take others. */
#define CG_ROLES_LOG 0xa0
#define CG_ROLES_REGISTRY 0xe0
#define CG_ROLES_REGISTRY_NEXT 0xf0

struct cg_roles {
    struct cg_scratch scratch;
    struct cg_loop *loop;
    struct cg_workers *workers;
    struct cg_locals *locals;
    struct cg_trust *trust;
    struct lg_options ledger_options;
    struct rg_options registry_options;
    const char *registries[4]; /* that the ledger admits; the first is ours */
    const char *suffixes[1];
    struct rg_allow allow[1];
    struct lg_ledger *ledger;
    struct rg_registry *registry;
    struct cg_endpoint *to_ledger, *to_registry;

    /* The last answer. */
    struct cg_ticket ticket;
    cg_err err;
    int status;
    int statuses[64]; /* in the order of the answers */
    unsigned n_answered, n_waited;
    struct cg_buf body;
    char location[256], cache_control[64];
};

/* cg_roles_init makes folder, key files, trust file and options; tests may change the options. */
void cg_roles_init(struct cg_roles *roles, bool with_registry);
/* cg_roles_key_file writes a key file into the scratch folder, opened by the word "secret". */
void cg_roles_key_file(const struct cg_roles *roles, const char *name, uint8_t seed,
                       const char *role);
/* cg_roles_start starts the roles and waits until they are ready. */
void cg_roles_start(struct cg_roles *roles);
/* cg_roles_stop stops them; they may be started again on what they left. */
void cg_roles_stop(struct cg_roles *roles);
void cg_roles_done(struct cg_roles *roles);

/* cg_roles_get and cg_roles_post ask and wait for the answer; the status, 0 where there is none. */
int cg_roles_get(struct cg_roles *roles, struct cg_endpoint *to, const char *path);
int cg_roles_post(struct cg_roles *roles, struct cg_endpoint *to, const char *path,
                  struct cg_span body);
/* cg_roles_begin begins without waiting; cg_roles_wait gives the status of the next answer that was
 * not waited for yet. At most 64 at a time. */
void cg_roles_begin(struct cg_roles *roles, struct cg_endpoint *to, const char *path,
                    struct cg_span body);
int cg_roles_wait(struct cg_roles *roles);
/* cg_roles_run lets time pass. */
void cg_roles_run(struct cg_roles *roles, int64_t ms);
struct cg_wall cg_roles_now(struct cg_roles *roles);
/* cg_roles_field gives the "field" of a 422, or the empty span. */
struct cg_span cg_roles_field(const struct cg_roles *roles);
/* cg_roles_view gives what a verifier of the ledger's staples knows. */
struct cg_ledger_view cg_roles_view(struct cg_roles *roles);

/* cg_test_wallet gives the document of the wallet whose keys are seed first and whose next ones
 * are seed next; the program keeps it. */
struct cg_span cg_test_wallet(uint8_t first, uint8_t next);
struct cg_waddr cg_test_waddr(uint8_t first, uint8_t next);
/* cg_test_did is its DID. */
const char *cg_test_did(uint8_t first, uint8_t next);

#endif
