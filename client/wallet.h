/* wallet.h: the wallet's files: a key file, and its document beside it. */
#ifndef CG_CLIENT_WALLET_H
#define CG_CLIENT_WALLET_H
#include "client/key.h"

/* cl_wallet_paths tells the files of the wallet that the options name: --wallet, or wallet.hck in
 * the home folder. */
CG_MUST_USE int cl_wallet_paths(struct cl_run *run, char key[static CL_PATH_MAX_BYTES],
                                char doc[static CL_PATH_MAX_BYTES]);
/* cl_wallet_next_path tells where its next generation's seed usually is. */
CG_MUST_USE int cl_wallet_next_path(struct cl_run *run, const char *key,
                                    char out[static CL_PATH_MAX_BYTES]);
/* cl_wallet_open opens it into run->app.wallet; the document must be that key's.
 * What is wrong is said; the return is an exit code. */
CG_MUST_USE int cl_wallet_open(struct cl_run *run);
/* cl_wallet_doc reads only the document; nobody is asked for a passphrase.
 * Owns    doc is the caller's. */
CG_MUST_USE int cl_wallet_doc(struct cl_run *run, struct cg_did_state *state, struct cg_buf *doc);
/* cl_wallet_doc_read is that for the document in a file. */
CG_MUST_USE int cl_wallet_doc_read(struct cl_run *run, const char *path, struct cg_did_state *state,
                                   struct cg_buf *doc);
/* cl_wallet_signs tells whether these are the keys that a state says. */
CG_MUST_USE cg_err cl_wallet_signs(const struct cl_app *app, const struct cl_key *key,
                                   const struct cg_did_state *state, bool *out);

#endif
