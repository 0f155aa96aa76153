#include "runtime/seed.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/crypto/keyfile.h"
#include "runtime/file.h"

#define PASSPHRASE_MAX_BYTES 1024

static cg_err complain(struct cg_problems *problems, const struct cg_seed_ask *ask,
                       const char *option, const char *file, const char *what)
{
    cg_problem_add(problems, file ? file : ask->section, 0, 0, "%s (%s.%s)", what, ask->section,
                   option);
    return CG_CONFIG;
}

static cg_err read_file(struct cg_problems *problems, const struct cg_seed_ask *ask,
                        const char *option, const char *file, size_t max, struct cg_buf *out)
{
    if (!file)
        return complain(problems, ask, option, NULL, "is not set");
    switch (cg_file_read_secret(file, max, out)) {
    case CG_OK:
        return CG_OK;
    case CG_NO_MEMORY:
        return CG_NO_MEMORY;
    case CG_CONFIG:
        return complain(problems, ask, option, file,
                        "holds a secret and others may read it; chmod 600 it");
    case CG_NOT_FOUND:
        return complain(problems, ask, option, file, "does not exist");
    case CG_TOO_LARGE:
        return complain(problems, ask, option, file, "is larger than such a file can be");
    default:
        return complain(problems, ask, option, file,
                        "cannot be read; are its owner and mode right?");
    }
}

static struct cg_span without_line_feed(struct cg_span text)
{
    while (text.len > 0 && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static cg_err open_key(const struct cg_crypto *crypto, const struct cg_seed_ask *ask,
                       struct cg_span file, struct cg_span passphrase, struct cg_problems *problems,
                       struct cg_secret *out)
{
    struct cg_keyfile keyfile;
    struct cg_keyfile_content content;

    if (cg_keyfile_read(file, &keyfile) != CG_OK)
        return complain(problems, ask, "key", ask->key, "is not a key file");
    if (!cg_span_is(keyfile.role, ask->role)) {
        cg_problem_add(problems, ask->key, 0, 0, "is not a key of the role %s (%s.key)", ask->role,
                       ask->section);
        return CG_CONFIG;
    }
    switch (cg_keyfile_open(crypto, &keyfile, passphrase, &content)) {
    case CG_OK:
        *out = content.seed;
        cg_keyfile_content_done(&content);
        return CG_OK;
    case CG_NO_MEMORY:
        return CG_NO_MEMORY;
    case CG_MISMATCH:
        return complain(problems, ask, "passphrase", ask->passphrase,
                        "does not open the key file, or that was altered");
    default:
        return complain(problems, ask, "key", ask->key,
                        "cannot be opened; is there memory enough for its key derivation?");
    }
}

cg_err cg_seed_load(const struct cg_crypto *crypto, const struct cg_seed_ask *ask,
                    struct cg_problems *problems, struct cg_secret *out)
{
    struct cg_buf file = {0}, passphrase = {0};

    cg_err err = read_file(problems, ask, "key", ask->key, CG_KEYFILE_MAX_BYTES, &file);
    if (err == CG_OK)
        err = read_file(problems, ask, "passphrase", ask->passphrase, PASSPHRASE_MAX_BYTES,
                        &passphrase);
    if (err == CG_OK)
        err = open_key(crypto, ask, cg_buf_span(&file), without_line_feed(cg_buf_span(&passphrase)),
                       problems, out);
    cg_buf_wipe(&file);
    cg_buf_wipe(&passphrase);
    return err;
}
