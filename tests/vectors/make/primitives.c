/* primitives.c: the algorithms that Python's standard library lacks, for the makers of vectors.
 *
 * Reads one request a line, its arguments in hex, and answers with one line of hex:
 *   ed25519-public SEED | ed25519-sign SEED MESSAGE
 *   mldsa87-public SEED | mldsa87-sign SEED CONTEXT MESSAGE      (deterministic)
 *   argon2id M_KIB PASSES LANES PASSPHRASE SALT                  (numbers in decimal)
 *   aes256gcm KEY NONCE AAD PLAIN
 * An empty argument is "-".  Everything above these, the makers do themselves. */
#include "lib/base/span.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/keyfile.h"
#include "lib/crypto/sign.h"

#include <stdio.h>
#include <stdlib.h>

static struct cg_crypto *crypto;
static char line[1 << 20];

static _Noreturn void stop(const char *why)
{
    fprintf(stderr, "primitives: %s\n", why);
    exit(1);
}

static void must(cg_err err)
{
    if (err != CG_OK)
        stop(cg_err_text(err));
}

/* Decodes the next argument in place. */
static struct cg_span next_bytes(char **save)
{
    char *hex = strtok_r(NULL, " \n", save);
    size_t len = hex ? strlen(hex) / 2 : 0;

    if (!hex)
        stop("an argument is missing");
    if (strcmp(hex, "-") == 0)
        len = 0;
    for (size_t i = 0; i < len; i++) {
        const char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        hex[i] = (char)strtoul(byte, NULL, 16);
    }
    return cg_span_of(hex, len);
}

static uint32_t next_number(char **save)
{
    char *text = strtok_r(NULL, " \n", save);

    if (!text)
        stop("an argument is missing");
    return (uint32_t)strtoul(text, NULL, 10);
}

static struct cg_secret next_secret(char **save)
{
    struct cg_span bytes = next_bytes(save);
    struct cg_secret secret;

    if (bytes.len != sizeof secret.bytes)
        stop("a key or seed has 32 bytes");
    memcpy(secret.bytes, bytes.at, sizeof secret.bytes);
    return secret;
}

static void answer(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

static void run_key(const char *verb, enum cg_alg alg, char **save)
{
    static uint8_t out[CG_SIG_MAX_BYTES];
    const struct cg_alg_info *info = cg_alg_info_of(alg);
    struct cg_secret seed = next_secret(save);
    struct cg_span context = {NULL, 0};
    struct cg_sign_key *key;

    must(cg_sign_key_new(crypto, alg, &seed, &key));
    if (strcmp(verb, "public") == 0) {
        must(cg_sign_key_public(key, out));
        answer(out, info->key_len);
    } else {
        if (info->has_context)
            context = next_bytes(save);
        must(cg_sign(key, context, next_bytes(save), out));
        answer(out, info->sig_len);
    }
    cg_sign_key_free(key);
}

static void run_argon2id(char **save)
{
    struct cg_argon2_cost cost;
    struct cg_secret out;

    cost.m_kib = next_number(save);
    cost.passes = next_number(save);
    cost.lanes = next_number(save);
    struct cg_span passphrase = next_bytes(save);
    must(cg_argon2id(crypto, cost, passphrase, next_bytes(save), &out));
    answer(out.bytes, sizeof out.bytes);
}

static void run_aes256gcm(char **save)
{
    static uint8_t out[sizeof line];
    struct cg_secret key = next_secret(save);
    struct cg_span nonce = next_bytes(save);

    if (nonce.len != CG_AEAD_NONCE_BYTES)
        stop("a nonce has 12 bytes");
    struct cg_span aad = next_bytes(save), plain = next_bytes(save);
    must(cg_aead_seal(crypto, &key, nonce.at, aad, plain, out));
    answer(out, plain.len + CG_AEAD_TAG_BYTES);
}

int main(void)
{
    must(cg_crypto_new_deterministic(&crypto));
    while (fgets(line, sizeof line, stdin)) {
        char *save = NULL, *verb = strtok_r(line, " \n", &save);

        if (!verb)
            stop("an empty line");
        if (strncmp(verb, "ed25519-", 8) == 0)
            run_key(verb + 8, CG_ALG_ED25519, &save);
        else if (strncmp(verb, "mldsa87-", 8) == 0)
            run_key(verb + 8, CG_ALG_MLDSA87, &save);
        else if (strcmp(verb, "argon2id") == 0)
            run_argon2id(&save);
        else if (strcmp(verb, "aes256gcm") == 0)
            run_aes256gcm(&save);
        else
            stop("an unknown request");
        fflush(stdout);
    }
    cg_crypto_free(crypto);
    return 0;
}
