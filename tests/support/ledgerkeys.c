/* ledgerkeys FOLDER ORIGIN: makes the keys of a new log for a test: log.hck and log.pass in FOLDER,
 * and trust.conf, which believes that log alone. The key derivation costs next to nothing, so this
 * is for tests only. */
#include "lib/base/span.h"
#include "lib/crypto/keyfile.h"
#include "lib/trust/trust.h"
#include "runtime/entropy.h"
#include "runtime/file.h"

#include <stdio.h>
#include <stdlib.h>

static void must(cg_err err, const char *what)
{
    if (err == CG_OK)
        return;
    fprintf(stderr, "ledgerkeys: %s: %s\n", what, cg_err_text(err));
    exit(1);
}

static void write_file(const char *folder, const char *name, struct cg_span bytes)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(cg_file_write(path, bytes), path);
}

int main(int argc, char **argv)
{
    struct cg_keyfile_content content = {.created = {1}};
    const struct cg_argon2_cost cheap = {8, 1, 1};
    uint8_t salt[CG_KEYFILE_SALT_BYTES], nonce[12];
    struct cg_crypto *crypto = NULL;
    struct cg_signer *signer = NULL;
    struct cg_buf file, trust;

    if (argc != 3) {
        fprintf(stderr, "usage: ledgerkeys FOLDER ORIGIN\n");
        return 2;
    }
    must(cg_crypto_new(&crypto), "crypto");
    must(cg_entropy_fill(&content.seed, sizeof content.seed), "entropy");
    must(cg_entropy_fill(salt, sizeof salt), "entropy");
    must(cg_entropy_fill(nonce, sizeof nonce), "entropy");
    cg_buf_init(&file, CG_KEYFILE_MAX_BYTES);
    must(cg_keyfile_write(crypto, &content, CG_LIT("log"), CG_LIT(""), CG_LIT("test"), cheap, salt,
                          nonce, &file),
         "key file");
    write_file(argv[1], "log.hck", cg_buf_span(&file));
    write_file(argv[1], "log.pass", CG_LIT("test\n"));

    must(cg_wallet_signer(crypto, &content.seed, &signer), "signer");
    cg_buf_init(&trust, 65536);
    struct cg_writer w = cg_writer_into(&trust);
    must(cg_trust_log_write(cg_span_str(argv[2]), cg_signer_public(signer), &w), "trust");
    cg_put_str(&w, "quorum none\n");
    must(cg_writer_end(&w), "trust");
    write_file(argv[1], "trust.conf", cg_buf_span(&trust));

    cg_buf_wipe(&file);
    cg_buf_done(&trust);
    cg_keyfile_content_done(&content);
    cg_signer_free(signer);
    cg_crypto_free(crypto);
    return 0;
}
