/* pair.h: both ends of one native connection, without TLS: the same exporter, simulated time. */
#ifndef CG_TESTS_PAIR_H
#define CG_TESTS_PAIR_H
#include "session/gate.h"
#include "session/native.h"

/* Gateway identity S = 40..5f, its transport keys S = 80..9f; wallet S = 00..1f, R = 20..3f. */
struct pair {
    struct cg_gate gate;
    struct cg_native native;
    struct cg_wall now; /* the gateway's clock */
    struct cg_mono mono;
    struct cg_waddr server, wallet;
    struct cg_arena arena;
    uint8_t n_grants;      /* makes nonces and session keys differ */
    struct cg_fault fault; /* of the last refusal */
    uint8_t room[512];     /* of the URL below */
    struct cg_url url;
};

/* pair_init connects both ends; channel picks the exporter, 0 is the vectors'. */
void pair_init(struct pair *p, size_t channel);
void pair_done(struct pair *p);

/* pair_ask gives the usual grant: 10 minutes, both modes, app/app.example.com. */
struct cg_native_grant_ask pair_ask(struct pair *p);
struct cg_gate_terms pair_terms(const struct pair *p);
/* pair_body makes what is posted for it, signed by the wallet. */
void pair_body(struct pair *p, const struct cg_native_grant_ask *ask,
               struct cg_native_pending *pending, struct cg_buf *body);
/* pair_post brings a body to the gateway, job and all, and gives the answer's body. */
cg_err pair_post(struct pair *p, struct cg_span body, struct cg_buf *answer);
/* pair_grant does all of it; CG_OK means that both ends have the grant. */
cg_err pair_grant(struct pair *p, const struct cg_native_grant_ask *ask);
/* pair_grant_usual is pair_grant with pair_ask. */
void pair_grant_usual(struct pair *p);

/* pair_url sets the URL that requests are for. */
void pair_url(struct pair *p, const char *text);
/* pair_head makes a request's head with that method. */
void pair_head(struct pair *p, const char *method, struct cg_head *out);
/* pair_sign makes the client's headers for a head and appends them to it. */
cg_err pair_sign(struct pair *p, struct cg_head *head, enum cg_sapi_mode mode,
                 struct cg_body_plan body, struct cg_native_sent *sent);
/* pair_check brings a head to the gateway, job and all; p->fault tells of a refusal. */
cg_err pair_check(struct pair *p, const struct cg_head *head, struct cg_gate_request *req);
/* pair_refused brings a head to the gateway and tells whether it was refused so, without any change
 * of what the gateway remembers. */
bool pair_refused(struct pair *p, const struct cg_head *head, enum cg_refusal refusal,
                  enum cg_gate_check check);
/* pair_not_granted does the same for a grant's body. */
bool pair_not_granted(struct pair *p, struct cg_span body, enum cg_refusal refusal,
                      enum cg_gate_check check);
/* pair_get makes a signed GET in one call: head, client's half and gateway's verdict. */
cg_err pair_get(struct pair *p, struct cg_native_sent *sent, struct cg_gate_request *req);

#endif
