/* C2SP signed-note, tlog-checkpoint and tlog-cosignature, and the protocol's narrowing of them. */
#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/merkle/tlog.h"

#include <httpcg/identity.h>

#include <stdio.h>

#define N_WITNESSES 3

static struct cg_wall now(void)
{
    return (struct cg_wall){(int64_t)cg_vector_uint("checkpoint:now")};
}

static struct cg_public_keys log_keys(void)
{
    struct cg_public_keys keys;

    memcpy(keys.ed25519, cg_vector_hex("checkpoint:log.ed25519").at, sizeof keys.ed25519);
    memcpy(keys.mldsa87, cg_vector_hex("checkpoint:log.mldsa87").at, sizeof keys.mldsa87);
    return keys;
}

/* The three witnesses, and a group of which two must sign. */
static void make_quorum(struct cg_quorum *out)
{
    *out = (struct cg_quorum){.n_nodes = N_WITNESSES + 1, .goal = N_WITNESSES};
    for (size_t i = 0; i < N_WITNESSES; i++) {
        out->nodes[i].parent = N_WITNESSES;
        CHECK_OK(
            cg_vkey_read(cg_test_crypto(),
                         cg_span_str(cg_vector(cg_vector_at("checkpoint:witnesses.%zu.vkey", i))),
                         &out->nodes[i].key));
    }
    out->nodes[N_WITNESSES] =
        (struct cg_quorum_node){.is_group = true, .parent = CG_GROUP_NONE, .k = 2, .n = 3};
}

/* The note of a case: its text, an empty line, its lines. */
static struct cg_span case_note(size_t i, char *room, size_t cap)
{
    struct cg_writer w = cg_writer_fixed(room, cap);

    cg_put_str(&w, cg_vector(cg_vector_at("checkpoint:cases.%zu.text", i)));
    cg_put_u8(&w, '\n');
    for (size_t j = 0; j < cg_vector_count(cg_vector_at("checkpoint:cases.%zu.lines", i)); j++) {
        const char *line = cg_vector(cg_vector_at("checkpoint:cases.%zu.lines.%zu", i, j));

        cg_put_str(&w, cg_vector(cg_vector_at("checkpoint:lines.%s", line)));
    }
    CHECK_OK(cg_writer_end(&w));
    return cg_writer_span(&w);
}

TEST(every_case_of_lines_has_its_verdict)
{
    static struct cg_quorum two, none = {.is_none = true};
    struct cg_public_keys keys = log_keys();
    struct cg_tlog log;

    make_quorum(&two);
    /* Witnesses that nobody asks for are known all the same. */
    none.n_nodes = N_WITNESSES;
    memcpy(none.nodes, two.nodes, N_WITNESSES * sizeof two.nodes[0]);
    CHECK_OK(cg_tlog_init(cg_test_crypto(), cg_span_str(cg_vector("checkpoint:log.origin")), &keys,
                          &two, (int64_t)cg_vector_uint("checkpoint:max_age"), &log));
    CHECK_SPAN(CG_BYTES(log.id.bytes), cg_vector_hex("checkpoint:log.log_id"));

    for (size_t i = 0; i < cg_vector_count("checkpoint:cases"); i++) {
        const char *why = cg_vector(cg_vector_at("checkpoint:cases.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("checkpoint:cases.%zu.error", i));
        const char *quorum = cg_vector(cg_vector_at("checkpoint:cases.%zu.quorum", i));
        uint64_t cosigned = cg_vector_uint(cg_vector_at("checkpoint:cases.%zu.cosigned", i));
        static char room[CG_NOTE_MAX_BYTES];
        struct cg_checkpoint checkpoint;
        struct cg_checkpoint_facts facts = {.n_cosignatures = 77};

        log.quorum = strcmp(quorum, "none") == 0 ? &none : &two;
        CHECK_OK(cg_checkpoint_read(case_note(i, room, sizeof room), &checkpoint));
        cg_err err = cg_checkpoint_verify(&checkpoint, &log, now(), &facts);
        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
        if (err != CG_OK) {
            CHECK_INT(facts.n_cosignatures, 77);
            continue;
        }
        CHECK_INT(facts.cosigned.s, cosigned);
        CHECK(facts.is_unwitnessed == log.quorum->is_none);
    }
    cg_tlog_done(&log);
    cg_quorum_done(&two);
}

TEST(every_form_of_note_has_its_verdict)
{
    for (size_t i = 0; i < cg_vector_count("checkpoint:reads"); i++) {
        const char *why = cg_vector(cg_vector_at("checkpoint:reads.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("checkpoint:reads.%zu.error", i));
        struct cg_span note = cg_vector_hex(cg_vector_at("checkpoint:reads.%zu.note", i));
        struct cg_checkpoint checkpoint = {.size = 77};
        cg_err err = cg_checkpoint_read(note, &checkpoint);

        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
        if (err != CG_OK)
            CHECK_INT(checkpoint.size, 77);
    }
    static char large[CG_NOTE_MAX_BYTES + 1];
    struct cg_checkpoint checkpoint;
    memset(large, '\n', sizeof large);
    CHECK_ERR(cg_checkpoint_read(cg_span_of(large, sizeof large), &checkpoint), CG_TOO_LARGE);
    CHECK_ERR(cg_checkpoint_read(cg_span_of(large, sizeof large - 1), &checkpoint), CG_SYNTAX);
}

TEST(a_note_cut_anywhere_is_short_or_lacks_whole_lines)
{
    static char room[CG_NOTE_MAX_BYTES];
    struct cg_span note = case_note(0, room, sizeof room);
    struct cg_checkpoint checkpoint = {.size = 77};

    for (size_t n = 0; n < note.len; n++) {
        cg_err err = cg_checkpoint_read(cg_span_first(note, n), &checkpoint);

        if (err == CG_OK)
            CHECK(note.at[n - 1] == '\n' && checkpoint.signatures.len > 0);
        else
            CHECK_ERR(err, CG_SHORT);
    }
}

TEST(the_protocols_checkpoint_has_its_text_ids_and_signature)
{
    struct cg_hash root = cg_vector_hash("v1:ledger.roots.2");
    struct cg_public_keys keys = log_keys();
    char room[512];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    uint8_t id[CG_NOTE_KEY_ID_BYTES];
    struct cg_span origin = CG_LIT("ledger.example/bpi1");

    cg_checkpoint_text(origin, 3, &root, &w);
    CHECK_SPAN(cg_writer_span(&w), cg_span_str(cg_vector("v1:ledger.checkpoint_text")));
    CHECK_OK(cg_note_key_id(origin, CG_NOTE_ED25519, CG_BYTES(keys.ed25519), id));
    CHECK_SPAN(CG_BYTES(id), cg_vector_hex("v1:ledger.key_id_ed25519"));
    CHECK_OK(cg_note_key_id(origin, CG_NOTE_MLDSA87, CG_BYTES(keys.mldsa87), id));
    CHECK_SPAN(CG_BYTES(id), cg_vector_hex("v1:ledger.key_id_mldsa87"));
}

static struct cg_secret seed_of(const char *path)
{
    struct cg_span bytes = cg_vector_hex(path);
    struct cg_secret seed;

    CHECK_INT(bytes.len, sizeof seed.bytes);
    memcpy(seed.bytes, bytes.at, sizeof seed.bytes);
    return seed;
}

TEST(a_log_signs_and_its_witnesses_cosign_as_published)
{
    struct cg_secret seed = seed_of("checkpoint:log.seed");
    struct cg_hash root = cg_vector_hash("checkpoint:root");
    struct cg_seeds seeds;
    struct cg_sign_key *ed25519, *mldsa87;
    static char room[CG_NOTE_LOG_MAX_BYTES], want_room[CG_NOTE_LOG_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_writer want = cg_writer_fixed(want_room, sizeof want_room);
    struct cg_checkpoint checkpoint;

    CHECK_OK(cg_wallet_seeds(&seed, &seeds));
    CHECK_OK(cg_sign_key_new(cg_test_crypto(), CG_ALG_ED25519, &seeds.ed25519, &ed25519));
    CHECK_OK(cg_sign_key_new(cg_test_crypto(), CG_ALG_MLDSA87, &seeds.mldsa87, &mldsa87));
    struct cg_tlog_signer signer = {CG_LIT("ledger.example/bpi1"), ed25519, mldsa87};
    CHECK_OK(cg_checkpoint_sign(&signer, cg_vector_uint("checkpoint:size"), &root, &w));
    cg_put_str(&want, cg_vector("v1:ledger.checkpoint_text"));
    cg_put_u8(&want, '\n');
    cg_put_str(&want, cg_vector("checkpoint:lines.ed"));
    cg_put_str(&want, cg_vector("checkpoint:lines.ml"));
    CHECK_SPAN(cg_writer_span(&w), cg_writer_span(&want));
    CHECK_OK(cg_checkpoint_read(cg_writer_span(&w), &checkpoint));

    for (size_t i = 0; i < N_WITNESSES; i++) {
        const char *type = cg_vector(cg_vector_at("checkpoint:witnesses.%zu.type", i));
        bool is_ml = strcmp(type, "cosign-ml-dsa-44") == 0;
        struct cg_wall time = {
            (int64_t)cg_vector_uint(cg_vector_at("checkpoint:witnesses.%zu.time", i))};
        struct cg_sign_key *key;
        char line[CG_NOTE_COSIGN_MAX_BYTES];
        struct cg_writer l = cg_writer_fixed(line, sizeof line);

        seed = seed_of(cg_vector_at("checkpoint:witnesses.%zu.seed", i));
        CHECK_OK(cg_sign_key_new(cg_test_crypto(), is_ml ? CG_ALG_MLDSA44 : CG_ALG_ED25519, &seed,
                                 &key));
        CHECK_OK(cg_checkpoint_cosign(
            cg_span_str(cg_vector(cg_vector_at("checkpoint:witnesses.%zu.name", i))),
            is_ml ? CG_NOTE_COSIGNED_MLDSA44 : CG_NOTE_COSIGNED_ED25519, key, &checkpoint, time,
            &l));
        CHECK_SPAN(cg_writer_span(&l),
                   cg_span_str(cg_vector(cg_vector_at("checkpoint:witnesses.%zu.line", i))));
        cg_sign_key_free(key);
    }

    char line[256];
    struct cg_writer l = cg_writer_fixed(line, sizeof line);
    CHECK_ERR(cg_checkpoint_cosign(CG_LIT("w"), CG_NOTE_ED25519, ed25519, &checkpoint, now(), &l),
              CG_INTERNAL);
    CHECK_ERR(cg_checkpoint_cosign(CG_LIT("w w"), CG_NOTE_COSIGNED_ED25519, ed25519, &checkpoint,
                                   now(), &l),
              CG_SYNTAX);
    CHECK_ERR(cg_checkpoint_cosign(CG_LIT("w"), CG_NOTE_COSIGNED_ED25519, ed25519, &checkpoint,
                                   (struct cg_wall){-1}, &l),
              CG_INTERNAL);
    CHECK_INT(l.len, 0);
    CHECK_OK(cg_checkpoint_cosign(CG_LIT("w"), CG_NOTE_COSIGNED_ED25519, ed25519, &checkpoint,
                                  (struct cg_wall){0}, &l));
    l.len = 0;
    signer.origin = CG_LIT("a log");
    CHECK_ERR(cg_checkpoint_sign(&signer, 3, &root, &l), CG_SYNTAX);
    CHECK_INT(l.len, 0);
    cg_sign_key_free(ed25519);
    cg_sign_key_free(mldsa87);
    cg_seeds_done(&seeds);
}

TEST(vkeys_go_there_and_back)
{
    struct cg_public_keys keys = log_keys();
    struct cg_span origin = CG_LIT("ledger.example/bpi1");
    static char room[CG_VKEY_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(room, sizeof room);
    struct cg_note_key key;

    CHECK_OK(cg_vkey_write(origin, CG_NOTE_ED25519, CG_BYTES(keys.ed25519), &w));
    CHECK_SPAN(cg_writer_span(&w), cg_span_str(cg_vector("checkpoint:log.vkey_ed25519")));
    CHECK_OK(cg_vkey_read(cg_test_crypto(), cg_writer_span(&w), &key));
    CHECK_INT(key.type, CG_NOTE_ED25519);
    CHECK_SPAN(cg_span_str(key.name), origin);
    cg_note_key_done(&key);

    w = cg_writer_fixed(room, sizeof room);
    CHECK_OK(cg_vkey_write(origin, CG_NOTE_MLDSA87, CG_BYTES(keys.mldsa87), &w));
    CHECK_SPAN(cg_writer_span(&w), cg_span_str(cg_vector("checkpoint:log.vkey_mldsa87")));
    CHECK_OK(cg_vkey_read(cg_test_crypto(), cg_writer_span(&w), &key));
    CHECK_INT(key.type, CG_NOTE_MLDSA87);
    cg_note_key_done(&key);

    for (size_t i = 0; i < N_WITNESSES; i++) {
        struct cg_span public_key =
            cg_vector_hex(cg_vector_at("checkpoint:witnesses.%zu.public", i));
        enum cg_note_type type =
            public_key.len == 32 ? CG_NOTE_COSIGNED_ED25519 : CG_NOTE_COSIGNED_MLDSA44;
        const char *vkey = cg_vector(cg_vector_at("checkpoint:witnesses.%zu.vkey", i));

        w = cg_writer_fixed(room, sizeof room);
        CHECK_OK(
            cg_vkey_write(cg_span_str(cg_vector(cg_vector_at("checkpoint:witnesses.%zu.name", i))),
                          type, public_key, &w));
        CHECK_SPAN(cg_writer_span(&w), cg_span_str(vkey));
        CHECK_OK(cg_vkey_read(cg_test_crypto(), cg_span_str(vkey), &key));
        CHECK_INT(key.type, type);
        cg_note_key_done(&key);
    }
    /* The id is of the whole, so no part and no other character passes. */
    char bad[256];
    struct cg_span vkey = cg_span_str(cg_vector("checkpoint:log.vkey_ed25519"));
    for (size_t n = 0; n < vkey.len; n++)
        CHECK(cg_vkey_read(cg_test_crypto(), cg_span_first(vkey, n), &key) != CG_OK);
    CHECK_OR_STOP(vkey.len < sizeof bad);
    memcpy(bad, vkey.at, vkey.len);
    for (size_t at = 0; at < vkey.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bad[at] = (char)(vkey.at[at] ^ 1u << bit);
            CHECK(cg_vkey_read(cg_test_crypto(), cg_span_of(bad, vkey.len), &key) != CG_OK);
            bad[at] = (char)vkey.at[at];
        }
    w = cg_writer_fixed(room, sizeof room);
    CHECK_ERR(cg_vkey_write(CG_LIT("a b"), CG_NOTE_ED25519, CG_BYTES(keys.ed25519), &w), CG_SYNTAX);
    CHECK_ERR(cg_vkey_write(origin, CG_NOTE_ED25519, CG_BYTES(keys.mldsa87), &w), CG_KEY);
    CHECK_INT(w.len, 0);
}

TEST(every_bad_vkey_is_refused_for_its_reason)
{
    for (size_t i = 0; i < cg_vector_count("checkpoint:vkeys_bad"); i++) {
        const char *why = cg_vector(cg_vector_at("checkpoint:vkeys_bad.%zu.why", i));
        const char *error = cg_vector(cg_vector_at("checkpoint:vkeys_bad.%zu.error", i));
        struct cg_note_key key;
        cg_err err = cg_vkey_read(
            cg_test_crypto(),
            cg_span_str(cg_vector(cg_vector_at("checkpoint:vkeys_bad.%zu.vkey", i))), &key);

        if (!CHECK(strcmp(cg_err_name(err), error) == 0))
            printf("#   %s: %s\n", why, cg_err_name(err));
    }
    static char large[CG_VKEY_MAX_BYTES + 1];
    struct cg_note_key key;
    memset(large, 'a', sizeof large);
    CHECK_ERR(cg_vkey_read(cg_test_crypto(), cg_span_of(large, sizeof large), &key), CG_TOO_LARGE);
}

TEST(a_key_has_a_name_that_a_line_can_hold)
{
    static const char *const bad[] = {"", "a b", "a+b", "a\n", "\x7f"};
    struct cg_span public_key = cg_vector_hex("v1:wallet.ed25519");
    static uint8_t long_name[CG_ORIGIN_MAX_BYTES + 1];
    struct cg_note_key key = {.type = CG_NOTE_MLDSA87};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_ERR(cg_note_key_init(cg_test_crypto(), cg_span_str(bad[i]), CG_NOTE_ED25519,
                                   public_key, &key),
                  CG_SYNTAX);
    memset(long_name, 'a', sizeof long_name);
    CHECK_ERR(
        cg_note_key_init(cg_test_crypto(), CG_BYTES(long_name), CG_NOTE_ED25519, public_key, &key),
        CG_SYNTAX);
    CHECK(key.type == CG_NOTE_MLDSA87);
    CHECK_OK(cg_note_key_init(cg_test_crypto(), cg_span_of(long_name, sizeof long_name - 1),
                              CG_NOTE_ED25519, public_key, &key));
    cg_note_key_done(&key);
}

/* C2SP signed-note, "Example" */
TEST(the_standards_example_verifies)
{
    struct cg_span text = cg_span_str(cg_vector("checkpoint:c2sp.text"));
    struct cg_span lines = cg_span_str(cg_vector("checkpoint:c2sp.line"));
    struct cg_checkpoint note = {.text = text};
    struct cg_note_key key;
    struct cg_note_line line;
    struct cg_wall time = {77};

    CHECK_OK(cg_vkey_read(cg_test_crypto(), cg_span_str(cg_vector("checkpoint:c2sp.vkey")), &key));
    CHECK_OK(cg_note_line_next(&lines, &line));
    CHECK_INT(lines.len, 0);
    CHECK(cg_note_line_is(&line, &key));
    CHECK_OK(cg_note_line_verify(&line, &key, &note, now(), &time));
    CHECK_INT(time.s, 0);
    note.text.len--;
    CHECK_ERR(cg_note_line_verify(&line, &key, &note, now(), &time), CG_SIGNATURE);
    cg_note_key_done(&key);
}

SUITE(checkpoint, T(every_case_of_lines_has_its_verdict), T(every_form_of_note_has_its_verdict),
      T(a_note_cut_anywhere_is_short_or_lacks_whole_lines),
      T(the_protocols_checkpoint_has_its_text_ids_and_signature),
      T(a_log_signs_and_its_witnesses_cosign_as_published), T(vkeys_go_there_and_back),
      T(every_bad_vkey_is_refused_for_its_reason), T(a_key_has_a_name_that_a_line_can_hold),
      T(the_standards_example_verifies))
