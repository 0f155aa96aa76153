/* command.h: the client's subcommands: one table, which says of each what it takes, does and asks
 * for; the files named after them do it. */
#ifndef CG_CLIENT_COMMAND_H
#define CG_CLIENT_COMMAND_H
#include "client/app.h"
#include "client/option.h"
#include "client/show.h"

/* Options that whole groups of commands share. */
#define CL_WITH_WALLET 1u  /* wallet, passphrase */
#define CL_WITH_TRUST 2u   /* trust file, certificates, times */
#define CL_WITH_LEDGER 4u  /* where registry and ledger are */
#define CL_WITH_NEW_KEY 8u /* passphrase and cost of a new key file */

struct cl_run {
    const struct cl_command *command;
    const struct cl_args *args;
    const char *const *words; /* behind the command's own */
    size_t n_words;
    struct cl_show *show;
    struct cl_app app; /* zeroed until cl_run_open */
    /* What was read from --passphrase-file and its like, once. */
    struct cl_pass {
        bool is_known;
        struct cg_buf text;
    } pass, new_pass;
};

struct cl_command {
    const char *words;   /* "wallet new" */
    const char *takes;   /* its other words, such as "URL..." */
    const char *summary; /* one line without full stop */
    const char *text;    /* paragraphs */
    const char *example; /* lines to try */
    unsigned groups;
    enum cl_id options[40]; /* its own; ends with CL_NO_OPTION */
    size_t min_words, max_words;
    int (*run)(struct cl_run *run);
};

extern const struct cl_command cl_commands[];
extern const size_t cl_n_commands;
/* What a word that is a URL is for. */
#define CL_FETCH (&cl_commands[0])

/* cl_command_find gives the command that the words begin with and tells how many are its own; NULL
 * where there is none. */
const struct cl_command *cl_command_find(const char *const *words, size_t n_words, size_t *out_own);
/* cl_command_takes tells whether a command has that option. */
bool cl_command_takes(const struct cl_command *command, enum cl_id id);
/* cl_command_bears tells whether it may be given all the same: what says where wallet and trust are
 * often stands in a script's alias, and does no harm where nobody asks for it. */
bool cl_command_bears(const struct cl_command *command, enum cl_id id);

/* cl_option_is_common tells whether every command has it: it is told once. */
bool cl_option_is_common(enum cl_id id);

/* help.c, manual.c: the texts. */
void cl_help(FILE *to, const struct cl_command *command); /* NULL: of the whole program */
void cl_manual(FILE *to);
void cl_completion(FILE *to);
void cl_version_print(FILE *to);

/* cl_run_open makes the app; cl_run_trust also reads the trust file. What is wrong is said; the
 * return is an exit code, 0 for success. */
int cl_run_open(struct cl_run *run);
int cl_run_trust(struct cl_run *run);

int cl_run_fetch(struct cl_run *run);
int cl_run_url_parse(struct cl_run *run);
int cl_run_wallet_new(struct cl_run *run);
int cl_run_wallet_show(struct cl_run *run);
int cl_run_wallet_backup(struct cl_run *run);
int cl_run_wallet_restore(struct cl_run *run);
int cl_run_wallet_passwd(struct cl_run *run);
int cl_run_wallet_rotate(struct cl_run *run);
int cl_run_cert_issue(struct cl_run *run);
int cl_run_cert_show(struct cl_run *run);
int cl_run_cert_verify(struct cl_run *run);
int cl_run_cert_revoke(struct cl_run *run);
int cl_run_policy_sign(struct cl_run *run);
int cl_run_policy_show(struct cl_run *run);
int cl_run_policy_publish(struct cl_run *run);
int cl_run_role_grant(struct cl_run *run);
int cl_run_role_show(struct cl_run *run);
int cl_run_trust_make(struct cl_run *run);
int cl_run_trust_show(struct cl_run *run);
int cl_run_resolve(struct cl_run *run);
int cl_run_publish(struct cl_run *run);
int cl_run_unpublish(struct cl_run *run);
int cl_run_ledger_verify(struct cl_run *run);
int cl_run_ledger_submit(struct cl_run *run);
int cl_run_doctor(struct cl_run *run);
int cl_run_agent(struct cl_run *run);

#endif
