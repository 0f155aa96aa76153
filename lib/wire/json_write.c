#include "lib/wire/json.h"

#include "lib/base/span.h"

void cg_json_put_text(struct cg_writer *w, struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < 0x20 || text.at[i] > 0x7e || text.at[i] == '"' || text.at[i] == '\\')
            cg_writer_fail(w, CG_SYNTAX);
    cg_put_u8(w, '"');
    cg_put(w, text);
    cg_put_u8(w, '"');
}

void cg_json_put_key(struct cg_writer *w, const char *name, bool is_first)
{
    if (!is_first)
        cg_put_u8(w, ',');
    cg_json_put_text(w, cg_span_str(name));
    cg_put_u8(w, ':');
}

void cg_json_put_bool(struct cg_writer *w, bool v)
{
    cg_put_str(w, v ? "true" : "false");
}
