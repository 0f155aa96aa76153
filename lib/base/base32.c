#include "lib/base/base32.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void cg_base32_write(struct cg_span bytes, char *out)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | bytes.at[i];
        n_bits += 8;
        while (n_bits >= 5) {
            n_bits -= 5;
            *out++ = alphabet[bits >> n_bits & 31];
        }
    }
    if (n_bits > 0)
        *out = alphabet[bits << (5 - n_bits) & 31];
}

static int value(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= '2' && c <= '7')
        return c - '2' + 26;
    return -1;
}

cg_err cg_base32_read(struct cg_span text, uint8_t *out, size_t len)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;

    if (text.len < CG_BASE32_CHARS(len))
        return CG_SHORT;
    if (text.len > CG_BASE32_CHARS(len))
        return CG_EXTRA;
    for (size_t i = 0; i < text.len; i++) {
        int v = value(text.at[i]);

        if (v < 0)
            return CG_SYNTAX;
        bits = bits << 5 | (uint32_t)v;
        n_bits += 5;
        if (n_bits >= 8) {
            n_bits -= 8;
            *out++ = (uint8_t)(bits >> n_bits);
        }
    }
    return (bits & ((1u << n_bits) - 1)) == 0 ? CG_OK : CG_CANONICAL;
}
