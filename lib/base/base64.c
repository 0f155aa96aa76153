#include "lib/base/base64.h"

static const char alphabet[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t cg_base64_chars(enum cg_base64_kind kind, size_t n)
{
    return kind == CG_BASE64 ? (n + 2) / 3 * 4 : (n * 4 + 2) / 3;
}

void cg_base64_write(enum cg_base64_kind kind, struct cg_span bytes, char *out)
{
    const char *letters = alphabet[kind];
    size_t i = 0;

    for (; bytes.len - i >= 3; i += 3, out += 4) {
        uint32_t bits = (uint32_t)bytes.at[i] << 16 | (uint32_t)bytes.at[i + 1] << 8 |
                        (uint32_t)bytes.at[i + 2];

        out[0] = letters[bits >> 18];
        out[1] = letters[bits >> 12 & 63];
        out[2] = letters[bits >> 6 & 63];
        out[3] = letters[bits & 63];
    }
    size_t have = bytes.len - i; /* 0, 1 or 2 */
    if (have == 0)
        return;
    uint32_t bits = (uint32_t)bytes.at[i] << 16;
    if (have == 2)
        bits |= (uint32_t)bytes.at[i + 1] << 8;
    *out++ = letters[bits >> 18];
    *out++ = letters[bits >> 12 & 63];
    if (have == 2)
        *out++ = letters[bits >> 6 & 63];
    for (size_t k = have; k < 3 && kind == CG_BASE64; k++)
        *out++ = '=';
}

static int value(enum cg_base64_kind kind, uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (uint8_t)alphabet[kind][62])
        return 62;
    if (c == (uint8_t)alphabet[kind][63])
        return 63;
    return -1;
}

cg_err cg_base64_read(enum cg_base64_kind kind, struct cg_span text, uint8_t *out, size_t room,
                      size_t *out_len)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t len = text.len, n = 0;

    if (kind == CG_BASE64) {
        if (len % 4 != 0)
            return CG_SYNTAX;
        for (int pad = 0; pad < 2 && len > 0 && text.at[len - 1] == '='; pad++)
            len--;
    }
    if (len % 4 == 1)
        return CG_SYNTAX;
    for (size_t i = 0; i < len; i++) {
        int v = value(kind, text.at[i]);

        if (v < 0)
            return CG_SYNTAX;
        bits = bits << 6 | (uint32_t)v;
        n_bits += 6;
        if (n_bits >= 8) {
            if (n == room)
                return CG_TOO_LARGE;
            n_bits -= 8;
            out[n++] = (uint8_t)(bits >> n_bits);
        }
    }
    if ((bits & ((1u << n_bits) - 1)) != 0)
        return CG_CANONICAL;
    *out_len = n;
    return CG_OK;
}
