/* schema.h: the numbered files of schema/, each a step from one version of the tables to the next;
 * put into the program by the build. */
#ifndef CG_STORE_SCHEMA_H
#define CG_STORE_SCHEMA_H
#include <stddef.h>

extern const char *const cg_schema_steps[];
extern const size_t cg_schema_n_steps;

#endif
