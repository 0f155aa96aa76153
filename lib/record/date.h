/* date.h: the one spelling of a moment in records: YYYY-MM-DDTHH:MM:SSZ (RFC 3339, narrowed). */
#ifndef CG_LIB_RECORD_DATE_H
#define CG_LIB_RECORD_DATE_H
#include <httpcg/err.h>

#define CG_DATE_CHARS 20

/* cg_date_read parses; years 1970 to 9999, no leap seconds (Unix time has none).
 * Errors  CG_SHORT, CG_EXTRA, CG_SYNTAX (also for a day or hour that does not exist). */
CG_MUST_USE cg_err cg_date_read(struct cg_span text, struct cg_wall *out);
/* cg_date_write writes 20 characters and a NUL. Errors  CG_TOO_LARGE (outside those years). */
CG_MUST_USE cg_err cg_date_write(struct cg_wall time, char out[static CG_DATE_CHARS + 1]);

#endif
