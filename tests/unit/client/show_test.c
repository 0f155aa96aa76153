#include "tests/support/check.h"

#include "client/show.h"
#include "lib/base/span.h"

#include <stdlib.h>

struct shown {
    struct cl_show show;
    char *out, *err;
    size_t out_len, err_len;
};

static void begin(struct shown *shown)
{
    cl_show_init(&shown->show);
    shown->show.out = open_memstream(&shown->out, &shown->out_len);
    shown->show.err = open_memstream(&shown->err, &shown->err_len);
}

static void flush(struct shown *shown)
{
    fflush(shown->show.out);
    fflush(shown->show.err);
}

static void end(struct shown *shown)
{
    fclose(shown->show.out);
    fclose(shown->show.err);
    free(shown->out);
    free(shown->err);
    cl_show_done(&shown->show);
}

TEST(a_check_is_a_line_only_when_asked_for)
{
    struct shown shown = {0};

    begin(&shown);
    CHECK_OK(cl_show_check(&shown.show, "it is good", CG_OK, NULL));
    flush(&shown);
    CHECK_INT(shown.err_len, 0);
    shown.show.is_verbose = true;
    shown.show.step = "resolve";
    CHECK_OK(cl_show_check(&shown.show, "it is good", CG_OK, "very"));
    CHECK_ERR(cl_show_check(&shown.show, "it is signed", CG_SIGNATURE, NULL), CG_SIGNATURE);
    flush(&shown);
    CHECK(strcmp(shown.err, "* resolve  ok     it is good (very)\n"
                            "* resolve  FAILED it is signed: a signature does not verify\n") == 0);
    CHECK_INT(shown.out_len, 0);
    end(&shown);
}

TEST(a_failure_names_the_check_it_failed_at)
{
    struct shown shown = {0};

    begin(&shown);
    shown.show.step = "control";
    (void)cl_show_check(&shown.show, "it is signed", CG_SIGNATURE, NULL);
    CHECK_INT(cl_fail(&shown.show, CL_EXIT_CERTIFICATE, CG_SIGNATURE, "tell somebody", "a %s", "b"),
              112);
    flush(&shown);
    CHECK(strcmp(shown.err, "httpcg: (112) a b: a signature does not verify [control: it is "
                            "signed]\nhttpcg: tell somebody\n") == 0);
    end(&shown);
}

TEST(silence_is_kept)
{
    struct shown shown = {0};

    begin(&shown);
    shown.show.is_silent = true;
    CHECK_INT(cl_fail(&shown.show, CL_EXIT_USAGE, CG_OK, "x", "y"), 2);
    cl_show_warn(&shown.show, "z");
    flush(&shown);
    CHECK_INT(shown.err_len, 0);
    end(&shown);
}

TEST(what_peers_say_cannot_reach_the_terminal_as_it_is)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    cl_show_text(to, cg_span_of("a\x1b[2J\r\n\x7f\xc3\xa4", 10));
    fclose(to);
    CHECK(strcmp(text, "a\\x1b[2J\\x0d\\x0a\\x7f\\xc3\\xa4") == 0);
    free(text);
}

TEST(a_refusal_tells_nothing_but_a_code_that_is_known)
{
    struct shown shown = {0};

    begin(&shown);
    CHECK_ERR(cl_show_refusal(&shown.show, "x", 401,
                              CG_LIT("{\"type\":\"httpcg://bpi/problems.httpcg/v1/clock-skew\"}")),
              CG_DENIED);
    CHECK(strcmp(shown.show.problem, "clock-skew") == 0);
    CHECK_ERR(cl_show_refusal(&shown.show, "x", 401, CG_LIT("{\"type\":\"\x1b[2J\"}")), CG_DENIED);
    CHECK(strcmp(shown.show.problem, "") == 0);
    /* Every cut of a document. */
    struct cg_span whole = CG_LIT("{\"type\":\"auth-failed\"}");
    for (size_t n = 0; n <= whole.len; n++)
        CHECK_ERR(cl_show_refusal(&shown.show, "x", 401, cg_span_first(whole, n)), CG_DENIED);
    end(&shown);
}

TEST(the_document_has_checks_warnings_and_the_failure)
{
    struct shown shown = {0};

    begin(&shown);
    CHECK_OK(cl_show_json(&shown.show));
    shown.show.step = "answer";
    (void)cl_show_check(&shown.show, "it is signed", CG_SIGNATURE, "why");
    cl_show_warn(&shown.show, "beware");
    cl_say(&shown.show, "for people");
    cl_add_text(&shown.show, "name", "value");
    CHECK_INT(cl_fail(&shown.show, CL_EXIT_ANSWER, CG_SIGNATURE, NULL, "no"), 114);
    cl_show_end(&shown.show, 114, shown.show.out);
    flush(&shown);
    CHECK_INT(shown.err_len, 0);
    json_t *document = json_loads(shown.out, 0, NULL);
    const char *error, *check, *step, *warning, *name;
    int exit_code, ok;
    CHECK(json_unpack(document, "{s:b, s:i, s:s, s:[s], s:[{s:s, s:s}], s:{s:s}}", "ok", &ok,
                      "exit", &exit_code, "name", &name, "warnings", &warning, "checks", "step",
                      &step, "check", &check, "failure", "error", &error) == 0);
    CHECK_INT(exit_code, 114);
    CHECK(strcmp(error, "SIGNATURE") == 0 && strcmp(step, "answer") == 0 && ok == 0);
    json_decref(document);
    end(&shown);
}

TEST(the_newest_checks_are_kept)
{
    struct shown shown = {0};
    char name[16];

    begin(&shown);
    for (int i = 0; i < CL_CHECKS_MAX + 3; i++) {
        snprintf(name, sizeof name, "%d", i);
        (void)cl_show_check(&shown.show, name, i == 1 ? CG_PROOF : CG_OK, NULL);
    }
    CHECK_INT(shown.show.n_checks, CL_CHECKS_MAX);
    CHECK(strcmp(shown.show.checks[0].name, "3") == 0);
    CHECK(cl_show_failed(&shown.show) == NULL);
    end(&shown);
}

SUITE(show, T(a_check_is_a_line_only_when_asked_for), T(a_failure_names_the_check_it_failed_at),
      T(silence_is_kept), T(what_peers_say_cannot_reach_the_terminal_as_it_is),
      T(a_refusal_tells_nothing_but_a_code_that_is_known),
      T(the_document_has_checks_warnings_and_the_failure), T(the_newest_checks_are_kept))
