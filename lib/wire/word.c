#include "lib/wire/word.h"

static bool is_alnum(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool cg_is_word(struct cg_span text)
{
    if (text.len == 0 || text.len > CG_WORD_MAX_BYTES || !is_alnum(text.at[0]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.at[i]) && text.at[i] != '-' && text.at[i] != '_' && text.at[i] != '.')
            return false;
    return true;
}
