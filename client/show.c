#include "client/show.h"

#include "client/interrupt.h"
#include "lib/base/span.h"
#include "lib/wire/json.h"
#include "lib/wire/refusal.h"
#include "session/message.h"
#include "session/tls.h"

#include <inttypes.h>
#include <stdarg.h>

#define RETRY_MAX_S 86400
#define SET_CLOCK                                                                                  \
    "a difference of up to 10 minutes is made up for; httpcg doctor looks at the clock"

void cl_show_init(struct cl_show *show)
{
    *show = (struct cl_show){.out = stdout, .err = stderr, .step = "start", .retry_after_s = -1};
}

void cl_show_done(struct cl_show *show)
{
    json_decref(show->json);
    show->json = NULL;
}

cg_err cl_show_json(struct cl_show *show)
{
    show->json = json_object();
    show->is_json = true;
    return show->json ? CG_OK : CG_NO_MEMORY;
}

/* A text that is no UTF-8 is left out: jansson takes no other. */
void cl_add(struct cl_show *show, const char *name, json_t *value)
{
    if (show->json && value)
        json_object_set_new(show->json, name, value);
    else
        json_decref(value);
}

void cl_add_text(struct cl_show *show, const char *name, const char *text)
{
    cl_add(show, name, json_string(text));
}

static json_t *checks_json(const struct cl_show *show)
{
    json_t *list = json_array();

    for (size_t i = 0; i < show->n_checks; i++) {
        const struct cl_check *check = &show->checks[i];
        json_t *one = json_object();

        json_object_set_new(one, "step", json_string(check->step));
        json_object_set_new(one, "check", json_string(check->name));
        json_object_set_new(one, "ok", json_boolean(check->err == CG_OK));
        if (check->err != CG_OK)
            json_object_set_new(one, "error", json_string(cg_err_name(check->err)));
        if (check->detail[0])
            json_object_set_new(one, "detail", json_string(check->detail));
        json_array_append_new(list, one);
    }
    return list;
}

void cl_show_end(struct cl_show *show, int code, FILE *to)
{
    if (!show->json)
        return;
    cl_add(show, "ok", json_boolean(code == 0));
    cl_add(show, "exit", json_integer(code));
    if (show->n_checks > 0)
        cl_add(show, "checks", checks_json(show));
    if (show->problem[0])
        cl_add_text(show, "problem", show->problem);
    if (show->retry_after_s >= 0)
        cl_add(show, "retry_after", json_integer(show->retry_after_s));
    json_dumpf(show->json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    fputc('\n', to);
}

/* --- checks ----------------------------------------------------------------------------------- */

static void print_check(const struct cl_show *show, const struct cl_check *check)
{
    fprintf(show->err, "* %-8s %-6s %s", check->step, check->err == CG_OK ? "ok" : "FAILED",
            check->name);
    if (check->err != CG_OK)
        fprintf(show->err, ": %s", cg_err_text(check->err));
    if (check->detail[0])
        fprintf(show->err, " (%s)", check->detail);
    fputc('\n', show->err);
}

cg_err cl_show_check(struct cl_show *show, const char *name, cg_err err, const char *detail)
{
    /* The newest count: a client that runs for long forgets the first. */
    if (show->n_checks == CL_CHECKS_MAX) {
        memmove(show->checks, show->checks + 1, (CL_CHECKS_MAX - 1) * sizeof show->checks[0]);
        show->n_checks--;
    }
    struct cl_check *check = &show->checks[show->n_checks++];

    *check = (struct cl_check){.step = show->step, .err = err};
    snprintf(check->name, sizeof check->name, "%s", name);
    snprintf(check->detail, sizeof check->detail, "%s", detail ? detail : "");
    if (show->is_verbose && !show->is_json)
        print_check(show, check);
    return err;
}

const struct cl_check *cl_show_failed(const struct cl_show *show)
{
    for (size_t i = show->n_checks; i > 0; i--)
        if (show->checks[i - 1].err != CG_OK)
            return &show->checks[i - 1];
    return NULL;
}

void cl_show_note(struct cl_show *show, const char *text)
{
    if (show->is_verbose && !show->is_json)
        fprintf(show->err, "* %-8s note   %s\n", show->step, text);
}

static void append(struct cl_show *show, const char *name, const char *text)
{
    json_t *list = show->json ? json_object_get(show->json, name) : NULL;

    if (show->json && !list) {
        list = json_array();
        json_object_set_new(show->json, name, list);
    }
    if (list)
        json_array_append_new(list, json_string(text));
}

void cl_show_warn(struct cl_show *show, const char *text)
{
    append(show, "warnings", text);
    if (!show->is_silent && !show->is_quiet && !show->is_json)
        fprintf(show->err, "httpcg: %s\n", text);
}

void cl_fail_more(struct cl_show *show, const char *text)
{
    append(show, "warnings", text);
    if (!show->is_silent && !show->is_json)
        fprintf(show->err, "httpcg: %s\n", text);
}

void cl_say(struct cl_show *show, const char *format, ...)
{
    va_list args;

    if (show->is_json)
        return;
    va_start(args, format);
    vfprintf(show->out, format, args);
    va_end(args);
    fputc('\n', show->out);
}

int cl_fail(struct cl_show *show, enum cl_exit code, cg_err err, const char *remedy,
            const char *format, ...)
{
    const struct cl_check *failed = cl_show_failed(show);
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(show->failure, sizeof show->failure, "%s%s%s", text, err != CG_OK ? ": " : "",
             err != CG_OK ? cg_err_text(err) : "");
    snprintf(show->remedy, sizeof show->remedy, "%s", remedy ? remedy : "");
    if (show->json) {
        json_t *error = json_object();

        json_object_set_new(error, "text", json_string(text));
        json_object_set_new(error, "meaning", json_string(cl_exit_text((int)code)));
        if (err != CG_OK)
            json_object_set_new(error, "error", json_string(cg_err_name(err)));
        if (remedy)
            json_object_set_new(error, "remedy", json_string(remedy));
        cl_add(show, "failure", error);
        return (int)code;
    }
    if (show->is_silent)
        return (int)code;
    bool is_interrupted = err == CG_CANCELLED && cl_interrupt_number() != 0;
    if (is_interrupted)
        fprintf(show->err, "httpcg: interrupted: %s", text);
    else
        fprintf(show->err, "httpcg: (%d) %s", (int)code, text);
    if (err != CG_OK && !is_interrupted)
        fprintf(show->err, ": %s", cg_err_text(err));
    if (failed && failed->err == err && !show->is_verbose)
        fprintf(show->err, " [%s: %s%s%s]", failed->step, failed->name,
                failed->detail[0] ? ", " : "", failed->detail);
    fputc('\n', show->err);
    if (remedy && !is_interrupted)
        fprintf(show->err, "httpcg: %s\n", remedy);
    return (int)code;
}

/* --- what peers say --------------------------------------------------------------------------- */

void cl_show_text(FILE *to, struct cg_span text)
{
    for (size_t i = 0; i < text.len && i < 4096; i++) {
        uint8_t c = text.at[i];

        if (c < 0x20 || c == 0x7f || c >= 0x80)
            fprintf(to, "\\x%02x", c);
        else
            fputc(c, to);
    }
}

/* RFC 9110, 10.2.3. A day is enough for whatever is meant. */
int64_t cl_retry_after(const struct cg_head *head)
{
    struct cg_span value = cg_head_value(head, CG_TOKEN_RETRY_AFTER);
    int64_t n = 0;

    if (value.len == 0)
        return -1;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return -1;
        n = n * 10 + (value.at[i] - '0');
        n = n < RETRY_MAX_S ? n : RETRY_MAX_S;
    }
    return n;
}

/* The code wherever it stands: that a registry's problem has members of its own is no reason not to
 * tell what it is. */
static struct cg_span find_type(struct cg_span body)
{
    const struct cg_span mark = CG_LIT("\"type\":\"");

    for (size_t at = 0; at + mark.len < body.len; at++)
        if (cg_span_starts(cg_span_from(body, at), mark)) {
            struct cg_span rest = cg_span_from(body, at + mark.len);

            return cg_span_first(rest, cg_span_find(rest, '"'));
        }
    return (struct cg_span){NULL, 0};
}

static uint64_t read_server_time(struct cg_span body)
{
    struct cg_span type, title, instance;
    uint64_t status, server_time = 0;
    bool has_time = false;
    const struct cg_json_member members[] = {
        {"type", CG_JSON_TEXT, .span = &type},
        {"title", CG_JSON_TEXT, .span = &title},
        {"status", CG_JSON_UINT, .number = &status},
        {"instance", CG_JSON_TEXT, .span = &instance},
        {"server_time", CG_JSON_UINT, .number = &server_time, .has = &has_time},
    };

    return cg_json_object(body, CG_JSON_DOCUMENT, members, 5) == CG_OK && has_time ? server_time
                                                                                   : 0;
}

cg_err cl_show_learn(struct cl_show *show, const struct cl_refused *refused)
{
    enum cg_refusal refusal = cg_refusal_of_code(find_type(refused->body));
    bool is_skew = refusal == CG_REFUSAL_CLOCK_SKEW;

    snprintf(show->problem, sizeof show->problem, "%s",
             refusal != CG_REFUSAL_NONE ? cg_refusal_code(refusal) : "");
    show->retry_after_s = refused->retry_after_s;
    show->server_time = is_skew ? read_server_time(refused->body) : 0;
    if (refused->status == 429)
        return CG_RATE;
    if (refused->status == 503)
        return CG_BUSY;
    return is_skew ? CG_SKEW : CG_DENIED;
}

cg_err cl_show_refusal(struct cl_show *show, const char *what, const struct cl_refused *refused)
{
    cg_err err = cl_show_learn(show, refused);
    char detail[120];

    snprintf(detail, sizeof detail, "status %d%s%s", refused->status, show->problem[0] ? ", " : "",
             show->problem);
    return cl_show_check(show, what, err, detail);
}

int cl_fail_clock(struct cl_show *show, const char *what, struct cg_wall now)
{
    int64_t off = show->server_time > 0 && show->server_time < INT64_MAX
                      ? now.s - (int64_t)show->server_time
                      : 0;

    if (off == 0)
        return cl_fail(show, CL_EXIT_CLOCK, CG_SKEW, SET_CLOCK, "%s", what);
    return cl_fail(show, CL_EXIT_CLOCK, CG_OK, SET_CLOCK,
                   "%s: this machine's clock is %" PRId64 " s %s the gateway's", what,
                   off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
}

int cl_fail_later(struct cl_show *show, cg_err err, const char *what)
{
    const char *why = err == CG_RATE ? "asked too often from this address" : "not available now";

    if (show->retry_after_s < 0)
        return cl_fail(show, CL_EXIT_LATER, CG_OK, "try again later", "%s: %s", what, why);
    return cl_fail(show, CL_EXIT_LATER, CG_OK, NULL, "%s: %s; try again in %" PRId64 " s", what,
                   why, show->retry_after_s > 0 ? show->retry_after_s : 1);
}

void cl_show_tls(struct cl_show *show, const struct cg_tls *tls)
{
    char text[160];

    snprintf(text, sizeof text, "%s, %s, %s%s", cg_tls_version(tls), cg_tls_group(tls),
             cg_tls_cipher(tls), cg_tls_is_resumed(tls) ? ", resumed" : "");
    cl_show_check(show, "TLS handshake", CG_OK, text);
    cl_add_text(show, "tls_group", cg_tls_group(tls));
}

void cl_show_head(struct cl_show *show, const struct cg_head *head, bool out)
{
    const char *mark = out ? "> " : "< ";

    if (!show->is_verbose || show->is_json)
        return;
    fputs(mark, show->err);
    if (out) {
        cl_show_text(show->err, head->method);
        fprintf(show->err, " %.*s://%.*s", (int)head->scheme.len, (const char *)head->scheme.at,
                (int)head->authority.len, (const char *)head->authority.at);
        cl_show_text(show->err, head->path);
    } else {
        fprintf(show->err, "%d", head->status);
    }
    fputc('\n', show->err);
    for (size_t i = 0; i < head->n_fields; i++) {
        fputs(mark, show->err);
        cl_show_text(show->err, head->fields[i].name);
        fputs(": ", show->err);
        /* Signatures are long and tell people nothing. */
        cl_show_text(show->err, cg_span_first(head->fields[i].value, 400));
        fputs(head->fields[i].value.len > 400 ? " ...\n" : "\n", show->err);
    }
    fprintf(show->err, "%s\n", mark);
}
