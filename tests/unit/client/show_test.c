#include "tests/support/check.h"

#include "client/show.h"
#include "lib/base/span.h"
#include "session/message.h"

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

static cg_err refuse(struct shown *shown, int status, int64_t retry_after_s, struct cg_span body)
{
    const struct cl_refused refused = {status, retry_after_s, body};

    return cl_show_refusal(&shown->show, "x", &refused);
}

TEST(a_refusal_tells_nothing_but_a_code_that_is_known)
{
    struct shown shown = {0};

    begin(&shown);
    CHECK_ERR(refuse(&shown, 401, -1,
                     CG_LIT("{\"type\":\"httpcg://bpi/problems.httpcg/v1/auth-required\"}")),
              CG_DENIED);
    CHECK(strcmp(shown.show.problem, "auth-required") == 0);
    CHECK_ERR(refuse(&shown, 401, -1, CG_LIT("{\"type\":\"\x1b[2J\"}")), CG_DENIED);
    CHECK(strcmp(shown.show.problem, "") == 0);
    /* Every cut of a document. */
    struct cg_span whole = CG_LIT("{\"type\":\"auth-failed\"}");
    for (size_t n = 0; n <= whole.len; n++)
        CHECK_ERR(refuse(&shown, 401, -1, cg_span_first(whole, n)), CG_DENIED);
    end(&shown);
}

TEST(a_refusal_for_now_is_told_from_one_for_ever)
{
    struct cg_span rate = CG_LIT("{\"type\":\"rate-limited\"}");
    struct shown shown = {0};

    begin(&shown);
    CHECK_ERR(refuse(&shown, 429, 7, rate), CG_RATE);
    CHECK_INT(shown.show.retry_after_s, 7);
    CHECK_INT(cl_fail_later(&shown.show, CG_RATE, "it"), 109);
    CHECK_ERR(refuse(&shown, 503, -1, CG_LIT("")), CG_BUSY);
    CHECK_INT(cl_fail_later(&shown.show, CG_BUSY, "it"), 109);
    /* Now means now at the earliest. */
    CHECK_ERR(refuse(&shown, 503, 0, CG_LIT("")), CG_BUSY);
    CHECK_INT(cl_fail_later(&shown.show, CG_BUSY, "it"), 109);
    flush(&shown);
    CHECK(strcmp(shown.err,
                 "httpcg: (109) it: asked too often from this address; try again in 7 s\n"
                 "httpcg: (109) it: not available now\nhttpcg: try again later\n"
                 "httpcg: (109) it: not available now; try again in 1 s\n") == 0);
    end(&shown);
}

TEST(a_clocks_difference_is_believed_of_a_whole_problem_alone)
{
#define SKEW "{\"type\":\"clock-skew\",\"title\":\"t\",\"status\":401,\"instance\":\"i\""
    struct cg_span whole = CG_LIT(SKEW ",\"server_time\":1000000}");
    struct cg_span other = CG_LIT("{\"type\":\"auth-failed\",\"title\":\"t\",\"status\":401,"
                                  "\"instance\":\"i\",\"server_time\":1000000}");
    struct shown shown = {0};

    begin(&shown);
    CHECK_ERR(refuse(&shown, 401, -1, whole), CG_SKEW);
    CHECK_INT(shown.show.server_time, 1000000);
    CHECK_INT(cl_fail_clock(&shown.show, "it", (struct cg_wall){1000660}), 122);
    CHECK_INT(cl_fail_clock(&shown.show, "it", (struct cg_wall){999340}), 122);
    flush(&shown);
    CHECK(strstr(shown.err, "(122) it: this machine's clock is 660 s ahead of the gateway's\n"));
    CHECK(strstr(shown.err, "(122) it: this machine's clock is 660 s behind the gateway's\n"));
    CHECK_ERR(refuse(&shown, 401, -1, other), CG_DENIED);
    CHECK_INT(shown.show.server_time, 0);
    for (size_t n = 0; n < whole.len; n++) {
        (void)refuse(&shown, 401, -1, cg_span_first(whole, n));
        CHECK_INT(shown.show.server_time, 0);
    }
    CHECK_ERR(refuse(&shown, 401, -1, CG_LIT(SKEW ",\"server_time\":-5}")), CG_SKEW);
    CHECK_INT(shown.show.server_time, 0);
    end(&shown);
}

TEST(retry_after_is_seconds_and_at_most_a_day)
{
    static const struct {
        const char *value;
        int64_t s;
    } cases[] = {{"0", 0},
                 {"1", 1},
                 {"86400", 86400},
                 {"86401", 86400},
                 {"99999999999999999999999999", 86400},
                 {"", -1},
                 {"-1", -1},
                 {"1.5", -1},
                 {"1s", -1},
                 {"x", -1},
                 {"Mon, 23 Nov 2026 00:00:00 GMT", -1}};
    struct cg_arena arena;
    struct cg_head head;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cg_arena_init(&arena, 4096);
        cg_head_init(&head, &arena);
        CHECK_INT(cl_retry_after(&head), -1);
        CHECK_OK(cg_head_add(&head, CG_TOKEN_RETRY_AFTER, cg_span_str(cases[i].value)));
        CHECK_INT(cl_retry_after(&head), cases[i].s);
        cg_arena_done(&arena);
    }
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
      T(a_refusal_for_now_is_told_from_one_for_ever),
      T(a_clocks_difference_is_believed_of_a_whole_problem_alone),
      T(retry_after_is_seconds_and_at_most_a_day),
      T(the_document_has_checks_warnings_and_the_failure), T(the_newest_checks_are_kept))
