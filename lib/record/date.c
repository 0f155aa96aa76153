#include "lib/record/date.h"

#include "lib/base/span.h"

#define DAY_S 86400
#define LAST_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* Days from 1970-01-01 to the first of a year. Years here are 1970 to 10000. */
static int64_t days_before(int64_t year)
{
    int64_t y = year - 1;

    return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in(int64_t year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool take(struct cg_span text, size_t at, size_t n, int *out)
{
    int v = 0;

    for (size_t i = at; i < at + n; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        v = v * 10 + (text.at[i] - '0');
    }
    *out = v;
    return true;
}

cg_err cg_date_read(struct cg_span text, struct cg_wall *out)
{
    static const char form[] = "YYYY-MM-DDTHH:MM:SSZ";
    int year, month, day, hour, minute, second;

    if (text.len != CG_DATE_CHARS)
        return text.len < CG_DATE_CHARS ? CG_SHORT : CG_EXTRA;
    for (size_t i = 0; i < CG_DATE_CHARS; i++)
        if (strchr("-T:Z", form[i]) && text.at[i] != (uint8_t)form[i])
            return CG_SYNTAX;
    if (!take(text, 0, 4, &year) || !take(text, 5, 2, &month) || !take(text, 8, 2, &day) ||
        !take(text, 11, 2, &hour) || !take(text, 14, 2, &minute) || !take(text, 17, 2, &second))
        return CG_SYNTAX;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return CG_SYNTAX;

    int64_t days = days_before(year) + day - 1;
    for (int m = 1; m < month; m++)
        days += days_in(year, m);
    out->s = days * DAY_S + hour * 3600 + minute * 60 + second;
    return CG_OK;
}

static void put(char *out, size_t n, int64_t v)
{
    for (size_t i = n; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
}

cg_err cg_date_write(struct cg_wall time, char out[static CG_DATE_CHARS + 1])
{
    if (time.s < 0 || time.s > LAST_S)
        return CG_TOO_LARGE;
    int64_t days = time.s / DAY_S, second = time.s % DAY_S, year = 1970 + days / 366;
    int month = 1;

    /* 366 days a year is the least guess; what it lacks is at most a few years. */
    while (days_before(year + 1) <= days)
        year++;
    days -= days_before(year);
    for (; days >= days_in(year, month); month++)
        days -= days_in(year, month);
    memcpy(out, "0000-00-00T00:00:00Z", CG_DATE_CHARS + 1);
    put(out, 4, year);
    put(out + 5, 2, month);
    put(out + 8, 2, days + 1);
    put(out + 11, 2, second / 3600);
    put(out + 14, 2, second / 60 % 60);
    put(out + 17, 2, second % 60);
    return CG_OK;
}
