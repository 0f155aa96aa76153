#include "lib/base/hex.h"

void cg_hex_write(struct cg_span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.at[i] >> 4];
        out[2 * i + 1] = digits[bytes.at[i] & 15];
    }
}

/* What a character is worth, and one more: 0 stands for what is no digit. */
static const uint8_t values[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

bool cg_hex_check(struct cg_span text)
{
    bool all = true;

    for (size_t i = 0; i < text.len; i++)
        all &= values[text.at[i]] != 0;
    return all;
}

cg_err cg_hex_read(struct cg_span text, uint8_t *out, size_t len)
{
    if (text.len < 2 * len)
        return CG_SHORT;
    if (text.len > 2 * len)
        return CG_EXTRA;
    for (size_t i = 0; i < len; i++) {
        unsigned high = values[text.at[2 * i]], low = values[text.at[2 * i + 1]];

        if (high == 0 || low == 0)
            return CG_SYNTAX;
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return CG_OK;
}
