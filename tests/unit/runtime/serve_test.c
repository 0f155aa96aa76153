#include "runtime/serve.h"

#include "runtime/endpoint.h"
#include "runtime/reply_inner.h"
#include "runtime/worker.h"
#include "tests/unit/runtime/net.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- a role with one handler of each kind --- */

struct role {
    const char *name;
    atomic_int n_run;
    struct cg_reply *held;
    struct cg_workers *workers;
};

static void hello(const struct cg_message *in, struct cg_reply *out)
{
    struct role *role = in->role;

    atomic_fetch_add(&role->n_run, 1);
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("no-store"));
    cg_reply_field_named(out, "x-role", cg_span_str(role->name));
    cg_reply_add(out, CG_LIT("hello, "));
    cg_reply_add(out, in->param[0]);
    cg_reply_add(out, in->param[1]);
    if (in->has_query)
        cg_reply_add(out, in->query);
    cg_reply_send(out, 200, "text/plain");
}

static void echo(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_span type = cg_head_value(in->head, CG_TOKEN_CONTENT_TYPE);

    if (type.at)
        cg_reply_field_named(out, "x-type", type);
    cg_reply_add(out, in->body);
    cg_reply_send(out, 201, "application/octet-stream");
}

static void rest(const struct cg_message *in, struct cg_reply *out)
{
    cg_reply_add(out, in->param[0]);
    cg_reply_send(out, 200, NULL);
}

static void nothing(const struct cg_message *in, struct cg_reply *out)
{
    (void)in;
    cg_reply_send(out, 204, NULL);
}

static void large(const struct cg_message *in, struct cg_reply *out)
{
    static uint8_t filler[1024];
    char text[16];
    size_t len, n = 0;

    if (cg_message_query(in, "kib", text, sizeof text - 1, &len) != CG_OK) {
        cg_reply_refuse(out, CG_REFUSAL_BAD_REQUEST, NULL);
        return;
    }
    text[len] = 0;
    for (n = (size_t)atoi(text); n > 0; n--)
        cg_reply_add(out, CG_BYTES(filler));
    cg_reply_send(out, 200, "text/plain");
}

static void bad_field(const struct cg_message *in, struct cg_reply *out)
{
    (void)in;
    cg_reply_field_named(out, "x-split", CG_LIT("a\r\nset-cookie: b"));
    cg_reply_send(out, 200, "text/plain");
}

static void hold(const struct cg_message *in, struct cg_reply *out)
{
    struct role *role = in->role;

    role->held = out;
    atomic_fetch_add(&role->n_run, 1);
}

static void refuse(const struct cg_message *in, struct cg_reply *out)
{
    struct cg_refusal_extra extra = {.field = "record.serial"};

    (void)in;
    cg_reply_add(out, CG_LIT("half an answer"));
    cg_reply_refuse(out, CG_REFUSAL_UNPROCESSABLE, &extra);
}

static void later(const struct cg_message *in, struct cg_reply *out)
{
    (void)in;
    cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
}

static void too_often(const struct cg_message *in, struct cg_reply *out)
{
    (void)in;
    cg_reply_refuse(out, CG_REFUSAL_RATE_LIMITED, NULL);
}

/* Asks a worker, and answers when it has answered. */
static cg_err run_job(void *work)
{
    *(int *)work *= 2;
    return CG_OK;
}

static const struct cg_job_kind doubling = {"double", run_job, free};

static void on_job(void *owner, struct cg_call *call)
{
    struct cg_reply *out = owner;
    char text[16];
    int *work = cg_job_work(call);

    if (!work) {
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
        return;
    }
    snprintf(text, sizeof text, "%d", *work);
    cg_reply_add(out, cg_span_str(text));
    cg_reply_send(out, 200, "text/plain");
}

static void work(const struct cg_message *in, struct cg_reply *out)
{
    struct role *role = in->role;
    int *number = malloc(sizeof *number);

    *number = (int)in->body.len;
    if (cg_job_begin(role->workers, &doubling, number, cg_reply_loop(out),
                     cg_reply_ticket(out, on_job), 0, CG_NEVER) != CG_OK)
        cg_reply_refuse(out, CG_REFUSAL_UNAVAILABLE, NULL);
}

static const struct cg_route routes[] = {
    {"GET", "/hello/{who}", hello}, {"GET", "/hello/{plane}/{who}", hello},
    {"POST", "/echo", echo},        {"GET", "/rest/{path*}", rest},
    {"GET", "/nothing", nothing},   {"GET", "/large", large},
    {"GET", "/bad", bad_field},     {"GET", "/hold", hold},
    {"POST", "/refuse", refuse},    {"DELETE", "/refuse", nothing},
    {"POST", "/work", work},        {"GET", "/later", later},
    {"GET", "/often", too_often},
};

static struct role role = {.name = "test"};
static const struct cg_route_table table = {.name = "test",
                                            .routes = routes,
                                            .n_routes = sizeof routes / sizeof routes[0],
                                            .body_max = 10000,
                                            .reply_max = 300 * 1024,
                                            .role = &role};
static const struct cg_route_table *const tables[] = {&table};

/* --- five ways to the same role --- */

#define N_WIRES 4
#define N_WAYS 5

struct way {
    const char *name;
    struct cg_endpoint *endpoint;
};

static struct {
    struct cg_loop *loop, *service; /* the askers', the role's */
    pthread_t thread;
    struct wire wire[N_WIRES];
    struct cg_server *server[N_WIRES];
    struct cg_resolver *resolver;
    struct cg_pool *pool;
    struct cg_locals *locals;
    struct way ways[N_WAYS];
    size_t n_ways;
    struct cg_ticket who;
} at;

/* The last answer, copied. */
static struct {
    int n;
    cg_err err;
    int status;
    char fields[1000];
    struct cg_buf body;
} got;

static void note_fields(const struct cg_head *head)
{
    size_t len = 0;

    for (size_t i = 0; i < head->n_fields; i++)
        len += (size_t)snprintf(
            got.fields + len, sizeof got.fields - len, "%.*s: %.*s\n",
            (int)head->fields[i].name.len, (const char *)head->fields[i].name.at,
            (int)head->fields[i].value.len, (const char *)head->fields[i].value.at);
    got.fields[len] = 0;
}

static void on_answer(void *owner, struct cg_call *call)
{
    const struct cg_answer *answer = cg_answer_of(call);

    (void)owner;
    got.n++;
    got.err = call->err;
    CHECK((answer != NULL) == (call->err == CG_OK));
    if (answer) {
        got.status = answer->head->status;
        note_fields(answer->head);
        cg_buf_done(&got.body);
        cg_buf_init(&got.body, 1 << 24);
        CHECK_OK(cg_buf_add(&got.body, answer->body));
    }
    cg_loop_stop(at.loop);
}

static void *run_service(void *arg)
{
    (void)arg;
    cg_loop_run_for(at.service, 100000);
    return NULL;
}

static void add_way(const char *name, const char *url, struct wire *wire, size_t answer_max)
{
    struct cg_endpoint_options options = {.url = url,
                                          .locals = at.locals,
                                          .pool = at.pool,
                                          .engine = wire_client,
                                          .engine_ctx = wire,
                                          .answer_max = answer_max};

    at.ways[at.n_ways].name = name;
    CHECK_OK(cg_endpoint_new(at.loop, &options, &at.ways[at.n_ways++].endpoint));
}

static const struct {
    const char *name, *scheme;
    enum cg_speaks speaks;
    bool h1_only;
} wires[N_WIRES] = {
    {"TLS, HTTP/2", "https", CG_SPEAKS_ALPN, false},
    {"HTTP/2", "http", CG_SPEAKS_H2, false},
    {"TLS, HTTP/1.1", "https", CG_SPEAKS_ALPN, true},
    {"HTTP/1.1", "http", CG_SPEAKS_H1, false},
};

static void start(size_t answer_max)
{
    struct cg_resolver_options resolver = {.servers = "127.0.0.1:1"};
    struct cg_pool_options pool = {
        .idle_max_ms = 10000, .n_per_key_max = 4, .n_max = 16, .n_waiting_max = 100};
    char url[64];

    memset(&at, 0, sizeof at);
    got.n = 0;
    role.held = NULL;
    atomic_store(&role.n_run, 0);
    CHECK_OK(cg_loop_new(&at.loop));
    CHECK_OK(cg_loop_new(&at.service));
    CHECK_OK(cg_workers_new("test", 1, 100, &role.workers));
    CHECK_OK(cg_resolver_new(at.loop, &resolver, &at.resolver));
    CHECK_OK(cg_pool_new(at.loop, at.resolver, &pool, &at.pool));
    CHECK_OK(cg_locals_new(&at.locals));
    CHECK_OK(cg_locals_add(at.locals, at.service, &table));
    CHECK_ERR(cg_locals_add(at.locals, at.service, &table), CG_CONFLICT);
    CHECK_OK(cg_slot_open(at.loop, on_answer, NULL, &at.who));
    for (int i = 0; i < N_WIRES; i++) {
        struct cg_serve_options options = {.at = loopback(0),
                                           .engine = wire_server,
                                           .engine_ctx = &at.wire[i],
                                           .tables = tables,
                                           .n_tables = 1};

        wire_init(&at.wire[i], wires[i].speaks, wires[i].h1_only);
        CHECK_OK(cg_server_new(at.service, &options, &at.server[i]));
    }
    CHECK(pthread_create(&at.thread, NULL, run_service, NULL) == 0);
    add_way("local", "local:test", NULL, answer_max);
    for (int i = 0; i < N_WIRES; i++) {
        snprintf(url, sizeof url, "%s://127.0.0.1:%u", wires[i].scheme,
                 cg_server_at(at.server[i])->port);
        add_way(wires[i].name, url, &at.wire[i], answer_max);
    }
}

static void stop(void)
{
    struct cg_loop *loops[2] = {at.loop, at.service};

    cg_loop_stop(at.service);
    pthread_join(at.thread, NULL);
    for (size_t i = 0; i < at.n_ways; i++)
        cg_endpoint_free(at.ways[i].endpoint);
    cg_workers_free(role.workers);
    for (int i = 0; i < N_WIRES; i++)
        cg_server_free(at.server[i]);
    cg_loops_end(loops, 2);
    cg_pool_free(at.pool);
    cg_resolver_free(at.resolver);
    cg_locals_free(at.locals);
    cg_loop_free(at.service);
    cg_loop_free(at.loop);
    for (int i = 0; i < N_WIRES; i++)
        wire_done(&at.wire[i]);
    cg_buf_done(&got.body);
}

static void ask(const struct way *way, const char *method, const char *path,
                const struct cg_field *fields, size_t n_fields, struct cg_span body)
{
    int before = got.n;

    got.err = CG_OK;
    got.status = 0;
    got.fields[0] = 0;
    cg_buf_clear(&got.body);
    CHECK_OK(cg_endpoint_begin(way->endpoint, cg_span_str(method), cg_span_str(path), fields,
                               n_fields, body, at.who, 0,
                               cg_mono_after(cg_loop_mono(at.loop), 10000)));
    CHECK_INT(got.n, before); /* never within begin */
    CHECK(cg_loop_run_for(at.loop, LIMIT_MS));
    CHECK_INT(got.n, before + 1);
}

/* --- every way gives the same --- */

/* An answer's instance is random: told apart here, compared by its shape. */
static void mask_instance(struct cg_buf *body)
{
    static const char before[] = "urn:uuid:";
    uint8_t *found = body->len > 0 ? memmem(body->at, body->len, before, sizeof before - 1) : NULL;

    if (found)
        memset(found + sizeof before - 1, '0', 36);
}

TEST(local_and_remote_give_byte_identical_answers)
{
    static uint8_t over[10001];
    static const struct cg_field typed[] = {
        {.token = CG_TOKEN_CONTENT_TYPE, .value = {(const uint8_t *)"a/b", 3}}};
    static const struct {
        const char *method, *path;
        size_t body;
        int status;
        const char *is; /* the body; NULL: not looked at */
    } questions[] = {
        {"GET", "/hello/alice", 0, 200, "hello, alice"},
        {"HEAD", "/hello/alice", 0, 200, ""},
        {"GET", "/hello/app/bob?x=%20y", 0, 200, "hello, appbobx=%20y"},
        {"GET", "/hello/", 0, 404, NULL},
        {"GET", "/hello/a/b/c", 0, 404, NULL},
        {"GET", "/Hello/alice", 0, 404, NULL},
        {"GET", "/", 0, 404, NULL},
        {"POST", "/hello/alice", 0, 405, NULL},
        {"PUT", "/refuse", 3, 405, NULL},
        {"POST", "/echo", 0, 201, ""},
        {"POST", "/echo", 10000, 201, NULL},
        {"POST", "/echo", 10001, 413, NULL},
        {"GET", "/rest/a/b//c", 0, 200, "a/b//c"},
        {"GET", "/rest/", 0, 404, NULL},
        {"GET", "/nothing", 0, 204, ""},
        {"GET", "/large?kib=299", 0, 200, NULL},
        {"GET", "/large?kib=301", 0, 500, NULL},
        {"GET", "/large", 0, 400, NULL},
        {"GET", "/large?kib=1&kib=2", 0, 400, NULL},
        {"GET", "/large?kib=%3", 0, 400, NULL},
        {"GET", "/large?kib=%31", 0, 200, NULL},
        {"GET", "/bad", 0, 500, NULL},
        {"POST", "/refuse", 5, 422, NULL},
        {"POST", "/work", 21, 200, "42"},
    };

    start(0);
    for (size_t q = 0; q < sizeof questions / sizeof questions[0]; q++) {
        char fields[sizeof got.fields];
        struct cg_buf body = {.max = 1 << 24};

        for (size_t w = 0; w < at.n_ways; w++) {
            ask(&at.ways[w], questions[q].method, questions[q].path, typed, 1,
                cg_span_of(over, questions[q].body));
            CHECK_ERR(got.err, CG_OK);
            CHECK_INT(got.status, questions[q].status);
            if (questions[q].is)
                CHECK_SPAN(cg_buf_span(&got.body), cg_span_str(questions[q].is));
            mask_instance(&got.body);
            if (w == 0) {
                memcpy(fields, got.fields, sizeof fields);
                CHECK_OK(cg_buf_add(&body, cg_buf_span(&got.body)));
            } else if (!CHECK_SPAN(cg_buf_span(&got.body), cg_buf_span(&body)) ||
                       !CHECK_SPAN(cg_span_str(got.fields), cg_span_str(fields))) {
                printf("# %s %s by %s\n", questions[q].method, questions[q].path, at.ways[w].name);
            }
        }
        cg_buf_done(&body);
    }
    stop();
}

TEST(refusals_are_problem_documents_that_name_methods_and_when_to_come_back)
{
    start(0);
    for (size_t w = 0; w < at.n_ways; w++) {
        ask(&at.ways[w], "PUT", "/refuse", NULL, 0, CG_LIT("x"));
        CHECK(strstr(got.fields, "allow: POST, DELETE\n") != NULL);
        CHECK(strstr(got.fields, "content-type: application/problem+json\n") != NULL);
        CHECK(memmem(got.body.at, got.body.len, "/method-not-allowed\"", 20) != NULL);
        ask(&at.ways[w], "POST", "/refuse", NULL, 0, CG_LIT("x"));
        CHECK(memmem(got.body.at, got.body.len, "record.serial", 13) != NULL);
        CHECK(memmem(got.body.at, got.body.len, "half an answer", 14) == NULL);
        CHECK(strstr(got.fields, "retry-after") == NULL);
        ask(&at.ways[w], "GET", "/later", NULL, 0, CG_LIT(""));
        CHECK(got.status == 503 && strstr(got.fields, "retry-after: 1\n") != NULL);
        ask(&at.ways[w], "GET", "/often", NULL, 0, CG_LIT(""));
        CHECK(got.status == 429 && strstr(got.fields, "retry-after: 1\n") != NULL);
        ask(&at.ways[w], "GET", "/bad", NULL, 0, CG_LIT(""));
        CHECK(strstr(got.fields, "set-cookie") == NULL);
    }
    stop();
}

TEST(an_answer_over_the_limit_is_an_error_and_not_half_an_answer)
{
    start(20 * 1024);
    for (size_t w = 0; w < at.n_ways; w++) {
        ask(&at.ways[w], "GET", "/large?kib=20", NULL, 0, CG_LIT(""));
        CHECK_ERR(got.err, CG_OK);
        CHECK_INT(got.body.len, 20 * 1024);
        ask(&at.ways[w], "GET", "/large?kib=21", NULL, 0, CG_LIT(""));
        CHECK_ERR(got.err, CG_TOO_LARGE);
        ask(&at.ways[w], "GET", "/hello/again", NULL, 0, CG_LIT(""));
        CHECK_ERR(got.err, CG_OK);
    }
    stop();
}

static void await_runs(int n)
{
    for (int i = 0; i < 5000 && atomic_load(&role.n_run) < n; i++) {
        cg_loop_run_for(at.loop, 1);
        usleep(500);
    }
    CHECK_INT(atomic_load(&role.n_run), n);
}

/* What the role does on its own loop: ends the reply it has held. */
static void answer_held(struct cg_task *task)
{
    (void)task;
    cg_reply_add(role.held, CG_LIT("late"));
    cg_reply_send(role.held, 200, "text/plain");
    role.held = NULL;
}

TEST(a_handler_may_answer_later_and_the_asker_may_have_gone)
{
    for (int goes = 0; goes < 3; goes++) { /* waits; runs into its deadline; ends its slot */
        start(0);
        for (size_t w = 0; w < at.n_ways; w++) {
            static struct cg_task task = {.run = answer_held};
            struct cg_ticket mine;
            int before = got.n;

            CHECK_OK(cg_slot_open(at.loop, on_answer, NULL, &mine));
            CHECK_OK(cg_endpoint_begin(
                at.ways[w].endpoint, CG_LIT("GET"), CG_LIT("/hold"), NULL, 0, CG_LIT(""), mine, 0,
                goes == 1 ? cg_mono_after(cg_loop_mono(at.loop), 150) : CG_NEVER));
            await_runs((int)w + 1);
            if (goes == 1) {
                CHECK(cg_loop_run_for(at.loop, LIMIT_MS));
                CHECK_ERR(got.err, CG_TIMEOUT);
            }
            if (goes == 2)
                cg_slot_end(at.loop, mine);
            if (goes > 0)
                cg_loop_run_for(at.loop, 50); /* the other side hears of it */
            cg_loop_post(at.service, &task);
            if (goes == 0) {
                CHECK(cg_loop_run_for(at.loop, LIMIT_MS));
                CHECK_ERR(got.err, CG_OK);
                CHECK_SPAN(cg_buf_span(&got.body), CG_LIT("late"));
            } else {
                cg_loop_run_for(at.loop, 50);
            }
            CHECK_INT(got.n, before + (goes < 2));
            cg_slot_end(at.loop, mine);
        }
        stop();
    }
}

TEST(replies_that_are_still_owed_go_with_their_loop)
{
    for (size_t w = 0; w < N_WAYS; w++) {
        start(0);
        CHECK_OK(cg_endpoint_begin(at.ways[w].endpoint, CG_LIT("GET"), CG_LIT("/hold"), NULL, 0,
                                   CG_LIT(""), at.who, 0, CG_NEVER));
        await_runs(1);
        stop(); /* under ASan: nothing leaks, nothing is used again */
    }
}

TEST(so_many_questions_at_a_time_and_no_more)
{
    struct cg_endpoint_options options = {.url = "local:test", .n_max = 3};
    struct cg_endpoint *few;

    start(0);
    options.locals = at.locals;
    CHECK_OK(cg_endpoint_new(at.loop, &options, &few));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            CHECK_OK(cg_endpoint_begin(few, CG_LIT("GET"), CG_LIT("/nothing"), NULL, 0, CG_LIT(""),
                                       at.who, 0, CG_NEVER));
        CHECK_ERR(cg_endpoint_begin(few, CG_LIT("GET"), CG_LIT("/nothing"), NULL, 0, CG_LIT(""),
                                    at.who, 0, CG_NEVER),
                  CG_BUSY);
        while (got.n < 3 * (round + 1) && cg_loop_run_for(at.loop, LIMIT_MS))
            ;
        CHECK_INT(got.n, 3 * (round + 1));
    }
    cg_endpoint_free(few);
    stop();
}

TEST(the_asker_goes_away_at_any_moment_ten_thousand_times)
{
    static const char *const paths[] = {"/hello/a", "/nothing", "/large?kib=64", "/none"};
    unsigned seed = 11;

    start(0);
    for (int i = 0; i < 10000; i++) {
        const struct way *way = &at.ways[rand_r(&seed) % N_WAYS];
        bool works = rand_r(&seed) % 4 == 0;
        struct cg_ticket mine;
        cg_err err;

        CHECK_OK(cg_slot_open(at.loop, on_answer, NULL, &mine));
        err = works
                  ? cg_endpoint_begin(way->endpoint, CG_LIT("POST"), CG_LIT("/work"), NULL, 0,
                                      CG_LIT("abc"), mine, 0, CG_NEVER)
                  : cg_endpoint_begin(way->endpoint, CG_LIT("GET"),
                                      cg_span_str(paths[rand_r(&seed) % 4]), NULL, 0, CG_LIT(""),
                                      mine, 0,
                                      cg_mono_after(cg_loop_mono(at.loop), 1 + rand_r(&seed) % 9));
        CHECK(err == CG_OK || err == CG_BUSY);
        /* At once, after some passes, or after about as long as an answer takes. */
        for (int passes = rand_r(&seed) % 3; passes > 0; passes--)
            cg_loop_run_for(at.loop, 0);
        if (i % 4 == 0)
            cg_loop_run_for(at.loop, rand_r(&seed) % 3);
        cg_slot_end(at.loop, mine);
    }
    CHECK(got.n > 500); /* some were told before they went */
    printf("# %d of 10000 were answered before they went\n", got.n);
    /* And everything still works. */
    for (size_t w = 0; w < at.n_ways; w++) {
        cg_loop_run_for(at.loop, 100);
        ask(&at.ways[w], "GET", "/hello/after", NULL, 0, CG_LIT(""));
        CHECK_ERR(got.err, CG_OK);
        CHECK_INT(got.status, 200);
    }
    stop();
}

TEST(an_endpoint_is_https_or_plain_to_ourselves_or_local)
{
    static const char *const good[] = {"https://example.com",     "https://example.com:8443/base/",
                                       "http://127.0.0.1:80",     "http://[::1]:8080/x",
                                       "https://[2001:db8::1]:1", "local:test"};
    static const char *const bad[] = {
        "http://example.com",
        "http://10.0.0.1",
        "https://",
        "https://a:b",
        "https://a:0",
        "https://a:70000",
        "https://u@a",
        "https://a?x",
        "https://a/x?y",
        "https://A",
        "ftp://a",
        "local:",
        "local:none",
        "",
        "https:/a",
        "https://a b",
        "http://localhost",
    };
    struct cg_endpoint_options options = {.engine = wire_client};
    struct cg_endpoint *endpoint;

    start(0);
    options.pool = at.pool;
    options.locals = at.locals;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        options.url = good[i];
        if (CHECK_OK(cg_endpoint_new(at.loop, &options, &endpoint)))
            cg_endpoint_free(endpoint);
        else
            printf("# %s\n", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.url = bad[i];
        if (!CHECK_ERR(cg_endpoint_new(at.loop, &options, &endpoint), CG_CONFIG))
            printf("# %s\n", bad[i]);
    }
    stop();
}

SUITE(serve, T(local_and_remote_give_byte_identical_answers),
      T(refusals_are_problem_documents_that_name_methods_and_when_to_come_back),
      T(an_answer_over_the_limit_is_an_error_and_not_half_an_answer),
      T(a_handler_may_answer_later_and_the_asker_may_have_gone),
      T(replies_that_are_still_owed_go_with_their_loop), T(so_many_questions_at_a_time_and_no_more),
      T(the_asker_goes_away_at_any_moment_ten_thousand_times),
      T(an_endpoint_is_https_or_plain_to_ourselves_or_local))
