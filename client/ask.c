#include "client/ask.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DATA_MAX_BYTES (1024 * 1024 * 1024)
#define ARENA_MAX_BYTES (256 * 1024)
#define HEADER_FILE_MAX_BYTES (64 * 1024)

/* --- fields ----------------------------------------------------------------------------------- */

static const struct cg_field *find_field(const struct cl_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_fields; i++)
        if (cg_span_is(request->fields[i].name, name))
            return &request->fields[i];
    return NULL;
}

static cg_err put_field(struct cl_request *request, struct cg_span name, struct cg_span value)
{
    struct cg_field *field = &request->fields[request->n_fields];
    uint8_t *lower = cg_arena_take(&request->arena, name.len);

    if (request->n_fields == CL_FIELDS_MAX)
        return CG_TOO_LARGE;
    if (!lower)
        return CG_NO_MEMORY;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (uint8_t)(name.at[i] + 32) : name.at[i];
    *field = (struct cg_field){.name = cg_span_of(lower, name.len)};
    CG_TRY(cg_arena_copy(&request->arena, value, &field->value));
    request->n_fields++;
    return CG_OK;
}

static cg_err put_text(struct cl_request *request, const char *name, const char *value)
{
    return put_field(request, cg_span_str(name), cg_span_str(value));
}

static struct cg_span trimmed(struct cg_span text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = cg_span_from(text, 1);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t' ||
                            text.at[text.len - 1] == '\r'))
        text.len--;
    return text;
}

/* What the protocol itself writes. */
static bool is_ours(struct cg_span name)
{
    static const char *const ours[] = {"qlock",          "sapi",           "sapi-trailer",
                                       "content-digest", "content-length", "trailer",
                                       "host",           "connection",     "transfer-encoding"};

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (cg_span_eq_nocase(name, cg_span_str(ours[i])))
            return true;
    return false;
}

/* "Name: value", "Name;" for an empty one; "Name:" is curl's word for leaving one out. */
static int header_line(struct cl_run *run, struct cl_request *request, struct cg_span line)
{
    size_t colon = cg_span_find(line, ':');
    struct cg_span name = cg_span_first(line, colon),
                   value = trimmed(cg_span_from(line, colon + 1));
    bool is_empty = false;

    if (colon == line.len && line.len > 1 && line.at[line.len - 1] == ';') {
        name = cg_span_first(line, line.len - 1);
        is_empty = true;
    }
    if (name.len == 0 || (colon == line.len && !is_empty))
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, "a header is written \"Name: value\"",
                       "-H %.*s", (int)(line.len < 60 ? line.len : 60), (const char *)line.at);
    if (is_ours(name))
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "-H %.*s: httpcg writes this field itself", (int)name.len,
                       (const char *)name.at);
    if (value.len == 0 && !is_empty)
        return 0;
    cg_err err = put_field(request, name, value);
    return err == CG_OK ? 0 : cl_fail(run->show, CL_EXIT_USAGE, err, NULL, "-H");
}

static int header_file(struct cl_run *run, struct cl_request *request, const char *path)
{
    struct cg_buf text = {0};
    int code = cl_read(run, path, HEADER_FILE_MAX_BYTES, &text);
    struct cg_span left = cg_buf_span(&text);

    while (code == 0 && left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));

        left = cg_span_from(left, line.len + 1);
        line = trimmed(line);
        if (line.len > 0)
            code = header_line(run, request, line);
    }
    cg_buf_done(&text);
    return code;
}

/* Repeated ones are one field, as browsers write it. */
static int cookie_field(struct cl_run *run, struct cl_request *request)
{
    CG_AUTO(buf) struct cg_buf whole = {0};
    const char *text;
    size_t at = 0;
    cg_err err = CG_OK;

    cg_buf_init(&whole, HEADER_FILE_MAX_BYTES);
    while (err == CG_OK && (text = cl_next(run->args, CL_COOKIE, &at)) != NULL) {
        if (text[0] && !strchr(text, '='))
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                           "a cookie is NAME=VALUE; cookies are neither read from files nor kept",
                           "-b %.60s", text);
        if (text[0] && whole.len > 0)
            err = cg_buf_add(&whole, CG_LIT("; "));
        if (err == CG_OK)
            err = cg_buf_add(&whole, cg_span_str(text));
    }
    if (err == CG_OK && whole.len > 0 && !find_field(request, "cookie"))
        err = put_field(request, CG_LIT("cookie"), cg_buf_span(&whole));
    return err == CG_OK ? 0 : cl_fail(run->show, CL_EXIT_USAGE, err, NULL, "-b");
}

/* The fields that have options of their own, and those that a client sends anyway; -H wins. */
static int usual_fields(struct cl_run *run, struct cl_request *request)
{
    const char *range = cl_text(run->args, CL_RANGE);
    const struct {
        const char *name, *value;
    } usual[] = {
        {"user-agent", cl_text(run->args, CL_USER_AGENT)},
        {"referer", cl_text(run->args, CL_REFERER)},
    };
    char text[128];
    cg_err err = CG_OK;

    for (size_t i = 0; err == CG_OK && i < sizeof usual / sizeof usual[0]; i++)
        if (usual[i].value && usual[i].value[0] && !find_field(request, usual[i].name))
            err = put_text(request, usual[i].name, usual[i].value);
    if (err == CG_OK && range) {
        snprintf(text, sizeof text, "bytes=%.100s", range);
        err = put_text(request, "range", text);
    }
    snprintf(text, sizeof text, "httpcg/%s", cg_version());
    if (err == CG_OK && !cl_was_given(run->args, CL_USER_AGENT) &&
        !find_field(request, "user-agent"))
        err = put_text(request, "user-agent", text);
    if (err == CG_OK && !find_field(request, "accept"))
        err = put_text(request, "accept",
                       cl_was_given(run->args, CL_JSON_DATA) ? "application/json" : "*/*");
    if (err == CG_OK && request->body == CL_BODY_WHOLE && !find_field(request, "content-type"))
        err = put_text(request, "content-type",
                       cl_was_given(run->args, CL_JSON_DATA) ? "application/json"
                                                             : "application/x-www-form-urlencoded");
    return err == CG_OK ? 0 : cl_fail(run->show, CL_EXIT_USAGE, err, NULL, "the header fields");
}

static int make_fields(struct cl_run *run, struct cl_request *request)
{
    const char *text;
    size_t at = 0;
    int code = 0;

    while (code == 0 && (text = cl_next(run->args, CL_HEADER, &at)) != NULL)
        code = text[0] == '@' ? header_file(run, request, text + 1)
                              : header_line(run, request, cg_span_str(text));
    if (code == 0)
        code = cookie_field(run, request);
    return code == 0 ? usual_fields(run, request) : code;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static int add_data(struct cl_run *run, struct cl_request *request, struct cg_span bytes)
{
    cg_err err = cg_buf_add(&request->whole, bytes);

    return err == CG_OK ? 0
                        : cl_fail(run->show, CL_EXIT_READ, err, "-T sends a file of any size",
                                  "the data to send");
}

static int add_file(struct cl_run *run, struct cl_request *request, const char *path,
                    bool keep_lines)
{
    struct cg_buf text = {0};
    int code = cl_read(run, path, DATA_MAX_BYTES, &text);
    size_t n = 0;

    if (code != 0)
        return code;
    for (size_t i = 0; i < text.len; i++)
        if (keep_lines || (text.at[i] != '\n' && text.at[i] != '\r' && text.at[i] != '\0'))
            text.at[n++] = text.at[i];
    code = add_data(run, request, cg_span_of(text.at, n));
    cg_buf_wipe(&text);
    return code;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           memchr("-._~", c, 4) != NULL;
}

static int add_encoded(struct cl_run *run, struct cl_request *request, struct cg_span text)
{
    static const char digits[] = "0123456789ABCDEF";
    int code = 0;

    for (size_t i = 0; code == 0 && i < text.len; i++) {
        uint8_t c = text.at[i];
        const char hex[3] = {'%', digits[c >> 4], digits[c & 15]};

        code = is_plain(c) ? add_data(run, request, cg_span_of(&text.at[i], 1))
                           : add_data(run, request, cg_span_of(hex, 3));
    }
    return code;
}

/* curl's forms: "content", "=content", "name=content", "@file", "name@file". */
static int add_urlencoded(struct cl_run *run, struct cl_request *request, const char *text)
{
    size_t mark = strcspn(text, "=@");
    struct cg_span name = cg_span_of(text, text[mark] ? mark : 0);
    struct cg_buf file = {0};
    int code = 0;

    if (name.len > 0) {
        code = add_data(run, request, name);
        if (code == 0)
            code = add_data(run, request, CG_LIT("="));
    }
    const char *content = text[mark] ? text + mark + 1 : text;
    if (code == 0 && text[mark] == '@') {
        code = cl_read(run, content, DATA_MAX_BYTES, &file);
        if (code == 0)
            code = add_encoded(run, request, cg_buf_span(&file));
    } else if (code == 0) {
        code = add_encoded(run, request, cg_span_str(content));
    }
    cg_buf_wipe(&file);
    return code;
}

static int add_one(struct cl_run *run, struct cl_request *request, enum cl_id id, const char *text)
{
    if (id == CL_DATA_URLENCODE)
        return add_urlencoded(run, request, text);
    if (text[0] == '@' && id != CL_DATA_RAW)
        return add_file(run, request, text + 1, id != CL_DATA);
    return add_data(run, request, cg_span_str(text));
}

/* The data options in the order in which they came. */
static int make_data(struct cl_run *run, struct cl_request *request)
{
    int code = 0;

    cg_buf_init(&request->whole, DATA_MAX_BYTES);
    for (size_t i = 0; code == 0 && i < run->args->n_sets; i++) {
        enum cl_id id = run->args->sets[i].id;
        const char *text = run->args->sets[i].text;

        if (id != CL_DATA && id != CL_DATA_RAW && id != CL_DATA_BINARY && id != CL_JSON_DATA &&
            id != CL_DATA_URLENCODE)
            continue;
        if (request->body == CL_BODY_WHOLE && id != CL_JSON_DATA)
            code = add_data(run, request, CG_LIT("&"));
        request->body = CL_BODY_WHOLE;
        if (code == 0)
            code = add_one(run, request, id, text);
    }
    return code;
}

static cg_err hash_file(struct cl_request *request)
{
    uint8_t piece[65536];
    struct cg_hasher *hasher;
    size_t n;

    CG_TRY(cg_hasher_new(&hasher));
    cg_err err = cg_hasher_begin(hasher);
    request->length = 0;
    while (err == CG_OK && (n = fread(piece, 1, sizeof piece, request->file)) > 0) {
        request->length += (int64_t)n;
        err = cg_hasher_add(hasher, cg_span_of(piece, n));
    }
    if (err == CG_OK && ferror(request->file))
        err = CG_IO;
    if (err == CG_OK)
        err = cg_hasher_end(hasher, &request->digest);
    cg_hasher_free(hasher);
    return err == CG_OK ? cl_request_rewind(request) : err;
}

/* A file's digest goes ahead of it; of what has no known end it comes behind. */
static int open_upload(struct cl_run *run, struct cl_request *request, const char *path)
{
    struct stat info;
    bool is_input = strcmp(path, "-") == 0 || strcmp(path, ".") == 0;

    request->file = is_input ? stdin : fopen(path, "rbe");
    if (!request->file)
        return cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "cannot read %s: %s", path,
                       strerror(errno));
    if (fstat(fileno(request->file), &info) != 0 || S_ISDIR(info.st_mode))
        return cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "%s is no file to send", path);
    request->file_name = is_input ? NULL : path;
    request->body = CL_BODY_STREAM;
    if (is_input || !S_ISREG(info.st_mode))
        return 0;
    request->body = CL_BODY_SIZED;
    cg_err err = hash_file(request);
    return err == CG_OK ? 0 : cl_fail(run->show, CL_EXIT_READ, err, NULL, "cannot read %s", path);
}

static int make_body(struct cl_run *run, struct cl_request *request)
{
    const char *upload = cl_text(run->args, CL_UPLOAD);
    int code = make_data(run, request);

    if (code == 0 && upload && request->body != CL_BODY_NONE)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL,
                       "-T and -d both say what is to be sent");
    if (code == 0 && upload)
        code = open_upload(run, request, upload);
    if (code == 0 && cl_is_on(run->args, CL_GET)) {
        request->is_query = request->body == CL_BODY_WHOLE;
        if (!upload)
            request->body = CL_BODY_NONE;
    }
    return code;
}

/* --- the method ------------------------------------------------------------------------------- */

/* Methods are what is written; the commands' names are in small letters. */
static int take_method(struct cl_run *run, struct cl_request *request, const char *text,
                       bool is_command)
{
    size_t len = strlen(text);

    if (len == 0 || len >= sizeof request->method_room)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "-X %.40s: no method", text);
    for (size_t i = 0; i <= len; i++) {
        char c = text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';

        if (c && !is_letter)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "-X %.40s: no method", text);
        request->method_room[i] = is_command && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    request->method = request->method_room;
    return 0;
}

static int make_method(struct cl_run *run, struct cl_request *request, const char *command_method)
{
    const char *chosen = cl_text(run->args, CL_REQUEST);

    if (chosen)
        return take_method(run, request, chosen, false);
    if (command_method)
        return take_method(run, request, command_method, true);
    if (cl_is_on(run->args, CL_HEAD))
        request->method = "HEAD";
    else if (request->body == CL_BODY_WHOLE)
        request->method = "POST";
    else if (request->body != CL_BODY_NONE)
        request->method = "PUT";
    else
        request->method = "GET";
    return 0;
}

int cl_request_make(struct cl_run *run, const char *command_method, struct cl_request *out)
{
    int code;

    cg_arena_init(&out->arena, ARENA_MAX_BYTES);
    code = make_body(run, out);
    if (code == 0)
        code = make_method(run, out, command_method);
    if (code == 0 && out->body != CL_BODY_NONE &&
        (strcmp(out->method, "GET") == 0 || strcmp(out->method, "HEAD") == 0))
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_OK, "-G puts the data into the query",
                       "a %s request has no body", out->method);
    return code == 0 ? make_fields(run, out) : code;
}

void cl_request_done(struct cl_request *request)
{
    cl_input_free(request->input);
    if (request->file && request->file != stdin)
        fclose(request->file);
    cg_buf_wipe(&request->whole);
    cg_arena_wipe(&request->arena);
    *request = (struct cl_request){0};
}

bool cl_request_may_repeat(const struct cl_request *request)
{
    return request->body != CL_BODY_STREAM;
}

cg_err cl_request_rewind(struct cl_request *request)
{
    if (request->body != CL_BODY_SIZED)
        return CG_OK;
    return fseeko(request->file, 0, SEEK_SET) == 0 ? CG_OK : CG_IO;
}

cg_err cl_request_listen(struct cl_request *request, struct cg_loop *loop,
                         void (*on_ready)(void *ctx), void *ctx)
{
    if (request->body != CL_BODY_STREAM || request->input)
        return CG_OK;
    return cl_input_new(loop, fileno(request->file), on_ready, ctx, &request->input);
}

cg_err cl_request_read(struct cl_request *request, uint8_t *at, size_t room, size_t *out_len)
{
    if (request->body == CL_BODY_STREAM)
        return cl_input_take(request->input, at, room, out_len);
    *out_len = fread(at, 1, room, request->file);
    return *out_len == 0 && ferror(request->file) ? CG_IO : CG_OK;
}
