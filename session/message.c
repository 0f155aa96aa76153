#include "session/message.h"

#include <string.h>

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/field.h"

#define FIRST_FIELDS 16
/* RFC 9113, 6.5.2: what a field counts beside its bytes. */
#define FIELD_OVERHEAD 32
#define CONNECTION_MAX_NAMES 32
#define NAME_MAX_BYTES 64

_Static_assert(CG_TOKEN_COUNT <= 128, "seen has 128 bits");

static cg_err check_name(struct cg_span name, bool *has_underscore)
{
    bool found = false;

    if (name.len == 0)
        return CG_SYNTAX;
    for (size_t i = 0; i < name.len; i++) {
        if (cg_field_char(name.at[i]) != CG_FIELD_TOKEN)
            return CG_SYNTAX;
        found |= name.at[i] == '_';
    }
    *has_underscore = found;
    return CG_OK;
}

static struct cg_span trim(struct cg_span s)
{
    while (s.len && (s.at[0] == ' ' || s.at[0] == '\t'))
        s = cg_span_from(s, 1);
    while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool is_family(enum cg_token token)
{
    return token == CG_TOKEN_X_FORWARDED_ANY || token == CG_TOKEN_X_HTTPCG_ANY ||
           token == CG_TOKEN_SAPI_ANY || token == CG_TOKEN_PROXY_ANY;
}

static bool has_seen(const struct cg_head *head, enum cg_token token)
{
    return head->seen[token / 64] >> (token % 64) & 1;
}

void cg_head_init(struct cg_head *head, struct cg_arena *arena)
{
    *head = (struct cg_head){.arena = arena, .content_length = -1};
}

static cg_err make_room(struct cg_head *head)
{
    if (head->n_fields < head->cap)
        return CG_OK;
    if (head->cap >= CG_HEAD_MAX_FIELDS)
        return CG_TOO_LARGE;

    size_t cap = head->cap ? head->cap * 2 : FIRST_FIELDS;
    struct cg_field *fields = cg_arena_take(head->arena, cap * sizeof *fields);
    if (!fields)
        return CG_NO_MEMORY;
    if (head->n_fields)
        memcpy(fields, head->fields, head->n_fields * sizeof *fields);
    head->fields = fields;
    head->cap = cap;
    return CG_OK;
}

static cg_err append(struct cg_head *head, enum cg_token token, struct cg_span name,
                     struct cg_span value)
{
    struct cg_span copy;

    CG_TRY(make_room(head));
    CG_TRY(cg_arena_copy(head->arena, value, &copy));
    head->fields[head->n_fields++] = (struct cg_field){
        .token = token,
        .never_index = (cg_token_flags(token) & CG_NAME_SECRET) != 0,
        .name = name,
        .value = copy,
    };
    head->list_bytes += name.len + value.len + FIELD_OVERHEAD;
    head->seen[token / 64] |= UINT64_C(1) << (token % 64);
    return CG_OK;
}

cg_err cg_head_add(struct cg_head *head, enum cg_token token, struct cg_span value)
{
    if (token == CG_TOKEN_OTHER || is_family(token))
        return CG_SYNTAX;
    value = trim(value);
    if (!cg_field_is_value(value))
        return CG_SYNTAX;
    return append(head, token, cg_token_name(token), value);
}

cg_err cg_head_add_copy(struct cg_head *head, const struct cg_field *field)
{
    struct cg_span name = field->name;

    if (field->token == CG_TOKEN_OTHER || is_family(field->token)) {
        CG_TRY(cg_arena_copy(head->arena, name, &name));
        head->has_underscore |= cg_span_find(name, '_') < name.len;
    }
    return append(head, field->token, name, field->value);
}

cg_err cg_head_add_named(struct cg_head *head, struct cg_span name, struct cg_span value)
{
    enum cg_token token = cg_token_of(name);
    bool has_underscore = false;

    value = trim(value);
    if (!cg_field_is_value(value))
        return CG_SYNTAX;
    if (token != CG_TOKEN_OTHER && !is_family(token))
        return append(head, token, cg_token_name(token), value);

    struct cg_span copy;
    CG_TRY(check_name(name, &has_underscore));
    CG_TRY(cg_arena_copy(head->arena, name, &copy));
    CG_TRY(append(head, token, copy, value));
    head->has_underscore |= has_underscore;
    return CG_OK;
}

cg_err cg_head_add_int(struct cg_head *head, enum cg_token token, uint64_t number)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number);
    return cg_head_add(head, token, (struct cg_span){digits + at, sizeof digits - at});
}

const struct cg_field *cg_head_find(const struct cg_head *head, enum cg_token token)
{
    if (!has_seen(head, token))
        return NULL;
    for (size_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].token == token)
            return &head->fields[i];
    return NULL;
}

const struct cg_field *cg_head_find_named(const struct cg_head *head, struct cg_span name)
{
    enum cg_token token = cg_token_of(name);

    if (token != CG_TOKEN_OTHER && !is_family(token))
        return cg_head_find(head, token);
    for (size_t i = 0; i < head->n_fields; i++)
        if (cg_span_eq(head->fields[i].name, name))
            return &head->fields[i];
    return NULL;
}

struct cg_span cg_head_value(const struct cg_head *head, enum cg_token token)
{
    const struct cg_field *field = cg_head_find(head, token);

    if (!field)
        return (struct cg_span){0};
    return field->value;
}

size_t cg_head_count(const struct cg_head *head, enum cg_token token)
{
    size_t n = 0;

    if (!has_seen(head, token))
        return 0;
    for (size_t i = 0; i < head->n_fields; i++)
        n += head->fields[i].token == token;
    return n;
}

/* Cuts the first comma-separated member off *list; empty members are skipped (RFC 9110, 5.6.1). */
static bool next_member(struct cg_span *list, struct cg_span *member)
{
    while (list->len) {
        size_t n = cg_span_find(*list, ',');
        *member = trim(cg_span_first(*list, n));
        *list = cg_span_from(*list, n + 1);
        if (member->len)
            return true;
    }
    return false;
}

bool cg_head_lists(const struct cg_head *head, enum cg_token token, const char *word)
{
    return cg_head_lists_span(head, token, cg_span_str(word));
}

bool cg_head_lists_span(const struct cg_head *head, enum cg_token token, struct cg_span word)
{
    if (!has_seen(head, token))
        return false;
    for (size_t i = 0; i < head->n_fields; i++) {
        struct cg_span list = head->fields[i].value, member;
        if (head->fields[i].token != token)
            continue;
        while (next_member(&list, &member))
            if (cg_span_eq_nocase(member, word))
                return true;
    }
    return false;
}

void cg_head_drop(struct cg_head *head, enum cg_token token)
{
    size_t kept = 0;

    if (!has_seen(head, token))
        return;
    for (size_t i = 0; i < head->n_fields; i++)
        if (head->fields[i].token != token)
            head->fields[kept++] = head->fields[i];
    head->n_fields = kept;
    head->seen[token / 64] &= ~(UINT64_C(1) << (token % 64));
}

/* Whether a name, in whichever case it is written, is one of the list that is not hop-by-hop. */
static bool is_end_to_end(struct cg_span name)
{
    uint8_t lower[NAME_MAX_BYTES];

    if (name.len > sizeof lower)
        return false; /* longer than any of the list */
    for (size_t i = 0; i < name.len; i++)
        lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i];
    enum cg_token token = cg_token_of(cg_span_of(lower, name.len));
    return token != CG_TOKEN_OTHER && !is_family(token) && !(cg_token_flags(token) & CG_NAME_HOP);
}

/* Everything Connection names, in every line; names that are ours to decide on are refused. */
static cg_err read_connection(const struct cg_head *head, struct cg_span *names, size_t *n_names)
{
    *n_names = 0;
    for (size_t i = 0; i < head->n_fields; i++) {
        struct cg_span list = head->fields[i].value, member;
        if (head->fields[i].token != CG_TOKEN_CONNECTION)
            continue;
        while (next_member(&list, &member)) {
            if (*n_names == CONNECTION_MAX_NAMES)
                return CG_TOO_LARGE;
            names[(*n_names)++] = member;
            if (is_end_to_end(member))
                return CG_SYNTAX;
        }
    }
    return CG_OK;
}

static bool is_hop(const struct cg_field *field, const struct cg_span *names, size_t n_names)
{
    if (cg_token_flags(field->token) & CG_NAME_HOP)
        return true;
    if (field->token != CG_TOKEN_OTHER && !is_family(field->token))
        return false; /* read_connection refused those */
    for (size_t i = 0; i < n_names; i++)
        if (cg_span_eq_nocase(field->name, names[i]))
            return true;
    return false;
}

cg_err cg_head_drop_hops(struct cg_head *head)
{
    struct cg_span names[CONNECTION_MAX_NAMES];
    size_t n_names, kept = 0;

    CG_TRY(read_connection(head, names, &n_names));
    head->seen[0] = head->seen[1] = 0;
    for (size_t i = 0; i < head->n_fields; i++) {
        struct cg_field *field = &head->fields[i];
        if (is_hop(field, names, n_names))
            continue;
        head->seen[field->token / 64] |= UINT64_C(1) << (field->token % 64);
        head->fields[kept++] = *field;
    }
    head->n_fields = kept;
    return CG_OK;
}
