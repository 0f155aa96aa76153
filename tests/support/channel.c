#include "tests/support/channel.h"

#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_kit *kit;

static void must(cg_err err, const char *what)
{
    if (err == CG_OK)
        return;
    fprintf(stderr, "test channel: %s: %s\n", what, cg_err_text(err));
    exit(2);
}

__attribute__((destructor)) static void forget(void)
{
    cg_kit_free(kit);
}

struct cg_kit *cg_test_kit(void)
{
    if (!kit)
        must(cg_kit_new(cg_test_crypto(), &kit), "kit");
    return kit;
}

struct cg_hash cg_test_hash(const char *path)
{
    struct cg_span bytes = cg_vector_hex(path);
    struct cg_hash hash;

    if (bytes.len != sizeof hash.bytes)
        must(CG_SCHEMA, path);
    memcpy(hash.bytes, bytes.at, sizeof hash.bytes);
    return hash;
}

void cg_test_channel(size_t index, struct cg_channel *out)
{
    char path[64];
    struct cg_secret exporter;

    snprintf(path, sizeof path, "qlock:channels.%zu.exporter", index);
    struct cg_hash e = cg_test_hash(path);
    memcpy(exporter.bytes, e.bytes, sizeof exporter.bytes);
    snprintf(path, sizeof path, "qlock:channels.%zu.spki", index);
    struct cg_hash spki = cg_test_hash(path);
    snprintf(path, sizeof path, "qlock:channels.%zu.fingerprint", index);
    struct cg_hash fingerprint = cg_test_hash(path);
    must(cg_channel_init(cg_test_kit(), &exporter, &spki, &fingerprint, out), "derivation");
}
