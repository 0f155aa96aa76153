/* names.h: from a name to its verified record and profile, looked up once for all threads.
 *
 * On the service loop, a look-up asks the registries in order, verifies the answer (a worker with
 * the database of what was seen before), fetches the profile that the record names from the
 * ledger, and hands everybody who waits a reference to one immutable result.  Answers prove
 * themselves, so it does not matter which registry gave them; a lower serial is an alarm. */
#ifndef CG_GATEWAY_NAMES_H
#define CG_GATEWAY_NAMES_H
#include "gateway/gateway.h"
#include "lib/record/resolve.h"

#include "lib/access/policy.h"

/* A denial is believed for so long; a record that no registry confirms any more, for so long after
 * its time to live. */
#define GW_NAME_DENIED_S 300
#define GW_NAME_STALE_S 3600

struct gw_name;
struct gw_names;

CG_MUST_USE cg_err gw_names_new(struct gw_gateway *gw, struct cg_problems *problems,
                                struct gw_names **out);
/* gw_names_end tells all who wait that nothing will come any more: the service loop has stopped,
 * nobody else's loop has been freed. gw_names_free frees the rest; NULL is nothing to both. */
void gw_names_end(struct gw_names *names);
void gw_names_free(struct gw_names *names);

/* gw_name_begin looks up "plane/authority"; from any loop.
 * Errors  now: CG_NO_MEMORY; delivered: CG_UNREACHABLE (nobody could be asked), or why what
 *         was answered does not verify. */
CG_MUST_USE cg_err gw_name_begin(struct gw_names *names, struct cg_span key, struct cg_loop *loop,
                                 struct cg_ticket who, unsigned tag, struct cg_mono deadline);
/* gw_name_take takes a reference out of a delivered call; NULL on errors. */
struct gw_name *gw_name_take(struct cg_call *call);

struct gw_name *gw_name_ref(struct gw_name *name);
void gw_name_unref(struct gw_name *name);
struct cg_span gw_name_key(const struct gw_name *name);
/* gw_name_is_fresh tells whether it may be used without asking again. */
bool gw_name_is_fresh(const struct gw_name *name, struct cg_wall now);
/* gw_name_is_over tells whether it may not even be used where nobody can be asked. */
bool gw_name_is_over(const struct gw_name *name, struct cg_wall now);
/* gw_name_renew asks for it again where its time is nearly over, so that nobody has to wait when it
 * is; from any loop, as often as one likes. */
void gw_name_renew(struct gw_names *names, struct gw_name *name, struct cg_wall now);
/* gw_name_denial gives the staple that proves there is no such name, or the empty span. */
bool gw_name_is_gone(const struct gw_name *name, struct cg_span *out_staple);
const struct cg_record *gw_name_record(const struct gw_name *name);
const struct cg_policy *gw_name_policy(const struct gw_name *name);

#endif
