/* request.h: one request, from its head to its record. */
#ifndef CG_GATEWAY_REQUEST_H
#define CG_GATEWAY_REQUEST_H
#include "gateway/conn.h"
#include "gateway/hold.h"
#include "gateway/names.h"
#include "gateway/stamp.h"
#include "lib/access/policy.h"
#include "lib/url/target.h"
#include "runtime/client.h"

struct gw_name;

enum gw_step {
    GW_ADMIT,
    GW_CONTROL,
    GW_SIGNED,
    GW_RESOLVE,
    GW_POLICY,
    GW_ACCESS,
    GW_CHOOSE,
    GW_FORWARD,
    GW_ANSWER,
    GW_RECORD,
    GW_DONE,
};

/* What a step says. */
enum gw_next {
    GW_ON,     /* done: the next step */
    GW_WAIT,   /* run me again when something happens */
    GW_REFUSE, /* req->fault says why: go to answer */
    GW_REPLY,  /* req->reply is made: go to answer */
};

/* Calls a request may wait for. */
enum gw_tag {
    GW_TAG_NONE,
    GW_TAG_SIGNATURE, /* a worker verifies */
    GW_TAG_GRANT,     /* a worker verifies a grant */
    GW_TAG_DID,       /* the ledger's state of a wallet */
    GW_TAG_SIGN,      /* the signer signs */
    GW_TAG_NAME,      /* a name is looked up */
    GW_TAG_LEASE,     /* a backend connection */
};

/* A reply of the gateway's own, whole. */
struct gw_reply {
    int status;
    const char *type;    /* Content-Type, or NULL */
    struct cg_span body; /* in the exchange's arena, or constant */
    bool no_store;
};

struct gw_target {
    const struct gw_route *route; /* the operator's; NULL: the record's target */
    struct cg_span key;           /* of the connection pool */
    struct cg_target at;
    struct cg_span host;            /* Host to send */
    const char *scheme;             /* "http" or "https" */
    const char *pin;                /* hex, of the route; NULL: none */
    const struct cg_record *record; /* whose target it is; NULL: a route's */
    struct gw_backend_key backend_key;
    bool has_backend_key;
};

/* The way up and down again. */
struct gw_forward {
    enum { GW_UP_IDLE, GW_UP_COLLECT, GW_UP_LEASE, GW_UP_SENDING, GW_UP_ENDED } up;
    struct cg_lease *lease;
    struct cg_client dial; /* for a new connection, until the lease is there */
    unsigned attempt;
    struct gw_hold hold;
    int64_t held;             /* bytes of the budgets this body has */
    struct cg_hasher *hasher; /* of the body so far */
    uint64_t n_in;            /* body bytes received */
    bool in_ended;
    bool is_hashed; /* the digest is known */
    struct cg_hash digest;
    bool is_verified; /* the body is what was signed */
    struct cg_sig_job *trailer_job;
    bool has_body; /* the backend gets one */
    bool has_timer;
    bool has_share;    /* of the uploads of its client's prefix */
    bool has_head;     /* the backend's response head is here */
    bool answer_ended; /* and its end */
    cg_err lost;       /* the backend's connection is gone */
    struct cg_timer timer;
    bool is_late; /* the backend's time is over */
};

struct gw_answer {
    enum gw_down {
        GW_DOWN_IDLE,
        GW_DOWN_COLLECT, /* the backend's head is here; is its body? */
        GW_DOWN_SIGN,
        GW_DOWN_HEAD,
        GW_DOWN_STREAM,
        GW_DOWN_END, /* the backend's body is over */
        GW_DOWN_TRAILERS,
        GW_DOWN_SENT,
    } down;
    struct cg_head head;     /* ours */
    struct cg_head trailers; /* ours */
    struct cg_head theirs;   /* the backend's trailers, as far as they pass */
    bool has_body;
    bool is_broken; /* the signer failed */
    bool has_timer;
    bool is_trailed; /* the signature comes behind the body */
    struct cg_hasher *hasher;
    struct cg_hash digest;
    struct cg_gate_reply_tbs tbs;
    bool is_own; /* the gateway's reply, not the backend's */
    size_t own_sent;
    struct cg_hash announced; /* the backend's own digest */
    bool is_announced;
    struct cg_timer timer; /* of the wait for a small body to be whole */
    bool is_late;
    uint64_t n_out;  /* body bytes passed on */
    bool is_started; /* our head has left */
};

struct gw_request {
    struct gw_request *next, *prev; /* of the connection's, or the free list */
    struct gw_conn *conn;
    struct cg_exchange *x; /* NULL once it was released */
    struct cg_ticket ticket;
    enum gw_step at;
    bool is_running, again; /* the steps are being run; and shall be once more */
    bool is_gone;           /* the client gave up */
    unsigned waits;         /* bit of each enum gw_tag under way */
    uint8_t id[16];
    struct cg_mono began;
    struct cg_wall wall; /* when its head came: all of its checks use this moment */

    struct cg_url_target target;
    struct cg_fault fault;
    const char *fault_step;
    struct cg_refusal_extra extra;
    struct cg_gate_request sapi;
    struct cg_config *config; /* of the route chosen */
    bool waits_for_creds;     /* the connection has its credentials verified */
    size_t creds_place;       /* of which of them */
    bool has_counted;         /* among the control requests before the first grant */
    bool is_checked;          /* sapi is to be undone */
    bool is_signed;           /* its SAPI verified: the answer is signed */
    struct cg_sig_job *sig_job;
    struct cg_grant_job *grant_job;
    enum gw_standing standing; /* of who asks for a grant */
    struct cg_gate_granted granted;
    bool has_granted;
    struct gw_name *name;
    struct cg_access access;
    char roles[512]; /* the caller's, by the profile */
    struct gw_target backend;
    struct gw_reply reply;
    struct gw_forward forward;
    struct gw_answer answer;
};

/* gw_request_begin makes the request of a new exchange and runs it. */
void gw_request_begin(struct gw_conn *conn, struct cg_exchange *x, unsigned what);
/* gw_request_event tells a request that something happened on the client's exchange. */
void gw_request_event(struct gw_request *req, unsigned what);
/* gw_request_run takes a request as far as it gets. */
void gw_request_run(struct gw_request *req);
/* gw_request_end ends a request at any moment: its connection is gone. */
void gw_request_end(struct gw_request *req);
/* gw_refuse notes why a request is refused; the return is what a step returns. */
enum gw_next gw_refuse(struct gw_request *req, enum cg_refusal refusal, cg_err err,
                       const char *check);
/* gw_step_name names a step for logs and metrics. */
const char *gw_step_name(enum gw_step step);

static inline bool gw_waits_for(const struct gw_request *req, enum gw_tag tag)
{
    return (req->waits >> tag & 1) != 0;
}

static inline struct gw_thread *gw_thread_of(const struct gw_request *req)
{
    return req->conn->thread;
}

/* The steps, a file each; see the table in request.c. */
enum gw_next gw_admit(struct gw_request *req);
enum gw_next gw_control(struct gw_request *req);
enum gw_next gw_signed(struct gw_request *req);
enum gw_next gw_resolve(struct gw_request *req);
enum gw_next gw_policy(struct gw_request *req);
enum gw_next gw_access(struct gw_request *req);
enum gw_next gw_choose(struct gw_request *req);
enum gw_next gw_forward(struct gw_request *req);
enum gw_next gw_answer(struct gw_request *req);
enum gw_next gw_record(struct gw_request *req);

/* What calls deliver, to the step that asked. */
void gw_grant_call(struct gw_request *req, struct cg_call *call);
void gw_signed_call(struct gw_request *req, struct cg_call *call);
void gw_resolve_call(struct gw_request *req, struct cg_call *call);
void gw_forward_call(struct gw_request *req, struct cg_call *call);
void gw_answer_call(struct gw_request *req, struct cg_call *call);

/* gw_grant is the control resource that takes grants. */
enum gw_next gw_grant(struct gw_request *req);
/* gw_upload passes the body on, as far as it goes now: GW_ON when the backend has seen its end,
 * GW_WAIT, or GW_REFUSE. */
enum gw_next gw_upload(struct gw_request *req);
/* gw_forward_done lets go of the backend and of the body. */
void gw_forward_done(struct gw_request *req);
void gw_answer_done(struct gw_request *req);

#endif
