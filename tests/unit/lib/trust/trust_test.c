#include "tests/support/check.h"
#include "tests/support/keys.h"
#include "tests/support/vector.h"

#include "lib/base/buf.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/cert/anchor.h"
#include "lib/identity/waddr.h"
#include "lib/trust/trust.h"
#include "lib/wire/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define OWNER "did:bpi:vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"
#define GATEWAY "did:bpi:d4hghd4da3wpsqc2edagkfuvykjl2gzavwjjmba7ncr5hgf2jxv7wcqb"

/* A file under construction; %-names stand for keys of checkpoint.json. */
struct file {
    char text[64 * 1024];
    size_t len;
};

static const char *key_of(char name)
{
    switch (name) {
    case 'e':
        return cg_vector("checkpoint:log.vkey_ed25519");
    case 'm':
        return cg_vector("checkpoint:log.vkey_mldsa87");
    case '1':
        return cg_vector("checkpoint:witnesses.0.vkey");
    case '2':
        return cg_vector("checkpoint:witnesses.1.vkey");
    default:
        return cg_vector("checkpoint:witnesses.2.vkey");
    }
}

static void add(struct file *file, const char *text)
{
    for (; *text; text++) {
        const char one[2] = {*text, '\0'};
        const char *what = *text == '%' ? key_of(*++text) : one;
        size_t n = strlen(what);

        CHECK(file->len + n < sizeof file->text);
        memcpy(file->text + file->len, what, n);
        file->len += n;
    }
}

static const char good[] =
    "# what this gateway believes\n"
    "\n"
    "log %e https://ledger.example/\n"
    "log %m\n"
    "\twitness  W1 %1\n"
    "witness W2 %2 https://witness.example/w2\n"
    "witness W3 %3\n"
    "group two 2 W1 W2 W3\n"
    "quorum two\n"
    "registry " OWNER " https://r1.example https://r2.example local:registry\n"
    "directory " OWNER "\n"
    "pin app/b.example.com " GATEWAY "\n"
    "pin app/a.example.com " OWNER "\n"
    "pin m2m/vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb " GATEWAY "\n"
    "max-checkpoint-age 3600\n"
    "floor sapi ed25519\n"
    "floor group X25519MLKEM768\n"
    "   # said twice is said wrong\n"
    "floor padding 2";

static cg_err read_text(const char *text, struct cg_trust **out, struct cg_trust_fault *fault)
{
    static struct file file;

    file.len = 0;
    add(&file, text);
    return cg_trust_read(cg_test_crypto(), cg_span_of(file.text, file.len), out, fault);
}

TEST(a_file_says_whom_to_believe)
{
    struct cg_trust *trust;
    struct cg_waddr owner, gateway;

    CHECK_OK(cg_did_read(CG_LIT(OWNER), &owner));
    CHECK_OK(cg_did_read(CG_LIT(GATEWAY), &gateway));
    CHECK_OR_STOP(CHECK_OK(read_text(good, &trust, NULL)));
    CHECK_INT(trust->n_logs, 1);
    CHECK_SPAN(CG_BYTES(trust->log_ids[0].bytes), cg_vector_hex("checkpoint:log.log_id"));
    CHECK_SPAN(trust->log_urls[0], CG_LIT("https://ledger.example/"));
    CHECK(cg_trust_log(trust, &trust->log_ids[0]) == &trust->logs[0]);
    CHECK_INT(trust->logs[0].max_age_s, 3600);
    CHECK(trust->logs[0].quorum == &trust->quorum);
    CHECK_INT(trust->quorum.n_nodes, 4);
    CHECK_INT(trust->quorum.goal, 3);
    CHECK_INT(trust->quorum.nodes[3].k, 2);
    CHECK_INT(trust->n_registries, 1);
    CHECK_INT(cg_trust_find_registry(trust, &owner)->n_urls, 3);
    CHECK_SPAN(cg_trust_find_registry(trust, &owner)->urls[2], CG_LIT("local:registry"));
    CHECK(!cg_trust_find_registry(trust, &gateway));
    CHECK_INT(trust->n_directories, 1);
    CHECK_INT(trust->n_pins, 3);
    CHECK(cg_waddr_eq(cg_trust_find_pin(trust, CG_LIT("app"), CG_LIT("a.example.com")), &owner));
    CHECK(cg_waddr_eq(cg_trust_find_pin(trust, CG_LIT("app"), CG_LIT("b.example.com")), &gateway));
    CHECK(cg_trust_find_pin(trust, CG_LIT("m2m"), cg_span_str(owner.text)) != NULL);
    CHECK(!cg_trust_find_pin(trust, CG_LIT("app"), CG_LIT("c.example.com")));
    CHECK(!cg_trust_find_pin(trust, CG_LIT("bpi"), CG_LIT("a.example.com")));
    CHECK_INT(trust->floor_sapi, CG_SAPI_ED25519);
    CHECK_SPAN(trust->floor_group, CG_LIT("X25519MLKEM768"));
    CHECK_INT(trust->floor_padding, 2);

    struct cg_log_id other = trust->log_ids[0];
    other.bytes[0] ^= 1;
    CHECK(!cg_trust_log(trust, &other));
    cg_trust_free(trust);
}

TEST(the_least_file_asks_for_no_witness_aloud)
{
    struct cg_trust *trust;

    CHECK_OR_STOP(CHECK_OK(read_text("quorum none", &trust, NULL)));
    CHECK(trust->quorum.is_none);
    CHECK_INT(trust->max_checkpoint_age_s, CG_TRUST_DEFAULT_AGE_S);
    CHECK_INT(trust->floor_sapi, CG_SAPI_NONE);
    CHECK_INT(trust->floor_group.len, 0);
    cg_trust_free(trust);
}

TEST(a_file_checks_the_notes_it_describes)
{
    struct cg_trust *trust;
    struct cg_checkpoint checkpoint;
    struct cg_checkpoint_facts facts;
    struct cg_wall now = {(int64_t)cg_vector_uint("checkpoint:now")};
    static char note[CG_NOTE_MAX_BYTES];
    static const char *const lines[] = {"ed", "ml", "w1", "w3"};
    struct cg_writer w = cg_writer_fixed(note, sizeof note);

    cg_put_str(&w, cg_vector("checkpoint:cases.0.text"));
    cg_put_u8(&w, '\n');
    for (size_t i = 0; i < 4; i++)
        cg_put_str(&w, cg_vector(cg_vector_at("checkpoint:lines.%s", lines[i])));
    CHECK_OK(cg_checkpoint_read(cg_writer_span(&w), &checkpoint));

    CHECK_OR_STOP(CHECK_OK(read_text(good, &trust, NULL)));
    CHECK_OK(cg_checkpoint_verify(&checkpoint, &trust->logs[0], now, &facts));
    CHECK_INT(facts.n_cosignatures, 2);
    cg_trust_free(trust);

    CHECK_OR_STOP(CHECK_OK(read_text("log %e\nlog %m\nwitness a %1\nwitness b %2\nwitness c %3\n"
                                     "group g all a b c\nquorum g\n",
                                     &trust, NULL)));
    CHECK_ERR(cg_checkpoint_verify(&checkpoint, &trust->logs[0], now, &facts), CG_QUORUM);
    cg_trust_free(trust);
    CHECK_OR_STOP(CHECK_OK(read_text("log %e\nlog %m\nwitness c %3\nquorum c\n", &trust, NULL)));
    CHECK_OK(cg_checkpoint_verify(&checkpoint, &trust->logs[0], now, &facts));
    CHECK_INT(facts.n_cosignatures, 1);
    cg_trust_free(trust);
}

#define LOG "log %e\nlog %m\n"
#define W1 "witness a %1\n"

TEST(every_bad_file_is_refused_at_its_line)
{
    static const struct {
        unsigned line;
        const char *why; /* words of the reason */
        const char *text;
    } rows[] = {
        {0, "no quorum line", ""},
        {0, "no quorum line", LOG},
        {1, "unknown first word", "qourum none\n"},
        {1, "unknown first word", "QUORUM none\n"},
        {3, "unknown first word", "quorum none\n\nlogs %e\n"},
        {1, "not printable ASCII", "quorum none\r\n"},
        {1, "not printable ASCII", "quorum n\xc3\xb6ne\n"},
        {1, "nothing behind", "quorum\n"},
        {1, "quorum <name>", "quorum none none\n"},
        {2, "quorum line already", "quorum none\nquorum none\n"},
        {1, "not defined", "quorum a\n" W1},
        {0, "lacks its second key", "log %e\nquorum none\n"},
        {0, "lacks its second key", "log %m\nquorum none\n"},
        {2, "one Ed25519 and one", "log %e\nlog %e\nlog %m\nquorum none\n"},
        {3, "one Ed25519 and one", "log %e\nlog %m\nlog %m\nquorum none\n"},
        {1, "one Ed25519 and one", "log %1\nquorum none\n"},
        {1, "vkey", "log %ex\nquorum none\n"},
        {1, "vkey", "log x\nquorum none\n"},
        {1, "log <vkey>", "log %e https://a b\nquorum none\n"},
        {1, "not a URL", "log %e ftp://a\nquorum none\n"},
        {1, "not a URL", "log %e https://\nquorum none\n"},
        {1, "not a URL", "log %e http://\nquorum none\n"},
        {1, "not a URL", "log %e local:\nquorum none\n"},
        {1, "not printable ASCII", "log\x1f%e\nquorum none\n"},
        {1, "not printable ASCII", "log %e https://a\x7f\nquorum none\n"},
        {2, "another one", "log %e https://a\nlog %m https://b\nquorum none\n"},
        {1, "witness <name>", "witness a\nquorum none\n"},
        {1, "witness <name>", "witness a %1 gopher://x\nquorum none\n"},
        {1, "neither 4 nor 6", "witness a %e\nquorum none\n"},
        {1, "neither 4 nor 6", "witness a %m\nquorum none\n"},
        {1, "vkey", "witness a %1%1\nquorum none\n"},
        {1, "not a name", "witness none %1\nquorum none\n"},
        {2, "name is taken", W1 "witness a %2\nquorum a\n"},
        {2, "has that key", W1 "witness b %1\nquorum a\n"},
        {2, "group <name>", W1 "group g all\nquorum g\n"},
        {2, "decimal", W1 "group g two a\nquorum g\n"},
        {2, "decimal", W1 "group g 01 a\nquorum g\n"},
        {2, "decimal", W1 "group g -1 a\nquorum g\n"},
        {2, "too large", W1 "group g 2 a\nquorum g\n"},
        {2, "proves nothing", W1 "group g 0 a\nquorum g\n"},
        {2, "not defined", W1 "group g all b\nquorum g\n"},
        {2, "not defined", W1 "group g all g\nquorum g\n"},
        {2, "belongs to a group", W1 "group g all a a\nquorum g\n"},
        {3, "belongs to a group", W1 "group g all a\ngroup h all a\nquorum g\n"},
        {2, "name is taken", W1 "group a all a\nquorum a\n"},
        {1, "registry <DID>", "registry " OWNER "\nquorum none\n"},
        {1, "not a DID", "registry " OWNER "a https://r\nquorum none\n"},
        {1, "not a DID", "registry did:web:example.com https://r\nquorum none\n"},
        {1, "not a URL", "registry " OWNER " r.example\nquorum none\n"},
        {1, "too many URLs",
         "registry " OWNER " https://1 https://2 https://3 https://4 https://5 https://6 https://7 "
         "https://8 https://9\nquorum none\n"},
        {2, "there already", "registry " OWNER " https://r\nregistry " OWNER " https://r\n"},
        {1, "directory <DID>", "directory " OWNER " https://d\n"},
        {2, "there already", "directory " OWNER "\ndirectory " OWNER "\n"},
        {1, "pin <plane", "pin app/a.example.com\n"},
        {1, "plane/authority", "pin a.example.com " OWNER "\n"},
        {1, "plane/authority", "pin web/a.example.com " OWNER "\n"},
        {1, "plane/authority", "pin app/A.example.com " OWNER "\n"},
        {1, "not a DID", "pin app/a.example.com gateway\n"},
        {2, "pinned already",
         "pin app/a.example.com " OWNER "\npin app/a.example.com " GATEWAY "\n"},
        {1, "decimal", "max-checkpoint-age 6h\n"},
        {1, "decimal", "max-checkpoint-age 99999999999\n"},
        {1, "too large", "max-checkpoint-age 2592001\n"},
        {1, "no checkpoint", "max-checkpoint-age 0\n"},
        {1, "max-checkpoint-age <", "max-checkpoint-age 1 2\n"},
        {2, "said already", "max-checkpoint-age 60\nmax-checkpoint-age 60\n"},
        {1, "floor sapi", "floor sapi\n"},
        {1, "floor sapi", "floor sapi grant grant\n"},
        {1, "there are floors", "floor tls 1.3\n"},
        {1, "modes are", "floor sapi Grant\n"},
        {2, "said already", "floor sapi grant\nfloor sapi none\n"},
        {1, "only group", "floor group X25519\n"},
        {2, "said already", "floor group X25519MLKEM768\nfloor group X25519MLKEM768\n"},
        {1, "too large", "floor padding 4\n"},
        {2, "said already", "floor padding 3\nfloor padding 3\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cg_trust_fault fault = {99, NULL};
        struct cg_trust *trust = NULL;

        if (!CHECK_ERR(read_text(rows[i].text, &trust, &fault), CG_CONFIG) ||
            !CHECK_INT(fault.line, rows[i].line) || !CHECK(strstr(fault.text, rows[i].why)))
            printf("#   row %zu: %s\n#   says: line %u: %s\n", i, rows[i].text, fault.line,
                   fault.text ? fault.text : "-");
        CHECK(trust == NULL);
    }
    struct cg_trust *trust = NULL;
    CHECK_ERR(read_text("nonsense", &trust, NULL), CG_CONFIG);
}

TEST(addresses_and_names_may_be_one_character_long_and_of_any_that_is_printed)
{
    static const char *const texts[] = {
        "log %e http://a\nlog %m\nquorum none\n",
        "log %e https://a\nlog %m\nquorum none\n",
        "log %e local:a\nlog %m\nquorum none\n",
        "registry " OWNER " https://1 https://2 https://3 https://4 https://5 https://6 https://7 "
        "https://8\nlog %e\nlog %m\nquorum none\n",
        "log %e https://a/~!\nlog %m https://a/~!\nwitness ~! %1\nquorum ~!\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cg_trust_fault fault = {99, NULL};
        struct cg_trust *trust = NULL;

        if (!CHECK_OK(read_text(texts[i], &trust, &fault)))
            printf("#   row %zu: line %u: %s\n", i, fault.line, fault.text ? fault.text : "-");
        cg_trust_free(trust);
    }
}

TEST(the_limits_hold_at_their_edges)
{
    static struct file file;
    struct cg_trust *trust;
    struct cg_trust_fault fault;

    for (unsigned n = CG_TRUST_PINS_MAX - 1; n <= CG_TRUST_PINS_MAX + 1; n++) {
        char *text = malloc(n * 128);
        size_t len = (size_t)sprintf(text, "quorum none\n");

        for (unsigned i = 0; i < n; i++)
            len += (size_t)sprintf(text + len, "pin app/h%u.example.com %s\n", n - i, OWNER);
        cg_err err = cg_trust_read(cg_test_crypto(), cg_span_of(text, len), &trust, &fault);
        CHECK_ERR(err, n <= CG_TRUST_PINS_MAX ? CG_OK : CG_CONFIG);
        if (err == CG_OK) {
            CHECK(cg_trust_find_pin(trust, CG_LIT("app"), CG_LIT("h1.example.com")) != NULL);
            CHECK(cg_trust_find_pin(trust, CG_LIT("app"), CG_LIT("h777.example.com")) != NULL);
            cg_trust_free(trust);
        }
        free(text);
    }
    file.len = 0;
    add(&file, "group g all");
    for (unsigned i = 0; i < 100; i++)
        add(&file, " a");
    CHECK_ERR(cg_trust_read(cg_test_crypto(), cg_span_of(file.text, file.len), &trust, &fault),
              CG_CONFIG);
    CHECK(strstr(fault.text, "too many words") != NULL);
    uint8_t *large = calloc(CG_TRUST_MAX_BYTES + 1, 1);
    CHECK_ERR(
        cg_trust_read(cg_test_crypto(), cg_span_of(large, CG_TRUST_MAX_BYTES + 1), &trust, &fault),
        CG_CONFIG);
    CHECK_INT(fault.line, 0);
    free(large);
}

/* Line i of a kind, each with a key or DID of its own; a log has two lines. */
static void put_line(const char *word, unsigned i, struct cg_writer *w)
{
    char name[32];
    struct cg_public_keys keys;
    struct cg_hash h;
    struct cg_waddr waddr;

    snprintf(name, sizeof name, "n%u.example", i);
    memset(&keys, (int)(0x20 + i), sizeof keys);
    memset(&h, (int)(0x20 + i), sizeof h);
    if (strcmp(word, "log") == 0) {
        CHECK_OK(cg_trust_log_write(cg_span_str(name), &keys, w));
        return;
    }
    cg_put_str(w, word);
    cg_put_u8(w, ' ');
    if (strcmp(word, "witness") == 0) {
        cg_put_str(w, name);
        cg_put_u8(w, ' ');
        CHECK_OK(
            cg_vkey_write(cg_span_str(name), CG_NOTE_COSIGNED_ED25519, CG_BYTES(keys.ed25519), w));
    } else if (strcmp(word, "group") == 0) {
        cg_put_str(w, "g");
        cg_put_str(w, name);
        cg_put_str(w, " any ");
        cg_put_str(w, name);
    } else {
        CHECK_OK(cg_waddr_of_hash(&h, &waddr));
        cg_put_str(w, "did:bpi:");
        cg_put_str(w, waddr.text);
        if (strcmp(word, "registry") == 0)
            cg_put_str(w, " https://r");
    }
    cg_put_str(w, "\n");
}

TEST(there_are_so_many_of_each_kind_and_no_more)
{
    static const struct {
        const char *word;
        unsigned max;
        const char *why;
    } rows[] = {{"log", CG_TRUST_LOGS_MAX, "too many logs"},
                {"witness", CG_WITNESSES_MAX, "too many witnesses"},
                {"group", CG_GROUPS_MAX, "too many groups"},
                {"registry", CG_TRUST_REGISTRIES_MAX, "too many registries"},
                {"directory", CG_TRUST_DIRECTORIES_MAX, "too many directories"}};

    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        for (unsigned n = rows[k].max; n <= rows[k].max + 1; n++) {
            bool is_group = strcmp(rows[k].word, "group") == 0;
            CG_AUTO(buf) struct cg_buf text = {0};
            struct cg_trust_fault fault = {99, NULL};
            struct cg_trust *trust = NULL;

            cg_buf_init(&text, CG_TRUST_MAX_BYTES);
            struct cg_writer w = cg_writer_into(&text);
            cg_put_str(&w, "quorum none\n");
            /* A group has a member, and a member one group: of the last group it is the one before.
             */
            for (unsigned i = 0; is_group && i < rows[k].max; i++)
                put_line("witness", i, &w);
            for (unsigned i = 0; i < n; i++)
                if (is_group && i == rows[k].max)
                    cg_put_str(&w, "group last any gn0.example\n");
                else
                    put_line(rows[k].word, i, &w);
            CHECK_OK(cg_writer_end(&w));
            CHECK_ERR(cg_trust_read(cg_test_crypto(), cg_buf_span(&text), &trust, &fault),
                      n <= rows[k].max ? CG_OK : CG_CONFIG);
            if (n > rows[k].max && !CHECK(strstr(fault.text, rows[k].why)))
                printf("#   %s: line %u: %s\n", rows[k].word, fault.line, fault.text);
            CHECK((trust != NULL) == (n <= rows[k].max));
            cg_trust_free(trust);
        }
}

TEST(the_lines_of_a_new_log_are_written_to_be_read)
{
    static char text[2 * CG_VKEY_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_public_keys keys;
    struct cg_trust *trust;

    memcpy(keys.ed25519, cg_vector_hex("checkpoint:log.ed25519").at, sizeof keys.ed25519);
    memcpy(keys.mldsa87, cg_vector_hex("checkpoint:log.mldsa87").at, sizeof keys.mldsa87);
    CHECK_OK(cg_trust_log_write(CG_LIT("ledger.example/bpi1"), &keys, &w));
    cg_put_str(&w, "quorum none\n");
    CHECK_OR_STOP(CHECK_OK(cg_trust_read(cg_test_crypto(), cg_writer_span(&w), &trust, NULL)));
    CHECK_SPAN(CG_BYTES(trust->log_ids[0].bytes), cg_vector_hex("checkpoint:log.log_id"));
    cg_trust_free(trust);
}

SUITE(trust, T(a_file_says_whom_to_believe), T(the_least_file_asks_for_no_witness_aloud),
      T(a_file_checks_the_notes_it_describes), T(every_bad_file_is_refused_at_its_line),
      T(addresses_and_names_may_be_one_character_long_and_of_any_that_is_printed),
      T(the_limits_hold_at_their_edges), T(there_are_so_many_of_each_kind_and_no_more),
      T(the_lines_of_a_new_log_are_written_to_be_read))
