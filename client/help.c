/* help.c: --help, the manual page and the shell completion, all from the two tables. */
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

/* Options that every command has are told once, by httpcg --help. */
static bool is_common(enum cl_id id)
{
    static const struct cl_command nothing = {.words = ""};

    return cl_command_takes(&nothing, id);
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
        if (cl_command_takes(command, (enum cl_id)i) && !is_common((enum cl_id)i))
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
          "HTTP in which both sides prove what they say. A URL is fetched in the manner of curl:\n"
          "the answer's body goes to standard output, and nothing else does.\n"
          "\n"
          "  httpcg httpcg://app/shop.example/orders\n"
          "  httpcg -v -d '{\"n\":1}' -H 'Content-Type: application/json' "
          "httpcg://app/shop.example/orders\n"
          "\n"
          "Before the first request it takes a trust file (which ledger and registry to\n"
          "believe), from whoever runs them, and a wallet: httpcg wallet new. Whether all is\n"
          "well: httpcg doctor.\n"
          "\n"
          "Commands (httpcg COMMAND --help tells more):\n",
          to);
    for (size_t i = 0; i < cl_n_commands; i++) {
        fprintf(to, "  %-18s ", cl_commands[i].words);
        wrap(to, cg_span_str(cl_commands[i].summary), 21, 21);
    }
    fputs("\nOptions of every command:\n", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (is_common((enum cl_id)i))
            option_line(to, &cl_options[i]);
}

void cl_version_print(FILE *to)
{
    fprintf(to, "httpcg %s\n%s\n", cg_version(), cg_crypto_library());
    fputs("Planes: app bpi gw wallet m2m\n"
          "Signatures: Ed25519+ML-DSA-87  Key exchange: X25519MLKEM768  TLS: 1.3  HTTP: 2 1.1\n",
          to);
}

/* --- the manual page -------------------------------------------------------------------------- */

/* Text as troff: a dash stays one, a backslash is none of its own, no line begins a request. */
static void roff(FILE *to, struct cg_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (i == 0 && (text.at[0] == '.' || text.at[0] == '\''))
            fputs("\\&", to);
        if (text.at[i] == '\\')
            fputs("\\e", to);
        else if (text.at[i] == '-')
            fputs("\\-", to);
        else
            fputc(text.at[i], to);
    }
}

static void roff_str(FILE *to, const char *text)
{
    roff(to, cg_span_str(text));
}

static void roff_lines(FILE *to, const char *text)
{
    struct cg_span left = cg_span_str(text);
    bool is_verbatim = false;

    while (left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));
        bool is_code = line.len > 0 && line.at[0] == ' ';

        left = cg_span_from(left, line.len + 1);
        if (is_code != is_verbatim && line.len > 0) {
            fputs(is_code ? ".nf\n" : ".fi\n", to);
            is_verbatim = is_code;
        }
        if (line.len == 0) {
            fputs(".PP\n", to);
        } else {
            roff(to, line);
            fputc('\n', to);
        }
    }
    if (is_verbatim)
        fputs(".fi\n", to);
}

static void roff_option(FILE *to, const struct cl_option *option)
{
    fputs(".TP\n", to);
    if (option->letter)
        fprintf(to, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", to);
    roff_str(to, option->name);
    fputs("\\fR", to);
    if (option->arg) {
        fputs(" \\fI", to);
        roff_str(to, option->arg);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    roff_str(to, option->help);
    fputc('\n', to);
}

static void roff_command(FILE *to, const struct cl_command *command)
{
    bool any = false;

    fputs(".SS \"httpcg ", to);
    roff_str(to, command->run == cl_run_fetch ? "[METHOD]" : command->words);
    if (command->takes[0]) {
        fputc(' ', to);
        roff_str(to, command->takes);
    }
    fputs("\"\n", to);
    roff_lines(to, command->text);
    fputs(".PP\n.nf\n", to);
    struct cg_span left = cg_span_str(command->example);
    while (left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));

        left = cg_span_from(left, line.len + 1);
        fputs("    ", to);
        roff(to, line);
        fputc('\n', to);
    }
    fputs(".fi\n.PP\nOptions:", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (cl_command_takes(command, (enum cl_id)i) && !is_common((enum cl_id)i)) {
            fputs(any ? ", \\-\\-" : " \\-\\-", to);
            roff_str(to, cl_options[i].name);
            any = true;
        }
    fputs(any ? ".\n" : " none but those of every command.\n", to);
}

#define WRITE_OUT                                                                                  \
    "The text of \\-w is printed when a transfer is over; \\en, \\er, \\et and %% are what they\n" \
    "are in curl, and %{...} stands for: exitcode, errormsg, http_code, http_version, json,\n"     \
    "method, num_headers, peer_identity (the gateway's DID), receipt (its certificate's\n"         \
    "fingerprint), remote_ip, remote_port, scheme, size_download, size_upload, speed_download,\n"  \
    "stderr, stdout, time_appconnect, time_connect, time_namelookup, time_pretransfer,\n"          \
    "time_starttransfer, time_total, tls_group, url, verified, wallet.\n"

void cl_manual(FILE *to)
{
    fprintf(to,
            ".\\\" Made by httpcg --manual from the tables of options and commands.\n"
            ".TH HTTPCG 1 \"\" \"httpcg %s\" \"User Commands\"\n"
            ".SH NAME\nhttpcg \\- fetch httpcg:// URLs, and keep what it takes\n"
            ".SH SYNOPSIS\n\\fBhttpcg\\fR [\\fIMETHOD\\fR] \\fIURL\\fR... [\\fIOPTIONS\\fR]\n.br\n"
            "\\fBhttpcg\\fR \\fICOMMAND\\fR ... [\\fIOPTIONS\\fR]\n"
            ".SH DESCRIPTION\n"
            "HTTP in which both sides prove what they say. A URL is fetched in the manner of curl: "
            "the\n"
            "answer's body goes to standard output, and nothing else does. Options may stand "
            "anywhere;\n"
            "long ones may be cut while they stay unambiguous.\n"
            ".SH COMMANDS\n",
            cg_version());
    for (size_t i = 0; i < cl_n_commands; i++)
        roff_command(to, &cl_commands[i]);
    fputs(".SH OPTIONS\nA switch is undone by \\-\\-no\\- before its name.\n", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        roff_option(to, &cl_options[i]);
    fputs(".SH WRITE\\-OUT\n" WRITE_OUT, to);
    fputs(".SH EXIT CODES\nAs curl's where curl has one; from 110 up they are httpcg's own.\n", to);
#define X(name, number, text) fprintf(to, ".TP\n\\fB%d\\fR\n" text "\n", number);
    CL_EXIT_LIST(X)
#undef X
    fputs(
        ".SH FILES\n"
        "In the home folder (\\-\\-home, $HTTPCG_HOME, or ~/.config/httpcg): \\fBwallet.hck\\fR,\n"
        "\\fBnext.hck\\fR, \\fBwallet.doc\\fR, \\fBtrust.conf\\fR, \\fBhttpcg.conf\\fR (options, "
        "one a\n"
        "line), \\fBseen.db\\fR (what was seen of names and ledgers, so that nobody can take it "
        "back),\n"
        "\\fBagent.sock\\fR.\n"
        ".SH ENVIRONMENT\n"
        "HTTPCG_HOME, HTTPCG_TRUST, HTTPCG_AGENT, HTTPCG_ADMIN_SOCKET, SSL_CERT_FILE,\n"
        "CREDENTIALS_DIRECTORY, XDG_CONFIG_HOME, HOME, NO_COLOR.\n"
        ".SH SEE ALSO\n\\fBhttpcgd\\fR(8), \\fBcurl\\fR(1)\n",
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
