/* policy: may this gateway serve the name at all? Its owner lists the gateways; one that is not
 * among them does not, whatever its operator configured. */
#include "gateway/request.h"

#include "gateway/identity.h"
#include "gateway/names.h"

enum gw_next gw_policy(struct gw_request *req)
{
    const struct cg_record *record = gw_name_record(req->name);
    const struct cg_waddr *self = &req->conn->identity->cert.subject;

    for (size_t i = 0; i < record->n_gateway_dids; i++)
        if (cg_waddr_eq(&record->gateway_dids[i], self))
            return GW_ON;
    return gw_refuse(req, CG_REFUSAL_MISDIRECTED, CG_DENIED, "gateway");
}
