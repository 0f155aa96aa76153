#include "runtime/bind.h"
#include "runtime/config.h"
#include "runtime/option_text.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#define ARENA_MAX_BYTES (4 * 1024 * 1024)
#define FIELDS_MAX 64

static cg_err write_row(struct cg_bind *bind, struct cg_span text, struct cg_buf *out)
{
    struct cg_yaml *root;
    bool was_set[FIELDS_MAX], says_something = false;

    CG_TRY(cg_yaml_read(text, bind->where, bind->arena, bind->problems, &root));
    if (!root || root->kind != CG_YAML_MAP) {
        cg_problem_add(bind->problems, bind->where, root ? root->line : 1, root ? root->column : 1,
                       "a mapping is expected here, not %s", cg_yaml_kind_name(root));
        return CG_CONFIG;
    }
    bind->line = root->line;
    bind->column = root->column;
    CG_TRY(cg_bind_new(bind));
    CG_TRY(cg_bind_defaults(bind));
    CG_TRY(cg_bind_map(bind, root));
    CG_TRY(cg_bind_check(bind));
    if (bind->problems->n + bind->problems->n_more > bind->n_before)
        return CG_CONFIG;
    for (size_t i = 0; i < bind->table->n_options; i++) {
        was_set[i] = bind->origins[i].where != NULL;
        says_something |= was_set[i];
    }
    if (!says_something) {
        cg_problem_add(bind->problems, bind->where, root->line, root->column,
                       "nothing is set here");
        return CG_CONFIG;
    }
    return cg_option_text_row(bind->table, bind->values, was_set, out);
}

cg_err cg_config_row_write(const struct cg_option_table *rows, struct cg_span text,
                           const char *where, struct cg_problems *problems, struct cg_buf *out)
{
    struct cg_arena arena;
    struct cg_bind bind = {
        .table = rows, .name = "", .where = where, .arena = &arena, .problems = problems};
    size_t before = out->len;

    if (rows->n_options > FIELDS_MAX)
        return CG_INTERNAL;
    cg_arena_init(&arena, ARENA_MAX_BYTES);
    cg_err err = write_row(&bind, text, out);
    if (err != CG_OK)
        out->len = before;
    cg_arena_wipe(&arena);
    return err;
}
