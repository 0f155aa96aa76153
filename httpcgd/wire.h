/* wire.h: puts the roles that the configuration asks for together in one process. */
#ifndef CG_HTTPCGD_WIRE_H
#define CG_HTTPCGD_WIRE_H
#include "runtime/daemon.h"

struct cd_process;

/* cd_process_new makes the part that cg_daemon_run starts and stops. */
CG_MUST_USE cg_err cd_process_new(struct cg_log *log, struct cd_process **out);
void cd_process_free(struct cd_process *process);
/* cd_process_set_daemon tells it whose part it is, before that runs. */
void cd_process_set_daemon(struct cd_process *process, struct cg_daemon *daemon);
struct cg_part cd_process_part(struct cd_process *process);

/* Every role's option table, for the configuration, --help and the manual. */
extern const struct cg_option_table *const cd_tables[];
extern const size_t cd_n_tables;

#endif
