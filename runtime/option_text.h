/* option_text.h: values and rows of a table as text; what people read of a table is in option.h. */
#ifndef CG_RUNTIME_OPTION_TEXT_H
#define CG_RUNTIME_OPTION_TEXT_H
#include "runtime/option.h"

/* cg_option_text_values appends a table's section with all its values, secrets hidden. */
CG_MUST_USE cg_err cg_option_text_values(const struct cg_option_table *table, const void *values,
                                         struct cg_buf *out);
/* cg_option_text_row appends what a row sets, secrets in the clear: for the row's own private file.
 * was_set tells for each of the table's options whether it is written. */
CG_MUST_USE cg_err cg_option_text_row(const struct cg_option_table *rows, const void *values,
                                      const bool *was_set, struct cg_buf *out);

#endif
