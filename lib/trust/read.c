/* Reading a trust file: line by line, each by its first word. */
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/trust/trust.h"

#include <httpcg/url.h>

#include <stdlib.h>

#define WORDS_MAX 80

/* A log while its second key may be missing. */
struct half_log {
    struct cg_span origin, url;
    bool has_ed25519, has_mldsa87;
    struct cg_public_keys keys;
};

struct parse {
    const struct cg_crypto *crypto;
    struct cg_trust *trust;
    struct half_log *logs; /* CG_TRUST_LOGS_MAX */
    size_t n_logs;
    struct cg_span names[CG_WITNESSES_MAX + CG_GROUPS_MAX]; /* of the quorum's nodes */
    size_t n_witnesses, n_groups;
    bool has_quorum, has_age, has_sapi, has_group, has_padding;
    struct cg_span words[WORDS_MAX]; /* of the line being read */
    size_t n_words;
    const char *why; /* a constant: what is wrong with it */
};

static cg_err wrong(struct parse *p, const char *why)
{
    p->why = why;
    return CG_CONFIG;
}

/* Hands on what is not the file's fault. */
static cg_err wrong_if(struct parse *p, cg_err err, const char *why)
{
    if (err == CG_OK || err == CG_NO_MEMORY || err == CG_CRYPTO)
        return err;
    return wrong(p, why);
}

static bool is_url(struct cg_span text)
{
    return (cg_span_starts(text, CG_LIT("https://")) && text.len > 8) ||
           (cg_span_starts(text, CG_LIT("http://")) && text.len > 7) ||
           (cg_span_starts(text, CG_LIT("local:")) && text.len > 6);
}

static cg_err read_decimal(struct parse *p, struct cg_span text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (text.len == 0 || text.len > 10 || (text.len > 1 && text.at[0] == '0'))
        return wrong(p, "not a decimal number");
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return wrong(p, "not a decimal number");
        v = v * 10 + (uint64_t)(text.at[i] - '0');
    }
    if (v > max)
        return wrong(p, "the number is too large");
    *out = v;
    return CG_OK;
}

static cg_err read_did(struct parse *p, struct cg_span text, struct cg_waddr *out)
{
    return wrong_if(p, cg_did_read(text, out), "not a DID, or one with a mistyped character");
}

/* --- log <vkey> [<url>] --- */

static struct half_log *find_log(struct parse *p, struct cg_span origin)
{
    for (size_t i = 0; i < p->n_logs; i++)
        if (cg_span_eq(p->logs[i].origin, origin))
            return &p->logs[i];
    if (p->n_logs == CG_TRUST_LOGS_MAX)
        return NULL;
    p->logs[p->n_logs] = (struct half_log){.origin = origin};
    return &p->logs[p->n_logs++];
}

static cg_err read_log(struct parse *p)
{
    struct cg_vkey vkey;

    if (p->n_words > 3)
        return wrong(p, "a log line is: log <vkey> [<url>]");
    CG_TRY(wrong_if(p, cg_vkey_parse(p->words[1], &vkey), "not a vkey, or a mistyped one"));
    struct half_log *log = find_log(p, vkey.name);
    if (!log)
        return wrong(p, "too many logs");
    if (vkey.type == CG_NOTE_ED25519 && !log->has_ed25519) {
        log->has_ed25519 = true;
        memcpy(log->keys.ed25519, vkey.key, sizeof log->keys.ed25519);
    } else if (vkey.type == CG_NOTE_MLDSA87 && !log->has_mldsa87) {
        log->has_mldsa87 = true;
        memcpy(log->keys.mldsa87, vkey.key, sizeof log->keys.mldsa87);
    } else {
        return wrong(p, "a log has one Ed25519 and one ML-DSA-87 key");
    }
    if (p->n_words == 3) {
        if (!is_url(p->words[2]) || (log->url.len > 0 && !cg_span_eq(log->url, p->words[2])))
            return wrong(p, "not a URL, or another one than this log has");
        log->url = p->words[2];
    }
    return CG_OK;
}

/* --- witness, group, quorum --- */

/* The place of a name among the quorum's nodes, or how many there are. */
static size_t find_node(const struct parse *p, struct cg_span name)
{
    size_t i = 0;

    while (i < p->trust->quorum.n_nodes && !cg_span_eq(p->names[i], name))
        i++;
    return i;
}

static cg_err check_new_name(struct parse *p, struct cg_span name)
{
    if (name.len > CG_NOTE_NAME_MAX_BYTES || cg_span_is(name, "none"))
        return wrong(p, "not a name that can be given");
    if (find_node(p, name) < p->trust->quorum.n_nodes)
        return wrong(p, "the name is taken");
    return CG_OK;
}

static cg_err read_witness(struct parse *p)
{
    struct cg_quorum *quorum = &p->trust->quorum;
    struct cg_quorum_node node = {.parent = CG_GROUP_NONE};

    if (p->n_words < 3 || p->n_words > 4 || (p->n_words == 4 && !is_url(p->words[3])))
        return wrong(p, "a witness line is: witness <name> <vkey> [<url>]");
    CG_TRY(check_new_name(p, p->words[1]));
    if (p->n_witnesses == CG_WITNESSES_MAX)
        return wrong(p, "too many witnesses");
    CG_TRY(wrong_if(p, cg_vkey_read(p->crypto, p->words[2], &node.key),
                    "not a vkey, or a mistyped or unusable one"));
    cg_err err = CG_OK;
    if (node.key.type != CG_NOTE_COSIGNED_ED25519 && node.key.type != CG_NOTE_COSIGNED_MLDSA44)
        err = wrong(p, "not a witness's key: its type is neither 4 nor 6");
    for (size_t i = 0; i < quorum->n_nodes && err == CG_OK; i++)
        if (!quorum->nodes[i].is_group &&
            cg_hash_eq(&quorum->nodes[i].key.key_hash, &node.key.key_hash))
            err = wrong(p, "another witness has that key");
    if (err != CG_OK) {
        cg_note_key_done(&node.key);
        return err;
    }
    p->names[quorum->n_nodes] = p->words[1];
    quorum->nodes[quorum->n_nodes++] = node;
    p->n_witnesses++;
    return CG_OK;
}

static cg_err read_group(struct parse *p)
{
    struct cg_quorum *quorum = &p->trust->quorum;
    uint16_t self = (uint16_t)quorum->n_nodes;
    uint64_t n = p->n_words - 3, k;

    if (p->n_words < 4)
        return wrong(p, "a group line is: group <name> all|any|<k> <member>...");
    CG_TRY(check_new_name(p, p->words[1]));
    if (p->n_groups == CG_GROUPS_MAX)
        return wrong(p, "too many groups");
    if (cg_span_is(p->words[2], "all"))
        k = n;
    else if (cg_span_is(p->words[2], "any"))
        k = 1;
    else
        CG_TRY(read_decimal(p, p->words[2], n, &k));
    if (k == 0)
        return wrong(p, "a group that nobody must sign proves nothing");
    for (size_t i = 3; i < p->n_words; i++) {
        size_t member = find_node(p, p->words[i]);

        if (member == quorum->n_nodes)
            return wrong(p, "a member is not defined on a line before");
        if (quorum->nodes[member].parent != CG_GROUP_NONE)
            return wrong(p, "a member belongs to a group already");
        quorum->nodes[member].parent = self;
    }
    p->names[self] = p->words[1];
    quorum->nodes[quorum->n_nodes++] = (struct cg_quorum_node){
        .is_group = true, .parent = CG_GROUP_NONE, .k = (uint16_t)k, .n = (uint16_t)n};
    p->n_groups++;
    return CG_OK;
}

static cg_err read_quorum(struct parse *p)
{
    struct cg_quorum *quorum = &p->trust->quorum;

    if (p->n_words != 2)
        return wrong(p, "a quorum line is: quorum <name>|none");
    if (p->has_quorum)
        return wrong(p, "there is a quorum line already");
    p->has_quorum = true;
    quorum->is_none = cg_span_is(p->words[1], "none");
    if (quorum->is_none)
        return CG_OK;
    size_t goal = find_node(p, p->words[1]);
    if (goal == quorum->n_nodes)
        return wrong(p, "that name is not defined on a line before");
    quorum->goal = (uint16_t)goal;
    return CG_OK;
}

/* --- registry, directory, pin --- */

static cg_err read_registry(struct parse *p)
{
    struct cg_trust *trust = p->trust;
    struct cg_trust_registry registry = {.n_urls = p->n_words - 2};

    if (p->n_words < 3)
        return wrong(p, "a registry line is: registry <DID> <url>...");
    if (registry.n_urls > CG_TRUST_URLS_MAX)
        return wrong(p, "too many URLs");
    CG_TRY(read_did(p, p->words[1], &registry.did));
    if (cg_trust_find_registry(trust, &registry.did))
        return wrong(p, "that registry is there already");
    for (size_t i = 0; i < registry.n_urls; i++) {
        if (!is_url(p->words[2 + i]))
            return wrong(p, "not a URL: it begins with https://, http:// or local:");
        registry.urls[i] = p->words[2 + i];
    }
    if (trust->n_registries == CG_TRUST_REGISTRIES_MAX)
        return wrong(p, "too many registries");
    trust->registries[trust->n_registries++] = registry;
    return CG_OK;
}

static cg_err read_directory(struct parse *p)
{
    struct cg_trust *trust = p->trust;
    struct cg_waddr did;

    if (p->n_words != 2)
        return wrong(p, "a directory line is: directory <DID>");
    CG_TRY(read_did(p, p->words[1], &did));
    for (size_t i = 0; i < trust->n_directories; i++)
        if (cg_waddr_eq(&trust->directories[i], &did))
            return wrong(p, "that directory is there already");
    if (trust->n_directories == CG_TRUST_DIRECTORIES_MAX)
        return wrong(p, "too many directories");
    trust->directories[trust->n_directories++] = did;
    return CG_OK;
}

static cg_err read_pin(struct parse *p)
{
    struct cg_trust *trust = p->trust;
    struct cg_trust_pin pin;

    if (p->n_words != 3)
        return wrong(p, "a pin line is: pin <plane/authority> <DID>");
    pin.name = p->words[1];
    CG_TRY(wrong_if(p, cg_url_check_name(pin.name), "not a name of the form plane/authority"));
    CG_TRY(read_did(p, p->words[2], &pin.gateway));
    struct cg_span plane = cg_span_first(pin.name, cg_span_find(pin.name, '/'));
    if (cg_trust_find_pin(trust, plane, cg_span_from(pin.name, plane.len + 1)))
        return wrong(p, "that name is pinned already");
    if (trust->n_pins == CG_TRUST_PINS_MAX)
        return wrong(p, "too many pins");
    if (!trust->pins)
        trust->pins = calloc(CG_TRUST_PINS_MAX, sizeof *trust->pins);
    if (!trust->pins)
        return CG_NO_MEMORY;
    /* In the order that cg_trust_find_pin searches: by plane, then by authority. */
    size_t at = trust->n_pins++;
    for (; at > 0; at--) {
        struct cg_span before = trust->pins[at - 1].name;
        struct cg_span before_plane = cg_span_first(before, cg_span_find(before, '/'));
        int way = cg_span_cmp(plane, before_plane);

        if (way > 0 || (way == 0 && cg_span_cmp(pin.name, before) > 0))
            break;
        trust->pins[at] = trust->pins[at - 1];
    }
    trust->pins[at] = pin;
    return CG_OK;
}

/* --- max-checkpoint-age, floor --- */

static cg_err once(struct parse *p, bool *has)
{
    if (*has)
        return wrong(p, "that is said already");
    *has = true;
    return CG_OK;
}

static cg_err read_age(struct parse *p)
{
    uint64_t age;

    if (p->n_words != 2)
        return wrong(p, "the line is: max-checkpoint-age <seconds>");
    CG_TRY(once(p, &p->has_age));
    CG_TRY(read_decimal(p, p->words[1], CG_TRUST_MAX_AGE_S, &age));
    if (age == 0)
        return wrong(p, "no checkpoint is that fresh");
    p->trust->max_checkpoint_age_s = (int64_t)age;
    return CG_OK;
}

static cg_err read_floor(struct parse *p)
{
    struct cg_trust *trust = p->trust;
    uint64_t padding;

    if (p->n_words != 3)
        return wrong(p, "a floor line is: floor sapi|group|padding <value>");
    if (cg_span_is(p->words[1], "sapi")) {
        CG_TRY(once(p, &p->has_sapi));
        return wrong_if(p, cg_sapi_mode_read(p->words[2], &trust->floor_sapi),
                        "the modes are none, grant, ed25519 and hybrid");
    }
    if (cg_span_is(p->words[1], "group")) {
        CG_TRY(once(p, &p->has_group));
        if (!cg_span_is(p->words[2], "X25519MLKEM768"))
            return wrong(p, "the only group is X25519MLKEM768");
        trust->floor_group = p->words[2];
        return CG_OK;
    }
    if (cg_span_is(p->words[1], "padding")) {
        CG_TRY(once(p, &p->has_padding));
        CG_TRY(read_decimal(p, p->words[2], CG_PADDING_MAX, &padding));
        trust->floor_padding = (unsigned)padding;
        return CG_OK;
    }
    return wrong(p, "there are floors for sapi, group and padding");
}

static const struct {
    const char *word;
    cg_err (*read)(struct parse *p);
} lines[] = {
    {"log", read_log},       {"witness", read_witness},        {"group", read_group},
    {"quorum", read_quorum}, {"registry", read_registry},      {"directory", read_directory},
    {"pin", read_pin},       {"max-checkpoint-age", read_age}, {"floor", read_floor},
};

/* Cuts a line into words; a comment has none. */
static cg_err split(struct parse *p, struct cg_span line)
{
    p->n_words = 0;
    while (line.len > 0) {
        size_t n = 0;

        if (line.at[0] == ' ' || line.at[0] == '\t') {
            line = cg_span_from(line, 1);
            continue;
        }
        if (line.at[0] == '#' && p->n_words == 0)
            return CG_OK;
        while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t') {
            if (line.at[n] < ' ' || line.at[n] > '~')
                return wrong(p, "a character that is not printable ASCII");
            n++;
        }
        if (p->n_words == WORDS_MAX)
            return wrong(p, "too many words");
        p->words[p->n_words++] = cg_span_first(line, n);
        line = cg_span_from(line, n);
    }
    return CG_OK;
}

static cg_err read_line(struct parse *p, struct cg_span line)
{
    CG_TRY(split(p, line));
    if (p->n_words == 0)
        return CG_OK;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!cg_span_is(p->words[0], lines[i].word))
            continue;
        if (p->n_words == 1)
            return wrong(p, "the line says nothing behind its first word");
        return lines[i].read(p);
    }
    return wrong(p, "unknown first word");
}

/* What only the whole file can tell. */
static cg_err finish(struct parse *p)
{
    struct cg_trust *trust = p->trust;

    if (!p->has_quorum)
        return wrong(p, "there is no quorum line (\"quorum none\" asks for no witness, aloud)");
    for (size_t i = 0; i < p->n_logs; i++) {
        const struct half_log *log = &p->logs[i];

        if (!log->has_ed25519 || !log->has_mldsa87)
            return wrong(p, "a log lacks its second key: each has an Ed25519 and an ML-DSA-87 one");
        CG_TRY(wrong_if(p,
                        cg_tlog_init(p->crypto, log->origin, &log->keys, &trust->quorum,
                                     trust->max_checkpoint_age_s, &trust->logs[i]),
                        "a log's key is unusable"));
        trust->log_ids[i] = trust->logs[i].id;
        trust->log_urls[i] = log->url;
        trust->n_logs++;
    }
    return CG_OK;
}

static cg_err read_all(struct parse *p, struct cg_span text, unsigned *line)
{
    for (*line = 1; text.len > 0; ++*line) {
        struct cg_span one = cg_span_first(text, cg_span_find(text, '\n'));

        CG_TRY(read_line(p, one));
        text = cg_span_from(text, one.len + 1);
    }
    *line = 0;
    return finish(p);
}

cg_err cg_trust_read(const struct cg_crypto *crypto, struct cg_span text, struct cg_trust **out,
                     struct cg_trust_fault *fault)
{
    struct parse p = {.crypto = crypto};
    unsigned line = 0;
    cg_err err = CG_NO_MEMORY;

    p.trust = calloc(1, sizeof *p.trust);
    p.logs = calloc(CG_TRUST_LOGS_MAX, sizeof *p.logs);
    if (p.trust)
        p.trust->text = malloc(text.len + 1);
    if (p.trust && p.logs && p.trust->text) {
        p.trust->max_checkpoint_age_s = CG_TRUST_DEFAULT_AGE_S;
        if (text.len > 0)
            memcpy(p.trust->text, text.at, text.len);
        err = text.len > CG_TRUST_MAX_BYTES
                  ? wrong(&p, "the file is too large")
                  : read_all(&p, cg_span_of(p.trust->text, text.len), &line);
    }
    free(p.logs);
    if (err != CG_OK) {
        cg_trust_free(p.trust);
        if (fault && err == CG_CONFIG)
            *fault = (struct cg_trust_fault){line, p.why};
        return err;
    }
    *out = p.trust;
    return CG_OK;
}
