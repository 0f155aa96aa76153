/* httpcgd: one program, the roles that its configuration names. */
#include "httpcgd/wire.h"
#include "runtime/key_heap.h"

#include <httpcg/crypto.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define SETS_MAX 64
#define TEXT_MAX_BYTES (256 * 1024)
#define KEY_HEAP_BYTES (2 * 1024 * 1024)

enum action {
    RUN,
    CHECK,
    PRINT,
    SAMPLE,
    MANUAL,
};

struct command {
    enum action action;
    const char *file;
    const char *sets[SETS_MAX];
    size_t n_sets;
};

static void usage(FILE *to)
{
    fputs(
        "usage: httpcgd --config FILE [--set section.key=value]...\n"
        "       httpcgd --config FILE --check-config | --print-config\n"
        "       httpcgd --sample-config | --options | --manual | --version | --help\n"
        "\n"
        "Verifies httpcg:// requests and forwards them to any HTTP service. The same program is\n"
        "registry and ledger: its configuration says which roles run here.\n"
        "\n"
        "  -c, --config FILE     the configuration (YAML)\n"
        "      --set KEY=VALUE   overrides one option, such as --set log.level=debug\n"
        "      --check-config    checks the configuration, says what is wrong and where, and ends\n"
        "      --print-config    prints what is in force, defaults and overrides included\n"
        "      --sample-config   prints a commented configuration with every option\n"
        "      --options         lists every option with its default\n"
        "      --manual          prints the manual page httpcgd.yaml(5)\n"
        "      --version         prints the version and what is inside\n"
        "\n"
        "Signals: TERM drains and ends (a second one at once), HUP reloads the configuration and\n"
        "reopens the logs, USR1 reopens the logs.\n"
        "Exit codes: 0 ended as asked, 1 could not start or a bad configuration, 2 usage,\n"
        "3 stopped before everything open had ended.\n"
        "\n"
        "Try it on one machine: ./dev run in the source tree.\n",
        to);
}

static int print_text(cg_err (*make)(const struct cg_option_table *const *, size_t,
                                     struct cg_buf *))
{
    struct cg_buf text;

    cg_buf_init(&text, TEXT_MAX_BYTES);
    cg_err err = make(cd_tables, cd_n_tables, &text);
    if (err == CG_OK)
        fwrite(text.at, 1, text.len, stdout);
    cg_buf_done(&text);
    return err == CG_OK ? CG_EXIT_OK : CG_EXIT_FAILED;
}

static int show_problems(const struct cg_problems *problems, cg_err err)
{
    struct cg_buf text;

    cg_buf_init(&text, TEXT_MAX_BYTES);
    if (problems->n > 0 && cg_problems_text(problems, &text) == CG_OK)
        fwrite(text.at, 1, text.len, stderr);
    else
        fprintf(stderr, "httpcgd: %s\n", cg_err_text(err));
    cg_buf_done(&text);
    return CG_EXIT_FAILED;
}

static int print_config(const struct cg_config *config)
{
    struct cg_buf text;

    cg_buf_init(&text, TEXT_MAX_BYTES);
    cg_err err = cg_config_print(config, &text);
    if (err == CG_OK)
        fwrite(text.at, 1, text.len, stdout);
    cg_buf_done(&text);
    return err == CG_OK ? CG_EXIT_OK : CG_EXIT_FAILED;
}

static int run(const struct cg_config_source *source, struct cg_config *config)
{
    const struct cg_options *options = cg_config_common(config);
    const struct cg_log_options log_options = {
        .level = (enum cg_log_level)options->log.level,
        .format = (enum cg_log_format)options->log.format,
        .file = options->log.file,
        .access = options->log.access,
    };
    struct cg_problems problems = {0};
    struct cg_log *log = NULL;
    struct cd_process *process = NULL;
    struct cg_daemon *daemon = NULL;
    int code = CG_EXIT_FAILED;
    int64_t files;

    cg_err err = cg_log_new(&log_options, &problems, &log);
    if (err != CG_OK)
        return show_problems(&problems, err);
    err = cd_process_new(log, &process);
    if (err == CG_OK) {
        const struct cg_part part = cd_process_part(process);
        struct cg_daemon_setup setup = {
            .source = source, .config = config, .log = log, .parts = &part, .n_parts = 1};

        cg_daemon_from_environment(&setup);
        err = cg_daemon_new(&setup, &daemon);
        if (err == CG_OK)
            err = cg_log_start(log);
        if (err == CG_OK && !cg_key_heap_is_locked())
            cg_log(log, WARN, keys_not_locked, CG_UINT("bytes", KEY_HEAP_BYTES));
        if (err == CG_OK)
            err = cg_daemon_raise_files(options->files, &files);
        if (err == CG_OK) {
            cd_process_set_daemon(process, daemon);
            code = cg_daemon_run(daemon, &problems);
        }
    }
    cg_log_stop(log);
    if (err != CG_OK || (code == CG_EXIT_FAILED && problems.n > 0))
        code = show_problems(&problems, err);
    cg_daemon_free(daemon);
    cd_process_free(process);
    cg_log_free(log);
    return code;
}

static int version(void)
{
    printf("httpcgd %s\n%s\nroles: gateway registry ledger\n", cg_version(), cg_crypto_library());
    return CG_EXIT_OK;
}

/* Reads the command line; a code to end with, or -1 to go on. */
static int read_command(int argc, char **argv, struct command *out)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},  {"set", required_argument, NULL, 's'},
        {"check-config", no_argument, NULL, 'k'},  {"print-config", no_argument, NULL, 'p'},
        {"sample-config", no_argument, NULL, 'S'}, {"options", no_argument, NULL, 'o'},
        {"manual", no_argument, NULL, 'M'},        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            out->file = optarg;
            break;
        case 's':
            if (out->n_sets == SETS_MAX) {
                fputs("httpcgd: too many --set\n", stderr);
                return CG_EXIT_USAGE;
            }
            out->sets[out->n_sets++] = optarg;
            break;
        case 'k':
            out->action = CHECK;
            break;
        case 'p':
            out->action = PRINT;
            break;
        case 'S':
            return print_text(cg_option_sample);
        case 'o':
            return print_text(cg_option_help);
        case 'M':
            return print_text(cg_option_manual);
        case 'V':
            return version();
        case 'h':
            usage(stdout);
            return CG_EXIT_OK;
        default:
            fputs("Try httpcgd --help.\n", stderr);
            return CG_EXIT_USAGE;
        }
    }
    if (optind < argc || !out->file) {
        fputs(out->file ? "httpcgd: takes no further words\n"
                        : "httpcgd: --config FILE is missing; --sample-config prints one\n",
              stderr);
        return CG_EXIT_USAGE;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct cg_problems problems = {0};
    struct cg_config *config;
    struct command command = {.action = RUN};
    int code;

    if (cg_key_heap_open(KEY_HEAP_BYTES) != CG_OK) {
        /* Then keys are not locked, which the log says once there is one. */
    }
    cg_err err = cg_daemon_harden(&problems);
    if (err != CG_OK)
        return show_problems(&problems, err);
    code = read_command(argc, argv, &command);
    if (code >= 0)
        return code;
    const struct cg_config_source source = {
        .file = command.file,
        .tables = cd_tables,
        .n_tables = cd_n_tables,
        .environment = environ,
        .sets = command.sets,
        .n_sets = command.n_sets,
    };
    err = cg_config_load(&source, &problems, &config);
    if (err != CG_OK)
        return show_problems(&problems, err);
    switch (command.action) {
    case CHECK:
        printf("%s: good\n", command.file);
        code = CG_EXIT_OK;
        break;
    case PRINT:
        code = print_config(config);
        break;
    default:
        code = run(&source, config);
        break;
    }
    cg_config_unref(config);
    return code;
}
