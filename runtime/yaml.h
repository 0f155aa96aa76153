/* yaml.h: the part of YAML a configuration needs: mappings, lists and text, each with its place.
 *
 * What makes YAML files surprising is refused: anchors and aliases, tags, merge keys, keys that are
 * not text or come twice, directives and a second document.  Text stays text: whether "no" or
 * "0x10" is a word or a value is decided by the option it is for, never by its looks. */
#ifndef CG_RUNTIME_YAML_H
#define CG_RUNTIME_YAML_H
#include "runtime/problem.h"

#include "lib/base/arena.h"

#define CG_YAML_MAX_DEPTH 8

enum cg_yaml_kind {
    CG_YAML_TEXT,
    CG_YAML_LIST,
    CG_YAML_MAP,
};

struct cg_yaml {
    enum cg_yaml_kind kind;
    bool is_plain;   /* text without quotes */
    unsigned line;   /* from 1 */
    unsigned column; /* from 1, in characters */
    struct cg_span text;
    struct cg_yaml *first; /* of a list or map */
    struct cg_yaml *next;  /* of the list or map this is in */
    /* In a map: its key. */
    struct cg_span key;
    unsigned key_line;
    unsigned key_column;
};

/* cg_yaml_read parses one document.
 * Owns    the tree is arena's and does not point into text; *out is NULL for an empty document.
 * Errors  CG_CONFIG with one problem added (where names the file); CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_yaml_read(struct cg_span text, const char *where, struct cg_arena *arena,
                                struct cg_problems *problems, struct cg_yaml **out);
/* cg_yaml_is_nothing tells whether a node says nothing: NULL, or an empty plain text. */
bool cg_yaml_is_nothing(const struct cg_yaml *node);
/* cg_yaml_kind_name gives "text", "a list" or "a mapping", for sentences. */
const char *cg_yaml_kind_name(const struct cg_yaml *node);

#endif
