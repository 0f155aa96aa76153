#include "runtime/key_heap_inner.h"

#include "lib/base/secret.h"
#include "runtime/locked.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Blocks stand one behind the other, used and free ones; two free ones never side by side. Keys are
 * few and live long: the first free block that is large enough is good enough. */
struct block {
    size_t len; /* of all of it, this head included; a multiple of the alignment */
    size_t is_used;
};

_Static_assert(sizeof(struct block) == 16, "what follows a head is aligned as malloc's is");
#define ALIGN 16

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t *heap; /* NULL: there is none */
static size_t size, used;
static bool is_locked;
static _Thread_local unsigned depth;

static struct block *block_at(size_t at)
{
    return (struct block *)(void *)(heap + at);
}

bool cg_key_heap_has(const void *at)
{
    return heap && (const uint8_t *)at >= heap && (const uint8_t *)at < heap + size;
}

static void *take_block(size_t n)
{
    size_t want = (n + sizeof(struct block) + ALIGN - 1) / ALIGN * ALIGN;
    void *found = NULL;

    if (!heap || n > size)
        return NULL;
    pthread_mutex_lock(&lock);
    for (size_t at = 0; at < size && !found; at += block_at(at)->len) {
        struct block *block = block_at(at);

        if (block->is_used || block->len < want)
            continue;
        if (block->len >= want + 2 * sizeof(struct block)) {
            *block_at(at + want) = (struct block){.len = block->len - want};
            block->len = want;
        }
        block->is_used = 1;
        used += block->len;
        found = block + 1;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static void join_free(void)
{
    for (size_t at = 0; at < size;) {
        struct block *block = block_at(at);
        size_t next = at + block->len;

        if (!block->is_used && next < size && !block_at(next)->is_used)
            block->len += block_at(next)->len;
        else
            at = next;
    }
}

static void give_block(void *at)
{
    struct block *block = (struct block *)at - 1;

    cg_wipe(at, block->len - sizeof *block);
    pthread_mutex_lock(&lock);
    block->is_used = 0;
    used -= block->len;
    join_free();
    pthread_mutex_unlock(&lock);
}

/* --- in OpenSSL's words -------------------------------------------------------------------------
 */

void *cg_key_heap_take(size_t n, const char *file, int line)
{
    void *at = depth > 0 && n > 0 ? take_block(n) : NULL;

    (void)file;
    (void)line;
    return at || n == 0 ? at : malloc(n);
}

void cg_key_heap_give(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    if (cg_key_heap_has(at))
        give_block(at);
    else
        free(at);
}

void *cg_key_heap_change(void *at, size_t n, const char *file, int line)
{
    if (!at)
        return cg_key_heap_take(n, file, line);
    if (n == 0) {
        cg_key_heap_give(at, file, line);
        return NULL;
    }
    if (!cg_key_heap_has(at))
        return realloc(at, n);
    size_t room = ((struct block *)at - 1)->len - sizeof(struct block);
    if (n <= room)
        return at;
    void *to = cg_key_heap_take(n, file, line);
    if (!to)
        return NULL;
    memcpy(to, at, room);
    cg_key_heap_give(at, file, line);
    return to;
}

/* A fence before and one behind: whoever runs past the end of something else does not get in. */
cg_err cg_key_heap_map(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t len = (bytes + page - 1) / page * page;
    uint8_t *all =
        mmap(NULL, len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (all == MAP_FAILED)
        return CG_NO_MEMORY;
    if (mprotect(all + page, len, PROT_READ | PROT_WRITE) != 0 ||
        madvise(all + page, len, MADV_DONTDUMP) != 0) {
        munmap(all, len + 2 * page);
        return CG_NO_MEMORY;
    }
    is_locked = cg_memory_lock(all + page, len) == CG_OK;
    size = len;
    heap = all + page;
    *block_at(0) = (struct block){.len = len};
    return CG_OK;
}

cg_err cg_key_heap_open(size_t bytes)
{
    if (heap ||
        CRYPTO_set_mem_functions(cg_key_heap_take, cg_key_heap_change, cg_key_heap_give) != 1)
        return CG_BUSY;
    return cg_key_heap_map(bytes);
}

bool cg_key_heap_is_locked(void)
{
    return is_locked;
}

size_t cg_key_heap_used(void)
{
    pthread_mutex_lock(&lock);
    size_t n = used;
    pthread_mutex_unlock(&lock);
    return n;
}

void cg_key_heap_begin(void)
{
    depth++;
}

void cg_key_heap_end(void)
{
    depth--;
}

cg_err cg_key_heap_signer(const struct cg_crypto *crypto, const struct cg_secret *seed,
                          struct cg_signer **out)
{
    cg_key_heap_begin();
    cg_err err = cg_wallet_signer(crypto, seed, out);
    cg_key_heap_end();
    return err;
}
