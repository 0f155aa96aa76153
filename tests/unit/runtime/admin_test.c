#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/admin.h"
#include "runtime/listen_at.h"
#include "tests/unit/runtime/demo_options.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct cg_metric metric_rows[] = {
    {.name = "t_things_total", .help = "Things.", .kind = CG_METRIC_COUNTER}};
static const struct cg_metric_table metric_table = {metric_rows, 1};
static const struct cg_metric_table *const metric_tables[] = {&metric_table};

/* A whole process without its main: configuration, log, daemon, loop, admin. */
struct house {
    char folder[64];
    char file[128];
    char log_file[128];
    char socket[128];
    char routes[128];
    struct cg_config_source source;
    struct cg_log *log;
    struct cg_daemon *daemon;
    struct cg_metrics *metrics;
    struct cg_admin *admin;
    struct cg_loop *loop;
    pthread_t thread;
    struct cg_part part;
    pthread_t main;
    int ends;
    struct cg_problems problems;
};

static _Atomic(const char *) missing;

static const char *ask_registry(void *ctx)
{
    CHECK(ctx == &missing);
    return atomic_load(&missing);
}

static void *run_loop(void *arg)
{
    cg_loop_run(arg);
    return NULL;
}

static cg_err start_house(void *ctx, struct cg_config *config, struct cg_problems *problems)
{
    struct house *house = ctx;

    CG_TRY(cg_admin_listen(house->admin, house->loop, config, NULL, 0, problems));
    CHECK(pthread_create(&house->thread, NULL, run_loop, house->loop) == 0);
    return CG_OK;
}

static void stop_house(void *ctx)
{
    struct house *house = ctx;

    if (!house->thread)
        return;
    cg_loop_stop(house->loop);
    pthread_join(house->thread, NULL);
}

static void *run_main(void *arg)
{
    struct house *house = arg;

    house->ends = cg_daemon_run(house->daemon, &house->problems);
    return NULL;
}

static void write_config(const struct house *house, const char *more)
{
    FILE *out = fopen(house->file, "w");

    CHECK_OR_STOP(out != NULL);
    fprintf(out, "admin: {listen: off, socket: admin.sock}\ndemo:\n  title: x\n%s", more);
    fclose(out);
    chmod(house->file, 0600);
}

static void build(struct house *house)
{
    struct cg_config *config = NULL;

    *house = (struct house){.ends = -1};
    strcpy(house->folder, "/tmp/httpcg-admin-XXXXXX");
    CHECK_OR_STOP(mkdtemp(house->folder) != NULL);
    snprintf(house->file, sizeof house->file, "%s/httpcgd.yaml", house->folder);
    snprintf(house->log_file, sizeof house->log_file, "%s/log", house->folder);
    snprintf(house->socket, sizeof house->socket, "%s/admin.sock", house->folder);
    snprintf(house->routes, sizeof house->routes, "%s/routes.d", house->folder);
    write_config(house, "");
    house->source =
        (struct cg_config_source){.file = house->file, .tables = demo_tables, .n_tables = 2};
    CHECK_OK(cg_config_load(&house->source, &house->problems, &config));
    CHECK_OK(cg_log_new(&(struct cg_log_options){.level = CG_LOG_INFO, .file = house->log_file},
                        &house->problems, &house->log));
    house->part =
        (struct cg_part){.name = "admin", .start = start_house, .stop = stop_house, .ctx = house};
    CHECK_OK(cg_daemon_new(&(struct cg_daemon_setup){.source = &house->source,
                                                     .config = config,
                                                     .log = house->log,
                                                     .parts = &house->part,
                                                     .n_parts = 1},
                           &house->daemon));
    cg_config_unref(config);
    CHECK_OK(cg_metrics_new(metric_tables, 1, 1, &house->metrics));
    CHECK_OK(cg_admin_new(&(struct cg_admin_setup){.daemon = house->daemon,
                                                   .metrics = house->metrics,
                                                   .table = &demo_table,
                                                   .key = "routes"},
                          &house->admin));
    atomic_store(&missing, NULL);
    CHECK_OK(cg_admin_condition(house->admin, "registry", ask_registry, &missing));
    CHECK_OK(cg_loop_new(&house->loop));
}

static void tear_down(struct house *house)
{
    char command[128];

    cg_admin_free(house->admin);
    cg_loop_free(house->loop);
    cg_daemon_free(house->daemon);
    cg_metrics_free(house->metrics);
    cg_log_free(house->log);
    snprintf(command, sizeof command, "rm -r %s", house->folder);
    CHECK(system(command) == 0);
}

static int dial(const struct house *house)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path, house->socket, strlen(house->socket) + 1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void open_house(struct house *house)
{
    int fd = -1;

    build(house);
    CHECK(pthread_create(&house->main, NULL, run_main, house) == 0);
    /* The socket's file is there a moment before anybody listens. */
    for (int i = 0; i < 500 && (fd = dial(house)) < 0; i++)
        usleep(10000);
    CHECK(fd >= 0);
    close(fd);
}

static void close_house(struct house *house)
{
    cg_daemon_stop(house->daemon);
    pthread_join(house->main, NULL);
    CHECK_INT(house->ends, CG_EXIT_OK);
    tear_down(house);
}

/* One request on a connection of its own; the answer's status, and its body in out. */
static int ask(const struct house *house, const char *method, const char *path, const char *body,
               char *out, size_t room)
{
    static char answer[1 << 20];
    char request[8192];
    size_t len = 0;
    int fd = dial(house), status = 0;

    out[0] = '\0';
    if (!CHECK(fd >= 0))
        return 0;
    int n = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: "
                     "%zu\r\n\r\n%s",
                     method, path, strlen(body), body);
    CHECK(write(fd, request, (size_t)n) == n);
    /* A socket with a time limit does not go on by itself after an interruption; newer kernels and
     * libuv cause some without any signal. */
    for (ssize_t got;
         len < sizeof answer - 1 && ((got = read(fd, answer + len, sizeof answer - 1 - len)) > 0 ||
                                     (got < 0 && errno == EINTR));)
        len += got > 0 ? (size_t)got : 0;
    close(fd);
    answer[len] = '\0';
    CHECK(sscanf(answer, "HTTP/1.1 %d ", &status) == 1);
    const char *at = strstr(answer, "\r\n\r\n");
    snprintf(out, room, "%s", at ? at + 4 : "");
    return status;
}

static char body[1 << 16];

#define ASK(house, method, path, text) ask((house), (method), (path), (text), body, sizeof body)

static bool log_has(const struct house *house, const char *text)
{
    static char all[1 << 20];
    FILE *in = fopen(house->log_file, "r");
    size_t n = in ? fread(all, 1, sizeof all - 1, in) : 0;

    all[n] = '\0';
    if (in)
        fclose(in);
    return strstr(all, text) != NULL;
}

TEST(health_is_there_and_readiness_says_what_is_missing)
{
    struct house house;

    open_house(&house);
    CHECK_INT(ASK(&house, "GET", "/livez", ""), 200);
    CHECK_SPAN(cg_span_str(body), CG_LIT("ok\n"));
    CHECK_INT(ASK(&house, "GET", "/health", ""), 200);
    CHECK_INT(ASK(&house, "GET", "/readyz", ""), 200);
    CHECK_SPAN(cg_span_str(body), CG_LIT("ok\n"));
    CHECK_INT(ASK(&house, "GET", "/readyz?verbose", ""), 200);
    CHECK_SPAN(cg_span_str(body), CG_LIT("[+]running ok\n[+]registry ok\n"));
    atomic_store(&missing, "does not answer");
    CHECK_INT(ASK(&house, "GET", "/livez", ""), 200);
    CHECK_INT(ASK(&house, "GET", "/ready", ""), 503);
    CHECK_SPAN(cg_span_str(body), CG_LIT("not ready\n"));
    CHECK_INT(ASK(&house, "GET", "/ready?verbose=1", ""), 503);
    CHECK_SPAN(cg_span_str(body), CG_LIT("[+]running ok\n[-]registry does not answer\n"));
    CHECK_INT(ASK(&house, "GET", "/nothing", ""), 404);
    CHECK_INT(ASK(&house, "POST", "/livez", ""), 405);
    close_house(&house);
}

static _Atomic(const char *) note;

static const char *ask_note(void *ctx)
{
    (void)ctx;
    return atomic_load(&note);
}

TEST(a_note_is_told_and_readiness_does_not_depend_on_it)
{
    struct house house;

    open_house(&house);
    atomic_store(&note, NULL);
    CHECK_OK(cg_admin_note(house.admin, "renewal", ask_note, NULL));
    CHECK_INT(ASK(&house, "GET", "/readyz?verbose", ""), 200);
    CHECK_SPAN(cg_span_str(body), CG_LIT("[+]running ok\n[+]registry ok\n[+]renewal ok\n"));
    atomic_store(&note, "waits");
    CHECK_INT(ASK(&house, "GET", "/readyz?verbose", ""), 200);
    CHECK_SPAN(cg_span_str(body), CG_LIT("[+]running ok\n[+]registry ok\n[!]renewal waits\n"));
    CHECK_INT(ASK(&house, "GET", "/readyz", ""), 200);
    CHECK(cg_admin_missing(house.admin) == NULL);
    close_house(&house);
}

TEST(metrics_are_there)
{
    struct house house;

    open_house(&house);
    cg_metric_add(cg_metrics_shard(house.metrics, 0), &metric_table, 0, CG_LABELS(), 3);
    CHECK_INT(ASK(&house, "GET", "/metrics", ""), 200);
    CHECK(strstr(body, "t_things_total 3\n") != NULL);
    CHECK(strstr(body, "process_open_fds ") != NULL);
    close_house(&house);
}

TEST(status_is_json)
{
    struct house house;

    open_house(&house);
    CHECK_INT(ASK(&house, "GET", "/status", ""), 200);
    json_t *status = json_loads(body, 0, NULL);
    CHECK(status != NULL);
    CHECK_SPAN(cg_span_str(json_string_value(json_object_get(status, "version"))),
               cg_span_str(cg_version()));
    CHECK_INT(json_integer_value(json_object_get(status, "pid")), getpid());
    CHECK(json_is_true(json_object_get(status, "ready")));
    CHECK(json_is_false(json_object_get(status, "draining")));
    CHECK_SPAN(cg_span_str(json_string_value(
                   json_object_get(json_object_get(status, "conditions"), "registry"))),
               CG_LIT("ok"));
    json_decref(status);
    CHECK(log_has(&house, "\"event\":\"admin_command\",\"method\":\"GET\",\"path\":\"/status\""));
    close_house(&house);
}

TEST(a_reload_takes_effect_or_says_why_not)
{
    struct house house;

    open_house(&house);
    write_config(&house, "  limits: {body: 2MiB}\n");
    CHECK_INT(ASK(&house, "POST", "/reload", ""), 200);
    CHECK_SPAN(cg_span_str(body), CG_LIT("{\"ok\":true}\n"));
    CHECK_INT(ASK(&house, "GET", "/config", ""), 200);
    CHECK(strstr(body, "    body: 2MiB\n") != NULL);

    write_config(&house, "  limits: {boddy: 3MiB}\n");
    CHECK_INT(ASK(&house, "POST", "/reload", ""), 422);
    json_t *answer = json_loads(body, 0, NULL);
    const json_t *problem = json_array_get(json_object_get(answer, "problems"), 0);
    CHECK(json_is_false(json_object_get(answer, "ok")));
    CHECK_INT(json_integer_value(json_object_get(problem, "line")), 4);
    CHECK_INT(json_integer_value(json_object_get(problem, "column")), 12);
    CHECK_SPAN(cg_span_str(json_string_value(json_object_get(problem, "problem"))),
               CG_LIT("unknown key \"boddy\"; did you mean \"body\"?"));
    json_decref(answer);
    CHECK_INT(ASK(&house, "GET", "/config", ""), 200);
    CHECK(strstr(body, "    body: 2MiB\n") != NULL);
    close_house(&house);
}

static void read_route(const struct house *house, const char *name, char *out, size_t room)
{
    char path[256];
    struct stat is;
    size_t n = 0;

    snprintf(path, sizeof path, "%s/%s.yaml", house->routes, name);
    FILE *in = fopen(path, "r");
    if (in) {
        n = fread(out, 1, room - 1, in);
        fclose(in);
        CHECK(stat(path, &is) == 0 && (is.st_mode & 0777) == 0600);
    }
    out[n] = '\0';
}

TEST(routes_are_added_changed_and_removed)
{
    char text[4096];
    struct house house;

    open_house(&house);
    CHECK_INT(ASK(&house, "PUT", "/routes/shop",
                  "{\"name\": \"app/shop\", \"backend\": \"http://127.0.0.1:3000\", \"secret\": "
                  "\"" SECRET "\"}"),
              200);
    read_route(&house, "shop", text, sizeof text);
    CHECK_SPAN(cg_span_str(text), CG_LIT("name: \"app/shop\"\nbackend: \"http://127.0.0.1:3000\"\n"
                                         "secret: " SECRET "\n"));
    CHECK_INT(ASK(&house, "GET", "/config", ""), 200);
    CHECK(strstr(body, "app/shop") != NULL && strstr(body, "(hidden)") != NULL);
    CHECK(strstr(body, SECRET) == NULL);

    /* Whoever may change a route may read it, secret and all, to be able to bring it back. */
    CHECK_INT(ASK(&house, "GET", "/routes/shop", ""), 200);
    CHECK(strstr(body, text) != NULL);
    CHECK_INT(ASK(&house, "GET", "/routes/other", ""), 404);

    CHECK_INT(ASK(&house, "PUT", "/routes/shop", "name: app/shop\nbackend: https://b/\n"), 200);
    read_route(&house, "shop", text, sizeof text);
    CHECK_SPAN(cg_span_str(text), CG_LIT("name: \"app/shop\"\nbackend: \"https://b/\"\n"));
    CHECK_INT(ASK(&house, "DELETE", "/routes/shop", ""), 200);
    read_route(&house, "shop", text, sizeof text);
    CHECK_SPAN(cg_span_str(text), CG_LIT(""));
    CHECK_INT(ASK(&house, "DELETE", "/routes/shop", ""), 404);
    CHECK(log_has(&house, "\"event\":\"route_added\",\"name\":\"shop\""));
    CHECK(log_has(&house, "\"event\":\"route_removed\",\"name\":\"shop\""));
    CHECK(!log_has(&house, "0123456789abcdef"));
    close_house(&house);
}

TEST(a_route_that_is_refused_leaves_no_trace)
{
    char text[4096];
    struct house house;

    open_house(&house);
    CHECK_INT(ASK(&house, "PUT", "/routes/a", "name: app/a\nbackend: https://a/\n"), 200);
    /* The row itself is wrong; */
    CHECK_INT(ASK(&house, "PUT", "/routes/b", "name: app/b\nbackend: http://127.0.0.1:1/\n"), 422);
    CHECK(strstr(body, "plain http needs a secret") != NULL);
    /* it is right and collides with another; */
    CHECK_INT(ASK(&house, "PUT", "/routes/b", "name: app/a\nbackend: https://a/\n"), 422);
    CHECK(strstr(body, "another entry has the same name") != NULL);
    /* it is right and the rest is wrong. */
    write_config(&house, "  strict: maybe\n");
    CHECK_INT(ASK(&house, "PUT", "/routes/b", "name: app/b\nbackend: https://a/\n"), 422);
    CHECK(strstr(body, "neither true nor false") != NULL);
    CHECK_INT(ASK(&house, "DELETE", "/routes/a", ""), 422);
    read_route(&house, "b", text, sizeof text);
    CHECK_SPAN(cg_span_str(text), CG_LIT(""));
    read_route(&house, "a", text, sizeof text);
    CHECK(text[0] != '\0');
    CHECK_INT(ASK(&house, "PUT", "/routes/b", ""), 422);
    close_house(&house);
}

TEST(a_folder_that_cannot_be_written_is_told)
{
    struct house house;

    open_house(&house);
    FILE *in_the_way = fopen(house.routes, "w");
    fclose(in_the_way);
    CHECK_INT(ASK(&house, "PUT", "/routes/a", "name: app/a\nbackend: https://a/\n"), 422);
    CHECK(strstr(body, "cannot use the folder") != NULL);
    close_house(&house);
}

TEST(the_name_of_a_route_is_the_name_of_a_file)
{
    static const char *const bad[] = {"/routes/.a",    "/routes/-a",   "/routes/..",   "/routes/A",
                                      "/routes/a%2fb", "/routes/a%00", "/routes/a%20b"};
    char name[256] = "/routes/";
    struct house house;

    open_house(&house);
    for (size_t i = 0; i < CG_COUNT(bad); i++) {
        int status = ASK(&house, "PUT", bad[i], "name: app/a\nbackend: https://a/\n");
        if (!CHECK(status == 422 || status == 400 || status == 404))
            printf("# %s: %d\n", bad[i], status);
    }
    memset(name + 8, 'a', 225);
    CHECK_INT(ASK(&house, "PUT", name, "name: app/a\nbackend: https://a/\n"), 422);
    name[8 + 224] = '\0';
    CHECK_INT(ASK(&house, "PUT", name, "name: app/a\nbackend: https://a/\n"), 200);
    close_house(&house);
}

TEST(the_socket_is_for_its_owner_alone)
{
    struct house house;
    struct stat is;
    int status = 0;

    open_house(&house);
    CHECK(stat(house.socket, &is) == 0);
    CHECK_INT(is.st_mode & 0777, 0600);
    if (geteuid() == 0) {
        /* Another user, let through by the file's mode for once: the kernel tells who it is. */
        CHECK(chmod(house.socket, 0666) == 0 && chmod(house.folder, 0755) == 0);
        pid_t child = fork();
        if (child == 0) {
            int got = setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0
                          ? 0
                          : ASK(&house, "POST", "/reload", "");
            _exit(got == 403 ? 0 : 1);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK(log_has(&house,
                      "\"event\":\"admin_refused\",\"method\":\"POST\",\"path\":\"/reload\","
                      "\"uid\":65534"));
        CHECK(!log_has(&house, "config_loaded"));
    }
    close_house(&house);
}

TEST(a_drain_is_asked_for_and_readiness_ends_with_it)
{
    struct house house;

    open_house(&house);
    CHECK_INT(ASK(&house, "POST", "/log/reopen", ""), 200);
    CHECK_INT(ASK(&house, "POST", "/drain", ""), 202);
    pthread_join(house.main, NULL);
    CHECK_INT(house.ends, CG_EXIT_OK);
    CHECK(cg_admin_missing(house.admin) != NULL);
    CHECK(log_has(&house, "\"event\":\"stopping\""));
    tear_down(&house);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;

    CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    return ntohs(at.sin_port);
}

TEST(a_port_that_is_taken_is_said_with_what_to_do)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char set[64], want[256];
    struct house house;
    struct cg_config *config = NULL;
    const char *sets[] = {set};

    CHECK(bind(taken, (struct sockaddr *)&at, sizeof at) == 0 && listen(taken, 1) == 0);
    build(&house);
    snprintf(set, sizeof set, "admin.listen=127.0.0.1:%u", port_of(taken));
    house.source.sets = sets;
    house.source.n_sets = 1;
    CHECK_OK(cg_config_load(&house.source, &house.problems, &config));
    CHECK_ERR(cg_admin_listen(house.admin, house.loop, config, NULL, 0, &house.problems),
              CG_CONFLICT);
    CHECK_INT(house.problems.n, 1);
    snprintf(want, sizeof want,
             "cannot listen on 127.0.0.1:%u: another program already uses this address; stop it "
             "(ss -ltnp shows which it is) or choose another port (setting admin.listen)",
             port_of(taken));
    CHECK_SPAN(cg_span_str(house.problems.at[0].text), cg_span_str(want));
    cg_config_unref(config);
    close(taken);
    tear_down(&house);
}

TEST(where_to_listen_is_an_address_never_a_name)
{
    struct cg_address out[CG_LISTEN_AT_MAX];
    char text[CG_ADDRESS_TEXT_BYTES];
    size_t n = 9;

    CHECK_OK(cg_listen_at(&(struct cg_host_port){"*", 443}, out, &n));
    CHECK_INT(n, 2);
    CHECK_SPAN(cg_span_str(cg_address_write(&out[0], text)), CG_LIT("0.0.0.0:443"));
    CHECK_SPAN(cg_span_str(cg_address_write(&out[1], text)), CG_LIT("[::]:443"));
    CHECK_OK(cg_listen_at(&(struct cg_host_port){"localhost", 1}, out, &n));
    CHECK_INT(n, 1);
    CHECK_SPAN(cg_span_str(cg_address_write(&out[0], text)), CG_LIT("127.0.0.1:1"));
    CHECK_OK(cg_listen_at(&(struct cg_host_port){"::1", 1}, out, &n));
    CHECK_INT(n, 1);
    n = 9;
    CHECK_ERR(cg_listen_at(&(struct cg_host_port){"shop.example", 1}, out, &n), CG_CONFIG);
    CHECK_INT(n, 9);
}

SUITE(admin, T(health_is_there_and_readiness_says_what_is_missing),
      T(a_note_is_told_and_readiness_does_not_depend_on_it), T(metrics_are_there),
      T(status_is_json), T(a_reload_takes_effect_or_says_why_not),
      T(routes_are_added_changed_and_removed), T(a_route_that_is_refused_leaves_no_trace),
      T(a_folder_that_cannot_be_written_is_told), T(the_name_of_a_route_is_the_name_of_a_file),
      T(the_socket_is_for_its_owner_alone), T(a_drain_is_asked_for_and_readiness_ends_with_it),
      T(a_port_that_is_taken_is_said_with_what_to_do),
      T(where_to_listen_is_an_address_never_a_name))
