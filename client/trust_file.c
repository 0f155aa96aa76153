/* trust_file.c: httpcg trust make, show: the one thing that a client must be told out of band. */
#include "client/key.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"
#include "lib/trust/trust.h"

#include <string.h>

#define LINES_MAX_BYTES (64 * 1024)

static int add_logs(struct cl_run *run, struct cg_buf *out)
{
    const char *path;
    size_t at = 0;
    int code = 0;

    while (code == 0 && (path = cl_next(run->args, CL_LOG, &at)) != NULL) {
        struct cg_buf lines = {0};

        code = cl_read(run, path, LINES_MAX_BYTES, &lines);
        if (code == 0 && cg_buf_add(out, cg_buf_span(&lines)) != CG_OK)
            code = cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "--log %s", path);
        cg_buf_done(&lines);
    }
    if (code == 0 && at == 0)
        return cl_fail(run->show, CL_EXIT_USAGE, CG_OK,
                       "httpcg wallet new --role log wrote it beside the key, ending in .vkey",
                       "--log FILE is missing: the log's two vkey lines");
    return code;
}

/* DID=URL becomes "registry DID URL", NAME=DID "pin NAME DID". */
static int add_pairs(struct cl_run *run, enum cl_id id, const char *word, struct cg_writer *w)
{
    const char *pair;
    size_t at = 0;

    while ((pair = cl_next(run->args, id, &at)) != NULL) {
        const char *equals = strchr(pair, '=');

        if (!equals)
            return cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "--%s %s: there is no = in it",
                           cl_options[id].name, pair);
        cg_put_str(w, word);
        cg_put_u8(w, ' ');
        cg_put(w, cg_span_of(pair, (size_t)(equals - pair)));
        cg_put_u8(w, ' ');
        cg_put_str(w, equals + 1);
        cg_put_u8(w, '\n');
    }
    return 0;
}

static int check(struct cl_run *run, const char *what, struct cg_span text, struct cg_trust **out)
{
    struct cg_trust_fault fault = {0};
    cg_err err = cg_trust_read(run->app.crypto, text, out, &fault);

    if (err == CG_OK)
        return 0;
    return cl_fail(run->show, CL_EXIT_TRUST, CG_OK, NULL, "%s, line %u: %s", what, fault.line,
                   fault.text ? fault.text : cg_err_text(err));
}

static int make(struct cl_run *run, struct cg_buf *out)
{
    const char *quorum = cl_text(run->args, CL_QUORUM);
    struct cg_trust *trust = NULL;
    int code = add_logs(run, out);
    struct cg_writer w = cg_writer_into(out);

    if (code == 0)
        code = add_pairs(run, CL_TRUST_REGISTRY, "registry", &w);
    if (code == 0)
        code = add_pairs(run, CL_PIN, "pin", &w);
    cg_put_str(&w, "quorum ");
    cg_put_str(&w, quorum ? quorum : "none");
    cg_put_u8(&w, '\n');
    if (code == 0 && cg_writer_end(&w) != CG_OK)
        code = cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "the trust file");
    if (code == 0)
        code = check(run, "what the options say", cg_buf_span(out), &trust);
    cg_trust_free(trust);
    return code;
}

int cl_run_trust_make(struct cl_run *run)
{
    const char *path = cl_text(run->args, CL_OUTPUT);
    struct cg_buf text;
    int code = cl_run_open(run);

    cg_buf_init(&text, CG_TRUST_MAX_BYTES);
    if (code == 0)
        code = make(run, &text);
    if (code == 0 && path && strcmp(path, "-") != 0)
        code = cl_write(run, path, cg_buf_span(&text));
    else if (code == 0)
        fwrite(text.at, 1, text.len, run->show->out);
    cg_buf_done(&text);
    return code;
}

int cl_run_trust_show(struct cl_run *run)
{
    const char *path = run->n_words > 0 ? run->words[0] : cl_text(run->args, CL_TRUST);
    char usual[CL_PATH_MAX_BYTES];
    struct cg_buf text = {0};
    struct cg_trust *trust = NULL;
    int code = cl_run_open(run);

    if (code == 0 && !path) {
        code = cl_path_in(run, run->app.folder, "trust.conf", usual);
        path = usual;
    }
    if (code == 0)
        code = cl_read(run, path, CG_TRUST_MAX_BYTES, &text);
    if (code == 0)
        code = check(run, path, cg_buf_span(&text), &trust);
    for (size_t i = 0; code == 0 && i < trust->n_logs; i++) {
        char id[2 * CG_LOG_ID_BYTES + 1] = {0};

        cg_hex_write(CG_BYTES(trust->log_ids[i].bytes), id);
        cl_say(run->show, "log      %s", id);
    }
    for (size_t i = 0; code == 0 && i < trust->n_registries; i++)
        cl_say(run->show, "registry did:bpi:%s", trust->registries[i].did.text);
    if (code == 0)
        cl_say(run->show, "quorum   %s",
               trust->quorum.is_none ? "none: one log operator is believed" : "of witnesses");
    cg_trust_free(trust);
    cg_buf_done(&text);
    return code;
}
