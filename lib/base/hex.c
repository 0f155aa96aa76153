#include "lib/base/hex.h"

void cg_hex_write(struct cg_span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.at[i] >> 4];
        out[2 * i + 1] = digits[bytes.at[i] & 15];
    }
}

static int value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

cg_err cg_hex_read(struct cg_span text, uint8_t *out, size_t len)
{
    if (text.len < 2 * len)
        return CG_SHORT;
    if (text.len > 2 * len)
        return CG_EXTRA;
    for (size_t i = 0; i < len; i++) {
        int high = value(text.at[2 * i]), low = value(text.at[2 * i + 1]);

        if (high < 0 || low < 0)
            return CG_SYNTAX;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return CG_OK;
}
