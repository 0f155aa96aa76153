/* lookup.c: httpcg resolve: a name's record, with every check made. */
#include "client/command.h"
#include "client/resolve.h"
#include "client/way.h"

#include "lib/base/span.h"
#include "lib/record/date.h"

#include <inttypes.h>
#include <stdlib.h>

static json_t *spans_json(const struct cg_span *texts, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_stringn((const char *)texts[i].at, texts[i].len));
    return list;
}

static void say_date(struct cl_run *run, const char *label, const char *member, struct cg_wall time)
{
    char text[CG_DATE_CHARS + 1];

    if (cg_date_write(time, text) != CG_OK)
        return;
    cl_say(run->show, "%s %s", label, text);
    cl_add_text(run->show, member, text);
}

static void tell(struct cl_run *run, const char *name, const struct cl_resolved *resolved)
{
    const struct cg_record *record = &resolved->result.record;
    const struct cg_staple_facts *staple = &resolved->result.staple;
    char did[CG_DID_CHARS + 1];

    cg_did_write(&record->owner, did);
    cl_say(run->show, "name     %s, serial %" PRIu64, name, record->serial);
    cl_say(run->show, "owner    %s", did);
    cl_say(run->show, "profile  %.*s", (int)record->profile.len, (const char *)record->profile.at);
    for (size_t i = 0; i < record->n_gateways; i++)
        cl_say(run->show, "gateway  %.*s", (int)record->gateways[i].len,
               (const char *)record->gateways[i].at);
    for (size_t i = 0; i < record->n_gateway_dids; i++)
        cl_say(run->show, "by       %.*s", (int)record->gateway_did_texts[i].len,
               (const char *)record->gateway_did_texts[i].at);
    cl_say(run->show, "target   %.*s:%u (%.*s)", (int)record->target_host.len,
           (const char *)record->target_host.at, record->target_port,
           (int)record->target_auth_text.len, (const char *)record->target_auth_text.at);
    cl_add_text(run->show, "name", name);
    cl_add(run->show, "serial", json_integer((json_int_t)record->serial));
    cl_add_text(run->show, "owner", did);
    cl_add(run->show, "profile",
           json_stringn((const char *)record->profile.at, record->profile.len));
    cl_add(run->show, "gateways", spans_json(record->gateways, record->n_gateways));
    cl_add(run->show, "gateway_dids",
           spans_json(record->gateway_did_texts, record->n_gateway_dids));
    say_date(run, "issued  ", "issued_at", record->issued);
    say_date(run, "expires ", "expires_at", record->expires);
    cl_say(run->show, "logged   entry %" PRIu64 " of %" PRIu64, staple->entry_index,
           staple->head.size);
    cl_add(run->show, "index", json_integer((json_int_t)staple->entry_index));
    cl_add(run->show, "log_size", json_integer((json_int_t)staple->head.size));
}

/* "plane/authority", or any URL of it. */
static int read_name(struct cl_run *run, char room[320])
{
    const char *word = run->words[0];
    struct cg_url url;

    if (strstr(word, "://")) {
        void *space = malloc(CG_URL_ROOM(strlen(word)));
        cg_err err = space ? cg_url_read(cg_span_str(word), space, &url, NULL) : CG_NO_MEMORY;

        if (err == CG_OK && cg_url_name_chars(&url) < 320) {
            cg_url_name_write(&url, room);
            room[cg_url_name_chars(&url)] = '\0';
        } else if (err == CG_OK) {
            err = CG_TOO_LARGE;
        }
        free(space);
        return err == CG_OK ? 0
                            : cl_fail(run->show, CL_EXIT_URL, err,
                                      "httpcg url parse shows the place", "%.80s", word);
    }
    if (strlen(word) >= 320 || cg_url_check_name(cg_span_str(word)) != CG_OK)
        return cl_fail(run->show, CL_EXIT_URL, CG_OK,
                       "a name is plane/authority in lower case, such as app/shop.example",
                       "%.80s is no name", word);
    memcpy(room, word, strlen(word) + 1);
    return 0;
}

int cl_run_resolve(struct cl_run *run)
{
    struct cl_resolved resolved = {0};
    char name[320] = "";
    int code = cl_run_trust(run);

    if (code == 0)
        code = read_name(run, name);
    if (code != 0)
        return code;
    struct cg_span whole = cg_span_str(name);
    size_t slash = cg_span_find(whole, '/');
    cg_err err = cl_resolve(&run->app, cg_span_first(whole, slash), cg_span_from(whole, slash + 1),
                            &resolved);
    if (err == CG_OK)
        tell(run, name, &resolved);
    else if (err == CG_RATE || err == CG_BUSY)
        code = cl_fail_later(run->show, err, name);
    else
        code = cl_fail(run->show, (enum cl_exit)cl_way_exit(&run->app, CL_WAY_RESOLVE, err),
                       err == CG_NOT_FOUND ? CG_OK : err, NULL,
                       err == CG_NOT_FOUND ? "%s: the registry proved that there is no such name"
                                           : "%s",
                       name);
    cl_resolved_done(&resolved);
    return code;
}
