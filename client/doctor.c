/* doctor.c: httpcg doctor: what may be wrong with this installation, and what to do about each. */
#include "client/doctor.h"

#include "client/agent.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "runtime/clock.h"
#include "runtime/file.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

void cl_find(struct cl_doctor *d, enum cl_finding finding, const char *what, const char *remedy,
             const char *format, ...)
{
    static const char *const words[] = {[CL_GOOD] = "ok", [CL_REMARK] = "note", [CL_BAD] = "BAD"};
    char detail[768];
    json_t *one = json_object();
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    d->n_bad += finding == CL_BAD;
    cl_say(d->run->show, "%-4s  %-10s %s", words[finding], what, detail);
    if (remedy)
        cl_say(d->run->show, "                 %s", remedy);
    json_object_set_new(one, "what", json_string(what));
    json_object_set_new(one, "finding", json_string(words[finding]));
    json_object_set_new(one, "detail", json_string(detail));
    if (remedy)
        json_object_set_new(one, "remedy", json_string(remedy));
    json_array_append_new(d->list, one);
}

void cl_find_failure(struct cl_doctor *d, const char *what)
{
    const struct cl_show *show = d->run->show;

    cl_find(d, CL_BAD, what, show->remedy[0] ? show->remedy : NULL, "%s", show->failure);
}

/* --- this machine ----------------------------------------------------------------------------- */

static void look_at_clock(struct cl_doctor *d)
{
    struct timex state = {0};

    /* Firmware without a battery says 1970, and a certificate is then from the future. */
    if (cg_clock_wall().s < INT64_C(1735689600)) {
        cl_find(d, CL_BAD, "clock", "set it, or start a time service (systemd-timesyncd, chrony)",
                "it says that this is before 2025");
        return;
    }
    if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
        cl_find(d, CL_REMARK, "clock",
                "a time service (systemd-timesyncd, chrony) keeps it right; minutes count here",
                "nothing keeps it in step, as far as the kernel knows");
    else
        cl_find(d, CL_GOOD, "clock", NULL, "kept in step");
}

static void look_at_memory(struct cl_doctor *d)
{
    struct cg_locked *page;
    const struct cg_secret nothing = {{0}};

    if (cg_locked_new(&nothing, &page) != CG_OK) {
        cl_find(d, CL_BAD, "memory", "raise the limit: ulimit -l, or LimitMEMLOCK= in a unit",
                "no page can be locked, so keys cannot be kept from the swap");
        return;
    }
    cg_locked_free(page);
    if (!cg_key_heap_is_locked()) {
        cl_find(d, CL_BAD, "memory", "raise the limit: ulimit -l, or LimitMEMLOCK= in a unit",
                "the pages of OpenSSL's keys cannot be locked: they may reach the swap");
        return;
    }
    cl_find(d, CL_GOOD, "memory", NULL, "keys can be kept from the swap");
}

static bool look_at_home(struct cl_doctor *d)
{
    const char *folder = d->run->app.folder;
    struct stat info;

    if (stat(folder, &info) != 0) {
        cl_find(d, CL_BAD, "home", "httpcg wallet new makes it; --home or HTTPCG_HOME name another",
                "%s: %s", folder, strerror(errno));
        return false;
    }
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() ||
        (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        cl_find(d, CL_BAD, "home",
                "it must be a folder of yours that nobody else may write to: chmod go-w",
                "%s is not private", folder);
        return false;
    }
    cl_find(d, CL_GOOD, "home", NULL, "%s", folder);
    return true;
}

static bool does_listen(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    bool is_there = fd >= 0 && n > 0 && n < (int)sizeof at.sun_path &&
                    connect(fd, (struct sockaddr *)&at, sizeof at) == 0;

    if (fd >= 0)
        close(fd);
    return is_there;
}

static void look_at_agent(struct cl_doctor *d)
{
    char path[CL_PATH_MAX_BYTES];
    struct stat info;

    if (!cl_agent_path(d->run, path))
        cl_find(d, CL_GOOD, "agent", NULL, "none is to be used; each call connects for itself");
    else if (stat(path, &info) != 0)
        cl_find(d, CL_GOOD, "agent", NULL, "none runs; each call connects for itself");
    else if (!S_ISSOCK(info.st_mode))
        cl_find(d, CL_BAD, "agent", "name another with --agent or HTTPCG_AGENT", "%s is no socket",
                path);
    else if (!cl_agent_is_there(path))
        cl_find(d, CL_BAD, "agent", "stop the agent, remove the socket, and start it again",
                "others may use the socket %s", path);
    else if (!does_listen(path))
        cl_find(d, CL_REMARK, "agent",
                "httpcg agent takes it over; until then each call connects for itself",
                "nobody listens at %s any more", path);
    else
        cl_find(d, CL_GOOD, "agent", NULL, "%s", path);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void look_at_key(struct cl_doctor *d, const char *path, const struct cg_waddr *waddr)
{
    struct cg_buf bytes = {0};
    struct cg_keyfile file;
    cg_err err = cg_file_read_secret(path, CG_KEYFILE_MAX_BYTES, &bytes);

    if (err == CG_CONFIG)
        cl_find(d, CL_BAD, "wallet", "chmod 600 the file", "others may read or write %s", path);
    else if (err == CG_NOT_FOUND)
        cl_find(d, CL_BAD, "wallet", "httpcg wallet restore makes it again from a backup",
                "there is no %s", path);
    else if (err != CG_OK || (err = cg_keyfile_read(cg_buf_span(&bytes), &file)) != CG_OK)
        cl_find(d, CL_BAD, "wallet", "httpcg wallet restore makes it again from a backup", "%s: %s",
                path, cg_err_text(err));
    else if (!cg_span_is(file.hint, waddr->text))
        cl_find(d, CL_BAD, "wallet", "put the key file and the document of one wallet together",
                "%s and the document beside it are of two wallets", path);
    else
        cl_find(d, CL_GOOD, "wallet", NULL, "did:bpi:%s", waddr->text);
    cg_buf_done(&bytes);
}

static void look_at_passphrase(struct cl_doctor *d)
{
    const char *path = cl_text(d->run->args, CL_PASS_FILE);
    struct stat info;

    if (!path)
        return;
    if (stat(path, &info) != 0)
        cl_find(d, CL_BAD, "passphrase", "put it there, or change passphrase-file in httpcg.conf",
                "%s: %s", path, strerror(errno));
    else if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        cl_find(d, CL_BAD, "passphrase", "chmod 600 the file", "others may read or write %s", path);
    else if (access(path, R_OK) != 0)
        cl_find(d, CL_BAD, "passphrase", "may this user read it? chown and chmod 600", "%s: %s",
                path, strerror(errno));
    else
        cl_find(d, CL_GOOD, "passphrase", NULL, "%s", path);
}

static void look_at_wallet(struct cl_doctor *d)
{
    char key[CL_PATH_MAX_BYTES], doc[CL_PATH_MAX_BYTES], next[CL_PATH_MAX_BYTES];
    struct cl_run *run = d->run;
    struct cg_did_state state;
    struct cg_buf bytes = {0};

    if (cl_wallet_paths(run, key, doc) != 0 || cl_wallet_doc(run, &state, &bytes) != 0) {
        cl_find_failure(d, "wallet");
        return;
    }
    cg_buf_done(&bytes);
    look_at_key(d, key, &state.waddr);
    if (state.is_deactivated)
        cl_find(d, CL_BAD, "wallet", "httpcg wallet new makes another", "its DID is deactivated");
    snprintf(next, sizeof next, "%s/next.hck", run->app.folder);
    if (access(next, F_OK) == 0)
        cl_find(d, CL_REMARK, "wallet",
                "keep it apart: whoever has both files has the wallet for good",
                "next.hck lies beside wallet.hck");
}

int cl_run_doctor(struct cl_run *run)
{
    struct cl_doctor d = {.run = run, .list = json_array()};
    bool was_silent = run->show->is_silent;
    int code = cl_run_open(run);

    if (code != 0) {
        json_decref(d.list);
        return code;
    }
    /* Each finding says itself what is wrong. */
    run->show->is_silent = true;
    look_at_clock(&d);
    look_at_memory(&d);
    if (look_at_home(&d)) {
        look_at_wallet(&d);
        look_at_passphrase(&d);
        look_at_agent(&d);
        if (cl_look_at_trust(&d)) {
            cl_look_at_services(&d);
            for (size_t i = 0; i < run->n_words; i++)
                cl_look_at_name(&d, run->words[i]);
        }
    }
    run->show->is_silent = was_silent;
    cl_add(run->show, "findings", d.list);
    if (d.n_bad == 0) {
        cl_say(run->show, "all is well");
        return 0;
    }
    return cl_fail(run->show, CL_EXIT_DOCTOR, CG_OK, NULL, "%u thing%s wrong", d.n_bad,
                   d.n_bad == 1 ? " is" : "s are");
}
