/* url.c: httpcg url parse: what a URL is in its one canonical form. */
#include "client/command.h"

#include "lib/base/span.h"

#include <stdlib.h>

static const char *part_name(enum cg_url_part part)
{
    static const char *const names[] = {
        [CG_URL_WHOLE] = "url",           [CG_URL_SCHEME] = "scheme", [CG_URL_PLANE] = "plane",
        [CG_URL_AUTHORITY] = "authority", [CG_URL_PATH] = "path",     [CG_URL_QUERY] = "query",
        [CG_URL_FRAGMENT] = "fragment",
    };

    return names[part];
}

static void add_part(json_t *object, const char *name, struct cg_span text)
{
    json_object_set_new(object, name, json_stringn((const char *)text.at, text.len));
}

static json_t *url_json(const struct cg_url *url, const char *whole, size_t len)
{
    json_t *object = json_object();

    add_part(object, "url", cg_span_of(whole, len));
    add_part(object, "plane", cg_span_str(cg_plane_name(url->plane)));
    add_part(object, "authority", url->authority);
    add_part(object, "path", url->path);
    add_part(object, "query", url->query);
    add_part(object, "fragment", url->fragment);
    return object;
}

static int refused(struct cl_run *run, const char *text, const struct cg_url_fault *fault,
                   cg_err err)
{
    json_t *object = json_object();

    json_object_set_new(object, "part", json_string(part_name(fault->part)));
    json_object_set_new(object, "at", json_integer((json_int_t)fault->at));
    json_object_set_new(object, "why", json_string(fault->why));
    cl_add(run->show, "fault", object);
    int code = cl_fail(
        run->show, fault->part == CG_URL_SCHEME && err == CG_UNKNOWN ? CL_EXIT_SCHEME : CL_EXIT_URL,
        CG_OK, NULL, "byte %zu, %s: %s", fault->at, part_name(fault->part), fault->why);
    if (!run->show->is_json && !run->show->is_silent) {
        fprintf(run->show->err, "  ");
        cl_show_text(run->show->err, cg_span_str(text));
        fprintf(run->show->err, "\n  %*s^\n", (int)(fault->at < 4000 ? fault->at : 4000), "");
    }
    return code;
}

static int parse(struct cl_run *run, const char *text, json_t *list)
{
    struct cg_span in = cg_span_str(text);
    struct cg_url_fault fault = {.why = ""};
    struct cg_url url;
    void *room = malloc(CG_URL_ROOM(in.len));
    cg_err err = room ? cg_url_read(in, room, &url, &fault) : CG_NO_MEMORY;
    int code = 0;

    if (err == CG_NO_MEMORY) {
        code = cl_fail(run->show, CL_EXIT_MEMORY, err, NULL, "the URL");
    } else if (err != CG_OK) {
        code = refused(run, text, &fault, err);
    } else {
        size_t len = cg_url_chars(&url);
        char *whole = malloc(len + 1);

        if (whole) {
            cg_url_write(&url, whole);
            whole[len] = '\0';
            cl_say(run->show, "%s", whole);
            cl_say(run->show, "  plane     %s", cg_plane_name(url.plane));
            cl_say(run->show, "  authority %.*s", (int)url.authority.len,
                   (const char *)url.authority.at);
            cl_say(run->show, "  path      %.*s", (int)url.path.len, (const char *)url.path.at);
            cl_say(run->show, "  query     %.*s", (int)url.query.len, (const char *)url.query.at);
            json_array_append_new(list, url_json(&url, whole, len));
        }
        free(whole);
    }
    free(room);
    return code;
}

int cl_run_url_parse(struct cl_run *run)
{
    json_t *list = json_array();
    int code = 0;

    for (size_t i = 0; code == 0 && i < run->n_words; i++)
        code = parse(run, run->words[i], list);
    cl_add(run->show, "urls", list);
    return code;
}
