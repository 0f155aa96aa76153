#include "tests/support/check.h"

#include "client/command.h"
#include "client/exit.h"
#include "lib/base/span.h"

#include <stdlib.h>

TEST(commands_are_found_by_their_longest_name)
{
    const char *const words[] = {"wallet", "new", "x"};
    size_t own = 9;

    const struct cl_command *command = cl_command_find(words, 3, &own);
    CHECK_OR_STOP(command != NULL);
    CHECK(strcmp(command->words, "wallet new") == 0);
    CHECK_INT(own, 2);
    CHECK(cl_command_find(words, 1, &own) == NULL);
    CHECK(cl_command_find(words, 0, &own) == NULL);
    CHECK(cl_command_find((const char *const[]){"publish"}, 1, &own) != NULL);
    CHECK_INT(own, 1);
    CHECK(cl_command_find((const char *const[]){"wallet", "newer"}, 2, &own) == NULL);
}

TEST(each_command_is_whole_and_there_once)
{
    for (size_t i = 0; i < cl_n_commands; i++) {
        const struct cl_command *command = &cl_commands[i];

        CHECK(command->run != NULL);
        CHECK(command->summary[0] >= 'a' && command->summary[0] <= 'z');
        CHECK(command->text[strlen(command->text) - 1] == '.');
        CHECK(strncmp(command->example, "httpcg ", 7) == 0);
        CHECK(command->example[strlen(command->example) - 1] == '\n');
        CHECK(command->min_words <= command->max_words);
        CHECK((command->max_words == 0) == (command->takes[0] == '\0'));
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(command->words, cl_commands[k].words) != 0);
    }
    CHECK(CL_FETCH->run == cl_run_fetch);
}

TEST(each_option_belongs_to_a_command)
{
    for (int id = 1; id < CL_OPTION_COUNT; id++) {
        bool any = false;

        for (size_t i = 0; i < cl_n_commands; i++)
            any = any || cl_command_takes(&cl_commands[i], (enum cl_id)id);
        if (!CHECK(any))
            printf("# --%s\n", cl_options[id].name);
    }
}

TEST(a_command_takes_its_own_options_and_bears_those_of_the_wallet)
{
    size_t own;
    const struct cl_command *parse =
        cl_command_find((const char *const[]){"url", "parse"}, 2, &own);

    CHECK_OR_STOP(parse != NULL);
    CHECK(cl_command_takes(parse, CL_JSON));
    CHECK(!cl_command_takes(parse, CL_DATA));
    CHECK(!cl_command_bears(parse, CL_DATA));
    CHECK(!cl_command_takes(parse, CL_PASS_FILE));
    CHECK(cl_command_bears(parse, CL_PASS_FILE));
    CHECK(cl_command_takes(CL_FETCH, CL_DATA));
}

static char *text_of(void (*print)(FILE *to), size_t *out_len)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, out_len);

    print(to);
    fclose(to);
    return text;
}

static void print_all_help(FILE *to)
{
    cl_help(to, NULL);
    for (size_t i = 0; i < cl_n_commands; i++)
        cl_help(to, &cl_commands[i]);
}

TEST(help_names_every_option_and_keeps_within_80_columns)
{
    size_t len, column = 0;
    char *text = text_of(print_all_help, &len);

    CHECK_OR_STOP(text != NULL);
    for (int id = 1; id < CL_OPTION_COUNT; id++) {
        char name[64];

        snprintf(name, sizeof name, "--%s", cl_options[id].name);
        CHECK(strstr(text, name) != NULL);
    }
    for (size_t i = 0; i < len; i++) {
        column = text[i] == '\n' ? 0 : column + ((text[i] & 0xc0) != 0x80);
        if (column == 81) {
            size_t from = i - 80;

            CHECK(!"a line of help is longer than 80 columns");
            printf("# %.80s\n", text + from);
        }
    }
    free(text);
}

TEST(the_manual_has_every_option_command_and_exit_code)
{
    size_t len;
    char *text = text_of(cl_manual, &len), code[32];

    CHECK_OR_STOP(text != NULL);
    CHECK(strncmp(text, ".\\\"", 3) == 0);
#define X(name, number, sentence)                                                                  \
    snprintf(code, sizeof code, "\\fB%d\\fR\n", number);                                           \
    CHECK(strstr(text, code) != NULL);
    CL_EXIT_LIST(X)
#undef X
    CHECK(strstr(text, ".SS \"httpcg wallet restore") != NULL);
    CHECK(strstr(text, "\\fB\\-\\-passphrase\\-file\\fR \\fIFILE\\fR") != NULL);
    free(text);
}

TEST(the_completion_offers_second_words_by_their_first)
{
    size_t len;
    char *text = text_of(cl_completion, &len);

    CHECK_OR_STOP(text != NULL);
    CHECK(strstr(text, "wallet) COMPREPLY=($(compgen -W 'new show backup restore passwd rotate'"));
    CHECK(strstr(text, "complete -F _httpcg httpcg\n"));
    free(text);
}

TEST(exit_codes_have_sentences_and_errors_have_codes)
{
    CHECK(strcmp(cl_exit_text(0), "everything that was asked for was done and verified") == 0);
    CHECK(cl_exit_text(4) == NULL);
    CHECK(cl_exit_text(124) == NULL);
    CHECK_INT(cl_exit_of(CG_OK), 0);
    CHECK_INT(cl_exit_of(CG_TIMEOUT), 28);
    CHECK_INT(cl_exit_of(CG_UNREACHABLE), 7);
    CHECK_INT(cl_exit_of(CG_TLS), 35);
    CHECK_INT(cl_exit_of(CG_NO_MEMORY), 27);
    CHECK_INT(cl_exit_of(CG_NOT_FOUND), 110);
    CHECK_INT(cl_exit_of(CG_ROLLBACK), 118);
    CHECK_INT(cl_exit_of(CG_CONFLICT), 117);
    CHECK_INT(cl_exit_of(CG_SIGNATURE), 114);
    CHECK_INT(cl_exit_of(CG_DENIED), 116);
    CHECK_INT(cl_exit_of(CG_RATE), 109);
    CHECK_INT(cl_exit_of(CG_BUSY), 109);
    for (int err = 0; err < CG_ERR_COUNT; err++)
        CHECK(cl_exit_text((int)cl_exit_of((cg_err)err)) != NULL);
    for (int err = 1; err < CG_ERR_COUNT; err++)
        CHECK(cl_exit_of((cg_err)err) != CL_EXIT_OK);
}

SUITE(commands, T(commands_are_found_by_their_longest_name),
      T(each_command_is_whole_and_there_once), T(each_option_belongs_to_a_command),
      T(a_command_takes_its_own_options_and_bears_those_of_the_wallet),
      T(help_names_every_option_and_keeps_within_80_columns),
      T(the_manual_has_every_option_command_and_exit_code),
      T(the_completion_offers_second_words_by_their_first),
      T(exit_codes_have_sentences_and_errors_have_codes))
