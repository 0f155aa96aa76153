/* What store.h promises, asked of each back-end in turn. */
#include "tests/support/check.h"
#include "tests/support/scratch.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "store/store.h"

#include <stdio.h>

typedef void (*contract)(struct cg_store *store, struct cg_arena *arena);

static void on_each_back_end(contract run)
{
    CG_AUTO(scratch) struct cg_scratch scratch;
    CG_AUTO(arena) struct cg_arena arena;
    char why[CG_STORE_WHY_BYTES];
    struct cg_store *store = NULL;

    cg_scratch_init(&scratch);
    cg_arena_init(&arena, 16 << 20);
    CHECK_OR_STOP(cg_store_open_memory(&store) == CG_OK);
    run(store, &arena);
    cg_store_free(store);
    CHECK_OR_STOP(cg_store_open_sqlite(cg_scratch_file(&scratch, "db"), why, &store) == CG_OK);
    run(store, &arena);
    cg_store_free(store);
}

/* A promise: a test that runs once per back-end. */
#define PROMISE(name)                                                                              \
    static void name##_on(struct cg_store *store, struct cg_arena *arena);                         \
    TEST(name)                                                                                     \
    {                                                                                              \
        on_each_back_end(name##_on);                                                               \
    }                                                                                              \
    static void name##_on(struct cg_store *store, struct cg_arena *arena)

static struct cg_hash hash_of(unsigned n)
{
    struct cg_hash h = {{(uint8_t)n, (uint8_t)(n >> 8), 0x5a}};

    return h;
}

static struct cg_stored_entry entry_of(uint64_t index, const char *kind, unsigned commitment)
{
    return (struct cg_stored_entry){
        .index = index,
        .kind = cg_span_str(kind),
        .commitment = hash_of(commitment),
        .subject = CG_LIT("app/app.example.com"),
        .object_digest = CG_LIT("0123456789abcdef0123456789abcdef"),
        .time = {1795366003 + (int64_t)index},
        .data = CG_LIT("entry bytes"),
        .leaf = hash_of(1000 + commitment),
        .extra = CG_LIT("FEDCBA9876543210FEDCBA9876543210"),
    };
}

/* Appends n entries of new commitments and the head above them. */
static cg_err append(struct cg_store *store, uint64_t first, size_t n)
{
    struct cg_stored_entry entries[8];
    struct cg_stored_node node = {1, first / 2, hash_of(7)};

    for (size_t i = 0; i < n; i++)
        entries[i] = entry_of(first + i, "did", (unsigned)(first + i));
    struct cg_log_append a = {
        .entries = entries,
        .n_entries = n,
        .nodes = &node,
        .n_nodes = first % 2 == 0 && n == 2,
        .head = {.size = first + n, .root = hash_of((unsigned)first + 99), .time = {5}},
    };
    return cg_store_log_append(store, &a);
}

static cg_err publish(struct cg_store *store, uint64_t size)
{
    return cg_store_log_publish(
        store, &(struct cg_log_publish){.size = size, .note = CG_LIT("signed note\n")});
}

PROMISE(a_new_store_has_nothing)
{
    struct cg_log_heads heads = {.has_published = true, .has_unsigned = true};
    struct cg_stored_entry entry;
    struct cg_stored_name name;
    struct cg_stored_state state;
    struct cg_seen_log seen;
    struct cg_span bytes = CG_LIT("x");
    struct cg_hash hash = hash_of(1), got;

    CHECK_OK(cg_store_log_heads(store, arena, &heads));
    CHECK(!heads.has_published && !heads.has_unsigned);
    CHECK_ERR(cg_store_log_entries(store, 0, 1, arena, &entry), CG_NOT_FOUND);
    CHECK_ERR(cg_store_log_find(store, CG_LIT("did"), &hash, arena, &entry), CG_NOT_FOUND);
    CHECK_ERR(cg_store_log_object(store, &hash, arena, &bytes), CG_NOT_FOUND);
    CHECK_ERR(cg_store_log_nodes(store, 0, 0, 1, &got), CG_NOT_FOUND);
    CHECK_ERR(cg_store_log_nodes(store, 64, 0, 1, &got), CG_NOT_FOUND);
    CHECK_ERR(cg_store_log_state(store, &hash, arena, &state), CG_NOT_FOUND);
    CHECK_SPAN(bytes, CG_LIT("x"));
    CHECK_OK(cg_store_log_page(store, CG_LIT("ab"), arena, &bytes));
    CHECK_INT(bytes.len, 0);
    CHECK_ERR(cg_store_name_current(store, CG_LIT("app/a"), arena, &name), CG_NOT_FOUND);
    CHECK_ERR(cg_store_wallet(store, CG_LIT("did"), arena, &bytes), CG_NOT_FOUND);
    CHECK_ERR(cg_store_allow(store, CG_LIT("app/a"), arena, &bytes), CG_NOT_FOUND);
    CHECK_ERR(cg_store_seen_log_newest(store, CG_LIT("log"), &seen), CG_NOT_FOUND);
}

PROMISE(what_was_appended_is_read_back)
{
    struct cg_stored_entry entry = entry_of(0, "tlsls", 3), got[2];
    struct cg_stored_entry bare = entry_of(1, "audit", 4);
    struct cg_stored_object object = {hash_of(50), CG_LIT("object bytes")};
    struct cg_stored_node node = {1, 0, hash_of(60)};
    struct cg_span bytes;
    struct cg_hash hash, commitment = hash_of(3);

    bare.object_digest = (struct cg_span){NULL, 0};
    bare.subject = CG_LIT("");
    struct cg_log_append a = {
        .entries = (struct cg_stored_entry[]){entry, bare},
        .n_entries = 2,
        .objects = &object,
        .n_objects = 1,
        .nodes = &node,
        .n_nodes = 1,
        .head = {.size = 2, .root = hash_of(70), .time = {9}},
    };
    CHECK_OK(cg_store_log_append(store, &a));
    CHECK_OK(cg_store_log_entries(store, 0, 2, arena, got));
    CHECK_INT(got[0].index, 0);
    CHECK_SPAN(got[0].kind, entry.kind);
    CHECK(cg_hash_eq(&got[0].commitment, &entry.commitment));
    CHECK_SPAN(got[0].subject, entry.subject);
    CHECK_SPAN(got[0].object_digest, entry.object_digest);
    CHECK_INT(got[0].time.s, entry.time.s);
    CHECK_SPAN(got[0].data, entry.data);
    CHECK(cg_hash_eq(&got[0].leaf, &entry.leaf));
    CHECK_SPAN(got[0].extra, entry.extra);
    CHECK_SPAN(got[1].kind, CG_LIT("audit"));
    CHECK_INT(got[1].object_digest.len, 0);
    CHECK_INT(got[1].subject.len, 0);

    CHECK_OK(cg_store_log_find(store, CG_LIT("tlsls"), &commitment, arena, got));
    CHECK_INT(got[0].index, 0);
    CHECK_OK(cg_store_log_find(store, CG_LIT(""), &commitment, arena, got));
    CHECK_INT(got[0].index, 0);
    CHECK_ERR(cg_store_log_find(store, CG_LIT("did"), &commitment, arena, got), CG_NOT_FOUND);
    memcpy(hash.bytes, entry.extra.at, CG_HASH_BYTES);
    CHECK_OK(cg_store_log_find_cert(store, &hash, arena, got));
    CHECK_INT(got[0].index, 0);
    hash.bytes[31]++;
    CHECK_ERR(cg_store_log_find_cert(store, &hash, arena, got), CG_NOT_FOUND);
    CHECK_OK(cg_store_log_object(store, &object.digest, arena, &bytes));
    CHECK_SPAN(bytes, object.data);
    CHECK_OK(cg_store_log_nodes(store, 1, 0, 1, &hash));
    CHECK(cg_hash_eq(&hash, &node.hash));
    CHECK_OK(cg_store_log_nodes(store, 0, 0, 1, &hash));
    CHECK(cg_hash_eq(&hash, &entry.leaf));
    CHECK_ERR(cg_store_log_nodes(store, 1, 0, 2, (struct cg_hash[2]){{{0}}}), CG_NOT_FOUND);
}

PROMISE(the_newest_of_two_kinds_with_one_commitment_is_found)
{
    struct cg_stored_entry entries[] = {entry_of(0, "did", 3), entry_of(1, "kem", 3)};
    struct cg_log_append a = {
        .entries = entries, .n_entries = 2, .head = {.size = 2, .root = hash_of(1)}};
    struct cg_stored_entry got;
    struct cg_hash commitment = hash_of(3);

    CHECK_OK(cg_store_log_append(store, &a));
    CHECK_OK(cg_store_log_find(store, CG_LIT(""), &commitment, arena, &got));
    CHECK_INT(got.index, 1);
    CHECK_OK(cg_store_log_find(store, CG_LIT("did"), &commitment, arena, &got));
    CHECK_INT(got.index, 0);
}

PROMISE(a_head_waits_for_its_signature_and_is_then_published)
{
    struct cg_log_heads heads;
    struct cg_stored_head head;

    CHECK_ERR(publish(store, 2), CG_CONFLICT);
    CHECK_OK(append(store, 0, 2));
    CHECK_OK(cg_store_log_heads(store, arena, &heads));
    CHECK(!heads.has_published && heads.has_unsigned);
    CHECK_INT(heads.unsigned_.size, 2);
    CHECK_INT(heads.unsigned_.note.len, 0);
    CHECK_ERR(cg_store_log_head(store, 2, arena, &head), CG_NOT_FOUND);

    CHECK_ERR(publish(store, 3), CG_CONFLICT);
    CHECK_ERR(cg_store_log_publish(store, &(struct cg_log_publish){.size = 2}), CG_CONFLICT);
    CHECK_OK(publish(store, 2));
    CHECK_ERR(publish(store, 2), CG_CONFLICT);
    CHECK_OK(cg_store_log_heads(store, arena, &heads));
    CHECK(heads.has_published && !heads.has_unsigned);
    CHECK_SPAN(heads.published.note, CG_LIT("signed note\n"));
    struct cg_hash root = hash_of(99);
    CHECK(cg_hash_eq(&heads.published.root, &root));

    CHECK_OK(append(store, 2, 1));
    CHECK_OK(cg_store_log_heads(store, arena, &heads));
    CHECK(heads.has_published && heads.has_unsigned);
    CHECK_INT(heads.published.size, 2);
    CHECK_SPAN(heads.published.note, CG_LIT("signed note\n"));
    CHECK_INT(heads.unsigned_.size, 3);
    CHECK_OK(publish(store, 3));
    CHECK_OK(cg_store_log_head(store, 2, arena, &head));
    CHECK_INT(head.note.len, 0);
    CHECK_OK(cg_store_log_head(store, 3, arena, &head));
    CHECK_SPAN(head.note, CG_LIT("signed note\n"));
}

PROMISE(no_second_root_for_a_size_and_no_second_head_while_one_waits)
{
    struct cg_stored_entry entry = entry_of(0, "did", 0);
    struct cg_log_append a = {
        .entries = &entry, .n_entries = 1, .head = {.size = 1, .root = hash_of(1)}};
    struct cg_log_heads heads;
    struct cg_hash first = hash_of(1);

    CHECK_OK(cg_store_log_append(store, &a));
    a.head.root = hash_of(2);
    CHECK_ERR(cg_store_log_append(store, &a), CG_CONFLICT);
    CHECK_ERR(append(store, 1, 1), CG_CONFLICT);
    CHECK_OK(
        cg_store_log_publish(store, &(struct cg_log_publish){.size = 1, .note = CG_LIT("note")}));
    CHECK_ERR(cg_store_log_append(store, &a), CG_CONFLICT);
    CHECK_OK(cg_store_log_heads(store, arena, &heads));
    CHECK(cg_hash_eq(&heads.published.root, &first));
    CHECK(!heads.has_unsigned);
}

PROMISE(entries_must_follow_and_fit_their_head)
{
    struct cg_stored_entry entries[] = {entry_of(0, "did", 0), entry_of(1, "did", 1)};
    struct cg_log_append good = {
        .entries = entries, .n_entries = 2, .head = {.size = 2, .root = hash_of(1)}};
    struct cg_log_append bad = good;
    struct cg_stored_entry got;

    bad.n_entries = 0;
    CHECK_ERR(cg_store_log_append(store, &bad), CG_CONFLICT);
    bad = good;
    bad.head.size = 3;
    CHECK_ERR(cg_store_log_append(store, &bad), CG_CONFLICT);
    bad.head.size = 1;
    CHECK_ERR(cg_store_log_append(store, &bad), CG_CONFLICT);
    bad = good;
    entries[1].index = 2;
    CHECK_ERR(cg_store_log_append(store, &bad), CG_CONFLICT);
    entries[0].index = 1;
    bad.head.size = 3;
    CHECK_ERR(cg_store_log_append(store, &bad), CG_CONFLICT);
    entries[0].index = UINT64_MAX - 1;
    bad.n_entries = 1;
    bad.head.size = UINT64_MAX;
    CHECK_ERR(cg_store_log_append(store, &bad), CG_TOO_LARGE);
    CHECK_ERR(cg_store_log_entries(store, 0, 1, arena, &got), CG_NOT_FOUND);
}

PROMISE(what_fails_in_the_middle_leaves_nothing_behind)
{
    struct cg_stored_object object = {hash_of(50), CG_LIT("object bytes")};
    struct cg_stored_entry twice[] = {entry_of(0, "did", 5), entry_of(1, "did", 5)};
    struct cg_log_append a = {
        .entries = twice,
        .n_entries = 2,
        .objects = &object,
        .n_objects = 1,
        .head = {.size = 2, .root = hash_of(1)},
    };
    struct cg_stored_entry got;
    struct cg_span bytes;
    struct cg_log_heads heads;

    CHECK_ERR(cg_store_log_append(store, &a), CG_CONFLICT);
    CHECK_ERR(cg_store_log_entries(store, 0, 1, arena, &got), CG_NOT_FOUND);
    CHECK_ERR(cg_store_log_object(store, &object.digest, arena, &bytes), CG_NOT_FOUND);
    CHECK_OK(cg_store_log_heads(store, arena, &heads));
    CHECK(!heads.has_unsigned);
    twice[1] = entry_of(1, "did", 6);
    CHECK_OK(cg_store_log_append(store, &a));
    CHECK_OK(publish(store, 2));

    struct cg_stored_entry again = entry_of(2, "did", 5);
    struct cg_log_append b = {
        .entries = &again, .n_entries = 1, .head = {.size = 3, .root = hash_of(2)}};
    CHECK_ERR(cg_store_log_append(store, &b), CG_CONFLICT);
    again.kind = CG_LIT("kem"); /* the same commitment as another kind is another thing */
    CHECK_OK(cg_store_log_append(store, &b));
}

PROMISE(map_heads_may_repeat)
{
    for (uint64_t i = 0; i < 3; i++) {
        struct cg_stored_entry entry = entry_of(i, "map-head", 5);
        struct cg_log_append a = {
            .entries = &entry,
            .n_entries = 1,
            .head = {.size = i + 1, .root = hash_of((unsigned)i)},
        };
        CHECK_OK(cg_store_log_append(store, &a));
        CHECK_OK(publish(store, i + 1));
    }
    struct cg_stored_entry got;
    struct cg_hash commitment = hash_of(5);
    CHECK_ERR(cg_store_log_find(store, CG_LIT(""), &commitment, arena, &got), CG_NOT_FOUND);
}

PROMISE(an_object_stays_as_it_was_first_stored)
{
    struct cg_stored_object object = {hash_of(50), CG_LIT("first copy")};
    struct cg_span bytes;

    for (unsigned i = 0; i < 2; i++) {
        struct cg_stored_entry entry = entry_of(i, "did", i);
        struct cg_log_append a = {
            .entries = &entry,
            .n_entries = 1,
            .objects = &object,
            .n_objects = 1,
            .head = {.size = i + 1, .root = hash_of(i)},
        };
        CHECK_OK(cg_store_log_append(store, &a));
        CHECK_OK(publish(store, i + 1));
        object.data = CG_LIT("signed again");
    }
    CHECK_OK(cg_store_log_object(store, &object.digest, arena, &bytes));
    CHECK_SPAN(bytes, CG_LIT("first copy"));
}

PROMISE(the_map_changes_with_the_publication)
{
    struct cg_stored_state state = {hash_of(1), CG_LIT("did"), CG_LIT("waddr"), hash_of(2), 0};
    struct cg_stored_page pages[] = {{CG_LIT(""), CG_LIT("root page")},
                                     {CG_LIT("\x01"), CG_LIT("below")}};
    struct cg_log_publish p = {.size = 2,
                               .note = CG_LIT("note"),
                               .states = &state,
                               .n_states = 1,
                               .pages = pages,
                               .n_pages = 2};
    struct cg_stored_state got;
    struct cg_span page;
    struct cg_hash key = hash_of(1), other = hash_of(9);

    CHECK_OK(append(store, 0, 2));
    CHECK_ERR(cg_store_log_state(store, &key, arena, &got), CG_NOT_FOUND);
    CHECK_OK(cg_store_log_publish(store, &p));
    CHECK_OK(cg_store_log_state(store, &key, arena, &got));
    CHECK(cg_hash_eq(&got.key, &key));
    CHECK_SPAN(got.kind, CG_LIT("did"));
    CHECK_SPAN(got.id, CG_LIT("waddr"));
    CHECK(cg_hash_eq(&got.value, &state.value));
    CHECK_INT(got.index, 0);
    CHECK_ERR(cg_store_log_state(store, &other, arena, &got), CG_NOT_FOUND);
    CHECK_OK(cg_store_log_page(store, CG_LIT(""), arena, &page));
    CHECK_SPAN(page, CG_LIT("root page"));
    CHECK_OK(cg_store_log_page(store, CG_LIT("\x01"), arena, &page));
    CHECK_SPAN(page, CG_LIT("below"));

    CHECK_OK(append(store, 2, 1));
    state.value = hash_of(3);
    state.index = 2;
    pages[0].bytes = CG_LIT("changed");
    pages[1].bytes = CG_LIT("");
    p.size = 3;
    CHECK_OK(cg_store_log_publish(store, &p));
    CHECK_OK(cg_store_log_state(store, &key, arena, &got));
    CHECK(cg_hash_eq(&got.value, &state.value));
    CHECK_INT(got.index, 2);
    CHECK_OK(cg_store_log_page(store, CG_LIT(""), arena, &page));
    CHECK_SPAN(page, CG_LIT("changed"));
    CHECK_OK(cg_store_log_page(store, CG_LIT("\x01"), arena, &page));
    CHECK_INT(page.len, 0);
}

static struct cg_stored_name name_of(const char *name, uint64_t serial, unsigned commitment)
{
    return (struct cg_stored_name){
        .name = cg_span_str(name),
        .serial = serial,
        .owner = CG_LIT("did:bpi:owner"),
        .commitment = hash_of(commitment),
        .record = CG_LIT("{\"record\":1}"),
        .expires_at = {1795369603},
    };
}

PROMISE(a_name_goes_from_serial_to_serial)
{
    struct cg_stored_name name = name_of("app/a.example", 1, 1), got;

    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_ERR(cg_store_name_current(store, name.name, arena, &got), CG_NOT_FOUND);
    CHECK_OK(cg_store_name_proposed(store, name.name, CG_LIT(""), arena, &got));
    CHECK(!got.is_settled);
    CHECK_ERR(cg_store_name_settle(store, name.name, 2, 7), CG_NOT_FOUND);
    CHECK_OK(cg_store_name_settle(store, name.name, 1, 7));
    CHECK_ERR(cg_store_name_settle(store, name.name, 1, 7), CG_NOT_FOUND);
    CHECK_ERR(cg_store_name_proposed(store, name.name, CG_LIT(""), arena, &got), CG_NOT_FOUND);
    CHECK_OK(cg_store_name_current(store, name.name, arena, &got));
    CHECK_SPAN(got.name, name.name);
    CHECK_INT(got.serial, 1);
    CHECK_SPAN(got.owner, name.owner);
    CHECK(cg_hash_eq(&got.commitment, &name.commitment));
    CHECK_SPAN(got.record, name.record);
    CHECK_INT(got.expires_at.s, name.expires_at.s);
    CHECK(!got.is_tombstone && got.is_settled);
    CHECK_INT(got.log_index, 7);

    name = name_of("app/a.example", 2, 2);
    name.is_tombstone = true;
    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_OK(cg_store_name_settle(store, name.name, 2, 9));
    CHECK_OK(cg_store_name_current(store, name.name, arena, &got));
    CHECK_INT(got.serial, 2);
    CHECK(got.is_tombstone);
    CHECK_OK(cg_store_name_at(store, name.name, 1, arena, &got));
    CHECK_INT(got.serial, 1);
    CHECK(!got.is_tombstone);
    CHECK_ERR(cg_store_name_at(store, name.name, 3, arena, &got), CG_NOT_FOUND);
    CHECK_ERR(cg_store_name_current(store, CG_LIT("app/a.exampl"), arena, &got), CG_NOT_FOUND);
}

PROMISE(a_serial_is_the_last_one_plus_one)
{
    struct cg_stored_name name = name_of("app/a", 1, 1), got;

    name.serial = 0;
    CHECK_ERR(cg_store_name_propose(store, &name), CG_CONFLICT);
    name.serial = 2;
    CHECK_ERR(cg_store_name_propose(store, &name), CG_CONFLICT);
    name.serial = UINT64_MAX;
    CHECK_ERR(cg_store_name_propose(store, &name), CG_TOO_LARGE);
    name.serial = 1;
    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_OK(cg_store_name_propose(store, &name)); /* the same again is no conflict */
    name.commitment = hash_of(2);
    CHECK_ERR(cg_store_name_propose(store, &name), CG_CONFLICT);
    name.serial = 2;
    CHECK_ERR(cg_store_name_propose(store, &name), CG_CONFLICT);
    CHECK_OK(cg_store_name_settle(store, name.name, 1, 0));
    name.serial = 1;
    CHECK_ERR(cg_store_name_propose(store, &name), CG_CONFLICT);
    name.serial = 3;
    CHECK_ERR(cg_store_name_propose(store, &name), CG_CONFLICT);
    name.serial = 2;
    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_OK(cg_store_name_current(store, name.name, arena, &got));
    CHECK_INT(got.serial, 1);
}

PROMISE(a_refused_proposal_frees_its_serial)
{
    struct cg_stored_name name = name_of("app/a", 1, 1), got;

    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_ERR(cg_store_name_withdraw(store, name.name, 2), CG_NOT_FOUND);
    CHECK_OK(cg_store_name_withdraw(store, name.name, 1));
    CHECK_ERR(cg_store_name_withdraw(store, name.name, 1), CG_NOT_FOUND);
    name.commitment = hash_of(2);
    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_OK(cg_store_name_settle(store, name.name, 1, 3));
    CHECK_ERR(cg_store_name_withdraw(store, name.name, 1), CG_NOT_FOUND);
    CHECK_OK(cg_store_name_current(store, name.name, arena, &got));
    CHECK(cg_hash_eq(&got.commitment, &name.commitment));
}

PROMISE(proposals_are_walked_in_the_order_of_their_names)
{
    const char *names[] = {"app/c", "app/a", "m2m/b", "app/b"};
    const char *in_order[] = {"app/a", "app/b", "app/c", "m2m/b"};
    struct cg_stored_name name, got = {.name = CG_LIT("")};

    for (unsigned i = 0; i < 4; i++) {
        name = name_of(names[i], 1, i);
        CHECK_OK(cg_store_name_propose(store, &name));
    }
    name = name_of("app/ab", 1, 9);
    CHECK_OK(cg_store_name_propose(store, &name));
    CHECK_OK(cg_store_name_settle(store, name.name, 1, 0));
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(cg_store_name_proposed(store, CG_LIT(""), got.name, arena, &got));
        CHECK_SPAN(got.name, cg_span_str(in_order[i]));
    }
    CHECK_ERR(cg_store_name_proposed(store, CG_LIT(""), got.name, arena, &got), CG_NOT_FOUND);
}

PROMISE(a_challenge_is_used_once_in_time_by_whom_it_was_given_to)
{
    struct cg_stored_challenge challenge = {
        .token = hash_of(1), .name = CG_LIT("app/a"), .did = CG_LIT("did:a"), .expires = {100}};
    struct cg_stored_challenge other = challenge;
    (void)arena;

    CHECK_OK(cg_store_challenge_put(store, &challenge, (struct cg_wall){10}, 2));
    other.name = CG_LIT("app/b");
    CHECK_ERR(cg_store_challenge_take(store, &other, (struct cg_wall){50}), CG_NOT_FOUND);
    other = challenge;
    other.did = CG_LIT("did:b");
    CHECK_ERR(cg_store_challenge_take(store, &other, (struct cg_wall){50}), CG_NOT_FOUND);
    other = challenge;
    other.token = hash_of(2);
    CHECK_ERR(cg_store_challenge_take(store, &other, (struct cg_wall){50}), CG_NOT_FOUND);
    CHECK_ERR(cg_store_challenge_take(store, &challenge, (struct cg_wall){100}), CG_NOT_FOUND);
    CHECK_OK(cg_store_challenge_take(store, &challenge, (struct cg_wall){99}));
    CHECK_ERR(cg_store_challenge_take(store, &challenge, (struct cg_wall){99}), CG_NOT_FOUND);
}

PROMISE(outstanding_challenges_are_bounded_and_those_over_make_room)
{
    struct cg_stored_challenge challenge = {
        .name = CG_LIT("app/a"), .did = CG_LIT("did:a"), .expires = {100}};
    (void)arena;

    for (unsigned i = 0; i < 2; i++) {
        challenge.token = hash_of(i);
        challenge.expires.s = 100 + i;
        CHECK_OK(cg_store_challenge_put(store, &challenge, (struct cg_wall){10}, 2));
    }
    challenge.token = hash_of(2);
    challenge.expires.s = 200;
    CHECK_ERR(cg_store_challenge_put(store, &challenge, (struct cg_wall){99}, 2), CG_RATE);
    CHECK_OK(cg_store_challenge_put(store, &challenge, (struct cg_wall){100}, 2));
    CHECK_OK(cg_store_challenge_take(store, &challenge, (struct cg_wall){150}));
    challenge.token = hash_of(1);
    CHECK_OK(cg_store_challenge_take(store, &challenge, (struct cg_wall){100}));
}

PROMISE(wallets_and_allowances_are_replaced_and_dropped)
{
    struct cg_span got;

    CHECK_OK(cg_store_wallet_put(store, CG_LIT("did:a"), CG_LIT("one")));
    CHECK_OK(cg_store_wallet_put(store, CG_LIT("did:a"), CG_LIT("two")));
    CHECK_OK(cg_store_wallet_put(store, CG_LIT("did:b"), CG_LIT("three")));
    CHECK_OK(cg_store_wallet(store, CG_LIT("did:a"), arena, &got));
    CHECK_SPAN(got, CG_LIT("two"));

    CHECK_ERR(cg_store_allow_drop(store, CG_LIT("app/a")), CG_NOT_FOUND);
    CHECK_OK(cg_store_allow_put(store, CG_LIT("app/a"), CG_LIT("did:a")));
    CHECK_OK(cg_store_allow_put(store, CG_LIT("app/a"), CG_LIT("did:b")));
    CHECK_OK(cg_store_allow(store, CG_LIT("app/a"), arena, &got));
    CHECK_SPAN(got, CG_LIT("did:b"));
    CHECK_OK(cg_store_allow_drop(store, CG_LIT("app/a")));
    CHECK_ERR(cg_store_allow(store, CG_LIT("app/a"), arena, &got), CG_NOT_FOUND);
}

PROMISE(a_name_once_seen_cannot_be_taken_back)
{
    struct cg_hash one = hash_of(1), two = hash_of(2);
    (void)arena;

    CHECK_OK(cg_store_seen_name(store, CG_LIT("app/a"), 5, &one));
    CHECK_OK(cg_store_seen_name(store, CG_LIT("app/a"), 5, &one));
    CHECK_ERR(cg_store_seen_name(store, CG_LIT("app/a"), 5, &two), CG_CONFLICT);
    CHECK_ERR(cg_store_seen_name(store, CG_LIT("app/a"), 4, &one), CG_ROLLBACK);
    CHECK_OK(cg_store_seen_name(store, CG_LIT("app/a"), 7, &two));
    CHECK_ERR(cg_store_seen_name(store, CG_LIT("app/a"), 6, &two), CG_ROLLBACK);
    CHECK_ERR(cg_store_seen_name(store, CG_LIT("app/a"), 7, &one), CG_CONFLICT);
    CHECK_OK(cg_store_seen_name(store, CG_LIT("app/b"), 1, &one));
    CHECK_ERR(cg_store_seen_name(store, CG_LIT("app/b"), UINT64_MAX, &one), CG_TOO_LARGE);
}

PROMISE(a_log_once_seen_cannot_show_another_root)
{
    struct cg_seen_log seen = {.size = 5, .root = hash_of(1), .time = {10}}, got;
    (void)arena;

    CHECK_OK(cg_store_seen_log(store, CG_LIT("logid"), &seen));
    CHECK_OK(cg_store_seen_log(store, CG_LIT("logid"), &seen));
    seen.root = hash_of(2);
    CHECK_ERR(cg_store_seen_log(store, CG_LIT("logid"), &seen), CG_CONFLICT);
    seen.size = 4;
    CHECK_OK(cg_store_seen_log(store, CG_LIT("logid"), &seen));
    CHECK_OK(cg_store_seen_log_newest(store, CG_LIT("logid"), &got));
    CHECK_INT(got.size, 5);
    seen.size = 6;
    seen.time.s = 11;
    CHECK_OK(cg_store_seen_log(store, CG_LIT("logid"), &seen));
    CHECK_OK(cg_store_seen_log_newest(store, CG_LIT("logid"), &got));
    CHECK_INT(got.size, 6);
    CHECK_INT(got.time.s, 11);
    CHECK(cg_hash_eq(&got.root, &seen.root));
    CHECK_ERR(cg_store_seen_log_newest(store, CG_LIT("logi"), &got), CG_NOT_FOUND);
}

SUITE(contract, T(a_new_store_has_nothing), T(what_was_appended_is_read_back),
      T(the_newest_of_two_kinds_with_one_commitment_is_found),
      T(a_head_waits_for_its_signature_and_is_then_published),
      T(no_second_root_for_a_size_and_no_second_head_while_one_waits),
      T(entries_must_follow_and_fit_their_head), T(what_fails_in_the_middle_leaves_nothing_behind),
      T(map_heads_may_repeat), T(an_object_stays_as_it_was_first_stored),
      T(the_map_changes_with_the_publication), T(a_name_goes_from_serial_to_serial),
      T(a_serial_is_the_last_one_plus_one), T(a_refused_proposal_frees_its_serial),
      T(proposals_are_walked_in_the_order_of_their_names),
      T(a_challenge_is_used_once_in_time_by_whom_it_was_given_to),
      T(outstanding_challenges_are_bounded_and_those_over_make_room),
      T(wallets_and_allowances_are_replaced_and_dropped), T(a_name_once_seen_cannot_be_taken_back),
      T(a_log_once_seen_cannot_show_another_root))
