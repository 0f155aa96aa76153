/* map: the state map. Either the input is one proof, which is read; or it is a list of pairs, that
 * are put in, in two ways, and proved: what is proved must be so, and nothing else. */
#include "lib/merkle/map.h"
#include "fuzz/fuzz.h"
#include "lib/merkle/map_page.h"
#include "lib/wire/cbor.h"

#include <httpcg/receipt.h>

#define CHANGES_MAX 24

static void page(struct cg_fuzz *in, struct cg_span bytes, bool is_root)
{
    struct cg_map_page *got = cg_fuzz_room(in, sizeof *got);
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);

    if (bytes.len == 0 || cg_map_page_read(bytes, is_root, got) != CG_OK)
        return;
    MUST_OK(cg_map_page_write(got, is_root, &w));
    MUST_SAME(cg_buf_span(out), bytes);
}

static void proof(struct cg_fuzz *in, struct cg_span wire)
{
    struct cg_map_proof got;
    struct cg_hash root = {{0}}, key = {{0}};

    MARK(got);
    if (cg_map_proof_read(wire, &got) == CG_OK) {
        struct cg_cbor r = cg_cbor_of(got.siblings);
        for (size_t i = 0; i < got.n_siblings; i++) { /* nothing has one spelling */
            struct cg_span sibling = cg_cbor_bytes(&r, CG_HASH_BYTES);
            MUST(sibling.len == 0 || !cg_span_eq(sibling, cg_hash_span(&root)));
        }
        MUST_OK(cg_cbor_end(&r));
        (void)!cg_map_proof_check(&got, &key, &root);
    } else {
        UNTOUCHED(got);
    }
    page(in, wire, true);
    page(in, wire, false);
}

/* A key of two bits a byte at most, so that many share their beginnings. */
static struct cg_hash any_key(struct cg_fuzz *in)
{
    struct cg_hash key = {{0}};
    uint8_t bits = cg_fuzz_byte(in), place = cg_fuzz_byte(in);

    key.bytes[place % CG_HASH_BYTES] = bits;
    key.bytes[0] |= (uint8_t)(place & 0xc0);
    return key;
}

/* What the map must say: the last change of that key. */
static const struct cg_hash *find(const struct cg_map_change *changes, size_t n,
                                  const struct cg_hash *key)
{
    while (n-- > 0)
        if (cg_hash_eq(&changes[n].key, key))
            return &changes[n].value;
    return NULL;
}

static void prove(struct cg_fuzz *in, const struct cg_map_pages *pages,
                  const struct cg_map_head *head, const struct cg_hash *key,
                  const struct cg_hash *want)
{
    struct cg_buf *out = cg_fuzz_buf(in);
    struct cg_writer w = cg_writer_into(out);
    struct cg_map_proof got;
    enum cg_map_kind kind;
    struct cg_hash value, other = *key;

    MUST_OK(cg_map_prove(pages, key, &w, &kind, &value));
    MUST((kind == CG_MAP_PRESENT) == (want != NULL));
    MUST(!want || cg_hash_eq(&value, want));
    MUST_OK(cg_map_proof_read(cg_buf_span(out), &got));
    MUST(got.kind == kind);
    MUST_OK(cg_map_proof_check(&got, key, &head->root));
    other.bytes[31] ^= 1;
    if (kind == CG_MAP_EMPTY)
        return;
    /* The same hashes under another claim: of another key, or of the contrary. */
    struct cg_map_proof lie = got;
    if (kind == CG_MAP_PRESENT) {
        MUST(cg_map_proof_check(&got, &other, &head->root) == CG_PROOF);
        lie.kind = CG_MAP_OTHER;
        lie.other_key = *key;
        lie.other_value = got.value;
    } else {
        lie.kind = CG_MAP_PRESENT;
        lie.value = got.other_value;
    }
    MUST(cg_map_proof_check(&lie, key, &head->root) == CG_PROOF);
}

static void build(struct cg_fuzz *in, unsigned n_first)
{
    struct cg_map_change changes[CHANGES_MAX];
    struct cg_map_memory *memory = NULL;
    struct cg_map_head head, again;
    size_t n = 0;

    for (; n < CHANGES_MAX && in->left.len; n++) {
        changes[n].key = any_key(in);
        memset(changes[n].value.bytes, cg_fuzz_byte(in), CG_HASH_BYTES);
    }
    n_first = n_first > n ? (unsigned)n : n_first;
    MUST_OK(cg_map_memory_new(&memory));
    struct cg_map_pages pages = cg_map_memory_pages(memory);
    MUST_OK(cg_map_apply(&pages, changes, n_first, &head));
    MUST_OK(cg_map_apply(&pages, changes + n_first, n - n_first, &head));
    MUST_OK(cg_map_rebuild(changes, n, &again));
    MUST(head.n_pairs == again.n_pairs && cg_hash_eq(&head.root, &again.root));
    for (size_t i = 0; i < n; i += n / 6 + 1) {
        struct cg_hash near = changes[i].key;
        prove(in, &pages, &head, &changes[i].key, find(changes, n, &changes[i].key));
        near.bytes[i % CG_HASH_BYTES] ^= 0x10;
        prove(in, &pages, &head, &near, find(changes, n, &near));
    }
    cg_map_memory_free(memory);
}

void cg_fuzz_one(struct cg_fuzz *in)
{
    uint8_t how = cg_fuzz_byte(in);

    if (how < CHANGES_MAX)
        build(in, how);
    else
        proof(in, cg_fuzz_rest(in));
}
