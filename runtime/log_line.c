#include "runtime/log.h"

#include "lib/base/hex.h"
#include "lib/base/span.h"

#include <string.h>

/* Whatever does not fit is left out field by field; this much stays free for saying so. */
#define TAIL_BYTES 16
#define HEX_MAX_BYTES 64
/* Over it, readers that keep numbers as doubles would change it (RFC 8259, 6). */
#define EXACT_MAX (UINT64_C(1) << 53)

struct line {
    char *at;
    size_t len;
    bool is_full;
    enum cg_log_format format;
};

static void put(struct line *line, const char *bytes, size_t len)
{
    if (len > CG_LOG_LINE_MAX_BYTES - TAIL_BYTES - line->len) {
        line->is_full = true;
        return;
    }
    memcpy(line->at + line->len, bytes, len);
    line->len += len;
}

static void put_str(struct line *line, const char *s)
{
    put(line, s, strlen(s));
}

static void put_uint(struct line *line, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    put(line, digits + at, sizeof digits - at);
}

/* Two or six digits, as times need them. */
static void put_padded(struct line *line, unsigned n, size_t width)
{
    char digits[8];

    for (size_t at = width; at-- > 0; n /= 10)
        digits[at] = (char)('0' + n % 10);
    put(line, digits, width);
}

/* RFC 3339 in UTC, with microseconds.  The date is counted in years that begin in March, so that
 * the leap day is the last of its year and needs no case of its own. */
static void put_time(struct line *line, int64_t now_us)
{
    int64_t day_us = INT64_C(86400000000);
    int64_t days = now_us / day_us - (now_us % day_us < 0);
    unsigned us = (unsigned)((now_us - days * day_us) % 1000000);
    unsigned s = (unsigned)((now_us - days * day_us) / 1000000);
    int64_t shifted = days + 719468; /* since 1 March of year 0 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    unsigned day = of_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    put_padded(line, (unsigned)(year + (uint64_t)era * 400 + (month <= 2)), 4);
    put(line, "-", 1);
    put_padded(line, month, 2);
    put(line, "-", 1);
    put_padded(line, day, 2);
    put(line, "T", 1);
    put_padded(line, s / 3600, 2);
    put(line, ":", 1);
    put_padded(line, s / 60 % 60, 2);
    put(line, ":", 1);
    put_padded(line, s % 60, 2);
    put(line, ".", 1);
    put_padded(line, us, 6);
    put(line, "Z", 1);
}

/* take_char decodes one character of UTF-8 (RFC 3629, 4); what is none is one byte long and gives
 * false. */
static bool take_char(struct cg_span text, uint32_t *out, size_t *len)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = text.at[0];
    size_t more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t c = more == 0 ? first : first & (0x3fu >> more);

    *len = 1;
    if ((first >= 0x80 && first < 0xc0) || first > 0xf4 || text.len <= more)
        return false;
    for (size_t i = 1; i <= more; i++) {
        if ((text.at[i] & 0xc0) != 0x80)
            return false;
        c = c << 6 | (text.at[i] & 0x3fu);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    *out = c;
    *len = more + 1;
    return true;
}

/* Characters that move a cursor, end a line or turn the direction of writing would let whoever
 * sent them forge what a reader sees. */
static bool is_harmless(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && c != 0x061c && c != 0x200e && c != 0x200f &&
           !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff &&
           !(c >= 0xfff9 && c <= 0xfffb) && !(c >= 0xe0000 && c <= 0xe007f);
}

static void put_escape(struct line *line, uint32_t c)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {
        '\\', 'u', digits[c >> 12 & 15], digits[c >> 8 & 15], digits[c >> 4 & 15], digits[c & 15]};

    if (c == '"' || c == '\\') {
        escape[1] = (char)c;
        put(line, escape, 2);
    } else if (c > 0xffff) {
        put_escape(line, 0xd800 + ((c - 0x10000) >> 10));
        put_escape(line, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        put(line, escape, sizeof escape);
    }
}

/* Quoted and escaped as JSON does, for logfmt too.  Returns whether it was cut. */
static bool put_text(struct line *line, struct cg_span text)
{
    size_t at = 0, clean = 0; /* from clean to at nothing needs an escape */

    put(line, "\"", 1);
    while (at < text.len) {
        uint32_t c = 0xfffd;
        size_t len;
        bool is_char = take_char(cg_span_from(text, at), &c, &len);

        if (at + len > CG_LOG_TEXT_MAX_BYTES)
            break;
        if (!is_char || !is_harmless(c) || c == '"' || c == '\\') {
            put(line, (const char *)text.at + clean, at - clean);
            put_escape(line, c);
            clean = at + len;
        }
        at += len;
    }
    if (at > clean)
        put(line, (const char *)text.at + clean, at - clean);
    if (at < text.len)
        put_str(line, "\u2026");
    put(line, "\"", 1);
    return at < text.len;
}

static void put_name(struct line *line, const char *name, const char *suffix)
{
    bool is_json = line->format == CG_LOG_JSON;

    put_str(line, is_json ? ",\"" : " ");
    put_str(line, name);
    put_str(line, suffix);
    put_str(line, is_json ? "\":" : "=");
}

static void put_number(struct line *line, bool is_negative, uint64_t n)
{
    bool is_exact = n <= EXACT_MAX;

    if (!is_exact)
        put(line, "\"", 1);
    if (is_negative)
        put(line, "-", 1);
    put_uint(line, n);
    if (!is_exact)
        put(line, "\"", 1);
}

/* 16 bytes as a UUID is written (RFC 9562, 4). */
static void put_id(struct line *line, const uint8_t *id)
{
    char hex[32];

    cg_hex_write(cg_span_of(id, 16), hex);
    put(line, "\"", 1);
    put(line, hex, 8);
    for (size_t i = 8; i < 20; i += 4) {
        put(line, "-", 1);
        put(line, hex + i, 4);
    }
    put(line, "-", 1);
    put(line, hex + 20, 12);
    put(line, "\"", 1);
}

static void put_hex(struct line *line, struct cg_span bytes)
{
    char hex[2 * HEX_MAX_BYTES];
    struct cg_span kept = cg_span_first(bytes, HEX_MAX_BYTES);

    cg_hex_write(kept, hex);
    put(line, "\"", 1);
    put(line, hex, 2 * kept.len);
    put(line, "\"", 1);
}

static void put_field(struct line *line, const struct cg_log_field *field)
{
    if (field->kind == CG_FIELD_NONE)
        return;
    put_name(line, field->name, "");
    switch (field->kind) {
    case CG_FIELD_NONE:
        break;
    case CG_FIELD_TEXT:
        if (put_text(line, field->text)) {
            put_name(line, field->name, "_bytes");
            put_uint(line, field->text.len);
        }
        break;
    case CG_FIELD_INT:
        put_number(line, field->i < 0, field->i < 0 ? -(uint64_t)field->i : (uint64_t)field->i);
        break;
    case CG_FIELD_UINT:
        put_number(line, false, field->u);
        break;
    case CG_FIELD_BOOL:
        put_str(line, field->b ? "true" : "false");
        break;
    case CG_FIELD_ERR:
        put_text(line, cg_span_str(cg_err_name(field->err)));
        put_name(line, "why", "");
        put_text(line, cg_span_str(cg_err_text(field->err)));
        break;
    case CG_FIELD_ID:
        put_id(line, field->id);
        break;
    case CG_FIELD_HEX:
        put_hex(line, field->text);
        break;
    }
}

size_t cg_log_line(enum cg_log_format format, int64_t now_us, int level, enum cg_log_event event,
                   const struct cg_log_field *fields, size_t n_fields,
                   char out[static CG_LOG_LINE_MAX_BYTES])
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    bool is_json = format == CG_LOG_JSON, is_cut = false;
    struct line line = {.at = out, .format = format};
    const char *tail = is_json ? ",\"cut\":true}\n" : " cut=true\n";

    put_str(&line, is_json ? "{\"time\":\"" : "time=");
    put_time(&line, now_us);
    put_str(&line, is_json ? "\"" : "");
    if (level >= 0) {
        put_name(&line, "level", "");
        put_text(&line, cg_span_str(levels[level]));
    }
    put_name(&line, "event", "");
    put_text(&line, cg_span_str(cg_log_event_name(event)));
    for (size_t i = 0; i < n_fields; i++) {
        size_t before = line.len;

        put_field(&line, &fields[i]);
        if (line.is_full) {
            line.len = before; /* a field is there whole or not at all */
            line.is_full = false;
            is_cut = true;
        }
    }
    if (!is_cut)
        tail = is_json ? "}\n" : "\n";
    memcpy(out + line.len, tail, strlen(tail));
    return line.len + strlen(tail);
}

struct cg_log_field cg_log_str(const char *name, const char *s)
{
    return s ? CG_TEXT(name, cg_span_str(s)) : (struct cg_log_field){.kind = CG_FIELD_NONE};
}

static const struct {
    const char *name;
    const char *text;
} events[] = {
#define X(name, text) {#name, text},
    CG_LOG_EVENTS(X)
#undef X
};

const char *cg_log_event_name(enum cg_log_event event)
{
    return events[event].name;
}

const char *cg_log_event_text(enum cg_log_event event)
{
    return events[event].text;
}
