#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/span.h"
#include "lib/record/date.h"

#include <stdio.h>

TEST(dates_go_there_and_back)
{
    for (size_t i = 0; i < cg_vector_count("record:dates"); i++) {
        struct cg_span text = cg_span_str(cg_vector(cg_vector_at("record:dates.%zu.text", i)));
        struct cg_wall time = {-1};
        char back[CG_DATE_CHARS + 1];

        CHECK_OK(cg_date_read(text, &time));
        CHECK_INT(time.s, cg_vector_uint(cg_vector_at("record:dates.%zu.seconds", i)));
        CHECK_OK(cg_date_write(time, back));
        CHECK_SPAN(cg_span_str(back), text);
    }
}

TEST(every_day_of_four_centuries_is_itself_again)
{
    for (int64_t day = 0; day < 400 * 366; day++) {
        struct cg_wall time = {day * 86400 + 86399}, back = {-1};
        char text[CG_DATE_CHARS + 1];

        CHECK_OK(cg_date_write(time, text));
        CHECK_OK(cg_date_read(cg_span_str(text), &back));
        if (!CHECK_INT(back.s, time.s))
            break;
    }
}

TEST(a_moment_has_one_spelling)
{
    for (size_t i = 0; i < cg_vector_count("record:dates_bad"); i++) {
        const char *text = cg_vector(cg_vector_at("record:dates_bad.%zu", i));
        struct cg_wall time = {77};

        if (!CHECK(cg_date_read(cg_span_str(text), &time) != CG_OK))
            printf("#   %s\n", text);
        CHECK_INT(time.s, 77);
    }
    char text[CG_DATE_CHARS + 1] = "as it was";
    CHECK_ERR(cg_date_write((struct cg_wall){-1}, text), CG_TOO_LARGE);
    CHECK_ERR(cg_date_write((struct cg_wall){253402300800}, text), CG_TOO_LARGE);
    CHECK_SPAN(cg_span_str(text), CG_LIT("as it was"));
}

SUITE(date, T(dates_go_there_and_back), T(every_day_of_four_centuries_is_itself_again),
      T(a_moment_has_one_spelling))
