#include "client/option.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/nearest.h"

const struct cl_option cl_options[CL_OPTION_COUNT] = {
#define X(id, name, letter, arg, help) [CL_##id] = {name, letter, arg, help},
    CL_OPTION_LIST(X)
#undef X
};

/* What people of other tools try, and what to do here. */
static const struct {
    const char *name;
    char letter; /* 0: none */
    const char *hint;
} hints[] = {
    {"insecure", 'k', "no check can be switched off; a name that nobody signed is not httpcg's"},
    {"location", 'L', "redirects are not followed: a signature is for one URL"},
    {"user", 'u', "requests are signed by a wallet; a backend's own password goes into -H"},
    {"proxy", 'x', "a gateway must be reached without anybody in between; see --connect-to"},
    {"cert", 'E', "who asks is proved by a wallet: httpcg wallet new"},
    {"key", 0, "who asks is proved by a wallet: httpcg wallet new"},
    {"form", 'F', "there are no multipart forms; make the body and use --data-binary @FILE"},
    {"compressed", 0, "what was signed is what is shown; send -H 'Accept-Encoding: …' and unpack"},
    {"retry", 0, "requests are not repeated; only a clock that differs is corrected, once"},
    {"http1.1", 0, "the gateway chooses among h2 and http/1.1"},
    {"http2", 0, "the gateway chooses among h2 and http/1.1"},
    {"no-buffer", 'N', "leave it out: what has come is written at once"},
    {"buffer", 0, "leave it out: what has come is written at once"},
    {"continue-at", 'C', "an answer is verified as a whole, so it cannot be gone on with"},
    {"cookie-jar", 'c', "cookies are not kept; -b sends one"},
    {"netrc", 'n', "requests are signed by a wallet; a backend's own password goes into -H"},
    {"globoff", 'g', "leave it out: brackets and braces in a URL are never a pattern"},
    {"time-cond", 'z', "send -H 'If-Modified-Since: …'"},
    {"progress-bar", '#', "leave it out: long transfers show their progress on a terminal"},
    {"resolve", 0, "--connect-to HOST:PORT:ADDRESS:PORT does it"},
    {"unix-socket", 0, "a gateway is reached over TLS; see --connect-to"},
    {"url", 0, "a URL stands by itself"},
    {"limit-rate", 0, "there is none; pv in a pipe does it"},
    {"trace", 0, "-v shows every check, and the heads"},
    {"trace-ascii", 0, "-v shows every check, and the heads"},
    {"remote-time", 'R', "files get the time at which they were verified"},
    {"remote-header-name", 'J', "-O names a file by the URL, -o as you like"},
    {"parallel", 'Z', "URLs are fetched one after the other, on one connection"},
    {"ipv4", '4', "addresses are tried until one answers; see --connect-to"},
    {"ipv6", '6', "addresses are tried until one answers; see --connect-to"},
    {"max-redirs", 0, "redirects are not followed: a signature is for one URL"},
    {"capath", 0, "--cacert names a file"},
};
#define N_HINTS (sizeof hints / sizeof hints[0])

static bool is_switch(enum cl_id id)
{
    return cl_options[id].arg == NULL;
}

static cg_err add(struct cl_args *args, enum cl_id id, const char *text, char *why, size_t room)
{
    if (args->n_sets == CL_SETS_MAX) {
        snprintf(why, room, "more than %d options", CL_SETS_MAX);
        return CG_TOO_LARGE;
    }
    args->sets[args->n_sets++] = (struct cl_set){id, text};
    return CG_OK;
}

static cg_err unknown(struct cg_span name, char *why, size_t room)
{
    const char *names[CL_OPTION_COUNT];

    for (size_t i = 0; i < N_HINTS; i++)
        if (cg_span_is(name, hints[i].name)) {
            snprintf(why, room, "there is no option --%s: %s", hints[i].name, hints[i].hint);
            return CG_UNKNOWN;
        }
    for (size_t i = 1; i < CL_OPTION_COUNT; i++)
        names[i - 1] = cl_options[i].name;
    const char *near = cg_nearest(name, names, CL_OPTION_COUNT - 1);
    snprintf(why, room, "there is no option --%.*s%s%s%s", (int)name.len, (const char *)name.at,
             near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
    return CG_UNKNOWN;
}

/* The option of a whole or cut name. */
static cg_err find_long(struct cg_span name, enum cl_id *out, char *why, size_t room)
{
    enum cl_id found = CL_NO_OPTION;

    for (int i = 1; i < CL_OPTION_COUNT; i++) {
        if (cg_span_is(name, cl_options[i].name)) {
            *out = (enum cl_id)i;
            return CG_OK;
        }
        if (name.len == 0 || !cg_span_starts(cg_span_str(cl_options[i].name), name))
            continue;
        if (found != CL_NO_OPTION) {
            snprintf(why, room, "--%.*s may be --%s or --%s", (int)name.len, (const char *)name.at,
                     cl_options[found].name, cl_options[i].name);
            return CG_UNKNOWN;
        }
        found = (enum cl_id)i;
    }
    if (found == CL_NO_OPTION)
        return unknown(name, why, room);
    *out = found;
    return CG_OK;
}

/* name with or without value; *used_next tells whether the next word was its value. */
static cg_err read_long(struct cl_args *args, const char *word, const char *next, bool *used_next,
                        char *why, size_t room)
{
    struct cg_span name = cg_span_str(word);
    size_t equals = cg_span_find(name, '=');
    const char *value = equals < name.len ? word + equals + 1 : NULL;
    bool is_off = false;
    enum cl_id id = CL_NO_OPTION;

    name = cg_span_first(name, equals);
    if (cg_span_starts(name, CG_LIT("no-"))) {
        is_off = true;
        name = cg_span_from(name, 3);
    }
    CG_TRY(find_long(name, &id, why, room));
    if (is_switch(id)) {
        if (value) {
            snprintf(why, room, "--%s takes no value%s", cl_options[id].name,
                     id == CL_JSON ? "; to send JSON use --json-data" : "");
            return CG_EXTRA;
        }
        return add(args, id, is_off ? "" : NULL, why, room);
    }
    if (is_off) {
        snprintf(why, room, "--%s is no switch, so there is no --no-%s", cl_options[id].name,
                 cl_options[id].name);
        return CG_UNKNOWN;
    }
    if (!value) {
        if (!next) {
            snprintf(why, room, "--%s asks for a value: %s", cl_options[id].name,
                     cl_options[id].arg);
            return CG_SHORT;
        }
        *used_next = true;
        value = next;
    }
    return add(args, id, value, why, room);
}

static enum cl_id find_letter(char letter)
{
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (cl_options[i].letter == letter)
            return (enum cl_id)i;
    return CL_NO_OPTION;
}

/* Letters in one word: switches, and at the end perhaps one with its value. */
static cg_err read_letters(struct cl_args *args, const char *word, const char *next,
                           bool *used_next, char *why, size_t room)
{
    for (const char *c = word; *c; c++) {
        enum cl_id id = find_letter(*c);

        if (id == CL_NO_OPTION) {
            for (size_t i = 0; i < N_HINTS; i++)
                if (hints[i].letter == *c)
                    return unknown(cg_span_str(hints[i].name), why, room);
            snprintf(why, room, "there is no option -%c; httpcg --help lists all",
                     *c > ' ' && *c < 127 ? *c : '?');
            return CG_UNKNOWN;
        }
        if (is_switch(id)) {
            CG_TRY(add(args, id, NULL, why, room));
            continue;
        }
        if (c[1])
            return add(args, id, c + 1, why, room);
        if (!next) {
            snprintf(why, room, "-%c asks for a value: %s", *c, cl_options[id].arg);
            return CG_SHORT;
        }
        *used_next = true;
        return add(args, id, next, why, room);
    }
    return CG_OK;
}

cg_err cl_args_read(struct cl_args *args, int argc, const char *const *argv, char *why, size_t room)
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool used_next = false;

        if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
        } else if (!only_words && word[0] == '-' && word[1] == '-') {
            CG_TRY(read_long(args, word + 2, next, &used_next, why, room));
        } else if (!only_words && word[0] == '-' && word[1]) {
            CG_TRY(read_letters(args, word + 1, next, &used_next, why, room));
        } else {
            if (args->n_words == CL_WORDS_MAX) {
                snprintf(why, room, "more than %d words", CL_WORDS_MAX);
                return CG_TOO_LARGE;
            }
            args->words[args->n_words++] = word;
        }
        i += used_next;
    }
    return CG_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

cg_err cl_args_line(struct cl_args *args, char *line, char *why, size_t room)
{
    char *name = line, *value, *end = line + strlen(line);
    bool used = false;

    while (end > line && is_blank(end[-1]))
        *--end = '\0';
    while (is_blank(*name) || *name == '-')
        name++;
    if (!*name || *name == '#')
        return CG_OK;
    for (value = name; *value && !is_blank(*value) && *value != '=' && *value != ':';)
        value++;
    bool has_value = *value != '\0';
    if (has_value)
        *value++ = '\0';
    while (is_blank(*value) || *value == '=' || *value == ':')
        value++;
    if (*value == '"' && end > value + 1 && end[-1] == '"') {
        end[-1] = '\0';
        value++;
    }
    if (strchr(name, '='))
        return unknown(cg_span_str(name), why, room);
    CG_TRY(read_long(args, name, has_value ? value : NULL, &used, why, room));
    if (has_value && !used) {
        snprintf(why, room, "%s is a switch and takes no value; no-%s switches it off", name, name);
        return CG_EXTRA;
    }
    return CG_OK;
}

const char *cl_text(const struct cl_args *args, enum cl_id id)
{
    for (size_t i = args->n_sets; i > 0; i--)
        if (args->sets[i - 1].id == id)
            return args->sets[i - 1].text;
    return NULL;
}

bool cl_was_given(const struct cl_args *args, enum cl_id id)
{
    for (size_t i = 0; i < args->n_sets; i++)
        if (args->sets[i].id == id)
            return true;
    return false;
}

bool cl_is_on(const struct cl_args *args, enum cl_id id)
{
    return cl_was_given(args, id) && cl_text(args, id) == NULL;
}

bool cl_is_off(const struct cl_args *args, enum cl_id id)
{
    return cl_was_given(args, id) && cl_text(args, id) != NULL;
}

const char *cl_next(const struct cl_args *args, enum cl_id id, size_t *at)
{
    for (; *at < args->n_sets; ++*at)
        if (args->sets[*at].id == id)
            return args->sets[(*at)++].text;
    return NULL;
}

cg_err cl_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (!*text)
        return CG_SYNTAX;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return CG_SYNTAX;
        if (n > (UINT64_MAX - 9) / 10)
            return CG_TOO_LARGE;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    if (n < min || n > max)
        return CG_TOO_LARGE;
    *out = n;
    return CG_OK;
}
