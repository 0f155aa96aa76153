/* registration.h: having a registry record a name, or that it is gone.
 *
 * What goes wrong is said, with what to do next; returns are exit codes, 0 for success. */
#ifndef CG_CLIENT_REGISTRATION_H
#define CG_CLIENT_REGISTRATION_H
#include "client/command.h"

#include <httpcg/record.h>

struct cl_registration {
    struct cg_span plane, authority;
    const char *name, *profile;
    bool is_tombstone;
    uint64_t ttl_s;
    struct cg_waddr gateway_dids[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateway_dids;
    struct cg_span gateways[CG_RECORD_GATEWAYS_MAX];
    size_t n_gateways;
    /* What the registry said of the name before. */
    bool has_record, has_tombstone;
    uint64_t serial; /* of the record to be made */
    struct cg_wall issued;
    char url[512], token[128];
};

/* cl_registration_look asks what there is of the name; another wallet's name is a failure. */
CG_MUST_USE int cl_registration_look(struct cl_run *run, struct cl_registration *r);
/* cl_registration_begin gets leave to register, which shows whether the registry can be reached.
 * Nothing is changed by it. */
CG_MUST_USE int cl_registration_begin(struct cl_run *run, struct cl_registration *r);
/* cl_registration_send registers. After a failure the record is not there, as far as could be
 * found out; where that is not certain it was said. */
CG_MUST_USE int cl_registration_send(struct cl_run *run, struct cl_registration *r);

#endif
