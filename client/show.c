#include "client/show.h"

#include "lib/base/span.h"
#include "lib/wire/json.h"
#include "lib/wire/refusal.h"
#include "session/message.h"
#include "session/tls.h"

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

cg_err cl_show_check(struct cl_show *show, const char *name, cg_err err, const char *detail)
{
    if (show->n_checks < CL_CHECKS_MAX)
        show->checks[show->n_checks++] = (struct cl_check){name, err, detail};
    if (show->is_verbose || (err != CG_OK && !show->is_silent))
        fprintf(show->err, "* %s %s%s%s%s%s\n", err == CG_OK ? "ok    " : "FAILED", name,
                err == CG_OK ? "" : ": ", err == CG_OK ? "" : cg_err_text(err), detail ? " — " : "",
                detail ? detail : "");
    return err;
}

void cl_show_note(struct cl_show *show, const char *text)
{
    if (show->is_verbose)
        fprintf(show->err, "* note   %s\n", text);
}

void cl_show_failure(struct cl_show *show, const char *what, cg_err err, const char *remedy)
{
    if (show->is_silent)
        return;
    fprintf(show->err, "%s: %s: %s\n", show->program, what, cg_err_text(err));
    if (remedy)
        fprintf(show->err, "%s: %s\n", show->program, remedy);
}

cg_err cl_show_refusal(struct cl_show *show, const char *what, int status, struct cg_span body)
{
    struct cg_span type = {NULL, 0};
    size_t at;

    /* Only a hint: it is not signed. The code is looked for, nothing else is believed of it. */
    for (at = 0; at + 8 < body.len; at++)
        if (cg_span_starts(cg_span_from(body, at), CG_LIT("\"type\":\""))) {
            type = cg_span_from(body, at + 8);
            type = cg_span_first(type, cg_span_find(type, '"'));
            break;
        }
    enum cg_refusal refusal = cg_refusal_of_code(type);
    snprintf(show->problem, sizeof show->problem, "%s",
             refusal == CG_REFUSAL_NONE ? "" : cg_refusal_code(refusal));
    if (!show->is_silent)
        fprintf(show->err, "%s: %s: refused with status %d%s%s\n", show->program, what, status,
                refusal == CG_REFUSAL_NONE ? "" : ", ",
                refusal == CG_REFUSAL_NONE ? "" : cg_refusal_code(refusal));
    return CG_DENIED;
}

void cl_show_tls(struct cl_show *show, const struct cg_tls *tls)
{
    if (show->is_verbose)
        fprintf(show->err, "* tls    %s, %s, %s%s\n", cg_tls_version(tls), cg_tls_group(tls),
                cg_tls_cipher(tls), cg_tls_is_resumed(tls) ? ", resumed" : "");
}

void cl_show_head(struct cl_show *show, const struct cg_head *head, bool out)
{
    const char *mark = out ? "> " : "< ";

    if (!show->is_verbose)
        return;
    if (out) {
        fprintf(show->err, "> ");
        cl_show_text(show->err, head->method);
        fprintf(show->err, " ");
        cl_show_text(show->err, head->path);
        fprintf(show->err, "\n");
    } else {
        fprintf(show->err, "< %d\n", head->status);
    }
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
