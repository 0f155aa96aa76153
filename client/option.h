/* option.h: every option of the client, in one table: the parser, --help, the manual page, the
 * shell completion and the configuration file are made from it.
 *
 * Options have curl's names where curl has them. They may stand anywhere on the line; "--" ends
 * them; long ones may be cut while they stay unambiguous, and take a value behind "=" or as the
 * next word; "--no-" undoes a switch. */
#ifndef CG_CLIENT_OPTION_H
#define CG_CLIENT_OPTION_H
#include <httpcg/err.h>

#include <stdio.h>

/* clang-format off */
/*    id            name                letter arg             help */
#define CL_OPTION_LIST(X)                                                                                        \
    X(HELP,          "help",             'h',  NULL,           "Tells how a command is used, and ends.")          \
    X(VERSION,       "version",          'V',  NULL,           "Prints the version and what is inside, and ends.") \
    X(MANUAL,        "manual",           0,    NULL,           "Prints the manual page httpcg(1) as troff, and ends.") \
    X(COMPLETION,    "completion",       0,    NULL,           "Prints a completion script for bash, and ends.")  \
    X(VERBOSE,       "verbose",          'v',  NULL,           "Shows each check with its verdict, and the heads sent and received.") \
    X(SILENT,        "silent",           's',  NULL,           "Says nothing but the answer, no failures either.") \
    X(SHOW_ERROR,    "show-error",       'S',  NULL,           "With -s: failures are told all the same.")        \
    X(JSON,          "json",             0,    NULL,           "For machines: one JSON document about what was done and checked. On standard output, except where that is for an answer's body: then on standard error, in place of all other notes.") \
    X(STDERR,        "stderr",           0,    "FILE",         "Writes what would go to standard error to this file.") \
    X(CONFIG,        "config",           'K',  "FILE",         "Reads options from a file, one a line, without the dashes; - is standard input. The file httpcg.conf in the home folder is read anyway.") \
    X(DISABLE,       "disable",          'q',  NULL,           "As the first option: httpcg.conf is not read.")   \
    X(HOME,          "home",             0,    "FOLDER",       "Where keys, trust file, httpcg.conf and what was seen before are kept; otherwise $HTTPCG_HOME, or ~/.config/httpcg.") \
    X(TRUST,         "trust",            0,    "FILE",         "The trust file; otherwise $HTTPCG_TRUST, or trust.conf in the home folder.") \
    X(CACERT,        "cacert",           0,    "FILE",         "Certificates to verify https registries and ledgers with, PEM; otherwise $SSL_CERT_FILE, or the system's.") \
    X(WALLET,        "wallet",           0,    "FILE",         "The wallet's key file; otherwise wallet.hck in the home folder. Its document is the file of the same name with the ending .doc.") \
    X(PASS_FILE,     "passphrase-file",  0,    "FILE",         "Reads the passphrase of key files from a file that nobody else may read. Without this and --passphrase-fd: the systemd credential httpcg.passphrase, or the terminal asks.") \
    X(PASS_FD,       "passphrase-fd",    0,    "N",            "Reads the passphrase from an open file descriptor.") \
    X(AGENT,         "agent",            0,    "SOCKET",       "The agent's socket; otherwise $HTTPCG_AGENT, or agent.sock in the home folder where there is one. \"off\" uses none.") \
    X(MAX_TIME,      "max-time",         'm',  "SECONDS",      "The longest that all of it may take.")            \
    X(CONNECT_TIMEOUT, "connect-timeout", 0,   "SECONDS",      "The longest that a connection may take to be made and verified.") \
    X(CONNECT_TO,    "connect-to",       0,    "HOST1:PORT1:HOST2:PORT2", "Dials HOST2:PORT2 where HOST1:PORT1 is to be connected to; an empty HOST1 or PORT1 stands for any. What must be proved there stays the same. May be repeated.") \
    X(REGISTRY,      "registry",         0,    "URL",          "The registry to write to; otherwise the first one of the trust file.") \
    X(LEDGER,        "ledger",           0,    "URL",          "The ledger to ask and to submit to; otherwise where the registry is.") \
    X(REQUEST,       "request",          'X',  "METHOD",       "The method, where neither the command nor the data says it.") \
    X(DATA,          "data",             'd',  "DATA",         "Sends DATA with POST; @FILE is a file without its line ends, @- standard input. Repeated ones are joined by &.") \
    X(DATA_RAW,      "data-raw",         0,    "DATA",         "As -d, but an @ is an @.")                        \
    X(DATA_BINARY,   "data-binary",      0,    "DATA",         "As -d, but a file is sent as it is.")             \
    X(DATA_URLENCODE, "data-urlencode",  0,    "DATA",         "As -d, with what a query cannot hold encoded: CONTENT, NAME=CONTENT, @FILE or NAME@FILE.") \
    X(JSON_DATA,     "json-data",        0,    "DATA",         "As --data-binary, with Content-Type and Accept of JSON (curl's --json).") \
    X(GET,           "get",              'G',  NULL,           "Puts the data into the URL's query and sends GET.") \
    X(HEADER,        "header",           'H',  "LINE",         "Sends a header field, \"Name: value\"; \"Name;\" sends an empty one, @FILE the lines of a file.") \
    X(USER_AGENT,    "user-agent",       'A',  "NAME",         "The User-Agent field.")                           \
    X(REFERER,       "referer",          'e',  "URL",          "The Referer field.")                              \
    X(COOKIE,        "cookie",           'b',  "NAME=VALUE",   "The Cookie field. Repeated ones are joined.")     \
    X(RANGE,         "range",            'r',  "FROM-TO",      "Asks for a part of the content, in bytes.")       \
    X(UPLOAD,        "upload-file",      'T',  "FILE",         "Sends a file with PUT; - is standard input, whose length nobody knows: it is signed at its end.") \
    X(OUTPUT,        "output",           'o',  "FILE",         "Writes the body to a file, which gets its name only once all of the answer was verified; - is standard output.") \
    X(REMOTE_NAME,   "remote-name",      'O',  NULL,           "Writes the body to a file named as the URL's last segment.") \
    X(OUTPUT_DIR,    "output-dir",       0,    "FOLDER",       "The folder for -o and -O.")                       \
    X(CREATE_DIRS,   "create-dirs",      0,    NULL,           "Makes the folders that -o and --output-dir name.") \
    X(INCLUDE,       "include",          'i',  NULL,           "Writes the answer's head before its body.")       \
    X(HEAD,          "head",             'I',  NULL,           "Asks for the head alone, with HEAD.")             \
    X(DUMP_HEADER,   "dump-header",      'D',  "FILE",         "Writes the answer's head to a file.")             \
    X(FAIL,          "fail",             'f',  NULL,           "Ends with 22 and without body where the status is 400 or above.") \
    X(FAIL_BODY,     "fail-with-body",   0,    NULL,           "Ends with 22 there, but writes the body.")        \
    X(MAX_FILESIZE,  "max-filesize",     0,    "BYTES",        "The longest body that is taken; K, M and G may follow.") \
    X(WRITE_OUT,     "write-out",        'w',  "FORMAT",       "Prints text when all is done, or that in @FILE; see WRITE-OUT in the manual page.") \
    X(PROGRESS,      "progress-meter",   0,    NULL,           "The progress of long transfers, shown on a terminal; --no-progress-meter switches it off.") \
    X(SAPI,          "sapi",             0,    "MODE",         "How requests are signed: grant (the usual: a MAC under the connection's grant), ed25519 (the grant's session key), hybrid (the wallet's keys, which is evidence), none (not at all, for what is open to everybody).") \
    X(EPOCHS,        "epochs",           0,    "MINUTES",      "How long a grant lasts before it is renewed, 1 to 60.") \
    X(CRED,          "cred",             0,    "FILE",         "Shows a role credential in the connection's grant; may be given four times. A fetch with it does not ask the agent, which may be started with it as well.") \
    X(ROLE,          "role",             0,    "ROLE",         "What the key or certificate is for.")             \
    X(ORIGIN,        "origin",           0,    "NAME",         "The log's name, as its checkpoints say it, such as ledger.example/log1.") \
    X(NEXT,          "next",             0,    NULL,           "The next generation's keys, too, or in place of the present ones.") \
    X(NEW_PASS_FILE, "new-passphrase-file", 0, "FILE",         "Reads the new passphrase from a file.")           \
    X(NEW_PASS_FD,   "new-passphrase-fd", 0,   "N",            "Reads the new passphrase from an open file descriptor.") \
    X(KDF_MEMORY,    "kdf-memory",       0,    "MIB",          "The memory that guessing the passphrase of a new key file takes each time; 256 otherwise.") \
    X(FOLDER,        "folder",           0,    "FOLDER",       "Where the files go; otherwise the home folder.")  \
    X(NAME,          "name",             0,    "NAME",         "A name; may be repeated where there can be several.") \
    X(DAYS,          "days",             0,    "N",            "For how many days it is valid.")                  \
    X(TLS_CERT,      "tls-certificate",  0,    "FILE",         "The X.509 certificate that TLS presents, PEM; without it a self-signed one is made.") \
    X(POLICY,        "policy",           0,    "FILE",         "The signed policy document.")                     \
    X(SUBMIT,        "submit",           0,    NULL,           "Submits it to the ledger and waits until it is logged.") \
    X(DID,           "did",              0,    "DID",          "A DID.")                                          \
    X(FINGERPRINT,   "fingerprint",      0,    "HEX",          "A TLSLS certificate's fingerprint.")              \
    X(GATEWAY,       "gateway",          0,    "HOST:PORT",    "Where the gateway is; may be repeated.")          \
    X(GATEWAY_DID,   "gateway-did",      0,    "DID",          "Whose gateway may serve the name; otherwise the wallet's own DID. May be repeated.") \
    X(PROFILE,       "profile",          0,    "NAME",         "The RBAC profile that decides who may do what; web-default otherwise, which is made where it is missing.") \
    X(TTL,           "ttl",              0,    "SECONDS",      "How long the record may be cached.")              \
    X(PROOF,         "proof",            0,    "TYPE",         "How the registry shall find that the name is yours: self, operator, dns, https.") \
    X(SECRET_FILE,   "secret-file",      0,    "FILE",         "The secret shared with the backend, 64 hexadecimal digits; it is made where there is none. Otherwise PLANE-AUTHORITY.secret in the home folder.") \
    X(KEY_ID,        "key-id",           0,    "NAME",         "The secret's name in the gateway's signatures.")  \
    X(ADMIN,         "admin-socket",     0,    "SOCKET",       "The gateway's admin socket; otherwise $HTTPCG_ADMIN_SOCKET, or /run/httpcg/admin.sock.") \
    X(LOG,           "log",              0,    "FILE",         "A file with a log's two vkey lines, as wallet new --role log prints them.") \
    X(TRUST_REGISTRY, "trust-registry",  0,    "DID=URL",      "A registry to believe, and where it is.")         \
    X(PIN,           "pin",              0,    "PLANE/AUTHORITY=DID", "Pins a name to a gateway.")                \
    X(QUORUM,        "quorum",           0,    "NAME",         "The witnesses asked for; none (the default) while there are none.")
/* clang-format on */

enum cl_id {
    CL_NO_OPTION,
#define X(id, name, letter, arg, help) CL_##id,
    CL_OPTION_LIST(X)
#undef X
        CL_OPTION_COUNT
};

struct cl_option {
    const char *name;
    char letter;
    const char *arg; /* what its value is called; NULL: a switch */
    const char *help;
};

/* By id; the entry of CL_NO_OPTION is empty. */
extern const struct cl_option cl_options[CL_OPTION_COUNT];

#define CL_SETS_MAX 256
#define CL_WORDS_MAX 64

/* A command line that was read: options in their order, and the other words. */
struct cl_args {
    struct cl_set {
        enum cl_id id;
        const char *text; /* of a switch: NULL for on, "" for off */
    } sets[CL_SETS_MAX];
    size_t n_sets;
    const char *words[CL_WORDS_MAX];
    size_t n_words;
};

/* cl_args_read adds a line's options and words.
 * Owns    texts are borrowed from argv.
 * Errors  CG_UNKNOWN (no such option), CG_SHORT (its value is missing), CG_EXTRA (a switch with a
 *         value), CG_TOO_LARGE (too many); the sentence, with what was probably meant, is in why.
 */
CG_MUST_USE cg_err cl_args_read(struct cl_args *args, int argc, const char *const *argv, char *why,
                                size_t why_room);
/* cl_args_line adds one line of a configuration file: "name value", "name = value" or "name:
 * value", dashes or none before the name, quotes or none around the value.  The line is written to.
 * Errors  as cl_args_read; blank lines and those that begin with # are nothing. */
CG_MUST_USE cg_err cl_args_line(struct cl_args *args, char *line, char *why, size_t why_room);

/* cl_text gives the last value of an option, or NULL. */
const char *cl_text(const struct cl_args *args, enum cl_id id);
/* cl_is_on tells whether a switch is on; a later --no- wins. */
bool cl_is_on(const struct cl_args *args, enum cl_id id);
/* cl_is_off tells whether a switch was undone by --no-. */
bool cl_is_off(const struct cl_args *args, enum cl_id id);
bool cl_was_given(const struct cl_args *args, enum cl_id id);
/* cl_next gives the values of an option one after the other: *at begins with 0; NULL at the end. */
const char *cl_next(const struct cl_args *args, enum cl_id id, size_t *at);

/* cl_number reads a decimal number within limits.
 * Errors  CG_SYNTAX, CG_TOO_LARGE. */
CG_MUST_USE cg_err cl_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
