#include "lib/access/policy.h"

#include "lib/base/span.h"

/* Takes the next segment of a path or pattern; false at the end. */
static bool take(struct cg_span *left, struct cg_span *out)
{
    if (left->at == NULL)
        return false;
    size_t end = cg_span_find(*left, '/');
    *out = cg_span_first(*left, end);
    *left = end < left->len ? (struct cg_span){left->at + end + 1, left->len - end - 1}
                            : (struct cg_span){NULL, 0};
    return true;
}

static bool segment_matches(struct cg_span pattern, struct cg_span segment)
{
    return cg_span_is(pattern, "*") ? segment.len > 0 : cg_span_eq(pattern, segment);
}

/* One place to go back to is enough: whatever an earlier "**" could take, a later one can too. */
bool cg_path_matches(struct cg_span pattern, struct cg_span path)
{
    struct cg_span again_pattern = {NULL, 0}, again_path = {NULL, 0};
    bool has_again = false;

    if (pattern.len == 0 || path.len == 0 || pattern.at[0] != '/' || path.at[0] != '/')
        return false;
    pattern = (struct cg_span){pattern.at + 1, pattern.len - 1};
    path = (struct cg_span){path.at + 1, path.len - 1};
    for (;;) {
        struct cg_span rest_pattern = pattern, rest_path = path, p, s;
        bool has_p = take(&rest_pattern, &p), has_s = take(&rest_path, &s);

        if (has_p && cg_span_is(p, "**")) {
            again_pattern = rest_pattern;
            again_path = path;
            has_again = true;
            pattern = rest_pattern;
            continue;
        }
        if (!has_p && !has_s)
            return true;
        if (has_p && has_s && segment_matches(p, s)) {
            pattern = rest_pattern;
            path = rest_path;
            continue;
        }
        if (!has_again || !take(&again_path, &s))
            return false;
        pattern = again_pattern;
        path = again_path;
    }
}
