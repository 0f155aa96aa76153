/* agent.h: how the client and its agent talk: HTTP/2 over a Unix socket, a POST a fetch.
 *
 *   POST /fetch
 *   httpcg-agent-url, -method, -sapi, -body (none, sized, stream), -epochs; for sized: -digest,
 * -length every other field goes along with the request; so does the body
 *
 *   410 the wallet's files have changed, the agent ends; 503 it has too much to do
 *   200, once the gateway's head is there, or the way to it was not found
 *   httpcg-agent-status, -length; -gateway, -did, -fingerprint, -group, -address; -reused
 *   httpcg-agent-check, one for each check: step, name, error, detail, with tabs between
 *   every other field is the gateway's; so is the body
 *   trailers: more checks, -failed (error) or -failed-way (step and error), -problem with
 * -retry-after or -server-time, -verified
 *
 * Only the same user may connect. The agent never shows a key; whoever may use it may act as its
 * wallet, which is what the file's owner could do anyway. */
#ifndef CG_CLIENT_AGENT_H
#define CG_CLIENT_AGENT_H
#include "client/transfer.h"

#define CL_AGENT_PREFIX "httpcg-agent-"
#define CL_AGENT_HEAD_MAX_BYTES (60 * 1024)

/* cl_agent_path gives the socket that the options say: --agent, $HTTPCG_AGENT, agent.sock in the
 * home folder; false: none is to be used. */
bool cl_agent_path(const struct cl_run *run, char out[static CL_PATH_MAX_BYTES]);
/* cl_agent_is_there tells whether an agent listens at that socket, and it is ours. */
bool cl_agent_is_there(const char *path);
/* cl_agent_fetch has the agent do a transfer, whose results it fills in.
 * Errors  CG_UNREACHABLE with transfer->is_by_agent false: there is no agent, and nothing was sent.
 *         Otherwise those of the fetch; where no way was found, *out_step tells where it ended. */
CG_MUST_USE cg_err cl_agent_fetch(struct cl_transfer *transfer, const char *path,
                                  const struct cl_fetch_ask *ask, enum cl_way_step *out_step);
/* cl_agent_wake goes on where read could not; agent is transfer->agent. */
void cl_agent_wake(void *agent);

/* Shared by both sides. */
/* cl_agent_add adds the field "httpcg-agent-<name>"; text that a field cannot hold is left out. */
CG_MUST_USE cg_err cl_agent_add(struct cg_head *head, const char *name, const char *value);
/* cl_agent_value gives such a field's value; at NULL where there is none. */
struct cg_span cl_agent_value(const struct cg_head *head, const char *name);
/* cl_agent_is_ours tells whether a field is one of them. */
bool cl_agent_is_ours(const struct cg_field *field);
/* cl_http_version tells which HTTP a connection speaks: "2" or "1.1". */
const char *cl_http_version(struct cg_conn *conn);
/* cl_err_of_name finds an error by its name; CG_INTERNAL where there is none. */
cg_err cl_err_of_name(struct cg_span name);

#endif
