/* bench/ledger [ENTRIES]: what an entry and a proof cost, as the log grows.
 *
 * Appends inceptions in full batches to a database in $TMPDIR, as the ledger's writing thread does
 * (entries, tree, map, both transactions with their syncs; signing is a worker's), and builds
 * staples out of it, as its reading thread does. Prints microseconds of one thread. */
#include "ledger/append.h"
#include "ledger/view.h"
#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/crypto/hash.h"
#include "runtime/clock.h"

#include <httpcg/identity.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t n_made;

static void must(cg_err err, const char *what)
{
    if (err == CG_OK)
        return;
    fprintf(stderr, "bench/ledger: %s: %s\n", what, cg_err_text(err));
    exit(1);
}

/* An inception with keys that nobody has; only their bytes count here. */
static struct cg_wallet_doc doc_of(uint64_t n)
{
    struct cg_wallet_doc doc = {0};

    for (size_t i = 0; i < 8; i++)
        doc.next.bytes[i] = doc.keys.ed25519[i + 8] = (uint8_t)(n >> 8 * i);
    doc.keys.ed25519[0] = 9;
    return doc;
}

static struct lg_item *item_of(uint64_t n)
{
    struct cg_wallet_doc doc = doc_of(n);
    struct lg_item *item = lg_item_new();
    uint8_t wire[CG_WALLET_DOC_BYTES];
    char did[CG_DID_CHARS + 1];
    struct cg_waddr waddr;

    cg_wallet_doc_write(&doc, wire);
    must(cg_wallet_doc_address(&doc, &waddr), "address");
    cg_did_write(&waddr, did);
    item->kind = CG_ENTRY_DID;
    item->has_object = true;
    must(cg_sha256(CG_BYTES(wire), &item->commitment), "hash");
    must(cg_object_digest(CG_BYTES(wire), &item->object_digest), "digest");
    must(cg_arena_copy(&item->arena, CG_BYTES(wire), &item->object), "object");
    must(cg_arena_copy(&item->arena, cg_span_str(did), &item->subject), "subject");
    return item;
}

/* One head over n entries; its time in microseconds. */
static double add_head(struct lg_book *book, size_t n)
{
    struct lg_item *items = NULL;
    struct lg_batch batch;
    bool has_head;

    for (size_t i = 0; i < n; i++) {
        struct lg_item *item = item_of(n_made++);

        item->next = items;
        items = item;
    }
    lg_batch_init(&batch);
    int64_t began = cg_clock_mono().us;
    must(lg_append(book, items, true, cg_clock_wall(), &batch, &has_head), "append");
    must(lg_publish(book, &batch, CG_LIT("a note of 6.4 kB in real life")), "publish");
    int64_t took = cg_clock_mono().us - began;
    lg_batch_done(&batch);
    lg_items_free(items);
    return (double)took;
}

/* Staples of random DIDs; microseconds for one. */
static double prove(struct cg_store *store, size_t n)
{
    uint64_t random = 88172645463325252u;
    int64_t began = cg_clock_mono().us;

    for (size_t i = 0; i < n; i++) {
        struct cg_wallet_doc doc = doc_of(random % n_made);
        struct cg_buf staple;
        struct lg_view view;
        struct cg_waddr waddr;

        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        must(cg_wallet_doc_address(&doc, &waddr), "address");
        cg_buf_init(&staple, CG_STAPLE_MAX_BYTES);
        must(lg_view_begin(store, &view), "view");
        must(lg_staple_did(&view, &waddr, &staple), "staple");
        lg_view_end(&view);
        cg_buf_done(&staple);
    }
    return (double)(cg_clock_mono().us - began) / (double)n;
}

int main(int argc, char **argv)
{
    uint64_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    const char *tmp = getenv("TMPDIR");
    char path[256], why[CG_STORE_WHY_BYTES], side[300];
    struct lg_book book = {0};
    struct cg_store *reader;
    double whole = 0, single;
    uint64_t shown = 256, heads = 0;

    snprintf(path, sizeof path, "%s/httpcg-bench-%d.db", tmp ? tmp : "/tmp", (int)getpid());
    must(cg_store_open_sqlite(path, why, &book.store), path);
    must(cg_store_open_sqlite(path, why, &reader), path);
    printf("%10s %22s %22s %14s\n", "entries", "us/entry, 256 a head", "us/entry, 1 a head",
           "us/staple");
    while (n_made < most) {
        whole += add_head(&book, LG_BATCH_MAX_ITEMS);
        heads++;
        if (n_made < shown && n_made < most)
            continue;
        single = 0;
        for (unsigned i = 0; i < 8; i++)
            single += add_head(&book, 1) / 8;
        printf("%10llu %22.1f %22.1f %14.1f\n", (unsigned long long)n_made,
               whole / (double)heads / LG_BATCH_MAX_ITEMS, single, prove(reader, 2000));
        fflush(stdout);
        shown *= 4;
        whole = 0;
        heads = 0;
    }
    cg_store_free(reader);
    cg_store_free(book.store);
    unlink(path);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(side, sizeof side, "%s%s", path, i ? "-wal" : "-shm");
        unlink(side);
    }
    return 0;
}
