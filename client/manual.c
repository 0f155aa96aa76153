/* manual.c: the manual page httpcg(1), from the tables of options, commands and exit codes. */
#include "client/command.h"

#include "client/exit.h"
#include "lib/base/span.h"

/* How long a line of troff gets. */
#define WIDTH 76

/* A word as troff: a dash stays one, a backslash is none of its own, no line begins a request. */
static size_t put_word(FILE *to, struct cg_span word, bool is_first)
{
    size_t n = word.len;

    if (is_first && word.len > 0 && (word.at[0] == '.' || word.at[0] == '\'')) {
        fputs("\\&", to);
        n += 2;
    }
    for (size_t i = 0; i < word.len; i++) {
        bool is_special = word.at[i] == '\\' || word.at[i] == '-';

        n += is_special;
        if (is_special)
            fputc('\\', to);
        fputc(word.at[i] == '\\' ? 'e' : word.at[i], to);
    }
    return n;
}

/* Text that is filled may be broken between any two words. */
static void put_filled(FILE *to, struct cg_span text)
{
    size_t column = 0;

    while (text.len > 0) {
        struct cg_span word = cg_span_first(text, cg_span_find(text, ' '));

        text = cg_span_from(text, word.len + 1);
        if (word.len == 0)
            continue;
        bool is_first = column == 0 || column + 1 + word.len > WIDTH;
        if (column > 0)
            fputc(is_first ? '\n' : ' ', to);
        column = (is_first ? 0 : column + 1) + put_word(to, word, is_first);
    }
    fputc('\n', to);
}

static void put_text(FILE *to, const char *text)
{
    put_word(to, cg_span_str(text), false);
}

/* Paragraphs; lines that begin with a blank stay as they are. */
static void put_lines(FILE *to, const char *text)
{
    struct cg_span left = cg_span_str(text);
    bool is_verbatim = false;

    while (left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));
        bool is_code = line.len > 0 && line.at[0] == ' ';

        left = cg_span_from(left, line.len + 1);
        if (is_verbatim && !is_code) {
            fputs(".fi\n", to);
            is_verbatim = false;
        }
        if (line.len == 0) {
            fputs(".PP\n", to);
        } else if (is_code) {
            fputs(is_verbatim ? "" : ".nf\n", to);
            is_verbatim = true;
            put_word(to, line, true);
            fputc('\n', to);
        } else {
            put_filled(to, line);
        }
    }
    if (is_verbatim)
        fputs(".fi\n", to);
}

static void put_option(FILE *to, const struct cl_option *option)
{
    fputs(".TP\n", to);
    if (option->letter)
        fprintf(to, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", to);
    put_text(to, option->name);
    fputs("\\fR", to);
    if (option->arg) {
        fputs(" \\fI", to);
        put_text(to, option->arg);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    put_filled(to, cg_span_str(option->help));
}

static void put_examples(FILE *to, const char *text)
{
    struct cg_span left = cg_span_str(text);

    fputs(".PP\n.nf\n", to);
    while (left.len > 0) {
        struct cg_span line = cg_span_first(left, cg_span_find(left, '\n'));

        left = cg_span_from(left, line.len + 1);
        fputs("    ", to);
        put_word(to, line, false);
        fputc('\n', to);
    }
    fputs(".fi\n", to);
}

static void put_command(FILE *to, const struct cl_command *command)
{
    bool any = false;

    fputs(".SS \"httpcg ", to);
    put_text(to, command == CL_FETCH ? "[METHOD]" : command->words);
    if (command->takes[0]) {
        fputc(' ', to);
        put_text(to, command->takes);
    }
    fputs("\"\n", to);
    put_lines(to, command->text);
    put_examples(to, command->example);
    fputs(".PP\nOptions:", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        if (cl_command_takes(command, (enum cl_id)i) && !cl_option_is_common((enum cl_id)i)) {
            fputs(any ? ",\n\\-\\-" : "\n\\-\\-", to);
            put_text(to, cl_options[i].name);
            any = true;
        }
    fputs(any ? ".\n" : "\nnone but those of every command.\n", to);
}

static const char intro[] =
    ".SH NAME\n"
    "httpcg \\- fetch httpcg:// URLs, and keep what it takes\n"
    ".SH SYNOPSIS\n"
    "\\fBhttpcg\\fR [\\fIMETHOD\\fR] \\fIURL\\fR... [\\fIOPTIONS\\fR]\n"
    ".br\n"
    "\\fBhttpcg\\fR \\fICOMMAND\\fR ... [\\fIOPTIONS\\fR]\n"
    ".SH DESCRIPTION\n"
    "HTTP in which both sides prove what they say.\n"
    "A URL is fetched in the manner of curl: the answer's body goes to standard\n"
    "output, and nothing else does.\n"
    "Options may stand anywhere; long ones may be cut while they stay unambiguous.\n"
    ".SH COMMANDS\n";

static const char write_out[] =
    ".SH WRITE\\-OUT\n"
    "The text of \\-w is printed when a transfer is over.\n"
    "In it \\en, \\er, \\et and %% are what they are in curl, and %{...} stands for\n"
    "one of content_type, errormsg, exitcode, filename_effective, gateway,\n"
    "http_code, http_version, json (all of it), method, num_headers, peer_identity\n"
    "(the gateway's DID), receipt (the fingerprint of its certificate), remote_ip,\n"
    "remote_port, response_code, sapi, scheme, size_download, size_upload,\n"
    "speed_download, speed_upload, stderr, stdout, time_namelookup (until the name's\n"
    "record was verified), time_connect, time_appconnect (TLS), time_pretransfer\n"
    "(until the gateway proved itself), time_starttransfer, time_total, tls_group,\n"
    "url, url_effective, verified, wallet. Anything else is printed as it stands.\n";

static const char last[] =
    ".SH FILES\n"
    "In the home folder (\\-\\-home, $HTTPCG_HOME, or ~/.config/httpcg):\n"
    ".TP\n"
    "\\fBwallet.hck\\fR, \\fBnext.hck\\fR, \\fBwallet.doc\\fR\n"
    "the wallet's seed, the seed of its next generation, its public document\n"
    ".TP\n"
    "\\fBtrust.conf\\fR\n"
    "which ledger and registries are believed\n"
    ".TP\n"
    "\\fBhttpcg.conf\\fR\n"
    "options, one a line\n"
    ".TP\n"
    "\\fBseen.db\\fR, \\fBseen.heads\\fR\n"
    "what was seen of names and ledgers, so that nobody can take it back\n"
    ".TP\n"
    "\\fBagent.sock\\fR\n"
    "the agent's socket\n"
    ".TP\n"
    "\\fBPLANE\\-AUTHORITY.secret\\fR\n"
    "the secret of a published name's backend\n"
    ".TP\n"
    "\\fB*.rotating\\fR\n"
    "a rotation of the wallet that was interrupted; httpcg wallet rotate goes on with it\n"
    ".SH ENVIRONMENT\n"
    "HTTPCG_HOME, HTTPCG_TRUST, HTTPCG_AGENT, HTTPCG_ADMIN_SOCKET, SSL_CERT_FILE,\n"
    "CREDENTIALS_DIRECTORY, XDG_CONFIG_HOME, HOME.\n"
    ".SH SEE ALSO\n"
    "\\fBcurl\\fR(1), \\fBhttpcgd\\fR(8)\n";

void cl_manual(FILE *to)
{
    fputs(".\\\" Made by httpcg --manual from the tables of options and commands.\n", to);
    fprintf(to, ".TH HTTPCG 1 2026-11-23 \"httpcg %s\" \"User Commands\"\n", cg_version());
    fputs(intro, to);
    for (size_t i = 0; i < cl_n_commands; i++)
        put_command(to, &cl_commands[i]);
    fputs(".SH OPTIONS\nA switch is undone by \\-\\-no\\- before its name.\n", to);
    for (int i = 1; i < CL_OPTION_COUNT; i++)
        put_option(to, &cl_options[i]);
    fputs(write_out, to);
    fputs(".SH EXIT CODES\nAs curl's where curl has one; from 109 up they are httpcg's own.\n", to);
#define X(name, number, text)                                                                      \
    fprintf(to, ".TP\n\\fB%d\\fR\n", number);                                                      \
    put_filled(to, cg_span_str(text));
    CL_EXIT_LIST(X)
#undef X
    fputs(last, to);
}
