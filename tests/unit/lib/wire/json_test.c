#include "tests/support/check.h"
#include "tests/support/vector.h"

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/json.h"

#include <stdio.h>

struct thing {
    struct cg_span name;
    uint64_t number;
    bool flag;
    bool has_flag;
};

static cg_err read_thing(const char *text, enum cg_json_form form, struct thing *out)
{
    const struct cg_json_member members[] = {
        {"name", CG_JSON_TEXT, .span = &out->name},
        {"number", CG_JSON_UINT, .number = &out->number},
        {"flag", CG_JSON_BOOL, .flag = &out->flag, .has = &out->has_flag},
    };

    return cg_json_object(cg_span_str(text), form, members, 3);
}

TEST(keys_come_in_any_order_and_spaces_are_passed_over)
{
    struct thing t;

    CHECK_OK(read_thing("{\"name\":\"a\",\"number\":7}", CG_JSON_HEADER, &t));
    CHECK_SPAN(t.name, CG_LIT("a"));
    CHECK(t.number == 7 && !t.has_flag);
    CHECK_OK(read_thing("{ \"number\" : 0 , \"flag\":true, \"name\":\"\" }", CG_JSON_HEADER, &t));
    CHECK(t.number == 0 && t.has_flag && t.flag && t.name.len == 0);
    CHECK_OK(
        read_thing("\n{\"name\":\"a\",\t\"number\":9007199254740991}\r\n", CG_JSON_DOCUMENT, &t));
    CHECK(t.number == CG_JSON_MAX_INT);
}

TEST(headers_refuse_what_documents_take)
{
    struct thing t;

    CHECK_ERR(read_thing("{\"name\":\"a\",\t\"number\":7}", CG_JSON_HEADER, &t), CG_SYNTAX);
    CHECK_ERR(read_thing(" {\"name\":\"a\",\"number\":7}", CG_JSON_HEADER, &t), CG_SYNTAX);
    CHECK_ERR(read_thing("{\"name\":\"a\",\"number\":7} ", CG_JSON_HEADER, &t), CG_EXTRA);
    CHECK_OK(read_thing(" {\"name\":\"a\",\"number\":7} ", CG_JSON_DOCUMENT, &t));
}

TEST(numbers_have_one_spelling)
{
    static const struct {
        const char *number;
        cg_err err;
    } bad[] = {
        {"01", CG_CANONICAL}, {"-1", CG_SCHEMA},   {"+1", CG_SCHEMA},
        {"1.0", CG_SYNTAX},   {"1e3", CG_SYNTAX},  {"9007199254740992", CG_TOO_LARGE},
        {"\"1\"", CG_SCHEMA}, {"true", CG_SCHEMA}, {"99999999999999999999", CG_TOO_LARGE},
        {"null", CG_SCHEMA},  {"", CG_SCHEMA},     {"[1]", CG_SCHEMA},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct thing t;
        char text[128];
        struct cg_writer w = cg_writer_fixed(text, sizeof text - 1);

        cg_put_str(&w, "{\"name\":\"a\",\"number\":");
        cg_put_str(&w, bad[i].number);
        cg_put_str(&w, "}");
        text[w.len] = '\0';
        CHECK_ERR(read_thing(text, CG_JSON_HEADER, &t), bad[i].err);
    }
}

TEST(unknown_doubled_and_missing_members_are_refused)
{
    static const struct {
        const char *text;
        cg_err err;
    } bad[] = {
        {"{\"name\":\"a\"}", CG_SCHEMA},
        {"{\"name\":\"a\",\"number\":7,\"x\":1}", CG_SCHEMA},
        {"{\"name\":\"a\",\"number\":7,\"name\":\"a\"}", CG_SCHEMA},
        {"{}", CG_SCHEMA},
        {"{\"name\":\"a\",\"number\":7,}", CG_SYNTAX},
        {"{,\"name\":\"a\",\"number\":7}", CG_SYNTAX},
        {"{\"name\":\"a\",\"number\":7}{", CG_EXTRA},
        {"{\"name\":\"a\" \"number\":7}", CG_SYNTAX},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct thing t;

        CHECK_ERR(read_thing(bad[i].text, CG_JSON_HEADER, &t), bad[i].err);
    }
}

TEST(strings_are_plain_ascii_without_escapes)
{
    static const char *bad[] = {
        "{\"name\":\"a\\n\",\"number\":7}",     "{\"name\":\"\\u0061\",\"number\":7}",
        "{\"na\\me\":\"a\",\"number\":7}",      "{\"name\":\"\x7f\",\"number\":7}",
        "{\"name\":\"\xc3\xbc\",\"number\":7}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct thing t;

        CHECK_ERR(read_thing(bad[i], CG_JSON_HEADER, &t), CG_SYNTAX);
        CHECK_ERR(read_thing(bad[i], CG_JSON_DOCUMENT, &t), CG_SYNTAX);
    }
}

TEST(every_prefix_is_refused)
{
    const char *good = "{\"name\":\"a b\",\"number\":12,\"flag\":false}";
    struct thing t;

    for (size_t n = 0; n < strlen(good); n++) {
        char cut[64] = {0};

        memcpy(cut, good, n);
        cg_err err = read_thing(cut, CG_JSON_HEADER, &t);
        /* A cut word is malformed before it is short. */
        CHECK(err == CG_SHORT || err == CG_SYNTAX);
    }
    CHECK_OK(read_thing(good, CG_JSON_HEADER, &t));
}

static cg_err count_texts(const char *text, size_t *n)
{
    struct cg_json_array a = cg_json_array_of(cg_span_str(text));
    struct cg_json_value v;

    for (*n = 0; cg_json_array_next(&a, CG_JSON_TEXT, &v); (*n)++)
        ;
    CHECK(!cg_json_array_next(&a, CG_JSON_TEXT, &v)); /* an end, and an error, stay */
    return a.err;
}

TEST(arrays_give_their_elements_and_refuse_mixed_ones)
{
    size_t n;

    CHECK_OK(count_texts("[\"x\", \"yy\" ,\"\"]", &n));
    CHECK_INT(n, 3);
    CHECK_OK(count_texts(" [ ] ", &n));
    CHECK_INT(n, 0);
    CHECK_ERR(count_texts("[\"x\",1]", &n), CG_SCHEMA);
    CHECK_ERR(count_texts("[\"x\",]", &n), CG_SCHEMA);
    CHECK_ERR(count_texts("[\"x\" \"y\"]", &n), CG_SYNTAX);
    CHECK_ERR(count_texts("[\"x\"", &n), CG_SHORT);
    CHECK_ERR(count_texts("[\"x\"] 2", &n), CG_EXTRA);
}

TEST(the_example_policy_becomes_its_known_cbor)
{
    CG_AUTO(buf) struct cg_buf buf;

    cg_buf_init(&buf, 4096);
    struct cg_writer w = cg_writer_into(&buf);
    CHECK_OK(cg_json_to_cbor(CG_LIT("{\"v\":1, \"name\":\"gw-default\",\n \"tls\":{\"min\":\"1.3\","
                                    "\"groups\":[\"X25519MLKEM768\" ]},\"sapi_min\":\"grant\"}"),
                             &w));
    CHECK_SPAN(cg_buf_span(&buf), cg_vector_hex("v1:policy.cbor"));
}

static cg_err convert(const char *text, uint8_t *out, size_t cap, size_t *len)
{
    struct cg_writer w = cg_writer_fixed(out, cap);
    cg_err err = cg_json_to_cbor(cg_span_str(text), &w);

    *len = w.len;
    return err;
}

TEST(conversion_keeps_depth_four_and_refuses_doubles_and_more)
{
    uint8_t out[256];
    size_t len;

    CHECK_OK(convert(" [[[[ 1 , true ] ,[] ]] , {} ] ", out, sizeof out, &len));
    CHECK_SPAN(cg_span_of(out, len), cg_unhex("828182"
                                              "8201f5"
                                              "80"
                                              "a0"));
    CHECK_OK(convert("\"}\"", out, sizeof out, &len));
    CHECK_SPAN(cg_span_of(out, len), cg_unhex("617d"));
    CHECK_ERR(convert("{\"a\":1,\"a\":2}", out, sizeof out, &len), CG_SCHEMA);
    CHECK_ERR(convert("[[[[1,true,{}]]]]", out, sizeof out, &len), CG_TOO_LARGE);
    CHECK_ERR(convert("[1,]", out, sizeof out, &len), CG_SYNTAX);
    CHECK_ERR(convert("", out, sizeof out, &len), CG_SHORT);
    CHECK_ERR(convert("[1,2,3]", out, 3, &len), CG_TOO_LARGE);
}

/* An object of n members, or an array of n elements. */
static cg_err convert_many(char open, size_t n, struct cg_buf *out)
{
    CG_AUTO(buf) struct cg_buf text = {0};

    cg_buf_init(&text, 1 << 16);
    cg_buf_init(out, 1 << 16);
    struct cg_writer w = cg_writer_into(&text);
    cg_put_u8(&w, (uint8_t)open);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            cg_put_u8(&w, ',');
        if (open == '{') {
            cg_put_str(&w, "\"");
            cg_put_decimal(&w, i);
            cg_put_str(&w, "\":");
        }
        cg_put_u8(&w, '1');
    }
    cg_put_u8(&w, open == '{' ? '}' : ']');
    CHECK_OK(cg_writer_end(&w));
    struct cg_writer cbor = cg_writer_into(out);
    return cg_json_to_cbor(cg_buf_span(&text), &cbor);
}

TEST(conversion_takes_64_members_and_4096_elements)
{
    static const struct {
        char open;
        size_t n;
        cg_err want;
    } rows[] = {
        {'{', 64, CG_OK}, {'{', 65, CG_TOO_LARGE}, {'[', 4096, CG_OK}, {'[', 4097, CG_TOO_LARGE}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CG_AUTO(buf) struct cg_buf out = {0};

        CHECK_ERR(convert_many(rows[i].open, rows[i].n, &out), rows[i].want);
    }
}

TEST(members_have_the_type_of_their_schema)
{
    static const char *const values[] = {"\"t\"", "1", "true", "{}", "[]"};
    static const enum cg_json_kind kinds[] = {CG_JSON_TEXT, CG_JSON_UINT, CG_JSON_BOOL,
                                              CG_JSON_OBJECT, CG_JSON_ARRAY};

    for (size_t v = 0; v < 5; v++)
        for (size_t k = 0; k < 5; k++) {
            struct cg_span span;
            uint64_t number;
            bool flag;
            const struct cg_json_member member = {"a", kinds[k], &span, &number, &flag, NULL};
            char text[32];

            snprintf(text, sizeof text, "{\"a\":%s}", values[v]);
            CHECK_ERR(cg_json_object(cg_span_str(text), CG_JSON_HEADER, &member, 1),
                      k == v ? CG_OK : CG_SCHEMA);
        }
}

TEST(each_character_is_judged_at_each_place_of_a_string)
{
    uint8_t text[40] = "{\"a\":\"";
    struct cg_span out;
    const struct cg_json_member member = {"a", CG_JSON_TEXT, .span = &out};
    const size_t from = 6, to = sizeof text - 2;

    for (unsigned c = 0; c < 256; c++)
        for (size_t at = from; at < to; at++) {
            memset(text + from, 'v', to - from);
            memcpy(text + to, "\"}", 2);
            text[at] = (uint8_t)c;
            cg_err err = cg_json_object(CG_BYTES(text), CG_JSON_HEADER, &member, 1);
            bool is_plain = c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
            if (!CHECK(is_plain == (err == CG_OK)))
                CHECK_INT(c, -1);
            if (is_plain)
                CHECK_SPAN(out, cg_span_of(text + from, to - from));
        }
}

TEST(no_text_is_written_that_would_not_be_read)
{
    char room[8];

    for (int c = 0; c < 256; c++) {
        uint8_t text[] = {'a', (uint8_t)c};
        struct cg_writer w = cg_writer_fixed(room, sizeof room);

        cg_json_put_text(&w, CG_BYTES(text));
        bool is_plain = c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
        CHECK_ERR(cg_writer_end(&w), is_plain ? CG_OK : CG_SYNTAX);
    }
}

SUITE(json, T(keys_come_in_any_order_and_spaces_are_passed_over),
      T(headers_refuse_what_documents_take), T(numbers_have_one_spelling),
      T(unknown_doubled_and_missing_members_are_refused),
      T(strings_are_plain_ascii_without_escapes), T(every_prefix_is_refused),
      T(arrays_give_their_elements_and_refuse_mixed_ones),
      T(the_example_policy_becomes_its_known_cbor),
      T(conversion_keeps_depth_four_and_refuses_doubles_and_more),
      T(conversion_takes_64_members_and_4096_elements), T(members_have_the_type_of_their_schema),
      T(each_character_is_judged_at_each_place_of_a_string),
      T(no_text_is_written_that_would_not_be_read))
