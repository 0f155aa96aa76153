/* writeout.c: -w and the --json of a transfer: both say the same, from one list. */
#include "client/transfer.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#define FORMAT_MAX_BYTES (64 * 1024)

static double seconds(const struct cl_transfer *t, struct cg_mono at)
{
    return at.us > t->began.us && t->began.us > 0 ? (double)(at.us - t->began.us) / 1e6 : 0;
}

enum kind {
    TEXT,
    NUMBER,
    TIME,
    FLAG,
};

struct value {
    enum kind kind;
    const char *text;
    int64_t number;
    double time;
};

static struct value text_of(const char *text)
{
    return (struct value){.kind = TEXT, .text = text};
}

static struct value number_of(int64_t number)
{
    return (struct value){.kind = NUMBER, .number = number};
}

static struct value time_of(const struct cl_transfer *t, struct cg_mono at)
{
    return (struct value){.kind = TIME, .time = seconds(t, at)};
}

/* Address and port apart, the last colon between them. */
static const char *address_part(const struct cl_transfer *t, bool is_port, char out[64])
{
    const char *colon = strrchr(t->address, ':');
    size_t len = colon ? (size_t)(colon - t->address) : 0;
    const char *from = t->address;

    if (is_port)
        return colon ? colon + 1 : "";
    if (len > 1 && from[0] == '[') {
        from++;
        len -= 2;
    }
    snprintf(out, 64, "%.*s", (int)len, from);
    return out;
}

static const char *const names[] = {
    "url",
    "method",
    "http_code",
    "http_version",
    "scheme",
    "verified",
    "wallet",
    "sapi",
    "peer_identity",
    "receipt",
    "gateway",
    "tls_group",
    "remote_ip",
    "remote_port",
    "content_type",
    "num_headers",
    "size_download",
    "size_upload",
    "speed_download",
    "time_namelookup",
    "time_connect",
    "time_appconnect",
    "time_pretransfer",
    "time_starttransfer",
    "time_total",
    "exitcode",
    "errormsg",
    "response_code",
    "url_effective",
    "speed_upload",
    "filename_effective",
};

#define N_NAMES (sizeof names / sizeof names[0])

/* What a name stands for; room is for texts that are made. */
static struct value value_of(const struct cl_transfer *t, struct cg_span name, char room[64])
{
    double total = seconds(t, t->ended);
    const struct {
        const char *name;
        struct value value;
    } all[] = {
        {"url", text_of(t->whole)},
        {"method", text_of(t->request->method)},
        {"http_code", number_of(t->status)},
        {"response_code", number_of(t->status)},
        {"http_version", text_of(t->http_version)},
        {"scheme", text_of("httpcg")},
        {"verified", {.kind = FLAG, .number = t->is_verified}},
        {"wallet", text_of(t->wallet)},
        {"sapi", text_of(cg_sapi_mode_name(t->mode))},
        {"peer_identity", text_of(t->gateway_did)},
        {"receipt", text_of(t->fingerprint)},
        {"gateway", text_of(t->gateway)},
        {"tls_group", text_of(t->tls_group)},
        {"remote_ip", text_of(address_part(t, false, room))},
        {"remote_port", text_of(address_part(t, true, room))},
        {"content_type", text_of(t->content_type)},
        {"num_headers", number_of((int64_t)t->n_headers)},
        {"size_download", number_of((int64_t)t->n_down)},
        {"size_upload", number_of((int64_t)t->n_up)},
        {"speed_download", number_of(total > 0 ? (int64_t)((double)t->n_down / total) : 0)},
        {"time_namelookup", time_of(t, t->resolved)},
        {"time_connect", time_of(t, t->connected)},
        {"time_appconnect", time_of(t, t->secured)},
        {"time_pretransfer", time_of(t, t->ready)},
        {"time_starttransfer", time_of(t, t->head_at)},
        {"time_total", time_of(t, t->ended)},
        {"exitcode", number_of(t->code)},
        {"errormsg", text_of(t->code ? t->run->show->failure : "")},
        {"url_effective", text_of(t->whole)},
        {"filename_effective", text_of(t->output.path)},
        {"speed_upload", number_of(total > 0 ? (int64_t)((double)t->n_up / total) : 0)},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (cg_span_is(name, all[i].name))
            return all[i].value;
    return text_of(NULL);
}

json_t *cl_transfer_json(const struct cl_transfer *t)
{
    json_t *object = json_object();
    char room[64];

    for (size_t i = 0; i < N_NAMES; i++) {
        struct value v = value_of(t, cg_span_str(names[i]), room);
        json_t *value = v.kind == TEXT     ? json_string(v.text)
                        : v.kind == NUMBER ? json_integer(v.number)
                        : v.kind == TIME   ? json_real(v.time)
                                           : json_boolean(v.number != 0);

        if (value)
            json_object_set_new(object, names[i], value);
    }
    return object;
}

static cg_err print_value(const struct cl_transfer *t, struct cg_span name, FILE *to)
{
    char room[64];

    if (cg_span_is(name, "json")) {
        json_t *object = cl_transfer_json(t);

        json_dumpf(object, to, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(object);
        return CG_OK;
    }
    struct value v = value_of(t, name, room);
    if (v.kind == TEXT && !v.text)
        return CG_SYNTAX;
    switch (v.kind) {
    case TEXT:
        fputs(v.text, to);
        break;
    case NUMBER:
        fprintf(to,
                cg_span_is(name, "http_code") || cg_span_is(name, "response_code") ? "%03lld"
                                                                                   : "%lld",
                (long long)v.number);
        break;
    case TIME:
        fprintf(to, "%.6f", v.time);
        break;
    case FLAG:
        fputs(v.number ? "1" : "0", to);
        break;
    }
    return CG_OK;
}

/* One thing of a format: a letter, an escape or %{...}; text is then behind it. */
static cg_err print_next(const struct cl_transfer *t, const char **text, FILE **to)
{
    const char *at = *text;

    if (at[0] == '\\' && at[1]) {
        fputc(at[1] == 'n' ? '\n' : at[1] == 'r' ? '\r' : at[1] == 't' ? '\t' : at[1], *to);
        *text = at + 2;
    } else if (at[0] == '%' && at[1] == '%') {
        fputc('%', *to);
        *text = at + 2;
    } else if (at[0] == '%' && at[1] == '{' && strchr(at, '}')) {
        const char *end = strchr(at, '}');
        struct cg_span name = cg_span_of(at + 2, (size_t)(end - at - 2));

        *text = end + 1;
        if (cg_span_is(name, "stderr"))
            *to = t->run->show->err;
        else if (cg_span_is(name, "stdout"))
            *to = stdout;
        else
            return print_value(t, name, *to);
    } else {
        fputc(*at, *to);
        *text = at + 1;
    }
    return CG_OK;
}

/* What there is none of is left as it stands, and the rest is printed all the same. */
static cg_err print_all(const struct cl_transfer *t, const char *format)
{
    FILE *to = stdout;
    bool is_known = true;

    while (*format) {
        const char *before = format;

        if (print_next(t, &format, &to) != CG_OK) {
            fwrite(before, 1, (size_t)(format - before), to);
            is_known = false;
        }
    }
    if (ferror(stdout))
        return CG_IO;
    return is_known ? CG_OK : CG_SYNTAX;
}

cg_err cl_write_out(const struct cl_transfer *t, const char *format)
{
    struct cg_buf file = {0};

    if (format[0] != '@')
        return print_all(t, format);
    if (cl_read(t->run, format + 1, FORMAT_MAX_BYTES, &file) != 0)
        return CG_OK; /* that was said */
    file.max = FORMAT_MAX_BYTES + 1;
    cg_err err = cg_buf_add(&file, CG_BYTES(((const uint8_t[]){0})));
    if (err == CG_OK)
        err = print_all(t, (const char *)file.at);
    cg_buf_done(&file);
    return err;
}
