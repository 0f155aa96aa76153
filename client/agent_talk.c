/* agent_talk.c: what both ends of the agent's socket know. */
#include "client/agent.h"

#include "lib/base/span.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool cl_agent_path(const struct cl_run *run, char out[static CL_PATH_MAX_BYTES])
{
    const char *given = cl_text(run->args, CL_AGENT), *usual = getenv("HTTPCG_AGENT");
    const char *path = given ? given : usual && usual[0] ? usual : NULL;
    int n;

    if (path && strcmp(path, "off") == 0)
        return false;
    n = path ? snprintf(out, CL_PATH_MAX_BYTES, "%s", path)
             : snprintf(out, CL_PATH_MAX_BYTES, "%s/agent.sock", run->app.folder);
    return n > 0 && n < CL_PATH_MAX_BYTES;
}

bool cl_agent_is_there(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISSOCK(info.st_mode) && info.st_uid == geteuid() &&
           (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static bool is_sendable(const char *text)
{
    for (; *text; text++)
        if ((*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

cg_err cl_agent_add(struct cg_head *head, const char *name, const char *value)
{
    char whole[64];
    int n = snprintf(whole, sizeof whole, CL_AGENT_PREFIX "%s", name);

    if (n < 0 || n >= (int)sizeof whole)
        return CG_INTERNAL;
    if (!is_sendable(value))
        return CG_OK;
    return cg_head_add_named(head, cg_span_of(whole, (size_t)n), cg_span_str(value));
}

struct cg_span cl_agent_value(const struct cg_head *head, const char *name)
{
    char whole[64];
    int n = snprintf(whole, sizeof whole, CL_AGENT_PREFIX "%s", name);
    const struct cg_field *field = n > 0 && n < (int)sizeof whole
                                       ? cg_head_find_named(head, cg_span_of(whole, (size_t)n))
                                       : NULL;

    return field ? field->value : (struct cg_span){NULL, 0};
}

bool cl_agent_is_ours(const struct cg_field *field)
{
    return cg_span_starts(field->name, CG_LIT(CL_AGENT_PREFIX));
}

const char *cl_http_version(struct cg_conn *conn)
{
    return conn && cg_stack_speaks(cg_conn_engine(conn)) == CG_SPEAKS_H1 ? "1.1" : "2";
}

cg_err cl_err_of_name(struct cg_span name)
{
    for (int i = 0; i < CG_ERR_COUNT; i++)
        if (cg_span_is(name, cg_err_name((cg_err)i)))
            return (cg_err)i;
    return CG_INTERNAL;
}
