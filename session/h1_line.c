#include "session/h1_line.h"

#include <string.h>

#include "lib/base/span.h"
#include "lib/wire/field.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

int cg_h1_read_request(struct cg_span line, size_t uri_max, struct cg_h1_request_line *out)
{
    size_t first = cg_span_find(line, ' ');
    struct cg_span method = cg_span_first(line, first);
    struct cg_span rest = cg_span_from(line, first + 1);
    size_t second = cg_span_find(rest, ' ');
    struct cg_span target = cg_span_first(rest, second);
    struct cg_span version = cg_span_from(rest, second + 1);

    if (!cg_field_is_token(method))
        return 400;
    if (target.len > uri_max)
        return 414;
    if (!cg_span_is(version, "HTTP/1.1"))
        return 400;
    for (size_t i = 0; i < target.len; i++)
        if (target.at[i] <= 0x20 || target.at[i] >= 0x7f || target.at[i] == '#')
            return 400;
    if (cg_span_is(method, "CONNECT"))
        return 405;
    *out = (struct cg_h1_request_line){method, target};
    return 0;
}

bool cg_h1_is_authority(struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (!is_alpha(c) && !is_digit(c) && (c == 0 || !strchr("-._~:[]%!$&'()*+;=", c)))
            return false;
    }
    return text.len > 0 && text.len <= 512;
}

bool cg_h1_read_target(struct cg_span target, struct cg_h1_target *out)
{
    size_t colon = cg_span_find(target, ':');

    if (target.len && target.at[0] == '/') {
        *out = (struct cg_h1_target){.form = CG_FORM_ORIGIN, .path = target};
        return true;
    }
    struct cg_span scheme = cg_span_first(target, colon), rest = cg_span_from(target, colon);
    if (scheme.len == 0 || scheme.len > 16 || !cg_span_starts(rest, CG_LIT("://")))
        return false;
    for (size_t i = 0; i < scheme.len; i++)
        if (!is_alpha(scheme.at[i]))
            return false;
    rest = cg_span_from(rest, 3);
    size_t slash = cg_span_find(rest, '/');
    struct cg_span authority = cg_span_first(rest, slash), path = cg_span_from(rest, slash);
    if (!cg_h1_is_authority(authority)) /* "h?query" is refused by this as well */
        return false;
    *out =
        (struct cg_h1_target){CG_FORM_ABSOLUTE, scheme, authority, path.len ? path : CG_LIT("/")};
    return true;
}

bool cg_h1_read_status(struct cg_span line, int *minor, int *status)
{
    if (line.len < 12 || !cg_span_starts(line, CG_LIT("HTTP/1.")) ||
        (line.at[7] != '0' && line.at[7] != '1') || line.at[8] != ' ')
        return false;
    if (!is_digit(line.at[9]) || !is_digit(line.at[10]) || !is_digit(line.at[11]))
        return false;
    if (line.len > 12 && line.at[12] != ' ')
        return false;
    for (size_t i = 12; i < line.len; i++)
        if (line.at[i] < 0x20 && line.at[i] != '\t')
            return false;
    *minor = line.at[7] - '0';
    *status = (line.at[9] - '0') * 100 + (line.at[10] - '0') * 10 + (line.at[11] - '0');
    return *status >= 100 && *status <= 599;
}

bool cg_h1_fold_field(uint8_t *line, size_t len)
{
    size_t i = 0;

    for (; i < len && cg_field_char(line[i]) != CG_FIELD_OTHER; i++)
        if (cg_field_char(line[i]) == CG_FIELD_UPPER)
            line[i] |= 0x20;
    /* Nothing but the name may stand before the colon; a line without one ends here too, and so
     * does a folded one, which begins with a space. */
    if (i == 0 || i == len || line[i] != ':')
        return false;
    return cg_field_is_value(cg_span_of(line + i, len - i));
}

int64_t cg_h1_read_length(struct cg_span value)
{
    int64_t n = 0;

    if (value.len == 0 || value.len > 18)
        return -1;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.at[i]))
            return -1;
        n = n * 10 + (value.at[i] - '0');
    }
    return n;
}
