/* help.c: --help and the shell completion, from the tables of options and commands. */
#include "client/command.h"

#include "lib/base/span.h"

#include <httpcg/crypto.h>

#define WIDTH 79

/* --- text ------------------------------------------------------------------------------------- */

/* Prints words up to WIDTH columns; the first line begins at column at, others at indent. */
static void wrap(FILE *to, struct cg_span text, unsigned at, unsigned indent)
{
    bool is_first = true;

    while (text.len > 0) {
        struct cg_span word = cg_span_first(text, cg_span_find(text, ' '));

        text = cg_span_from(text, word.len + 1);
        if (word.len == 0)
            continue;
        if (!is_first && at + 1 + word.len > WIDTH) {
            fprintf(to, "\n%*s", (int)indent, "");
            at = indent;
            is_first = true;
        }
        if (!is_first) {
            fputc(' ', to);
            at++;
        }
        fwrite(word.at, 1, word.len, to);
        at += (unsigned)word.len;
        is_first = false;
    }
    fputc('\n', to);
}

/* Paragraphs; lines that begin with a blank stay as they are. */
static void paragraphs(FILE *to, const char *text)
{
    struct cg_span left = cg_span_str(text);

    while (left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));

        left = cg_span_from(left, line.len + 1);
        if (line.len == 0 || line.at[0] == ' ')
            fprintf(to, "%.*s\n", (int)line.len, (const char *)line.at);
        else
            wrap(to, line, 0, 0);
    }
}

static void indented(FILE *to, const char *text)
{
    struct cg_span left = cg_span_str(text);

    while (left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));

        left = cg_span_from(left, line.len + 1);
        fprintf(to, "  %.*s\n", (int)line.len, (const char *)line.at);
    }
}

static void option_line(FILE *to, const struct cl_option *option)
{
    char name[96];
    int n = snprintf(name, sizeof name, "  %c%c%s --%s%s%s", option->letter ? '-' : ' ',
                     option->letter ? option->letter : ' ', option->letter ? "," : " ",
                     option->name, option->arg ? " " : "", option->arg ? option->arg : "");

    if (n > 27)
        fprintf(to, "%s\n%28s", name, "");
    else
        fprintf(to, "%-28s", name);
    wrap(to, cg_span_str(option->help), 28, 28);
}

static void command_help(FILE *to, const struct cl_command *command)
{
    bool is_fetch = command->run == cl_run_fetch;

    fprintf(to, "usage: httpcg %s%s%s [OPTIONS]\n\n", is_fetch ? "[METHOD]" : command->words,
            command->takes[0] ? " " : "", command->takes);
    paragraphs(to, command->text);
    fputs("\nFor example:\n", to);
    indented(to, command->example);
    fputs("\nOptions:\n", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (cl_command_takes(command, (enum cl_id)i) && !cl_option_is_common((enum cl_id)i))
            option_line(to, &cl_options[i]);
    fputs("\nThose that every command has: httpcg --help. Exit codes: httpcg --manual.\n", to);
}

void cl_help(FILE *to, const struct cl_command *command)
{
    if (command) {
        command_help(to, command);
        return;
    }
    fputs("usage: httpcg [METHOD] URL... [OPTIONS]\n"
          "       httpcg COMMAND ... [OPTIONS]\n"
          "\n"
          "HTTP in which both sides prove what they say. A URL is fetched in the manner\n"
          "of curl: the answer's body goes to standard output, and nothing else does.\n"
          "\n"
          "  httpcg httpcg://app/shop.example/orders\n"
          "  httpcg -v --json-data '{\"n\":1}' httpcg://app/shop.example/orders\n"
          "\n"
          "Before the first request it takes a trust file (which ledger and registry to\n"
          "believe), from whoever runs them, and a wallet: httpcg wallet new. Whether all\n"
          "is well: httpcg doctor.\n"
          "\n"
          "Commands (httpcg COMMAND --help tells more):\n",
          to);
    for (size_t i = 0; i < cl_n_commands; i++) {
        fprintf(to, "  %-18s ", cl_commands[i].words);
        wrap(to, cg_span_str(cl_commands[i].summary), 21, 21);
    }
    fputs("\nOptions of every command:\n", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (cl_option_is_common((enum cl_id)i))
            option_line(to, &cl_options[i]);
}

void cl_version_print(FILE *to)
{
    fprintf(to, "httpcg %s\n%s\n", cg_version(), cg_crypto_library());
    fputs("Planes: app bpi gw wallet m2m\n"
          "Signatures: Ed25519+ML-DSA-87  Key exchange: X25519MLKEM768  TLS: 1.3  HTTP: 2 1.1\n",
          to);
}

/* --- completion ------------------------------------------------------------------------------- */

void cl_completion(FILE *to)
{
    fputs("# bash completion for httpcg; made by httpcg --completion\n"
          "_httpcg() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    case $before in\n"
          "    ",
          to);
    bool any = false;
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (cl_options[i].arg &&
            (strstr(cl_options[i].arg, "FILE") || strstr(cl_options[i].arg, "FOLDER") ||
             strstr(cl_options[i].arg, "SOCKET"))) {
            fprintf(to, "%s--%s", any ? "|" : "", cl_options[i].name);
            any = true;
        }
    fputs(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
          "    --sapi) COMPREPLY=($(compgen -W 'none grant ed25519 hybrid' -- \"$word\")); return "
          ";;\n"
          "    esac\n"
          "    case $word in\n"
          "    -*) COMPREPLY=($(compgen -W '",
          to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        fprintf(to, "%s--%s", i > 1 ? " " : "", cl_options[i].name);
    fputs("' -- \"$word\")) ;;\n    *)\n        case \"${COMP_WORDS[*]:1:COMP_CWORD-1}\" in\n", to);
    /* Second words by their first. */
    for (size_t i = 0; i < cl_n_commands; i++) {
        const char *blank = strchr(cl_commands[i].words, ' ');
        size_t len = blank ? (size_t)(blank - cl_commands[i].words) : 0;
        bool is_first = blank != NULL;

        for (size_t k = 0; k < i && is_first; k++)
            is_first = strncmp(cl_commands[k].words, cl_commands[i].words, len + 1) != 0;
        if (!is_first)
            continue;
        fprintf(to, "        %.*s) COMPREPLY=($(compgen -W '", (int)len, cl_commands[i].words);
        any = false;
        for (size_t k = i; k < cl_n_commands; k++)
            if (strncmp(cl_commands[k].words, cl_commands[i].words, len + 1) == 0) {
                fprintf(to, "%s%s", any ? " " : "", cl_commands[k].words + len + 1);
                any = true;
            }
        fputs("' -- \"$word\")) ;;\n", to);
    }
    fputs("        '') COMPREPLY=($(compgen -W 'get post put delete patch head options", to);
    for (size_t i = 0; i < cl_n_commands; i++) {
        size_t len = strcspn(cl_commands[i].words, " ");
        bool is_first = true;

        for (size_t k = 0; k < i && is_first; k++)
            is_first = strncmp(cl_commands[k].words, cl_commands[i].words, len) != 0;
        if (is_first && len > 0)
            fprintf(to, " %.*s", (int)len, cl_commands[i].words);
    }
    fputs("' -- \"$word\")) ;;\n"
          "        esac ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _httpcg httpcg\n",
          to);
}
