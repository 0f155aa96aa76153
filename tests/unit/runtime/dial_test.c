#include "runtime/dial.h"

#include "lib/base/span.h"
#include "tests/support/check.h"
#include "tests/unit/runtime/nameserver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/un.h>

#define LIMIT_MS 20000

static struct cg_loop *loop;
static struct cg_resolver *resolver;
static struct nameserver names;
static struct cg_ticket who;
static int n_told, want, fd;
static cg_err last_err;
static struct cg_peer peer;

static void on_call(void *owner, struct cg_call *call)
{
    (void)owner;
    last_err = call->err;
    if (fd >= 0)
        close(fd);
    fd = cg_dial_take(call, &peer);
    CHECK((fd >= 0) == (call->err == CG_OK));
    if (++n_told == want)
        cg_loop_stop(loop);
}

static void start(uint32_t ttl_s, uint32_t ttl_max_s)
{
    struct cg_resolver_options options = {.try_ms = 200, .n_tries = 1, .ttl_max_s = ttl_max_s};

    fd = -1;
    n_told = 0;
    want = 1;
    nameserver_start(&names, ttl_s);
    options.servers = names.at;
    CHECK_OK(cg_loop_new(&loop));
    CHECK_OK(cg_resolver_new(loop, &options, &resolver));
    CHECK_OK(cg_slot_open(loop, on_call, NULL, &who));
}

static void stop(void)
{
    if (fd >= 0)
        close(fd);
    cg_resolver_free(resolver);
    cg_loop_free(loop);
    nameserver_stop(&names);
}

/* A socket that listens, and its port. */
static int listen_on(const char *ip, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof at;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(inet_pton(AF_INET, ip, &at.sin_addr) == 1);
    CHECK(bind(s, (struct sockaddr *)&at, sizeof at) == 0 && listen(s, 64) == 0);
    CHECK(getsockname(s, (struct sockaddr *)&at, &len) == 0);
    *port = ntohs(at.sin_port);
    return s;
}

static cg_err dial(const char *host, uint16_t port, int64_t ms)
{
    struct cg_target target = {.host = cg_span_str(host), .port = port};

    return cg_dial_begin(resolver, &target, who, 0, cg_mono_after(cg_loop_mono(loop), ms));
}

TEST(connects_to_a_name_and_to_addresses)
{
    static const char *const hosts[] = {"good.test", "GOOD.test", "127.0.0.1"};
    uint16_t port = 0;
    int s;

    start(0, 0);
    s = listen_on("127.0.0.1", &port);
    for (size_t i = 0; i < 3; i++) {
        char byte = 'x';
        int accepted;

        n_told = 0;
        CHECK_OK(dial(hosts[i], port, 5000));
        CHECK(cg_loop_run_for(loop, LIMIT_MS));
        CHECK_ERR(last_err, CG_OK);
        CHECK(cg_address_is_loopback(&peer.at) && peer.at.port == port);
        accepted = accept(s, NULL, NULL);
        CHECK(write(fd, "y", 1) == 1 && read(accepted, &byte, 1) == 1 && byte == 'y');
        close(accepted);
    }
    close(s);
    stop();
}

TEST(nobody_there_no_such_name_and_no_answer_are_told_apart)
{
    uint16_t port = 0;

    start(0, 0);
    close(listen_on("127.0.0.1", &port));
    CHECK_OK(dial("127.0.0.1", port, 5000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_UNREACHABLE);

    n_told = 0;
    CHECK_OK(dial("nobody.test", 1, 5000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_UNREACHABLE);

    n_told = 0;
    CHECK_OK(dial("mute.test", 1, 5000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_TIMEOUT);
    CHECK_INT(n_told, 1);
    stop();
}

TEST(what_is_no_name_is_refused)
{
    static const char *const bad[] = {"a b", "a/b", "a..", ".a", "a:1", "a\xc3\xa4", "a%00"};

    start(0, 0);
    CHECK_ERR(dial("", 1, 1000), CG_SYNTAX);
    CHECK_ERR(dial("[good.test]", 1, 1000), CG_SYNTAX);
    want = 7;
    for (size_t i = 0; i < 7; i++)
        CHECK_OK(dial(bad[i], 1, 1000));
    CHECK_INT(n_told, 0); /* never within begin */
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK(last_err == CG_SYNTAX || last_err == CG_UNREACHABLE);
    CHECK_INT(atomic_load(&names.n_questions), 0);
    stop();
}

TEST(a_name_means_one_thing_whatever_search_domains_say)
{
    uint16_t port = 0;
    int s;

    CHECK(setenv("LOCALDOMAIN", "test", 1) == 0);
    start(0, 0);
    CHECK(unsetenv("LOCALDOMAIN") == 0);
    s = listen_on("127.0.0.1", &port);
    CHECK_OK(dial("good", port, 5000)); /* is not good.test, where somebody listens */
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_UNREACHABLE);
    close(s);
    stop();
}

/* protocol, SSRF defence: one private address refuses the whole name. */
struct seen {
    size_t n;
    uint16_t port;
};

static cg_err refuse_ten(void *ctx, const struct cg_address *addresses, size_t n)
{
    struct seen *seen = ctx;

    seen->n = n;
    seen->port = addresses[0].port;
    for (size_t i = 0; i < n; i++)
        if (addresses[i].ip[0] == 10)
            return CG_TARGET;
    return CG_OK;
}

TEST(the_filter_sees_every_address_before_any_is_connected_to)
{
    struct seen seen = {0};
    struct cg_target target = {.allow = refuse_ten, .allow_ctx = &seen};
    uint16_t port = 0;
    int s;

    start(0, 0);
    s = listen_on("127.0.0.1", &port);
    CHECK(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
    target.host = CG_LIT("mixed.test");
    target.port = port;
    CHECK_OK(cg_dial_begin(resolver, &target, who, 0, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_TARGET);
    CHECK_INT(seen.n, 2);
    CHECK_INT(seen.port, port);
    CHECK(accept(s, NULL, NULL) < 0 && errno == EAGAIN);

    n_told = 0;
    target.host = CG_LIT("10.0.0.1"); /* a literal is filtered too */
    CHECK_OK(cg_dial_begin(resolver, &target, who, 0, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_TARGET);

    n_told = 0;
    target.host = CG_LIT("good.test");
    CHECK_OK(cg_dial_begin(resolver, &target, who, 0, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_OK);
    close(s);
    stop();
}

/* A listener whose queue is full leaves further connects without an answer. */
struct deaf {
    int s;
    int fill[8];
    uint16_t port;
};

static void deaf_start(struct deaf *deaf, const char *ip)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(deaf->port)};
    socklen_t len = sizeof at;

    deaf->s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(inet_pton(AF_INET, ip, &at.sin_addr) == 1);
    CHECK(bind(deaf->s, (struct sockaddr *)&at, sizeof at) == 0 && listen(deaf->s, 0) == 0);
    CHECK(getsockname(deaf->s, (struct sockaddr *)&at, &len) == 0);
    deaf->port = ntohs(at.sin_port);
    for (int i = 0; i < 8; i++) {
        deaf->fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(deaf->fill[i], (struct sockaddr *)&at, sizeof at);
    }
}

static void deaf_stop(struct deaf *deaf)
{
    for (int i = 0; i < 8; i++)
        close(deaf->fill[i]);
    close(deaf->s);
}

TEST(a_deaf_address_does_not_hold_up_the_next)
{
    struct deaf deaf = {.port = 0};
    struct cg_mono begun;
    int s;

    start(0, 0);
    s = listen_on("127.0.0.1", &deaf.port);
    deaf_start(&deaf, "127.0.0.2");
    begun = cg_loop_mono(loop);
    CHECK_OK(dial("deaf.test", deaf.port, 10000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_OK);
    CHECK(peer.at.ip[3] == 1);
    /* The deaf one had its time first: else this would test nothing. */
    CHECK(cg_loop_mono(loop).us - begun.us >= 200000);
    CHECK(cg_loop_mono(loop).us - begun.us < 5000000);
    deaf_stop(&deaf);
    close(s);
    stop();
}

TEST(one_question_answers_all_who_ask_at_the_same_time_and_is_kept_as_long_as_it_says)
{
    uint16_t port = 0;
    int s, asked;

    start(60, 300);
    s = listen_on("127.0.0.1", &port);
    want = 20;
    for (int i = 0; i < 20; i++)
        CHECK_OK(dial("good.test", port, 5000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_OK);
    asked = atomic_load(&names.n_questions);
    CHECK(asked == 2); /* A and AAAA */
    want = 21;
    CHECK_OK(dial("good.test", port, 5000));
    CHECK_INT(n_told, 20); /* kept, and still not within begin */
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(atomic_load(&names.n_questions), asked);
    close(s);
    stop();
}

TEST(an_answer_is_not_kept_longer_than_it_says)
{
    uint16_t port = 0;
    int s;

    start(1, 300);
    s = listen_on("127.0.0.1", &port);
    CHECK_OK(dial("good.test", port, 5000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK(!cg_loop_run_for(loop, 1200));
    n_told = 0;
    CHECK_OK(dial("good.test", port, 5000));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_INT(atomic_load(&names.n_questions), 4);
    close(s);
    stop();
}

TEST(a_deadline_ends_a_connect_that_nobody_answers)
{
    struct deaf deaf = {.port = 0};
    struct cg_mono begun;

    start(0, 0);
    deaf_start(&deaf, "127.0.0.1");
    begun = cg_loop_mono(loop);
    CHECK_OK(dial("127.0.0.1", deaf.port, 300));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_TIMEOUT);
    CHECK(cg_loop_mono(loop).us - begun.us < 5000000);
    deaf_stop(&deaf);
    stop();
}

TEST(a_unix_socket_is_connected_to_and_the_kernel_says_whose_it_is)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/httpcg-dial-test-XXXXXX";
    struct cg_target target = {.port = 0};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    start(0, 0);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/sock", folder);
    target.unix_path = cg_span_str(at.sun_path);
    CHECK_OK(cg_dial_begin(resolver, &target, who, 0, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_UNREACHABLE);

    CHECK(bind(s, (struct sockaddr *)&at, sizeof at) == 0 && listen(s, 4) == 0);
    n_told = 0;
    CHECK_OK(cg_dial_begin(resolver, &target, who, 0, CG_NEVER));
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_OK);
    CHECK(peer.has_uid && peer.uid == geteuid());
    close(s);
    unlink(at.sun_path);
    rmdir(folder);
    stop();
}

TEST(without_descriptors_it_is_busy_and_not_unreachable)
{
    struct rlimit before, none;
    uint16_t port = 0;
    int s;

    start(0, 0);
    s = listen_on("127.0.0.1", &port);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = before;
    none.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_OK(dial("127.0.0.1", port, 1000));
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(cg_loop_run_for(loop, LIMIT_MS));
    CHECK_ERR(last_err, CG_BUSY);
    close(s);
    stop();
}

static int count_descriptors(void)
{
    int n = 0;

    for (int i = 0; i < 4096; i++)
        n += fcntl(i, F_GETFD) >= 0;
    return n;
}

TEST(the_asker_goes_away_at_any_moment_ten_thousand_times)
{
    static const char *const hosts[] = {"good.test", "127.0.0.1", "mute.test", "nobody.test",
                                        "deaf.test"};
    unsigned seed = 3;
    uint16_t port = 0;
    int s, before;

    start(1, 1);
    s = listen_on("127.0.0.1", &port);
    CHECK(fcntl(s, F_SETFL, O_NONBLOCK) == 0);
    cg_loop_run_for(loop, 0);
    before = count_descriptors();
    want = -1;
    for (int i = 0; i < 10000; i++) {
        struct cg_ticket mine;
        struct cg_target target = {.host = cg_span_str(hosts[rand_r(&seed) % 5]), .port = port};
        int accepted;

        CHECK_OK(cg_slot_open(loop, on_call, NULL, &mine));
        CHECK_OK(cg_dial_begin(resolver, &target, mine, 0,
                               cg_mono_after(cg_loop_mono(loop), 1 + rand_r(&seed) % 50)));
        for (int passes = rand_r(&seed) % 4; passes > 0; passes--)
            cg_loop_run_for(loop, 0);
        if (rand_r(&seed) % 8)
            cg_slot_end(loop, mine);
        while ((accepted = accept(s, NULL, NULL)) >= 0)
            close(accepted);
    }
    cg_resolver_free(resolver);
    resolver = NULL;
    cg_loop_run_for(loop, 300);
    CHECK(n_told > 500 && n_told < 9000); /* some were told before they went, some were not */
    printf("# %d of 10000 were told before they went\n", n_told);
    if (fd >= 0)
        close(fd);
    fd = -1;
    CHECK(count_descriptors() <= before);
    close(s);
    stop();
}

SUITE(dial, T(connects_to_a_name_and_to_addresses),
      T(nobody_there_no_such_name_and_no_answer_are_told_apart), T(what_is_no_name_is_refused),
      T(a_name_means_one_thing_whatever_search_domains_say),
      T(the_filter_sees_every_address_before_any_is_connected_to),
      T(a_deaf_address_does_not_hold_up_the_next),
      T(one_question_answers_all_who_ask_at_the_same_time_and_is_kept_as_long_as_it_says),
      T(an_answer_is_not_kept_longer_than_it_says),
      T(a_deadline_ends_a_connect_that_nobody_answers),
      T(a_unix_socket_is_connected_to_and_the_kernel_says_whose_it_is),
      T(without_descriptors_it_is_busy_and_not_unreachable),
      T(the_asker_goes_away_at_any_moment_ten_thousand_times))
