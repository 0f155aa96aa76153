/* trust: the one file that everything else is checked against. Comments and blank lines change
 * nothing, a refusal names a line that there is, and what was read is found again. */
#include "lib/trust/trust.h"
#include "fuzz/fuzz.h"

#include <httpcg/url.h>

static struct cg_span with_comments(struct cg_fuzz *in, struct cg_span text)
{
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);

    while (text.len) {
        size_t n = cg_span_find(text, '\n');
        cg_put_str(&w, "# another line\n\n");
        cg_put(&w, cg_span_first(text, n + 1));
        text = cg_span_from(text, n + 1);
    }
    MUST_OK(cg_writer_end(&w));
    return cg_buf_span(out);
}

static unsigned n_lines(struct cg_span text)
{
    unsigned n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == '\n';
    return n;
}

static void check(const struct cg_trust *t)
{
    MUST(t->n_logs <= CG_TRUST_LOGS_MAX &&
         (t->quorum.is_none || t->quorum.goal < t->quorum.n_nodes));
    for (size_t i = 0; i < t->n_logs; i++)
        MUST(cg_trust_log(t, &t->log_ids[i]) == &t->logs[i]);
    for (size_t i = 0; i < t->n_registries; i++)
        MUST(cg_trust_find_registry(t, &t->registries[i].did) == &t->registries[i]);
    for (size_t i = 0; i < t->n_pins; i++) {
        struct cg_span name = t->pins[i].name;
        size_t slash = cg_span_find(name, '/');
        MUST_OK(cg_url_check_name(name));
        MUST(cg_trust_find_pin(t, cg_span_first(name, slash), cg_span_from(name, slash + 1)) ==
             &t->pins[i].gateway);
    }
    MUST(t->max_checkpoint_age_s > 0 && t->max_checkpoint_age_s <= CG_TRUST_MAX_AGE_S);
    MUST(t->floor_padding <= CG_PADDING_MAX);
    for (size_t i = 0; i < t->quorum.n_nodes; i++) {
        const struct cg_quorum_node *node = &t->quorum.nodes[i];
        MUST(node->parent == CG_GROUP_NONE ||
             (node->parent > i && node->parent < t->quorum.n_nodes));
        MUST(!node->is_group || (node->k >= 1 && node->k <= node->n));
    }
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span text = cg_fuzz_rest(in);
    struct cg_trust_fault fault = {0};
    struct cg_trust *trust = NULL, *again = NULL;
    cg_err err = cg_trust_read(cg_fuzz_crypto(), text, &trust, &fault);

    if (err != CG_OK) {
        MUST(!trust && err == CG_CONFIG && fault.text && fault.line <= n_lines(text));
        MUST(cg_trust_read(cg_fuzz_crypto(), with_comments(in, text), &again, NULL) == CG_CONFIG);
        return;
    }
    check(trust);
    MUST_OK(cg_trust_read(cg_fuzz_crypto(), with_comments(in, text), &again, NULL));
    MUST(again->n_logs == trust->n_logs && again->n_pins == trust->n_pins &&
         again->n_registries == trust->n_registries &&
         again->quorum.n_nodes == trust->quorum.n_nodes);
    cg_trust_free(trust);
    cg_trust_free(again);
}
