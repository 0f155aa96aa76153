/* keyfile: a key file may come from anywhere. Those that ask for more than a fuzzer can pay are not
 * opened, only read; one that opens is the one file that its contents make. */
#include "lib/crypto/keyfile.h"
#include "fuzz/fuzz.h"

#define KIB_MAX 64

static void open_it(struct cg_fuzz *in, const struct cg_keyfile *file, struct cg_span wire)
{
    struct cg_span passphrase = CG_LIT("passphrase");
    struct cg_keyfile_content content;
    struct cg_buf *out = cg_fuzz_buf(in);

    MARK(content);
    if (cg_keyfile_open(cg_fuzz_crypto(), file, passphrase, &content) != CG_OK) {
        UNTOUCHED(content);
        return;
    }
    MUST_OK(cg_keyfile_write(cg_fuzz_crypto(), &content, file->role, file->hint, passphrase,
                             file->cost, file->salt.at, file->nonce.at, out));
    MUST_SAME(cg_buf_span(out), wire);
    cg_keyfile_content_done(&content);
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    struct cg_span wire = cg_fuzz_rest(in);
    struct cg_keyfile file;

    MARK(file);
    if (cg_keyfile_read(wire, &file) != CG_OK) {
        UNTOUCHED(file);
        return;
    }
    MUST(wire.len <= CG_KEYFILE_MAX_BYTES);
    MUST_OK(cg_argon2_cost_check(file.cost));
    MUST(file.cost.m_kib <= CG_ARGON2_MAX_KIB && file.cost.passes <= CG_ARGON2_MAX_PASSES &&
         file.cost.lanes <= CG_ARGON2_MAX_LANES);
    if (file.cost.m_kib > KIB_MAX || file.cost.passes > 2)
        return;
    open_it(in, &file, wire);
}
