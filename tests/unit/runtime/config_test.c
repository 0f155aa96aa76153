#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "tests/unit/runtime/demo_options.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A folder of a test's own, and its httpcgd.yaml. */
static char folder[64], file[128];

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    CHECK_OR_STOP(out != NULL);
    fputs(text, out);
    fclose(out);
    chmod(path, mode);
}

static void begin(const char *text)
{
    strcpy(folder, "/tmp/httpcg-config-XXXXXX");
    CHECK_OR_STOP(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/httpcgd.yaml", folder);
    write_file("httpcgd.yaml", text, 0600);
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

static struct cg_config_source from_file(void)
{
    return (struct cg_config_source){.file = file, .tables = demo_tables, .n_tables = 2};
}

static struct cg_config *load(const struct cg_config_source *source)
{
    struct cg_problems problems = {0};
    struct cg_config *config = NULL;

    if (!CHECK_OK(cg_config_load(source, &problems, &config)))
        for (size_t i = 0; i < problems.n; i++)
            printf("# %s:%u:%u: %s\n", problems.at[i].where, problems.at[i].line,
                   problems.at[i].column, problems.at[i].text);
    return config;
}

static const struct demo_options *demo(const struct cg_config *config)
{
    return cg_config_values(config, &demo_table);
}

/* The only problem's line, without the folder's name. */
static void check_refusal(const struct cg_config_source *source, const char *want)
{
    struct cg_problems problems = {0};
    struct cg_config *config = NULL;
    CG_AUTO(buf) struct cg_buf line;
    const char *got;
    size_t len = strlen(folder);

    CHECK_ERR(cg_config_load(source, &problems, &config), CG_CONFIG);
    cg_config_unref(config);
    CHECK_INT(problems.n, 1);
    cg_buf_init(&line, 4096);
    CHECK_OK(cg_problem_line(&problems.at[0], &line));
    CHECK_OK(cg_buf_add(&line, CG_LIT("\0")));
    got = (const char *)line.at;
    if (len > 0 && strncmp(got, folder, len) == 0)
        got += len + 1;
    CHECK_SPAN(cg_span_str(got), cg_span_str(want));
}

TEST(what_is_not_said_has_its_default)
{
    begin("demo:\n  title: x\n");
    struct cg_config_source source = from_file();
    struct cg_config *config = load(&source);
    CHECK_OR_STOP(config != NULL);

    const struct cg_options *common = cg_config_common(config);
    CHECK_INT(common->roles.n, 3);
    CHECK_INT(*CG_LIST_AT(common->roles, int, 2), CG_DUTY_LEDGER);
    CHECK_SPAN(cg_span_str(CG_LIST_AT(common->listen.native, struct cg_host_port, 0)->host),
               CG_LIT("*"));
    CHECK(common->log.file == NULL && common->listen.services_key == NULL);
    CHECK_INT(common->drain.stop_ms, 30000);
    CHECK(demo(config)->is_strict);
    CHECK_INT(demo(config)->body_max_bytes, 1 << 20);
    CHECK_INT(demo(config)->ports.n, 2);
    CHECK_INT(*CG_LIST_AT(demo(config)->ports, int64_t, 1), 8443);
    CHECK_INT(demo(config)->routes.n, 0);
    cg_config_unref(config);
    end();
}

TEST(what_is_said_counts_and_relative_paths_start_at_the_file)
{
    char want[128];

    begin("roles: [ledger, gateway]\n"
          "trust: sub/trust.conf\n"
          "admin: {listen: off}\n"
          "demo:\n"
          "  title: \"no\"\n"
          "  strict: false\n"
          "  limits: {body: 200MiB}\n"
          "  ports: 80\n"
          "  routes:\n"
          "    - name: app/a\n"
          "      backend: http://127.0.0.1:3000/x\n"
          "      secret: " SECRET "\n"
          "      timeout: 5s\n"
          "    - {name: app/b, backend: \"https://b/\"}\n");
    struct cg_config_source source = from_file();
    struct cg_config *config = load(&source);
    CHECK_OR_STOP(config != NULL);

    const struct cg_options *common = cg_config_common(config);
    CHECK_INT(common->roles.n, 2);
    CHECK_INT(*CG_LIST_AT(common->roles, int, 0), CG_DUTY_LEDGER);
    CHECK_INT(common->admin.listen.n, 0);
    snprintf(want, sizeof want, "%s/sub/trust.conf", folder);
    CHECK_SPAN(cg_span_str(common->trust), cg_span_str(want));
    CHECK_SPAN(cg_span_str(demo(config)->title), CG_LIT("no"));
    CHECK_INT(demo(config)->body_max_bytes, 200 << 20);
    CHECK_INT(demo(config)->ports.n, 1);
    CHECK_INT(demo(config)->routes.n, 2);
    const struct demo_route *a = CG_LIST_AT(demo(config)->routes, struct demo_route, 0);
    const struct demo_route *b = a + 1;
    CHECK_SPAN(cg_span_str(a->backend.path), CG_LIT("/x"));
    CHECK(a->secret.is_set && a->secret.value.bytes[1] == 0x23);
    CHECK_INT(a->timeout_ms, 5000);
    CHECK(!b->secret.is_set && b->weight == 1 && b->timeout_ms == 30000);
    cg_config_unref(config);
    end();
}

TEST(the_environment_wins_over_the_file_and_the_command_line_over_both)
{
    char *environment[] = {"PATH=/bin",
                           "HTTPCG_DEPS=/elsewhere",
                           "HTTPCG_LOG_LEVEL=debug",
                           "HTTPCG_DEMO_LIMITS_IDLE=2s",
                           "HTTPCG_DEMO_PORTS=[1, 2]",
                           "HTTPCG_LISTEN_NATIVE=[::1]:9443",
                           NULL};
    const char *sets[] = {"demo.limits.idle=3s", "log.level=error"};

    begin("demo:\n  title: x\n  limits: {idle: 1s, body: 2MiB}\nlog: {level: warn}\n");
    struct cg_config_source source = from_file();
    source.environment = environment;
    struct cg_config *config = load(&source);
    CHECK_OR_STOP(config != NULL);
    CHECK_INT(demo(config)->idle_ms, 2000);
    CHECK_INT(demo(config)->body_max_bytes, 2 << 20);
    CHECK_INT(demo(config)->ports.n, 2);
    CHECK_INT(cg_config_common(config)->log.level, 3);
    CHECK_INT(cg_config_common(config)->listen.native.n, 1);
    cg_config_unref(config);

    source.sets = sets;
    source.n_sets = 2;
    config = load(&source);
    CHECK_OR_STOP(config != NULL);
    CHECK_INT(demo(config)->idle_ms, 3000);
    CHECK_INT(cg_config_common(config)->log.level, 0);
    CHECK_INT(*CG_LIST_AT(demo(config)->ports, int64_t, 0), 1);
    cg_config_unref(config);
    end();
}

TEST(mistakes_outside_the_file_are_named_too)
{
    char *environment[] = {NULL, NULL};
    const char *sets[] = {NULL};

    begin("demo:\n  title: x\n");
    struct cg_config_source source = from_file();
    source.environment = environment;
    environment[0] = "HTTPCG_LOG_LEVEL=loud";
    check_refusal(&source, "HTTPCG_LOG_LEVEL: log.level: \"loud\" is not known here; it is one of "
                           "error, warn, info, debug");
    environment[0] = "HTTPCG_DEMO_TITEL=x";
    check_refusal(&source,
                  "the environment variable HTTPCG_DEMO_TITEL names no option; unset it or "
                  "correct it");
    environment[0] = NULL;
    source.sets = sets;
    source.n_sets = 1;
    sets[0] = "demo.titel=x";
    check_refusal(&source, "--set demo.titel: there is no such option; --help lists them");
    sets[0] = "demo.title";
    check_refusal(&source, "--set demo.title: lacks a value; write --set section.key=value");
    sets[0] = "demo.title=";
    check_refusal(&source, "--set demo.title: demo.title: \"\" is empty");
    sets[0] = "demo.ports=[1, x]";
    check_refusal(&source, "--set demo.ports:1:5: demo.ports: \"x\" is not a number; write decimal "
                           "digits, such as 16");
    sets[0] = "demo.ports=[1";
    check_refusal(&source, "--set demo.ports: demo.ports: \"[1\" is not a number; write decimal "
                           "digits, such as 16");
    sets[0] = "demo.routes=[{name: app/a, backend: 'https://a/', secret: " SECRET "}]";
    check_refusal(&source, "--set demo.routes:1:47: demo.routes.secret: a secret given here can be "
                           "seen by others; put it in a file");
    end();
}

TEST(without_a_file_there_are_the_defaults)
{
    const char *sets[] = {"demo.title=x", "trust=relative.conf"};
    struct cg_config_source source = {
        .tables = demo_tables, .n_tables = 2, .sets = sets, .n_sets = 2};
    struct cg_config *config = load(&source);

    CHECK_OR_STOP(config != NULL);
    CHECK_SPAN(cg_span_str(cg_config_common(config)->trust), CG_LIT("relative.conf"));
    CHECK_SPAN(cg_span_str(demo(config)->folder), CG_LIT("routes.d"));
    cg_config_unref(config);
}

TEST(a_file_that_cannot_be_read_is_named_with_a_remedy)
{
    struct cg_config_source source = from_file();

    snprintf(file, sizeof file, "/tmp/none/httpcgd.yaml");
    folder[0] = '\0';
    check_refusal(&source,
                  "cannot read /tmp/none/httpcgd.yaml: there is no such file; create it or "
                  "correct the path");
    snprintf(file, sizeof file, "/tmp");
    check_refusal(&source, "/tmp: is no regular file");
    snprintf(file, sizeof file, "/dev/zero");
    check_refusal(&source, "/dev/zero: is no regular file");
}

TEST(a_file_is_read_up_to_its_limit_and_not_beyond)
{
    static char text[CG_CONFIG_MAX_BYTES + 2];
    static const char head[] = "demo:\n  title: x\n#";

    memset(text, 'x', CG_CONFIG_MAX_BYTES + 1);
    memcpy(text, head, sizeof head - 1);
    text[CG_CONFIG_MAX_BYTES] = '\0';
    begin(text);
    struct cg_config_source source = from_file();
    cg_config_unref(load(&source));
    text[CG_CONFIG_MAX_BYTES] = 'x';
    write_file("httpcgd.yaml", text, 0600);
    check_refusal(&source, "httpcgd.yaml: is over 1024 KiB, too large for a configuration");
    end();
}

TEST(a_secret_in_a_file_for_everybody_is_refused)
{
    static const char text[] = "demo:\n  title: x\n  routes:\n    - {name: app/a, backend: "
                               "'https://a/', secret: " SECRET "}\n";

    begin(text);
    struct cg_config_source source = from_file();
    cg_config_unref(load(&source));
    chmod(file, 0640);
    check_refusal(&source, "httpcgd.yaml: holds a secret and can be read by others; chmod 600 it");
    end();
}

TEST(a_folder_of_rows_adds_to_those_of_the_file)
{
    char path[160];

    begin("demo:\n  title: x\n  routes:\n    - {name: app/a, backend: 'https://a/'}\n");
    snprintf(path, sizeof path, "%s/routes.d", folder);
    CHECK(mkdir(path, 0700) == 0);
    write_file("routes.d/2.yaml", "name: app/c\nbackend: https://c/\n", 0600);
    write_file("routes.d/1.yaml", "name: app/b\nbackend: https://b/\n", 0600);
    write_file("routes.d/.1.yaml.swp", "\x01\x02", 0600);
    write_file("routes.d/README", "not yaml: [", 0600);
    struct cg_config_source source = from_file();
    struct cg_config *config = load(&source);
    CHECK_OR_STOP(config != NULL);
    CHECK_INT(demo(config)->routes.n, 3);
    CHECK_SPAN(cg_span_str(CG_LIST_AT(demo(config)->routes, struct demo_route, 0)->name),
               CG_LIT("app/a"));
    CHECK_SPAN(cg_span_str(CG_LIST_AT(demo(config)->routes, struct demo_route, 2)->name),
               CG_LIT("app/c"));
    cg_config_unref(config);

    write_file("routes.d/3.yaml", "name: app/d\nbackend: https//c/\n", 0600);
    check_refusal(&source, "routes.d/3.yaml:2:10: demo.routes.backend: \"https//c/\" has no scheme "
                           "known here; write http://host:port/, https://host/ or unix:/path");
    write_file("routes.d/3.yaml", "# nothing\n", 0600);
    check_refusal(&source, "routes.d/3.yaml: is empty; it should hold one entry of demo.routes");
    write_file("routes.d/3.yaml", "- name: app/d\n", 0600);
    check_refusal(&source, "routes.d/3.yaml:1:1: a mapping is expected here, not a list");
    write_file("routes.d/3.yaml", "name: app/d\nbackend: http://127.0.0.1:1/\nsecret: " SECRET "\n",
               0644);
    check_refusal(&source,
                  "routes.d/3.yaml: holds a secret and can be read by others; chmod 600 it");
    end();
}

TEST(a_change_to_a_folder_of_rows_is_tried_before_it_is_made)
{
    char path[160], want[512];

    begin("demo:\n  title: x\n");
    snprintf(path, sizeof path, "%s/routes.d", folder);
    CHECK(mkdir(path, 0700) == 0);
    write_file("routes.d/a.yaml", "name: app/a\nbackend: https://a/\n", 0600);
    struct cg_config_source source = from_file();
    struct cg_config_change change = {.table = &demo_table, .key = "routes", .name = "b"};
    source.change = &change;

    change.bytes = CG_LIT("name: app/b\nbackend: https://b/\n");
    struct cg_config *config = load(&source);
    CHECK_OR_STOP(config != NULL);
    CHECK_INT(demo(config)->routes.n, 2);
    cg_config_unref(config);

    change.bytes = CG_LIT("name: app/a\nbackend: https://b/\n");
    snprintf(want, sizeof want,
             "routes.d/b.yaml:1:1: demo.routes: another entry has the same name "
             "(%s/routes.d/a.yaml:1)",
             folder);
    check_refusal(&source, want);

    change.name = "a"; /* in place of the file there is */
    config = load(&source);
    CHECK_OR_STOP(config != NULL);
    CHECK_INT(demo(config)->routes.n, 1);
    CHECK_SPAN(cg_span_str(CG_LIST_AT(demo(config)->routes, struct demo_route, 0)->backend.host),
               CG_LIT("b"));
    cg_config_unref(config);

    change.bytes = (struct cg_span){0};
    config = load(&source);
    CHECK_OR_STOP(config != NULL);
    CHECK_INT(demo(config)->routes.n, 0);
    cg_config_unref(config);
    end();
}

TEST(a_role_that_does_not_run_need_not_be_complete)
{
    const char *sets[] = {"roles=[registry]"};
    struct cg_config_source source = {
        .tables = demo_tables, .n_tables = 2, .sets = sets, .n_sets = 1};
    struct cg_config *config = load(&source);

    CHECK_OR_STOP(config != NULL);
    CHECK(demo(config)->title == NULL);
    cg_config_unref(config);
}

TEST(what_needs_a_restart_cannot_change_while_running)
{
    struct cg_problems problems = {0};

    begin("demo:\n  title: x\n");
    struct cg_config_source source = from_file();
    struct cg_config *now = load(&source), *next;

    write_file("httpcgd.yaml", "demo:\n  title: y\n  ports: [1]\n", 0600);
    next = load(&source);
    CHECK_OR_STOP(now != NULL && next != NULL);
    CHECK_OK(cg_config_may_follow(now, next, &problems));
    CHECK_INT(problems.n, 0);
    cg_config_unref(next);

    write_file("httpcgd.yaml",
               "demo:\n  title: y\n  strict: false\nlisten:\n  native: 127.0.0.1:1\n", 0600);
    next = load(&source);
    CHECK_OR_STOP(next != NULL);
    CHECK_ERR(cg_config_may_follow(now, next, &problems), CG_CONFIG);
    CHECK_INT(problems.n, 2);
    CHECK_INT(problems.at[0].line, 5);
    CHECK_SPAN(cg_span_str(problems.at[0].text),
               CG_LIT("listen.native cannot change while running; restart, or change it back"));
    CHECK_SPAN(cg_span_str(problems.at[1].text),
               CG_LIT("demo.strict cannot change while running; restart, or change it back"));
    cg_config_unref(next);
    cg_config_unref(now);
    end();
}

static void check_same(const struct cg_config *a, const struct cg_config *b)
{
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < demo_tables[i]->n_options; k++) {
            const struct cg_option *option = &demo_tables[i]->options[k];
            const char *x = cg_config_values(a, demo_tables[i]);
            const char *y = cg_config_values(b, demo_tables[i]);

            if (!CHECK(cg_option_same(option, x + option->offset, y + option->offset)))
                printf("# %s\n", option->key);
        }
}

TEST(what_is_in_force_can_be_printed_and_read_again)
{
    begin("demo:\n  title: 'a \"b\" \\'\n  strict: false\n  limits: {idle: 90s}\n"
          "  routes:\n    - {name: app/b, backend: 'https://b/', weight: 3}\n"
          "admin: {listen: off, socket: off}\n");
    struct cg_config_source source = from_file();
    struct cg_config *config = load(&source), *again;
    CG_AUTO(buf) struct cg_buf text;

    CHECK_OR_STOP(config != NULL);
    cg_buf_init(&text, 65536);
    CHECK_OK(cg_config_print(config, &text));
    CHECK_OK(cg_buf_add(&text, CG_LIT("\0")));
    write_file("httpcgd.yaml", (const char *)text.at, 0600);
    again = load(&source);
    if (again)
        check_same(config, again);
    else
        puts((const char *)text.at);
    cg_config_unref(again);
    cg_config_unref(config);
    end();
}

/* Takes the "#" off every line that holds a default. */
static void uncomment(char *text)
{
    char *to = text;

    for (char *line = text; *line;) {
        size_t len = strcspn(line, "\n") + 1, indent = strspn(line, " ");
        bool is_default =
            line[indent] == '#' && line[indent + 1] != ' ' && line[indent + 1] != '\n';

        memmove(to, line, indent);
        memmove(to + indent, line + indent + is_default, len - indent - is_default);
        to += len - is_default;
        line += len;
    }
    *to = '\0';
}

TEST(the_sample_says_the_defaults_with_and_without_its_comment_signs)
{
    const char *sets[] = {"demo.title=x"};
    CG_AUTO(buf) struct cg_buf text;

    cg_buf_init(&text, 65536);
    CHECK_OK(cg_option_sample(demo_tables, 2, &text));
    CHECK_OK(cg_buf_add(&text, CG_LIT("\0")));
    begin((const char *)text.at);
    struct cg_config_source source = from_file();
    source.sets = sets;
    source.n_sets = 1;
    struct cg_config *sample = load(&source), *bare, *whole;

    uncomment((char *)text.at);
    CHECK(strstr((const char *)text.at, "\n  level: info\n") != NULL);
    write_file("httpcgd.yaml", (const char *)text.at, 0600);
    whole = load(&source);
    write_file("httpcgd.yaml", "", 0600);
    bare = load(&source);
    CHECK_OR_STOP(sample && bare && whole);
    check_same(sample, bare);
    check_same(whole, bare);
    cg_config_unref(sample);
    cg_config_unref(bare);
    cg_config_unref(whole);
    end();
}

TEST(every_option_is_in_help_sample_and_manual)
{
    CG_AUTO(buf) struct cg_buf help, sample, manual;

    cg_buf_init(&help, 65536);
    cg_buf_init(&sample, 65536);
    cg_buf_init(&manual, 65536);
    CHECK_OK(cg_option_help(demo_tables, 2, &help));
    CHECK_OK(cg_option_sample(demo_tables, 2, &sample));
    CHECK_OK(cg_option_manual(demo_tables, 2, &manual));
    CHECK_OK(cg_buf_add(&help, CG_LIT("\0")));
    CHECK_OK(cg_buf_add(&sample, CG_LIT("\0")));
    CHECK_OK(cg_buf_add(&manual, CG_LIT("\0")));
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < demo_tables[i]->n_options; k++) {
            const char *key = demo_tables[i]->options[k].key, *dot = strrchr(key, '.');
            char whole[128], last[128];

            snprintf(whole, sizeof whole, "  %s%s%s", demo_tables[i]->section, i ? "." : "", key);
            CHECK(strstr((const char *)help.at, whole) != NULL);
            snprintf(last, sizeof last, "%s:", dot ? dot + 1 : key);
            CHECK(strstr((const char *)sample.at, last) != NULL);
            snprintf(whole, sizeof whole, ".B %s\n", key);
            CHECK(strstr((const char *)manual.at, whole) != NULL);
        }
    /* roff takes a line that starts with a dot or a quote for a request. */
    CHECK(strstr((const char *)manual.at, "\n'") == NULL);
    CHECK(strstr((const char *)manual.at, "\\-\\-set") != NULL);
}

TEST(a_row_is_written_as_its_own_file_reads_it)
{
    const struct cg_option_table *rows = cg_option_find(&demo_table, CG_LIT("routes"))->rows;
    struct cg_problems problems = {0};
    CG_AUTO(buf) struct cg_buf out;

    cg_buf_init(&out, 4096);
    CHECK_OK(cg_config_row_write(rows,
                                 CG_LIT("{\"name\": \"app/a\", \"backend\": \"http://x:1\", "
                                        "\"timeout\": \"5s\",\n"
                                        " \"secret\": \"" SECRET "\"}"),
                                 "request", &problems, &out));
    CHECK_SPAN(cg_buf_span(&out), CG_LIT("name: \"app/a\"\nbackend: \"http://x:1\"\nsecret: " SECRET
                                         "\ntimeout: 5s\n"));
    cg_buf_clear(&out);
    CHECK_ERR(cg_config_row_write(rows, CG_LIT("{\"name\": \"app/a\", \"bakend\": \"https://x\"}"),
                                  "request", &problems, &out),
              CG_CONFIG);
    CHECK_INT(out.len, 0);
    CHECK_INT(problems.n, 2);
    CHECK_SPAN(cg_span_str(problems.at[0].text),
               CG_LIT("unknown key \"bakend\"; did you mean \"backend\"?"));
    CHECK_INT(problems.at[0].column, 19);
    CHECK_ERR(cg_config_row_write(rows, CG_LIT("[]"), "request", &problems, &out), CG_CONFIG);
    CHECK_ERR(cg_config_row_write(rows, CG_LIT(""), "request", &problems, &out), CG_CONFIG);
    CHECK_INT(problems.n, 4);
}

TEST(a_row_that_says_nothing_is_no_file)
{
    static const struct cg_option options[] = {
        {.key = "a", .help = "h", .type = CG_OPTION_STRING, .offset = 0}};
    static const struct cg_option_table rows = {
        .options = options, .n_options = 1, .size = sizeof(const char *)};
    struct cg_problems problems = {0};
    CG_AUTO(buf) struct cg_buf out;

    cg_buf_init(&out, 64);
    CHECK_ERR(cg_config_row_write(&rows, CG_LIT("{}"), "body", &problems, &out), CG_CONFIG);
    CHECK_SPAN(cg_span_str(problems.at[0].text), CG_LIT("nothing is set here"));
    CHECK_OK(cg_config_row_write(&rows, CG_LIT("{a: b}"), "body", &problems, &out));
    CHECK_SPAN(cg_buf_span(&out), CG_LIT("a: \"b\"\n"));
}

/* Eight readers hold snapshots while a writer swaps: under a sanitizer a reference counted wrongly
 * is a use after free or a leak. */
static struct cg_config_live *live;
static atomic_bool is_over;

static void *read_snapshots(void *bad)
{
    uint64_t seen = 0;

    while (!atomic_load(&is_over)) {
        struct cg_config *config = cg_config_live_ref(live);
        uint64_t generation = cg_config_live_generation(live);

        if (generation < seen || strlen(demo(config)->title) != 4)
            atomic_fetch_add((atomic_int *)bad, 1);
        seen = generation;
        cg_config_unref(config);
    }
    return NULL;
}

TEST(a_snapshot_lives_as_long_as_anybody_holds_it)
{
    const char *sets[] = {"demo.title=name"};
    struct cg_config_source source = {
        .tables = demo_tables, .n_tables = 2, .sets = sets, .n_sets = 1};
    struct cg_config *config = load(&source);
    pthread_t readers[8];
    atomic_int bad = 0;

    CHECK_OR_STOP(config != NULL);
    CHECK_OK(cg_config_live_new(config, &live));
    cg_config_unref(config);
    atomic_store(&is_over, false);
    for (size_t i = 0; i < CG_COUNT(readers); i++)
        CHECK(pthread_create(&readers[i], NULL, read_snapshots, &bad) == 0);
    for (size_t i = 0; i < 200; i++)
        cg_config_live_swap(live, load(&source));
    atomic_store(&is_over, true);
    for (size_t i = 0; i < CG_COUNT(readers); i++)
        pthread_join(readers[i], NULL);
    CHECK_INT(atomic_load(&bad), 0);
    CHECK_INT(cg_config_live_generation(live), 201);
    cg_config_live_free(live);
    cg_config_live_free(NULL);
    cg_config_unref(NULL);
}

SUITE(config, T(what_is_not_said_has_its_default),
      T(what_is_said_counts_and_relative_paths_start_at_the_file),
      T(the_environment_wins_over_the_file_and_the_command_line_over_both),
      T(mistakes_outside_the_file_are_named_too), T(without_a_file_there_are_the_defaults),
      T(a_file_that_cannot_be_read_is_named_with_a_remedy),
      T(a_file_is_read_up_to_its_limit_and_not_beyond),
      T(a_secret_in_a_file_for_everybody_is_refused), T(a_folder_of_rows_adds_to_those_of_the_file),
      T(a_change_to_a_folder_of_rows_is_tried_before_it_is_made),
      T(a_role_that_does_not_run_need_not_be_complete),
      T(what_needs_a_restart_cannot_change_while_running),
      T(what_is_in_force_can_be_printed_and_read_again),
      T(the_sample_says_the_defaults_with_and_without_its_comment_signs),
      T(every_option_is_in_help_sample_and_manual), T(a_row_is_written_as_its_own_file_reads_it),
      T(a_row_that_says_nothing_is_no_file), T(a_snapshot_lives_as_long_as_anybody_holds_it))
