/* httpcg: the client. A word that is a URL is fetched; everything else is a command of the table in
 * commands.c. */
#include "client/interrupt.h"
#include "client/key.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "runtime/file.h"
#include "runtime/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define CONF_MAX_BYTES (256 * 1024)
#define WHY_BYTES 512

static const char *const methods[] = {"get",   "post", "put",     "delete",
                                      "patch", "head", "options", NULL};

static int usage_error(struct cl_show *show, const char *why)
{
    return cl_fail(show, CL_EXIT_USAGE, CG_OK, "httpcg --help tells more", "%s", why);
}

/* --- options out of files --------------------------------------------------------------------- */

/* Lines of a file; text outlives args. */
static int read_lines(struct cl_show *show, struct cl_args *args, const char *name,
                      struct cg_buf *text)
{
    char why[WHY_BYTES], whole[WHY_BYTES + 128];
    char *line = (char *)text->at;
    unsigned number = 1;

    while (line && *line) {
        char *end = strchr(line, '\n');

        if (end)
            *end = '\0';
        if (cl_args_line(args, line, why, sizeof why) != CG_OK) {
            snprintf(whole, sizeof whole, "%.100s:%u: %s", name, number, why);
            return usage_error(show, whole);
        }
        line = end ? end + 1 : NULL;
        number++;
    }
    return 0;
}

static int read_conf(struct cl_run *run, struct cl_args *args, const char *path, bool must_exist,
                     struct cg_buf *text)
{
    cg_err err = CG_OK;

    if (strcmp(path, "-") == 0) {
        int code = cl_read(run, path, CONF_MAX_BYTES, text);

        if (code != 0)
            return code;
    } else {
        err = cg_file_read(path, CONF_MAX_BYTES, text);
    }
    if (err == CG_NOT_FOUND && !must_exist)
        return 0;
    if (err != CG_OK)
        return cl_fail(run->show, CL_EXIT_READ, err, NULL, "cannot read %s", path);
    /* A NUL ends the text; one inside it is no option file's. */
    text->max = CONF_MAX_BYTES + 1;
    if (text->len > 0 && memchr(text->at, '\0', text->len))
        return cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "%s is no text", path);
    if (cg_buf_add(text, CG_BYTES(((const uint8_t[]){0}))) != CG_OK)
        return cl_fail(run->show, CL_EXIT_MEMORY, CG_OK, NULL, "out of memory");
    return read_lines(run->show, args, path, text);
}

/* --- the command ------------------------------------------------------------------------------ */

static bool is_method(const char *word)
{
    for (size_t i = 0; methods[i]; i++)
        if (strcmp(methods[i], word) == 0)
            return true;
    return false;
}

static int unknown_word(struct cl_show *show, const char *word)
{
    const char *names[64];
    char first[32];
    size_t n = 0;

    for (size_t i = 0; methods[i]; i++)
        names[n++] = methods[i];
    for (size_t i = 0; i < cl_n_commands && n < 64; i++)
        names[n++] = cl_commands[i].words;
    const char *near = cg_nearest(cg_span_str(word), names, n);
    /* "wallet" is no command, but what "walet" was meant to begin. */
    for (size_t i = 0; !near && i < cl_n_commands; i++) {
        snprintf(first, sizeof first, "%.*s", (int)strcspn(cl_commands[i].words, " "),
                 cl_commands[i].words);
        names[0] = first;
        near = cg_nearest(cg_span_str(word), names, 1);
    }
    if (!near && strchr(word, '/'))
        return cl_fail(show, CL_EXIT_URL, CG_OK,
                       "a URL is written whole: httpcg://app/shop.example/path",
                       "%s is neither a URL nor a command", word);
    return cl_fail(show, CL_EXIT_USAGE, CG_OK, "httpcg --help lists the commands",
                   "there is no command %s%s%s%s", word, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
}

/* Whether commands begin with this word, "wallet" and its like; lists them. */
static bool is_group(const char *word, char *list, size_t room)
{
    size_t len = strlen(word), at = 0;

    list[0] = '\0';
    for (size_t i = 0; i < cl_n_commands; i++)
        if (strncmp(cl_commands[i].words, word, len) == 0 && cl_commands[i].words[len] == ' ')
            at += (size_t)snprintf(list + at, at < room ? room - at : 0, "%s%s", at ? ", " : "",
                                   cl_commands[i].words + len + 1);
    return at > 0;
}

/* Which command; *own tells how many words are its name. */
static int find_command(struct cl_show *show, const struct cl_args *args,
                        const struct cl_command **out, size_t *own)
{
    *own = 0;
    if (args->n_words == 0) {
        *out = NULL;
        return 0;
    }
    if (strstr(args->words[0], "://") || is_method(args->words[0])) {
        *out = CL_FETCH;
        return 0;
    }
    *out = cl_command_find(args->words, args->n_words, own);
    if (*out)
        return 0;
    char list[256];
    if (is_group(args->words[0], list, sizeof list)) {
        if (cl_is_on(args, CL_HELP))
            return 0;
        return cl_fail(show, CL_EXIT_USAGE, CG_OK, "httpcg --help lists all commands",
                       "httpcg %s is followed by %s", args->words[0], list);
    }
    return unknown_word(show, args->words[0]);
}

static int check_options(struct cl_show *show, const struct cl_command *command,
                         const struct cl_args *args, size_t from)
{
    char why[WHY_BYTES];

    for (size_t i = from; i < args->n_sets; i++) {
        enum cl_id id = args->sets[i].id;

        if (cl_command_bears(command, id))
            continue;
        snprintf(why, sizeof why, "--%s is not for httpcg %s; httpcg %s --help lists what is",
                 cl_options[id].name, command->words, command->words);
        return usage_error(show, why);
    }
    return 0;
}

static int run_command(struct cl_run *run)
{
    const struct cl_command *command = run->command;
    char why[WHY_BYTES];

    if (run->n_words < command->min_words || run->n_words > command->max_words) {
        snprintf(why, sizeof why, "httpcg %s takes %s", command->words,
                 command->max_words == 0 ? "no further words" : command->takes);
        return usage_error(run->show, why);
    }
    return command->run(run);
}

/* --- the program ------------------------------------------------------------------------------ */

/* A descriptor 0, 1 or 2 that is closed would become the next file or socket, and an answer would
 * be written into that. Reading from and writing to these fails, as from and to a closed one. */
static void hold_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(CL_EXIT_WRITE);
}

#define KEY_HEAP_BYTES (512 * 1024)

/* Keys must not come out by a core dump, the swap, or another process; a reader who went away is no
 * reason to die. Where a system does not allow it, httpcg works all the same: doctor tells. */
static void harden(void)
{
    hold_standard_files();
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (cg_memory_private() != CG_OK || cg_key_heap_open(KEY_HEAP_BYTES) != CG_OK) {
        /* Then they are where the system puts them. */
    }
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static int open_stderr(struct cl_show *show, const struct cl_args *args)
{
    const char *path = cl_text(args, CL_STDERR);

    if (!path)
        return 0;
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (!file)
        return cl_fail(show, CL_EXIT_WRITE, CG_OK, NULL, "cannot write %s: %s", path,
                       strerror(errno));
    show->err = file;
    return 0;
}

/* What is answered before any command runs; -1: go on. */
static int answer_early(const struct cl_args *args, const struct cl_command *command)
{
    if (cl_is_on(args, CL_VERSION))
        cl_version_print(stdout);
    else if (cl_is_on(args, CL_MANUAL))
        cl_manual(stdout);
    else if (cl_is_on(args, CL_COMPLETION))
        cl_completion(stdout);
    else if (cl_is_on(args, CL_HELP))
        cl_help(stdout, command);
    else
        return -1;
    return fflush(stdout) == 0 ? CL_EXIT_OK : CL_EXIT_WRITE;
}

/* -s takes all notes away, -S gives failures back. */
static void set_silence(struct cl_show *show, const struct cl_args *args)
{
    show->is_quiet = cl_is_on(args, CL_SILENT);
    show->is_silent = show->is_quiet && !cl_is_on(args, CL_SHOW_ERROR);
}

static int read_options(struct cl_run *run, struct cl_args *args, struct cl_args *line, int argc,
                        const char *const *argv, struct cg_buf text[2])
{
    char why[WHY_BYTES], path[CL_PATH_MAX_BYTES], folder[1024];
    int code = 0;

    if (cl_args_read(line, argc, argv, why, sizeof why) != CG_OK)
        return usage_error(run->show, why);
    set_silence(run->show, line);
    /* Files first, so that the line wins. */
    bool is_disabled = line->n_sets > 0 && line->sets[0].id == CL_DISABLE;
    if (!is_disabled && cl_app_home(cl_text(line, CL_HOME), folder, sizeof folder) == CG_OK) {
        snprintf(path, sizeof path, "%s/httpcg.conf", folder);
        code = read_conf(run, args, path, false, &text[0]);
    }
    if (code == 0 && cl_text(line, CL_CONFIG))
        code = read_conf(run, args, cl_text(line, CL_CONFIG), true, &text[1]);
    return code;
}

static int append(struct cl_run *run, struct cl_args *args, const struct cl_args *line)
{
    if (args->n_sets + line->n_sets > CL_SETS_MAX)
        return usage_error(run->show, "too many options");
    memcpy(args->sets + args->n_sets, line->sets, line->n_sets * sizeof line->sets[0]);
    args->n_sets += line->n_sets;
    memcpy(args->words, line->words, sizeof line->words);
    args->n_words = line->n_words;
    return 0;
}

static int run_line(struct cl_run *run, struct cl_args *args, struct cl_args *line)
{
    struct cl_show *show = run->show;
    size_t from_files = args->n_sets, own;
    int code = append(run, args, line);

    if (code == 0)
        code = open_stderr(show, args);
    if (code != 0)
        return code;
    show->is_verbose = cl_is_on(args, CL_VERBOSE);
    set_silence(show, args);
    if (cl_is_on(args, CL_JSON) && cl_show_json(show) != CG_OK)
        return CL_EXIT_MEMORY;
    code = find_command(show, args, &run->command, &own);
    if (code != 0)
        return code;
    code = answer_early(args, run->command);
    if (code >= 0)
        return code;
    if (!run->command)
        return usage_error(show, "there is nothing to fetch or to do");
    /* What a file says for fetching does not keep other commands from running. */
    code = check_options(show, run->command, args, from_files);
    if (code != 0)
        return code;
    run->args = args;
    run->words = args->words + own;
    run->n_words = args->n_words - own;
    return run_command(run);
}

static bool body_has_stdout(const struct cl_run *run)
{
    const char *output = run->args ? cl_text(run->args, CL_OUTPUT) : NULL;

    return run->command && run->command->run == cl_run_fetch && run->args &&
           !cl_is_on(run->args, CL_REMOTE_NAME) && (!output || strcmp(output, "-") == 0);
}

int main(int argc, char **argv)
{
    static struct cl_show show;
    static struct cl_args args, line;
    static struct cl_run run;
    struct cg_buf text[2] = {{0}, {0}};

    harden();
    cl_show_init(&show);
    run.show = &show;
    run.args = &args;
    int code = read_options(&run, &args, &line, argc - 1, (const char *const *)argv + 1, text);
    if (code == 0)
        code = run_line(&run, &args, &line);
    cl_show_end(&show, code, body_has_stdout(&run) ? show.err : show.out);
    if ((fflush(show.out) != 0 || ferror(show.out)) && code == 0)
        code = errno == EPIPE ? CL_EXIT_OK : CL_EXIT_WRITE;
    cl_app_done(&run.app);
    cg_buf_wipe(&run.pass.text);
    cg_buf_wipe(&run.new_pass.text);
    cg_buf_done(&text[0]);
    cg_buf_done(&text[1]);
    cl_show_done(&show);
    cl_interrupt_end();
    return code;
}
