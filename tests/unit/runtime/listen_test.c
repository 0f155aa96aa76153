#include "runtime/listen.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/unit/runtime/net.h"

/* Accepts and counts; nobody talks. */
struct door {
    struct cg_loop *loop;
    struct cg_listener *listener;
    struct cg_listen_options options;
    struct wire wire;
    int n_accepted, n_closed;
    cg_err refuses;
    struct cg_peer last;
};

static void on_open(struct cg_conn *conn)
{
    (void)conn;
}

static void on_exchange(struct cg_conn *conn, struct cg_exchange *x, unsigned what)
{
    (void)conn;
    (void)what;
    cg_exchange_release(x);
}

static void on_close(struct cg_conn *conn, cg_err why)
{
    struct door *door = cg_conn_owner(conn);

    (void)why;
    door->n_closed++;
}

static const struct cg_conn_events events = {on_open, on_exchange, on_close};

static cg_err accept_one(void *ctx, const struct cg_peer *peer, struct cg_loop *loop,
                         struct cg_engine **engine, void **owner)
{
    struct door *door = ctx;

    (void)owner;
    door->last = *peer;
    if (door->refuses != CG_OK)
        return door->refuses;
    door->n_accepted++;
    return wire_server(&door->wire, peer, loop, engine);
}

static void door_init(struct door *door, struct cg_loop *loop, struct cg_address at)
{
    *door = (struct door){.loop = loop};
    wire_init(&door->wire, CG_SPEAKS_H2, false);
    door->options =
        (struct cg_listen_options){.at = at, .events = &events, .accept = accept_one, .ctx = door};
}

static cg_err door_open(struct door *door)
{
    return cg_listener_new(door->loop, &door->options, &door->listener);
}

static void await(struct door *door, int n_accepted, int n_closed)
{
    for (int i = 0; i < 500 && (door->n_accepted < n_accepted || door->n_closed < n_closed); i++)
        cg_loop_run_for(door->loop, 10);
    CHECK_INT(door->n_accepted, n_accepted);
    CHECK_INT(door->n_closed, n_closed);
}

static struct cg_loop *loop;

static void start(void)
{
    CHECK_OK(cg_loop_new(&loop));
}

static void stop(void)
{
    cg_loop_free(loop);
}

TEST(an_address_is_taken_once_unless_this_process_shares_it)
{
    struct door first, second, third;
    struct cg_address at;
    int fds[64], n_first;

    start();
    door_init(&first, loop, loopback(0));
    CHECK_OK(door_open(&first));
    at = *cg_listener_at(first.listener);
    door_init(&second, loop, at);
    CHECK_ERR(door_open(&second), CG_CONFLICT);
    door_init(&third, loop, at);
    third.options.joins = true;
    CHECK_OK(door_open(&third));
    for (int i = 0; i < 64; i++)
        fds[i] = raw_connect(&at);
    for (int i = 0; i < 500 && first.n_accepted + third.n_accepted < 64; i++)
        cg_loop_run_for(loop, 10);
    n_first = first.n_accepted;
    CHECK_INT(n_first + third.n_accepted, 64);
    CHECK(n_first > 0 && third.n_accepted > 0); /* the kernel spreads them */
    for (int i = 0; i < 64; i++)
        close(fds[i]);
    cg_listener_free(first.listener);
    cg_listener_free(third.listener);
    stop();
}

TEST(ipv6_does_not_take_ipv4_along)
{
    struct cg_address any6 = {.kind = CG_ADDRESS_IP6};
    struct cg_address any4 = {.kind = CG_ADDRESS_IP4};
    struct door six, four;
    cg_err err;

    start();
    door_init(&six, loop, any6);
    err = door_open(&six);
    if (err != CG_OK) { /* a machine without IPv6 */
        CHECK(err == CG_UNREACHABLE || err == CG_IO);
        stop();
        return;
    }
    any4.port = cg_listener_at(six.listener)->port;
    door_init(&four, loop, any4);
    CHECK_OK(door_open(&four));
    cg_listener_free(six.listener);
    cg_listener_free(four.listener);
    stop();
}

static int64_t cpu_us(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * INT64_C(1000000) + use.ru_utime.tv_usec +
           use.ru_stime.tv_usec;
}

TEST(at_its_cap_a_listener_leaves_the_rest_in_the_queue)
{
    struct door door;
    int64_t spent;
    int fds[5];

    start();
    door_init(&door, loop, loopback(0));
    door.options.n_conns_max = 3;
    CHECK_OK(door_open(&door));
    for (int i = 0; i < 5; i++)
        fds[i] = raw_connect(cg_listener_at(door.listener));
    await(&door, 3, 0);
    spent = cpu_us();
    cg_loop_run_for(loop, 500);
    CHECK(cpu_us() - spent < 150000); /* it waits, it does not spin */
    CHECK_INT(door.n_accepted, 3);
    close(fds[0]);
    await(&door, 4, 1);
    close(fds[1]);
    await(&door, 5, 2);
    CHECK_INT(cg_listener_n_conns(door.listener), 3);
    for (int i = 2; i < 5; i++)
        close(fds[i]);
    await(&door, 5, 5);
    cg_listener_free(door.listener);
    stop();
}

TEST(who_is_refused_is_closed_without_a_byte)
{
    struct door door;
    char byte;
    int fd;

    start();
    door_init(&door, loop, loopback(0));
    door.refuses = CG_RATE;
    CHECK_OK(door_open(&door));
    fd = raw_connect(cg_listener_at(door.listener));
    cg_loop_run_for(loop, 50);
    CHECK_INT(read(fd, &byte, 1), 0);
    CHECK(cg_address_is_loopback(&door.last.at) && door.last.at.port != 0);
    CHECK_INT(cg_listener_n_conns(door.listener), 0);
    close(fd);
    cg_listener_free(door.listener);
    stop();
}

TEST(without_descriptors_it_rests_and_then_goes_on)
{
    struct rlimit before, none;
    struct door door;
    int fd;
    int64_t spent;

    start();
    door_init(&door, loop, loopback(0));
    CHECK_OK(door_open(&door));
    fd = raw_connect(cg_listener_at(door.listener));
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = before;
    none.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    spent = cpu_us();
    cg_loop_run_for(loop, 500);
    spent = cpu_us() - spent;
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK_INT(door.n_accepted, 0);
    CHECK(spent < 150000); /* it did not spin */
    await(&door, 1, 0);    /* and nobody was turned away */
    close(fd);
    await(&door, 1, 1);
    cg_listener_free(door.listener);
    stop();
}

static char folder[64];
static struct cg_address unix_address(void)
{
    struct cg_address at = {.kind = CG_ADDRESS_UNIX};

    snprintf(folder, sizeof folder, "/tmp/httpcg-listen-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(at.path, sizeof at.path, "%s/sock", folder);
    return at;
}

static int unix_connect(const struct cg_address *at)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path, at->path, sizeof to.sun_path);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

TEST(a_unix_socket_is_private_and_knows_who_comes)
{
    struct cg_address at = unix_address();
    struct door door;
    struct stat info;
    mode_t mask = umask(0);
    int fd;

    start();
    door_init(&door, loop, at);
    CHECK_OK(door_open(&door));
    umask(mask);
    CHECK(stat(at.path, &info) == 0 && (info.st_mode & 0777) == 0600);
    fd = unix_connect(&at);
    CHECK(fd >= 0);
    await(&door, 1, 0);
    CHECK(door.last.has_uid && door.last.uid == geteuid() && door.last.pid == (uint32_t)getpid());
    close(fd);
    await(&door, 1, 1);
    cg_listener_free(door.listener);
    CHECK(stat(at.path, &info) != 0); /* it takes its file along */
    CHECK(rmdir(folder) == 0);
    stop();
}

TEST(an_abandoned_unix_socket_is_replaced_and_nothing_else_is)
{
    struct cg_address at = unix_address();
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct door door, other;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    start();
    memcpy(to.sun_path, at.path, sizeof to.sun_path);
    CHECK(bind(fd, (struct sockaddr *)&to, sizeof to) == 0);
    close(fd); /* as a process that was killed leaves it */
    door_init(&door, loop, at);
    CHECK_OK(door_open(&door));
    door_init(&other, loop, at);
    CHECK_ERR(door_open(&other), CG_CONFLICT); /* somebody answers */
    fd = unix_connect(&at);
    CHECK(fd >= 0); /* and goes on doing so */
    close(fd);
    cg_listener_free(door.listener);

    fd = open(at.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK_ERR(door_open(&other), CG_CONFLICT); /* a file is no socket */
    CHECK(unlink(at.path) == 0 && rmdir(folder) == 0);
    stop();
}

TEST(a_port_that_needs_a_privilege_or_an_address_that_is_not_ours_is_an_error)
{
    struct cg_address far = {.kind = CG_ADDRESS_IP4, .port = 0, .ip = {192, 0, 2, 1}};
    struct door door;

    start();
    door_init(&door, loop, far);
    CHECK_ERR(door_open(&door), CG_IO);
    stop();
}

TEST(a_storm_of_connections_that_go_at_once_leaves_nothing)
{
    struct door door;
    size_t before;

    start();
    door_init(&door, loop, loopback(0));
    CHECK_OK(door_open(&door));
    cg_loop_run_for(loop, 10);
    before = heap_in_use();
    for (int i = 0; i < 2000; i++) {
        struct linger reset = {1, 0};
        int fd = raw_connect(cg_listener_at(door.listener));

        if (i % 2)
            CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
        close(fd);
        if (i % 50 == 0)
            cg_loop_run_for(loop, 0);
    }
    for (int i = 0; i < 300 && cg_listener_n_conns(door.listener) > 0; i++)
        cg_loop_run_for(loop, 10);
    cg_loop_run_for(loop, 50);
    CHECK_INT(cg_listener_n_conns(door.listener), 0);
    CHECK_INT(door.n_closed, door.n_accepted);
    CHECK(heap_in_use() <= before + 64 * 1024);
    cg_listener_free(door.listener);
    stop();
}

SUITE(listen, T(an_address_is_taken_once_unless_this_process_shares_it),
      T(ipv6_does_not_take_ipv4_along), T(at_its_cap_a_listener_leaves_the_rest_in_the_queue),
      T(who_is_refused_is_closed_without_a_byte), T(without_descriptors_it_rests_and_then_goes_on),
      T(a_unix_socket_is_private_and_knows_who_comes),
      T(an_abandoned_unix_socket_is_replaced_and_nothing_else_is),
      T(a_port_that_needs_a_privilege_or_an_address_that_is_not_ours_is_an_error),
      T(a_storm_of_connections_that_go_at_once_leaves_nothing))
