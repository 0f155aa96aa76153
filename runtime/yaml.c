#include "runtime/yaml.h"

#include "lib/base/span.h"
#include "lib/base/try.h"

#include <limits.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct cg_span input;
    const char *where;
    struct cg_arena *arena;
    struct cg_problems *problems;
    unsigned n_nodes;
};

/* Far more than a configuration needs, far less than could make reading one slow. */
#define NODES_MAX 50000
#define KEYS_MAX 1024

static unsigned from_one(size_t mark)
{
    return mark < UINT_MAX ? (unsigned)mark + 1 : UINT_MAX;
}

static cg_err refuse(struct reader *r, yaml_mark_t mark, const char *what)
{
    cg_problem_add(r->problems, r->where, from_one(mark.line), from_one(mark.column), "%s", what);
    return CG_CONFIG;
}

/* libyaml speaks of tokens; these are its commonest complaints in the words of people. */
static const char *in_words(struct reader *r)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } known[] = {
        {"found character that cannot start any token",
         "no value starts with this character; put the text in quotes"},
        {"mapping values are not allowed in this context",
         "a colon is not expected here; put the value in quotes, or give the line before its own"},
        {"did not find expected key", "a key was expected here; check the indentation"},
        {"could not find expected ':'", "the line before has no colon after its key"},
        {"did not find expected '-' indicator",
         "a list item (\"- \") was expected here; check the indentation"},
        {"did not find expected ',' or ']'", "this list in brackets is not closed"},
        {"did not find expected ',' or '}'", "this mapping in braces is not closed"},
        {"did not find expected <document start>",
         "the file goes on after its end; check the indentation"},
        {"found unexpected end of stream", "this quoted text is not closed"},
        {"control characters are not allowed", "a control character"},
        {"did not find expected node content", "a value was expected here"},
        {"did not find expected alphabetic or numeric character",
         "a text that starts with * or & has to be in quotes"},
        {"block sequence entries are not allowed in this context",
         "a list item (\"- \") cannot start here; give it a line of its own"},
        {"found unknown escape character", "an unknown escape after a backslash; text in single "
                                           "quotes has none"},
    };
    const char *theirs = r->parser.problem;
    size_t at = r->parser.problem_mark.index;

    if (!theirs)
        return "this is not YAML";
    /* The mark counts characters; up to a tab in an indentation those are bytes. */
    if (at < r->input.len && r->input.at[at] == '\t')
        return "a tab; YAML is indented with spaces";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(theirs, known[i].theirs) == 0)
            return known[i].ours;
    return theirs;
}

static cg_err next(struct reader *r, yaml_event_t *event)
{
    yaml_mark_t mark;
    const char *what;

    if (yaml_parser_parse(&r->parser, event))
        return CG_OK;
    switch (r->parser.error) {
    case YAML_MEMORY_ERROR:
        return CG_NO_MEMORY;
    case YAML_READER_ERROR:
        /* Wrong UTF-8 and control characters are met while reading ahead: only the byte is known.
         */
        mark = (yaml_mark_t){0};
        for (size_t i = 0; i < r->parser.problem_offset && i < r->input.len; i++) {
            mark.column =
                r->input.at[i] == '\n' ? 0 : mark.column + ((r->input.at[i] & 0xc0) != 0x80);
            mark.line += r->input.at[i] == '\n';
        }
        return refuse(r, mark,
                      r->parser.problem_value > 0 && r->parser.problem_value < 0x20
                          ? "a control character"
                          : "a byte or character that has no place in UTF-8 text");
    default:
        /* What was never closed is corrected where it was opened. */
        what = in_words(r);
        mark = strncmp(what, "this ", 5) == 0 && r->parser.context ? r->parser.context_mark
                                                                   : r->parser.problem_mark;
        return refuse(r, mark, what);
    }
}

/* What an event must not carry, whatever it starts. */
static const char *surprise(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases (*name) are not used here; put text that starts with * in quotes";
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor)
            return "anchors (&name) are not used here; put text that starts with & in quotes";
        return event->data.scalar.tag
                   ? "tags (!name) are not used here; put text that starts with ! in quotes"
                   : NULL;
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor)
            return "anchors (&name) are not used here";
        return event->data.sequence_start.tag ? "tags (!name) are not used here" : NULL;
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor)
            return "anchors (&name) are not used here";
        return event->data.mapping_start.tag ? "tags (!name) are not used here" : NULL;
    default:
        return NULL;
    }
}

static cg_err read_node(struct reader *r, const yaml_event_t *start, unsigned depth,
                        struct cg_yaml **out);

static cg_err read_text(struct reader *r, const yaml_event_t *event, struct cg_span *out)
{
    return cg_arena_copy(r->arena, cg_span_of(event->data.scalar.value, event->data.scalar.length),
                         out);
}

static cg_err check_key(struct reader *r, const yaml_event_t *event, const struct cg_yaml *map)
{
    struct cg_span key;
    unsigned n = 0;

    if (surprise(event))
        return refuse(r, event->start_mark, surprise(event));
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(r, event->start_mark, "a key has to be text");
    key = cg_span_of(event->data.scalar.value, event->data.scalar.length);
    if (key.len == 0)
        return refuse(r, event->start_mark, "a key is missing before the colon");
    if (event->data.scalar.plain_implicit && cg_span_is(key, "<<"))
        return refuse(r, event->start_mark, "merge keys (<<) are not used here");
    for (const struct cg_yaml *other = map->first; other; other = other->next) {
        if (++n == KEYS_MAX)
            return refuse(r, event->start_mark, "this mapping has too many keys");
        if (!cg_span_eq(other->key, key))
            continue;
        cg_problem_add(r->problems, r->where, from_one(event->start_mark.line),
                       from_one(event->start_mark.column), "\"%.*s\" is already set in line %u",
                       (int)(key.len < 64 ? key.len : 64), (const char *)key.at, other->key_line);
        return CG_CONFIG;
    }
    return CG_OK;
}

/* One entry of a map, or one item of a list: *entry is NULL at the end. */
static cg_err read_entry(struct reader *r, const struct cg_yaml *inside, unsigned depth,
                         struct cg_yaml **entry)
{
    bool is_map = inside->kind == CG_YAML_MAP;
    struct cg_span key = {0};
    yaml_mark_t mark = {0};
    yaml_event_t event;
    cg_err err = next(r, &event);

    if (err != CG_OK)
        return err;
    if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
        yaml_event_delete(&event);
        *entry = NULL;
        return CG_OK;
    }
    if (is_map) {
        mark = event.start_mark;
        err = check_key(r, &event, inside);
        if (err == CG_OK)
            err = read_text(r, &event, &key);
        yaml_event_delete(&event);
        if (err == CG_OK)
            err = next(r, &event);
        if (err != CG_OK)
            return err;
    }
    err = read_node(r, &event, depth, entry);
    yaml_event_delete(&event);
    if (err == CG_OK && is_map) {
        (*entry)->key = key;
        (*entry)->key_line = from_one(mark.line);
        (*entry)->key_column = from_one(mark.column);
    }
    return err;
}

static cg_err read_node(struct reader *r, const yaml_event_t *start, unsigned depth,
                        struct cg_yaml **out)
{
    struct cg_yaml *node;

    if (surprise(start))
        return refuse(r, start->start_mark, surprise(start));
    if (depth > CG_YAML_MAX_DEPTH)
        return refuse(r, start->start_mark, "this is nested too deeply");
    if (++r->n_nodes > NODES_MAX)
        return refuse(r, start->start_mark, "the file has too many values");
    node = cg_arena_zero(r->arena, sizeof *node);
    if (!node)
        return CG_NO_MEMORY;
    node->line = from_one(start->start_mark.line);
    node->column = from_one(start->start_mark.column);
    if (start->type == YAML_SCALAR_EVENT) {
        node->kind = CG_YAML_TEXT;
        node->is_plain = start->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        CG_TRY(read_text(r, start, &node->text));
    } else {
        struct cg_yaml **last = &node->first;

        node->kind = start->type == YAML_MAPPING_START_EVENT ? CG_YAML_MAP : CG_YAML_LIST;
        for (;;) {
            CG_TRY(read_entry(r, node, depth + 1, last));
            if (!*last)
                break;
            last = &(*last)->next;
        }
    }
    *out = node;
    return CG_OK;
}

static cg_err expect(struct reader *r, yaml_event_type_t type, const char *complaint)
{
    yaml_event_t event;
    cg_err err = next(r, &event);

    if (err != CG_OK)
        return err;
    if (event.type != type)
        err = refuse(r, event.start_mark, complaint);
    yaml_event_delete(&event);
    return err;
}

static cg_err read_document(struct reader *r, struct cg_yaml **out)
{
    yaml_event_t event;
    struct cg_yaml *root = NULL;
    cg_err err;

    CG_TRY(expect(r, YAML_STREAM_START_EVENT, "this is not YAML"));
    CG_TRY(next(r, &event));
    if (event.type == YAML_STREAM_END_EVENT) {
        yaml_event_delete(&event);
        *out = NULL;
        return CG_OK;
    }
    bool has_directive = event.data.document_start.version_directive ||
                         event.data.document_start.tag_directives.start !=
                             event.data.document_start.tag_directives.end;
    err = has_directive ? refuse(r, event.start_mark, "directives (%) are not used here") : CG_OK;
    yaml_event_delete(&event);
    CG_TRY(err);

    CG_TRY(next(r, &event));
    err = read_node(r, &event, 1, &root);
    yaml_event_delete(&event);
    CG_TRY(err);
    CG_TRY(expect(r, YAML_DOCUMENT_END_EVENT, "the file goes on after its end"));
    CG_TRY(expect(r, YAML_STREAM_END_EVENT, "a second document starts here; one file holds one"));
    *out = cg_yaml_is_nothing(root) ? NULL : root;
    return CG_OK;
}

cg_err cg_yaml_read(struct cg_span text, const char *where, struct cg_arena *arena,
                    struct cg_problems *problems, struct cg_yaml **out)
{
    struct reader r = {.input = text, .where = where, .arena = arena, .problems = problems};

    if (!yaml_parser_initialize(&r.parser))
        return CG_NO_MEMORY;
    /* Said, not guessed: two bytes at the start shall not turn the file into UTF-16. */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, text.len ? text.at : (const uint8_t *)"", text.len);
    cg_err err = read_document(&r, out);
    yaml_parser_delete(&r.parser);
    return err;
}

bool cg_yaml_is_nothing(const struct cg_yaml *node)
{
    return !node || (node->kind == CG_YAML_TEXT && node->is_plain && node->text.len == 0);
}

const char *cg_yaml_kind_name(const struct cg_yaml *node)
{
    static const char *const names[] = {
        [CG_YAML_TEXT] = "text", [CG_YAML_LIST] = "a list", [CG_YAML_MAP] = "a mapping"};

    return cg_yaml_is_nothing(node) ? "nothing" : names[node->kind];
}
