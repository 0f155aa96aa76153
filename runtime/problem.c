#include "runtime/problem.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* What a file or a peer put into a sentence must not move a terminal's cursor; bytes over 0x7f are
 * left alone, so that names in other scripts stay readable. */
static void defuse(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void cg_problem_add(struct cg_problems *problems, const char *where, unsigned line, unsigned column,
                    const char *format, ...)
{
    if (problems->n == CG_PROBLEMS_MAX) {
        problems->n_more++;
        return;
    }

    struct cg_problem *problem = &problems->at[problems->n++];
    va_list args;

    *problem = (struct cg_problem){.line = line, .column = column};
    snprintf(problem->where, sizeof problem->where, "%s", where ? where : "");
    va_start(args, format);
    vsnprintf(problem->text, sizeof problem->text, format, args);
    va_end(args);
    defuse(problem->where);
    defuse(problem->text);
}

cg_err cg_problem_line(const struct cg_problem *problem, struct cg_buf *out)
{
    char place[32] = "";

    if (problem->line > 0 && problem->column > 0)
        snprintf(place, sizeof place, ":%u:%u", problem->line, problem->column);
    else if (problem->line > 0)
        snprintf(place, sizeof place, ":%u", problem->line);
    CG_TRY(cg_buf_add(out, cg_span_str(problem->where)));
    CG_TRY(cg_buf_add(out, cg_span_str(place)));
    if (problem->where[0])
        CG_TRY(cg_buf_add(out, CG_LIT(": ")));
    return cg_buf_add(out, cg_span_str(problem->text));
}

cg_err cg_problems_text(const struct cg_problems *problems, struct cg_buf *out)
{
    for (size_t i = 0; i < problems->n; i++) {
        CG_TRY(cg_problem_line(&problems->at[i], out));
        CG_TRY(cg_buf_add(out, CG_LIT("\n")));
    }
    if (problems->n_more > 0) {
        char more[64];

        snprintf(more, sizeof more, "and %zu more\n", problems->n_more);
        CG_TRY(cg_buf_add(out, cg_span_str(more)));
    }
    return CG_OK;
}

static const char *verb(enum cg_attempt attempt)
{
    switch (attempt) {
    case CG_ATTEMPT_LISTEN:
        return "cannot listen on";
    case CG_ATTEMPT_READ:
        return "cannot read";
    case CG_ATTEMPT_WRITE:
        return "cannot write";
    case CG_ATTEMPT_FOLDER:
        return "cannot use the folder";
    case CG_ATTEMPT_CONNECT:
        return "cannot connect to";
    case CG_ATTEMPT_THREAD:
        return "cannot start a thread for";
    }
    return "cannot use";
}

/* What the operator can do about an errno; the first row that fits counts. */
static const struct {
    int attempt; /* -1: any */
    int error;
    const char *why;
    const char *remedy;
} remedies[] = {
    {CG_ATTEMPT_LISTEN, EADDRINUSE, "another program already uses this address",
     "stop it (ss -ltnp shows which it is) or choose another port"},
    {CG_ATTEMPT_LISTEN, EADDRNOTAVAIL, "this machine has no such address",
     "choose one of its own (ip address shows them)"},
    {CG_ATTEMPT_LISTEN, EACCES, "ports under 1024 need a privilege",
     "start with CAP_NET_BIND_SERVICE or choose a higher port"},
    {CG_ATTEMPT_CONNECT, ECONNREFUSED, "nobody listens there", "start that service first"},
    {CG_ATTEMPT_WRITE, EACCES, "this user may not write there",
     "give it the right to, or choose another place"},
    {CG_ATTEMPT_FOLDER, EACCES, "this user may not write there",
     "give it the right to, or choose another place"},
    {-1, EACCES, "this user may not", "give the user this process runs as the right to"},
    {-1, EPERM, "this user may not", "give the user this process runs as the right to"},
    {CG_ATTEMPT_READ, ENOENT, "there is no such file", "create it or correct the path"},
    {-1, ENOENT, "there is no such folder", "create it or correct the path"},
    {-1, ENOTDIR, "a part of the path is not a folder", "correct the path"},
    {-1, EISDIR, "it is a folder", "name a file"},
    {-1, ENOSPC, "the disk is full", "free some space and start again"},
    {-1, EDQUOT, "the user's disk quota is used up", "free some space and start again"},
    {-1, EROFS, "the file system is read-only", "choose a place that can be written"},
    {-1, EIO, "the disk reports an error", "check the disk (dmesg) before anything else"},
    {-1, EMFILE, "this process has too many files open", "raise its limit (LimitNOFILE)"},
    {-1, ENFILE, "the machine has too many files open", "raise fs.file-max"},
    {-1, ENOMEM, "there is not enough memory", "free some or raise the limit"},
    {CG_ATTEMPT_THREAD, EAGAIN, "there are too many threads", "raise the limit (TasksMax)"},
    {-1, ENAMETOOLONG, "the path is too long", "choose a shorter one"},
    {-1, ELOOP, "the path leads through too many links", "correct the links"},
};

void cg_problem_attempt(struct cg_problems *problems, enum cg_attempt attempt, const char *subject,
                        const char *setting, int error)
{
    const char *name = strerrorname_np(error);

    for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
        if (remedies[i].error != error ||
            (remedies[i].attempt >= 0 && remedies[i].attempt != (int)attempt))
            continue;
        cg_problem_add(problems, "", 0, 0, "%s %s: %s; %s%s%s%s", verb(attempt), subject,
                       remedies[i].why, remedies[i].remedy, setting ? " (setting " : "",
                       setting ? setting : "", setting ? ")" : "");
        return;
    }
    cg_problem_add(problems, "", 0, 0,
                   "%s %s: the system says %s; look that up and try again%s%s%s", verb(attempt),
                   subject, name ? name : "an unknown error", setting ? " (setting " : "",
                   setting ? setting : "", setting ? ")" : "");
}
