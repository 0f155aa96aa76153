#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "runtime/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t write_line(enum cg_log_format format, int64_t now_us, char *out,
                         const struct cg_log_field *fields, size_t n)
{
    return cg_log_line(format, now_us, CG_LOG_WARN, CG_EVENT_request_refused, fields, n, out);
}

static void check_line(enum cg_log_format format, const char *want,
                       const struct cg_log_field *fields, size_t n)
{
    char line[CG_LOG_LINE_MAX_BYTES];
    size_t len = write_line(format, 1795444467123456, line, fields, n);

    CHECK_SPAN(cg_span_of(line, len), cg_span_str(want));
}

static const uint8_t id[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                               0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};

TEST(a_line_has_time_level_event_and_its_fields)
{
    check_line(CG_LOG_JSON,
               "{\"time\":\"2026-11-23T14:34:27.123456Z\",\"level\":\"warn\","
               "\"event\":\"request_refused\",\"step\":\"lock\",\"error\":\"BINDING\","
               "\"why\":\"bound to another connection\","
               "\"request\":\"01234567-89ab-cdef-fedc-ba9876543210\",\"n\":-3,\"size\":7,"
               "\"late\":true,\"root\":\"0123\"}\n",
               CG_LOG_FIELDS(CG_STR("step", "lock"), CG_ERR(CG_BINDING), CG_ID("request", id),
                             CG_INT("n", -3), CG_UINT("size", 7), CG_BOOL("late", true),
                             CG_HEX("root", cg_span_of(id, 2)), CG_STR("absent", NULL)));
    check_line(CG_LOG_LOGFMT,
               "time=2026-11-23T14:34:27.123456Z level=\"warn\" event=\"request_refused\" "
               "step=\"a \\\"b\\\"\" n=-3 late=false\n",
               CG_LOG_FIELDS(CG_STR("step", "a \"b\""), CG_INT("n", -3), CG_BOOL("late", false)));
    check_line(CG_LOG_JSON,
               "{\"time\":\"2026-11-23T14:34:27.123456Z\",\"level\":\"warn\","
               "\"event\":\"request_refused\"}\n",
               CG_LOG_FIELDS());
}

TEST(times_are_right_on_the_days_that_are_easily_wrong)
{
    static const struct {
        int64_t s;
        const char *text;
    } days[] = {{0, "1970-01-01T00:00:00"},           {-1, "1969-12-31T23:59:59"},
                {951782399, "2000-02-28T23:59:59"},   {951782400, "2000-02-29T00:00:00"},
                {951868800, "2000-03-01T00:00:00"},   {1709164800, "2024-02-29T00:00:00"},
                {1735689599, "2024-12-31T23:59:59"},  {1735689600, "2025-01-01T00:00:00"},
                {4107542400, "2100-03-01T00:00:00"},  {4107542399, "2100-02-28T23:59:59"},
                {253402300799, "9999-12-31T23:59:59"}};

    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        char line[CG_LOG_LINE_MAX_BYTES], want[64];
        size_t len = write_line(CG_LOG_LOGFMT, days[i].s * 1000000 + 7, line, CG_LOG_FIELDS());
        int n = snprintf(want, sizeof want, "time=%s.000007Z ", days[i].text);

        CHECK(len > (size_t)n);
        CHECK_SPAN(cg_span_of(line, (size_t)n), cg_span_of(want, (size_t)n));
    }
}

/* What a strict reader gets back from the field "text" of a line with these bytes. */
static json_t *read_back(struct cg_span text)
{
    char line[CG_LOG_LINE_MAX_BYTES];
    size_t len = write_line(CG_LOG_JSON, 0, line, CG_LOG_FIELDS(CG_TEXT("text", text)));
    json_error_t error;

    CHECK(len <= CG_LOG_LINE_MAX_BYTES);
    CHECK(line[len - 1] == '\n' && !memchr(line, '\n', len - 1));
    for (size_t i = 0; i < len - 1; i++)
        if (!CHECK((unsigned char)line[i] >= 0x20 && line[i] != 0x7f))
            break;
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!CHECK(object != NULL))
        printf("# %s: %.*s\n", error.text, (int)len, line);
    return object;
}

static void check_text(struct cg_span text, struct cg_span want)
{
    json_t *object = read_back(text), *value = json_object_get(object, "text");

    CHECK_SPAN(cg_span_of(json_string_value(value), json_string_length(value)), want);
    json_decref(object);
}

TEST(every_byte_comes_out_as_itself_or_as_a_replacement)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t text[3] = {'a', (uint8_t)c, 'b'};

        check_text(CG_BYTES(text), c < 0x80 ? CG_BYTES(text)
                                            : CG_LIT("a\xef\xbf\xbd"
                                                     "b"));
    }
}

TEST(hostile_strings_stay_within_their_field)
{
    static const char *const texts[] = {
        "\r\n{\"event\":\"forged\"}",
        "\x1b[2J\x1b]0;title\x07",
        "\"},{\"",
        "\\\"",
        "\\u0000",
        "\u202egnp.exe",
        "\u2028\u2029\ufeff",
        ("\xc2\x85\xc2\x9b"
         "31m"),
        "\U000e0041x",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char line[CG_LOG_LINE_MAX_BYTES];
        struct cg_span text = cg_span_str(texts[i]);
        size_t len;

        check_text(text, text);
        for (int format = CG_LOG_JSON; format <= CG_LOG_LOGFMT; format++) {
            len = write_line((enum cg_log_format)format, 0, line,
                             CG_LOG_FIELDS(CG_TEXT("text", text)));
            CHECK(!memchr(line, '\r', len) && !memchr(line, 0x1b, len));
            CHECK(!memmem(line, len, "\u202e", 3) && !memmem(line, len, "\u2028", 3));
            CHECK(!memmem(line, len, "\xc2\x9b", 2));
        }
    }
    check_text(CG_LIT("a\0b"), CG_LIT("a\0b"));
}

TEST(what_is_not_utf8_is_replaced)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc3", "\ufffd"},
        {"\xe2\x82", "\ufffd\ufffd"},
        {"\xf0\x9f\x98", "\ufffd\ufffd\ufffd"},
        {"\xc0\xaf", "\ufffd\ufffd"}, /* overlong */
        {"\xe0\x80\xaf", "\ufffd\ufffd\ufffd"},
        {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
        {"\xff\xfe", "\ufffd\ufffd"},
        {"\xc3(", "\ufffd("},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_text(cg_span_str(cases[i].text), cg_span_str(cases[i].want));
}

TEST(long_text_is_cut_between_characters_and_says_how_long_it_was)
{
    static char text[10240];

    memset(text, 'x', sizeof text);
    for (size_t len = CG_LOG_TEXT_MAX_BYTES - 1; len <= CG_LOG_TEXT_MAX_BYTES + 1; len++) {
        json_t *object = read_back(cg_span_of(text, len));
        bool is_cut = len > CG_LOG_TEXT_MAX_BYTES;

        CHECK_INT(json_string_length(json_object_get(object, "text")),
                  is_cut ? CG_LOG_TEXT_MAX_BYTES + 3 : len);
        CHECK_INT(json_integer_value(json_object_get(object, "text_bytes")), is_cut ? len : 0);
        json_decref(object);
    }
    memcpy(text + CG_LOG_TEXT_MAX_BYTES - 1, "\xc3\xa4", 2);
    json_t *object = read_back(cg_span_of(text, sizeof text));
    CHECK_INT(json_string_length(json_object_get(object, "text")), CG_LOG_TEXT_MAX_BYTES - 1 + 3);
    CHECK_INT(json_integer_value(json_object_get(object, "text_bytes")), 10240);
    json_decref(object);

    memset(text, 0x1b, sizeof text); /* six bytes each */
    json_decref(read_back(cg_span_of(text, sizeof text)));
    memset(text, 0xff, sizeof text);
    json_decref(read_back(cg_span_of(text, sizeof text)));
}

TEST(a_line_that_gets_too_long_leaves_fields_out_and_says_so)
{
    static char text[CG_LOG_TEXT_MAX_BYTES];
    struct cg_log_field fields[40];
    char line[CG_LOG_LINE_MAX_BYTES];

    memset(text, 1, sizeof text);
    for (size_t n = 1; n <= 40; n++) {
        fields[n - 1] =
            n % 2 ? CG_TEXT("text", CG_BYTES((const uint8_t *)text)) : CG_UINT("number", n);
        fields[n - 1].text.len = n % 2 ? 12 * n : fields[n - 1].text.len;
        size_t len = write_line(CG_LOG_JSON, 0, line, fields, n);
        json_t *object = json_loadb(line, len, 0, NULL);
        CHECK(len <= sizeof line && line[len - 1] == '\n');
        CHECK(object != NULL);
        if (n == 40)
            CHECK(json_is_true(json_object_get(object, "cut")));
        json_decref(object);
        len = write_line(CG_LOG_LOGFMT, 0, line, fields, n);
        CHECK(len <= sizeof line && line[len - 1] == '\n');
    }
}

TEST(numbers_that_readers_would_change_are_written_as_text)
{
    char line[CG_LOG_LINE_MAX_BYTES];
    size_t len = write_line(CG_LOG_JSON, 0, line,
                            CG_LOG_FIELDS(CG_UINT("a", UINT64_MAX), CG_INT("b", INT64_MIN),
                                          CG_UINT("c", UINT64_C(1) << 53)));

    line[len] = '\0';
    CHECK(strstr(line, "\"a\":\"18446744073709551615\",\"b\":\"-9223372036854775808\","
                       "\"c\":9007199254740992}") != NULL);
}

TEST(every_event_has_a_name_and_a_sentence)
{
    for (int i = 0; i < CG_EVENT_COUNT; i++) {
        CHECK(cg_log_event_name((enum cg_log_event)i)[0] != '\0');
        CHECK(cg_log_event_text((enum cg_log_event)i)[0] != '\0');
    }
}

TEST(every_event_is_in_the_documentation)
{
    static char page[65536];
    FILE *in = fopen(HTTPCG_SOURCE "/docs/internals/log-events.md", "r");
    unsigned n_rows = 0;

    CHECK_OR_STOP(in != NULL);
    page[fread(page, 1, sizeof page - 1, in)] = '\0';
    fclose(in);
    for (int i = 0; i < CG_EVENT_COUNT; i++) {
        char row[256];

        snprintf(row, sizeof row, "\n| `%s` | %s |\n", cg_log_event_name((enum cg_log_event)i),
                 cg_log_event_text((enum cg_log_event)i));
        if (!CHECK(strstr(page, row) != NULL))
            printf("# %s is missing; scripts/log-events writes the page anew\n",
                   cg_log_event_name((enum cg_log_event)i));
    }
    for (const char *at = page; (at = strstr(at, "\n| `")); at++)
        n_rows++;
    CHECK_INT(n_rows, CG_EVENT_COUNT);
}

static char folder[64], path[128];

static void begin(void)
{
    strcpy(folder, "/tmp/httpcg-log-XXXXXX");
    CHECK_OR_STOP(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/log", folder);
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* Counts the lines that are whole JSON objects of this event; everything must be one of some. */
static unsigned count_events(const char *file, const char *event)
{
    static char line[2 * CG_LOG_LINE_MAX_BYTES];
    FILE *in = fopen(file, "r");
    unsigned n = 0;

    if (!CHECK(in != NULL))
        return 0;
    while (fgets(line, sizeof line, in)) {
        json_t *object = json_loads(line, 0, NULL);

        if (!CHECK(object != NULL))
            printf("# %s\n", line);
        else
            n += strcmp(json_string_value(json_object_get(object, "event")), event) == 0;
        json_decref(object);
    }
    fclose(in);
    return n;
}

static struct cg_log *open_log(const char *file, const char *access, size_t ring)
{
    struct cg_problems problems = {0};
    struct cg_log *log = NULL;

    CHECK_OK(cg_log_new(
        &(struct cg_log_options){
            .level = CG_LOG_INFO, .file = file, .access = access, .ring_bytes = ring},
        &problems, &log));
    return log;
}

TEST(before_the_writer_runs_lines_go_out_at_once_and_levels_count)
{
    begin();
    struct cg_log *log = open_log(path, NULL, 0);
    CHECK_OR_STOP(log != NULL);
    cg_log(log, INFO, started, CG_INT("n", 1));
    cg_log(log, DEBUG, started, CG_INT("n", 2));
    CHECK_INT(count_events(path, "started"), 1);
    cg_log_set_level(log, CG_LOG_DEBUG);
    cg_log(log, DEBUG, started, CG_INT("n", 3));
    cg_log_access(log, CG_INT("n", 4)); /* there is no access log */
    CHECK_INT(count_events(path, "started"), 2);
    cg_log((struct cg_log *)NULL, ERROR, started);
    cg_log_free(log);
    end();
}

static void *log_many(void *arg)
{
    for (int i = 0; i < 500; i++) {
        cg_log((struct cg_log *)arg, INFO, request_refused, CG_INT("n", i), CG_STR("step", "lock"));
        cg_log_access((struct cg_log *)arg, CG_INT("n", i));
    }
    return NULL;
}

TEST(lines_of_many_threads_are_all_there_and_whole)
{
    char access[160];
    pthread_t threads[8];

    begin();
    snprintf(access, sizeof access, "%s/access", folder);
    struct cg_log *log = open_log(path, access, 0);
    CHECK_OR_STOP(log != NULL);
    CHECK_OK(cg_log_start(log));
    for (size_t i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, log_many, log) == 0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    cg_log_stop(log);
    CHECK_INT(count_events(path, "request_refused"), 4000);
    CHECK_INT(count_events(access, "request"), 4000);
    CHECK_INT(cg_log_dropped(log, false) + cg_log_dropped(log, true), 0);
    cg_log_free(log);
    end();
}

TEST(what_does_not_fit_is_dropped_counted_and_told)
{
    begin();
    struct cg_log *log = open_log(path, NULL, 4096);
    CHECK_OR_STOP(log != NULL);
    CHECK_OK(cg_log_start(log));
    for (int i = 0; i < 20000; i++)
        cg_log(log, INFO, request_refused, CG_INT("n", i));
    cg_log_stop(log);
    uint64_t n_dropped = cg_log_dropped(log, false);
    unsigned n_written = count_events(path, "request_refused");
    CHECK(n_dropped > 0);
    CHECK_INT(n_written + n_dropped, 20000);
    CHECK(count_events(path, "log_dropped") >= 1);
    cg_log_free(log);
    end();
}

TEST(a_full_disk_costs_lines_and_nothing_else)
{
    begin();
    struct cg_log *log = open_log(path, "/dev/full", 0);
    CHECK_OR_STOP(log != NULL);
    CHECK_OK(cg_log_start(log));
    for (int i = 0; i < 10; i++)
        cg_log_access(log, CG_INT("n", i));
    cg_log(log, INFO, started);
    cg_log_stop(log);
    CHECK_INT(cg_log_dropped(log, true), 10);
    CHECK_INT(cg_log_dropped(log, false), 0);
    CHECK_INT(count_events(path, "log_dropped"), 1);
    CHECK_INT(count_events(path, "started"), 1);
    cg_log_free(log);
    end();
}

TEST(a_pipe_that_nobody_reads_does_not_hold_the_process)
{
    char line[65536];

    begin();
    CHECK(mkfifo(path, 0600) == 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    struct cg_log *log = open_log(path, NULL, 1 << 18);
    CHECK_OR_STOP(log != NULL);
    CHECK_OK(cg_log_start(log));
    for (int i = 0; i < 1500; i++)
        cg_log(log, INFO, request_refused, CG_INT("n", i), CG_STR("step", "lock"));
    cg_log_stop(log);
    CHECK(cg_log_dropped(log, false) > 0);
    CHECK(read(reader, line, sizeof line) > 0);
    cg_log_free(log);
    close(reader);
    end();
}

TEST(after_a_rotation_lines_go_to_the_new_file)
{
    char old[160];

    begin();
    snprintf(old, sizeof old, "%s/log.1", folder);
    struct cg_log *log = open_log(path, NULL, 0);
    CHECK_OR_STOP(log != NULL);
    CHECK_OK(cg_log_start(log));
    cg_log(log, INFO, started);
    CHECK(rename(path, old) == 0);
    cg_log_reopen(log);
    for (int i = 0; i < 100 && access(path, F_OK) != 0; i++)
        usleep(20000);
    cg_log(log, INFO, stopping);
    cg_log_stop(log);
    CHECK_INT(count_events(old, "started"), 1);
    CHECK_INT(count_events(old, "stopping"), 0);
    CHECK_INT(count_events(path, "stopping"), 1);
    CHECK_INT(count_events(path, "log_reopened"), 1);
    cg_log_free(log);
    end();
}

TEST(a_file_that_cannot_be_opened_again_keeps_the_old_one)
{
    char away[160];

    begin();
    CHECK(mkdir(path, 0700) == 0);
    strcat(path, "/log");
    snprintf(away, sizeof away, "%s/away", folder);
    struct cg_log *log = open_log(path, NULL, 0);
    CHECK_OR_STOP(log != NULL);
    path[strlen(path) - 4] = '\0';
    CHECK(rename(path, away) == 0);
    cg_log_reopen(log);
    cg_log(log, INFO, started);
    cg_log_free(log);
    strcat(away, "/log");
    CHECK_INT(count_events(away, "log_failed"), 1);
    CHECK_INT(count_events(away, "started"), 1);
    end();
}

TEST(a_log_that_cannot_be_opened_says_why)
{
    struct cg_problems problems = {0};
    struct cg_log *log = NULL;

    CHECK_ERR(cg_log_new(&(struct cg_log_options){.file = "/tmp/none/at/all"}, &problems, &log),
              CG_IO);
    CHECK_SPAN(
        cg_span_str(problems.at[0].text),
        CG_LIT("cannot write /tmp/none/at/all: there is no such folder; create it or correct "
               "the path (setting log.file)"));
    CHECK_ERR(cg_log_new(&(struct cg_log_options){.access = "/tmp"}, &problems, &log), CG_IO);
    CHECK_SPAN(cg_span_str(problems.at[1].text),
               CG_LIT("cannot write /tmp: it is a folder; name a file (setting log.access)"));
    CHECK(log == NULL);
}

SUITE(log, T(a_line_has_time_level_event_and_its_fields),
      T(times_are_right_on_the_days_that_are_easily_wrong),
      T(every_byte_comes_out_as_itself_or_as_a_replacement),
      T(hostile_strings_stay_within_their_field), T(what_is_not_utf8_is_replaced),
      T(long_text_is_cut_between_characters_and_says_how_long_it_was),
      T(a_line_that_gets_too_long_leaves_fields_out_and_says_so),
      T(numbers_that_readers_would_change_are_written_as_text),
      T(every_event_has_a_name_and_a_sentence), T(every_event_is_in_the_documentation),
      T(before_the_writer_runs_lines_go_out_at_once_and_levels_count),
      T(lines_of_many_threads_are_all_there_and_whole),
      T(what_does_not_fit_is_dropped_counted_and_told), T(a_full_disk_costs_lines_and_nothing_else),
      T(a_pipe_that_nobody_reads_does_not_hold_the_process),
      T(after_a_rotation_lines_go_to_the_new_file),
      T(a_file_that_cannot_be_opened_again_keeps_the_old_one),
      T(a_log_that_cannot_be_opened_says_why))
