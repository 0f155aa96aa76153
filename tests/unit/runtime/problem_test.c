#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/problem.h"

#include <errno.h>
#include <string.h>

static void check_text(const struct cg_problems *problems, const char *want)
{
    CG_AUTO(buf) struct cg_buf text;

    cg_buf_init(&text, 65536);
    CHECK_OK(cg_problems_text(problems, &text));
    CHECK_SPAN(cg_buf_span(&text), cg_span_str(want));
}

TEST(a_problem_tells_its_place_as_compilers_do)
{
    struct cg_problems problems = {0};

    check_text(&problems, "");
    cg_problem_add(&problems, "a.yaml", 3, 7, "unknown key \"%s\"", "lisen");
    cg_problem_add(&problems, "trust.conf", 2, 0, "a second quorum");
    cg_problem_add(&problems, "--set log.level", 0, 0, "is empty");
    cg_problem_add(&problems, NULL, 0, 0, "cannot start");
    check_text(&problems, "a.yaml:3:7: unknown key \"lisen\"\ntrust.conf:2: a second quorum\n"
                          "--set log.level: is empty\n"
                          "cannot start\n");
}

TEST(nothing_in_a_problem_can_steer_a_terminal)
{
    struct cg_problems problems = {0};

    cg_problem_add(&problems, "a\nb", 1, 1, "%s", "x\x1b[2Jy\r\nz\x7f");
    check_text(&problems, "a?b:1:1: x?[2Jy??z?\n");
}

TEST(what_is_over_the_list_is_counted)
{
    struct cg_problems problems = {0};

    for (int i = 0; i < CG_PROBLEMS_MAX; i++)
        cg_problem_add(&problems, "", 0, 0, "%d", i);
    CHECK_INT(problems.n, CG_PROBLEMS_MAX);
    CHECK_INT(problems.n_more, 0);
    cg_problem_add(&problems, "", 0, 0, "over");
    cg_problem_add(&problems, "", 0, 0, "over");
    CHECK_INT(problems.n, CG_PROBLEMS_MAX);
    CHECK_INT(problems.n_more, 2);
}

TEST(a_long_sentence_is_cut_and_stays_in_its_place)
{
    struct cg_problems problems = {0};
    char text[2000];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cg_problem_add(&problems, text, 1, 1, "%s", text);
    CHECK_INT(strlen(problems.at[0].where), CG_PROBLEM_WHERE_BYTES - 1);
    CHECK_INT(strlen(problems.at[0].text), CG_PROBLEM_TEXT_BYTES - 1);
}

TEST(a_failed_attempt_says_what_failed_and_what_to_do)
{
    struct cg_problems problems = {0};

    cg_problem_attempt(&problems, CG_ATTEMPT_LISTEN, "127.0.0.1:443", "listen.native", EADDRINUSE);
    cg_problem_attempt(&problems, CG_ATTEMPT_READ, "/k.hck", NULL, EACCES);
    cg_problem_attempt(&problems, CG_ATTEMPT_WRITE, "/d/l.db", "state", ENOSPC);
    cg_problem_attempt(&problems, CG_ATTEMPT_READ, "/x", NULL, EXDEV);
    check_text(&problems,
               "cannot listen on 127.0.0.1:443: another program already uses this address; stop it "
               "(ss -ltnp shows which it is) or choose another port (setting listen.native)\n"
               "cannot read /k.hck: this user may not; give the user this process runs as the "
               "right to\n"
               "cannot write /d/l.db: the disk is full; free some space and start again (setting "
               "state)\n"
               "cannot read /x: the system says EXDEV; look that up and try again\n");
}

SUITE(problem, T(a_problem_tells_its_place_as_compilers_do),
      T(nothing_in_a_problem_can_steer_a_terminal), T(what_is_over_the_list_is_counted),
      T(a_long_sentence_is_cut_and_stays_in_its_place),
      T(a_failed_attempt_says_what_failed_and_what_to_do))
