#include "client/command.h"

#include "lib/base/span.h"

/* clang-format off */
const struct cl_command cl_commands[] = {
    {.words = "get", .takes = "URL...", .summary = "fetch a URL; also post, put, delete, patch, head, options, or a URL alone",
     .text = "Resolves the name, connects to one of its gateways, verifies the gateway's certificate and that this very connection is "
             "its own, signs the request, and verifies the answer to its last byte. Any check that fails ends it, and nothing is "
             "fallen back to.\n"
             "\n"
             "Without a method's name the method is GET, with data POST, with a file PUT. The body goes to standard output as it comes; "
             "where the signature stands behind it, whoever reads has to look at the exit code before believing: 0 only where all of "
             "it was verified. A file named by -o gets its name only then.\n"
             "\n"
             "-v shows each check with the step it belongs to, in the gateway's own words: resolve (the name's record), connect, "
             "control (the gateway's certificate), signed (the wallet's grant and request), answer.\n"
             "\n"
             "Where an agent runs (httpcg agent), it is asked: its connections are verified already, so a call costs one request.",
     .example = "httpcg httpcg://app/shop.example/orders\n"
                "httpcg -v --json-data '{\"n\":1}' httpcg://app/shop.example/orders\n"
                "httpcg put -T photo.jpg httpcg://app/shop.example/photos/1\n"
                "tar c . | httpcg -T - httpcg://app/shop.example/backup\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST,
     .options = {CL_REQUEST, CL_DATA, CL_DATA_RAW, CL_DATA_BINARY, CL_DATA_URLENCODE, CL_JSON_DATA, CL_GET, CL_HEADER, CL_USER_AGENT, CL_REFERER,
                 CL_COOKIE, CL_RANGE, CL_UPLOAD, CL_OUTPUT, CL_REMOTE_NAME, CL_OUTPUT_DIR, CL_CREATE_DIRS, CL_INCLUDE, CL_HEAD,
                 CL_DUMP_HEADER, CL_FAIL, CL_FAIL_BODY, CL_MAX_FILESIZE, CL_WRITE_OUT, CL_PROGRESS, CL_SAPI, CL_EPOCHS, CL_CRED, CL_AGENT},
     .min_words = 1, .max_words = CL_WORDS_MAX, .run = cl_run_fetch},
    {.words = "url parse", .takes = "URL...", .summary = "show a URL's canonical form, or what is wrong with it",
     .text = "What is signed, matched and forwarded is a URL's one canonical form, never the bytes that were typed.\n"
             "\n"
             "  httpcg://<plane>/<authority>/<path>?<query>\n"
             "\n"
             "The planes are app, bpi, gw, wallet and m2m. Nothing is repaired that could be understood in two ways: dot "
             "segments, empty segments, encoded slashes and control characters are refused, with their place.",
     .example = "httpcg url parse 'HTTPCG://App/Shop.Example/a%2db?x=1'\n",
     .min_words = 1, .max_words = CL_WORDS_MAX, .run = cl_run_url_parse},
    {.words = "resolve", .takes = "NAME|URL", .summary = "look a name up, with every check of its record",
     .text = "Asks the registries of the trust file in their order and believes only what proves itself: owner's and registry's "
             "signatures, the ledger's proof that this record is the current one, and that nobody takes the name back to an older "
             "one than was seen here before. That there is no such name has to be proved as well (exit code 110).",
     .example = "httpcg resolve app/shop.example\nhttpcg resolve --json httpcg://app/shop.example/ | jq .gateways\n",
     .groups = CL_WITH_TRUST, .min_words = 1, .max_words = 1, .run = cl_run_resolve},
    {.words = "wallet new", .takes = "", .summary = "make a wallet, or the keys of another role",
     .text = "Makes a key file, encrypted under a passphrase. A wallet (role identity) gets three files: wallet.hck with the "
             "seed S, next.hck with the seed R of its next generation, and wallet.doc, its public document. The wallet's "
             "address is a hash over S's public keys and R's, so whoever steals S cannot take the address away from "
             "whoever has R: keep next.hck apart.\n"
             "\n"
             "--role registry makes the DID of a registry in the same way, --role log the keys of a ledger (with its two "
             "lines for trust files), --role transport the online keys of a gateway; cert issue makes those by itself.\n"
             "\n"
             "Nothing is ever overwritten.",
     .example = "httpcg wallet new\nhttpcg wallet new --role log --origin ledger.example/log1 --folder keys\n",
     .groups = CL_WITH_NEW_KEY, .options = {CL_WALLET, CL_ROLE, CL_ORIGIN, CL_FOLDER}, .run = cl_run_wallet_new},
    {.words = "wallet show", .takes = "", .summary = "show a wallet's address and files",
     .text = "Reads the document and what a key file says before it is opened: nobody is asked for a passphrase. With --json the "
             "W3C view of the DID document is included.",
     .example = "httpcg wallet show\n",
     .options = {CL_WALLET}, .run = cl_run_wallet_show},
    {.words = "wallet backup", .takes = "", .summary = "print the wallet's seed, to be kept on paper",
     .text = "Prints the seed and what else it takes to make the wallet again, as lines of hexadecimal digits; with --next the next "
             "generation's seed as well, which belongs in another place. -o writes a file that nobody else may read.",
     .example = "httpcg wallet backup\nhttpcg wallet backup --next -o /media/stick/wallet.backup\n",
     .groups = CL_WITH_WALLET, .options = {CL_NEXT, CL_OUTPUT}, .run = cl_run_wallet_backup},
    {.words = "wallet restore", .takes = "[FILE]", .summary = "make a wallet's files again from a backup",
     .text = "Reads the lines that wallet backup printed, from a file or standard input. Blanks between digits do not count, and the "
             "address tells whether all digits are right.",
     .example = "httpcg wallet restore backup.txt\n",
     .groups = CL_WITH_NEW_KEY, .options = {CL_WALLET}, .max_words = 1, .run = cl_run_wallet_restore},
    {.words = "wallet passwd", .takes = "[KEY-FILE]", .summary = "change a key file's passphrase",
     .text = "Opens a key file of any role with the old passphrase and encrypts it under a new one. The file is replaced whole or not "
             "at all.",
     .example = "httpcg wallet passwd\nhttpcg wallet passwd keys/transport.hck --kdf-memory 64\n",
     .groups = CL_WITH_NEW_KEY, .options = {CL_WALLET}, .max_words = 1, .run = cl_run_wallet_passwd},
    {.words = "wallet rotate", .takes = "[NEXT-KEY-FILE]", .summary = "replace the wallet's keys by the next generation's",
     .text = "The seed in next.hck (or the file named) becomes the wallet's, a new next seed takes its place, and the ledger is told, "
             "signed by the next keys: whoever has only the present ones cannot do it. The DID stays the same. For this, wallet.hck "
             "need not be there: it may be lost, or stolen.\n"
             "\n"
             "Files change only once the ledger has logged it. Where the command is interrupted, at whatever moment, the same command again "
             "goes on; where the ledger refuses, nothing was changed.\n"
             "\n"
             "What the former keys have signed counts no more: certificates are to be issued anew, and names published anew.",
     .example = "httpcg wallet rotate\nhttpcg wallet rotate /media/stick/next.hck\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST | CL_WITH_LEDGER | CL_WITH_NEW_KEY, .max_words = 1, .run = cl_run_wallet_rotate},
    {.words = "cert issue", .takes = "", .summary = "issue a gateway's TLSLS certificate",
     .text = "Makes fresh transport keys (transport.hck), a self-signed TLS certificate unless --tls-certificate names one (tls.pem, "
             "tls.key), and the certificate by which the wallet's DID says that they speak for it (gateway.tlsls). With --submit "
             "it is logged at once; a gateway serves only what is logged.\n"
             "\n"
             "All files are made, or none: where anything fails, or Ctrl-C comes, what was made is removed. Nothing is ever "
             "overwritten: where one of the files is there already the command refuses, and a renewal goes into another folder.",
     .example = "httpcg policy sign --role gateway -o gateway.policy\n"
                "httpcg cert issue --name gw1.example.com --policy gateway.policy \\\n"
                "  --folder keys --submit\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST | CL_WITH_LEDGER | CL_WITH_NEW_KEY,
     .options = {CL_NAME, CL_DAYS, CL_POLICY, CL_FOLDER, CL_TLS_CERT, CL_SUBMIT}, .run = cl_run_cert_issue},
    {.words = "cert show", .takes = "FILE", .summary = "show what a TLSLS certificate says",
     .text = "Reads it and verifies nothing; cert verify does.",
     .example = "httpcg cert show gateway.tlsls\n", .min_words = 1, .max_words = 1, .run = cl_run_cert_show},
    {.words = "cert verify", .takes = "FILE", .summary = "verify a TLSLS certificate against the ledger",
     .text = "Every check that a client makes, but for those that need a connection: times, the DID's keys, both signatures, the "
             "anchor, and that the ledger has it, unrevoked, under the DID's newest keys.",
     .example = "httpcg cert verify gateway.tlsls\n", .groups = CL_WITH_TRUST | CL_WITH_LEDGER,
     .min_words = 1, .max_words = 1, .run = cl_run_cert_verify},
    {.words = "cert revoke", .takes = "FILE", .summary = "revoke a TLSLS certificate of this wallet",
     .text = "Logs that a certificate is not to be believed any more, for good. Gateways that serve it stop within half a minute; clients "
             "learn it with the next proof that they are shown, and refuse older proofs after max-checkpoint-age.\n"
             "\n"
             "Instead of FILE, --fingerprint names it. --next signs with the next generation's keys (next.hck), for a wallet whose present "
             "ones were stolen.",
     .example = "httpcg cert revoke keys/gateway.tlsls\nhttpcg cert revoke --fingerprint 4ad0...\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST | CL_WITH_LEDGER, .options = {CL_FINGERPRINT, CL_NEXT}, .max_words = 1,
     .run = cl_run_cert_revoke},
    {.words = "policy sign", .takes = "[FILE]", .summary = "sign a policy written as JSON",
     .text = "Checks the policy and signs it with the wallet, its owner. Without FILE the default of a kind is signed: --role gateway "
             "(what a gateway promises), or --role rbac (a profile under which any wallet may ask, signing with a grant).",
     .example = "httpcg policy sign --role gateway -o gateway.policy\nhttpcg policy sign profile.json -o profile.policy\n",
     .groups = CL_WITH_WALLET, .options = {CL_ROLE, CL_NAME, CL_OUTPUT}, .max_words = 1, .run = cl_run_policy_sign},
    {.words = "policy show", .takes = "FILE", .summary = "show a signed policy's name, owner and hash",
     .text = "Reads it and verifies no signature: whose keys are the newest, only the ledger tells.",
     .example = "httpcg policy show gateway.policy\n", .min_words = 1, .max_words = 1, .run = cl_run_policy_show},
    {.words = "policy publish", .takes = "[FILE]", .summary = "sign a policy and log it, which puts it in force",
     .text = "As policy sign, and then submits it: from the ledger's next head on, names that have this profile are decided by it. "
             "Its version must be higher than that of the one in force.",
     .example = "httpcg policy publish profile.json\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST | CL_WITH_LEDGER, .options = {CL_ROLE, CL_NAME}, .max_words = 1,
     .run = cl_run_policy_publish},
    {.words = "role grant", .takes = "ROLE WALLET", .summary = "sign a credential that gives a wallet a role",
     .text = "The wallet that signs is the owner of the profile; the role must be declared in it, its list of wallets may be empty. "
             "Whoever has the other wallet shows the credential with --cred: nothing has to be published, and nobody but the "
             "gateways it is shown to learns of it. It ends with its days, or with all others of this owner when that wallet is rotated.",
     .example = "httpcg role grant staff vcxb5ih4... --days 30 -o staff.role\n"
                "httpcg --cred staff.role httpcg://app/shop.example/admin/\n",
     .groups = CL_WITH_WALLET, .options = {CL_PROFILE, CL_DAYS, CL_OUTPUT}, .min_words = 2, .max_words = 2, .run = cl_run_role_grant},
    {.words = "role show", .takes = "FILE", .summary = "show what a role credential says",
     .text = "Reads it and verifies no signature: whose keys are the newest, only the ledger tells.",
     .example = "httpcg role show staff.role\n", .min_words = 1, .max_words = 1, .run = cl_run_role_show},
    {.words = "trust make", .takes = "", .summary = "make a trust file",
     .text = "The trust file says which ledger and registries are believed, and how many witnesses are asked for. It is the only thing "
             "that a client or gateway must be told out of band: hand it on with care.",
     .example = "httpcg trust make --log keys/log.vkey -o trust.conf \\\n"
                "  --trust-registry did:bpi:...=https://registry.example\n",
     .options = {CL_LOG, CL_TRUST_REGISTRY, CL_PIN, CL_QUORUM, CL_OUTPUT}, .run = cl_run_trust_make},
    {.words = "trust show", .takes = "[FILE]", .summary = "check a trust file and show whom it believes",
     .text = "Says where and why a file is refused; an unknown line is an error.",
     .example = "httpcg trust show\n", .options = {CL_TRUST}, .max_words = 1, .run = cl_run_trust_show},
    {.words = "publish", .takes = "PLANE/AUTHORITY [BACKEND]", .summary = "publish a name for a service",
     .text = "Logs a profile if the name's has none yet, puts the backend's private address into the gateway's configuration through its "
             "admin socket, and registers a record by which the wallet, the name's owner, lets the gateway serve it. Nothing "
             "about the backend becomes public: the record's target is the name itself.\n"
             "\n"
             "The gateway signs what it tells the backend about the caller (RFC 9421) with a secret of the two, which is never shown: "
             "it is read from --secret-file, or from a file of the name's in the home folder, and made there where there is none.\n"
             "\n"
             "All of it is done, or nothing: where the registry refuses, cannot be reached, or the command is interrupted, the "
             "gateway has the route again that it had before, or none, and a secret that was made is removed. What was logged stays, "
             "and harms nobody. The same command again is always safe: it renews the record, which lives for 30 days.",
     .example = "httpcg publish app/shop.example http://127.0.0.1:3000 \\\n"
                "  --gateway gw1.example.com:443 --secret-file backend.secret\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST | CL_WITH_LEDGER,
     .options = {CL_GATEWAY, CL_GATEWAY_DID, CL_PROFILE, CL_TTL, CL_PROOF, CL_SECRET_FILE, CL_KEY_ID, CL_ADMIN},
     .min_words = 1, .max_words = 2, .run = cl_run_publish},
    {.words = "unpublish", .takes = "PLANE/AUTHORITY", .summary = "take a name back",
     .text = "Registers a tombstone, which the ledger keeps: clients are shown that the name is gone. Then the gateway's route is "
             "removed. Where the first fails nothing is changed; where the second fails it is said, and the same command again "
             "finishes it. Where no gateway runs (no socket at the usual place, and none named) there is no route to remove.",
     .example = "httpcg unpublish app/shop.example\n", .groups = CL_WITH_WALLET | CL_WITH_TRUST | CL_WITH_LEDGER,
     .options = {CL_PROFILE, CL_PROOF, CL_ADMIN}, .min_words = 1, .max_words = 1, .run = cl_run_unpublish},
    {.words = "ledger verify", .takes = "", .summary = "verify the ledger's head, and that its log only ever grew",
     .text = "Verifies the newest checkpoint, and a proof for every head that this client has been shown before that the log of now "
             "continues it: a ledger that showed two histories is found out (exit codes 117 and 118). --name, --did and "
             "--fingerprint also verify what it says of a name, a DID or a certificate.",
     .example = "httpcg ledger verify\nhttpcg ledger verify --name app/shop.example\n",
     .groups = CL_WITH_TRUST | CL_WITH_LEDGER, .options = {CL_NAME, CL_DID, CL_FINGERPRINT}, .run = cl_run_ledger_verify},
    {.words = "ledger submit", .takes = "FILE", .summary = "submit an object to the ledger",
     .text = "A wallet's document, a DID operation, a certificate, a revocation or a policy, as the other commands write them. What is "
             "logged already is fine.",
     .example = "httpcg ledger submit wallet.doc\n", .groups = CL_WITH_TRUST | CL_WITH_LEDGER,
     .min_words = 1, .max_words = 1, .run = cl_run_ledger_submit},
    {.words = "agent", .takes = "", .summary = "keep a wallet open, and its connections verified",
     .text = "Runs until it is stopped. Other calls of httpcg find its socket by themselves (agent.sock in the home folder, $HTTPCG_AGENT or "
             "--agent) and have it do their fetches: nobody is asked for a passphrase again, and on a connection that was verified "
             "before a call costs one request. The seed stays in a locked page, and never leaves the agent; only processes of the "
             "same user may connect, and whoever may can act as its wallet.\n"
             "\n"
             "Where the wallet's files change (another wallet, another passphrase), the agent signs nothing more, and ends; calls go "
             "on by themselves, with the files as they are. A socket that an agent left behind when it was killed is taken over.",
     .example = "httpcg agent &\nhttpcg httpcg://app/shop.example/orders\n",
     .groups = CL_WITH_WALLET | CL_WITH_TRUST, .options = {CL_CRED, CL_AGENT}, .run = cl_run_agent},
    {.words = "doctor", .takes = "[NAME|URL...]", .summary = "find out what is wrong here, and what to do about it",
     .text = "Looks at the clock, the home folder, the wallet's files, the trust file, and whether registry and ledger can be reached and "
             "prove what they say; for each name given also at its gateway's certificate and clock. Whatever is wrong comes with what "
             "to do about it. Nobody is asked for a passphrase, and no "
             "wallet is shown to anybody. Ends with 123 where something is wrong.",
     .example = "httpcg doctor\nhttpcg doctor app/shop.example\n",
     .groups = CL_WITH_TRUST | CL_WITH_LEDGER, .options = {CL_WALLET}, .max_words = CL_WORDS_MAX, .run = cl_run_doctor},
};
/* clang-format on */
const size_t cl_n_commands = sizeof cl_commands / sizeof cl_commands[0];

static const enum cl_id common[] = {CL_HELP,    CL_VERSION, CL_MANUAL,     CL_COMPLETION,
                                    CL_VERBOSE, CL_SILENT,  CL_SHOW_ERROR, CL_JSON,
                                    CL_STDERR,  CL_CONFIG,  CL_DISABLE,    CL_HOME};
static const enum cl_id with_wallet[] = {CL_WALLET, CL_PASS_FILE, CL_PASS_FD};
static const enum cl_id with_new_key[] = {CL_PASS_FILE, CL_PASS_FD, CL_NEW_PASS_FILE,
                                          CL_NEW_PASS_FD, CL_KDF_MEMORY};
static const enum cl_id with_trust[] = {CL_TRUST, CL_CACERT, CL_MAX_TIME, CL_CONNECT_TIMEOUT,
                                        CL_CONNECT_TO};
static const enum cl_id with_ledger[] = {CL_REGISTRY, CL_LEDGER};

/* How many of the words are "wallet new" and its like. */
static size_t count_words(const char *text)
{
    size_t n = 1;

    for (; *text; text++)
        n += *text == ' ';
    return n;
}

static bool begins(const struct cl_command *command, const char *const *words, size_t n_words)
{
    struct cg_span left = cg_span_str(command->words);

    for (size_t i = 0; left.len > 0; i++) {
        size_t end = cg_span_find(left, ' ');

        if (i == n_words || !cg_span_is(cg_span_first(left, end), words[i]))
            return false;
        left = cg_span_from(left, end + 1);
    }
    return true;
}

const struct cl_command *cl_command_find(const char *const *words, size_t n_words, size_t *out_own)
{
    const struct cl_command *found = NULL;
    size_t own = 0;

    for (size_t i = 0; i < cl_n_commands; i++) {
        size_t n = count_words(cl_commands[i].words);

        if (n > own && begins(&cl_commands[i], words, n_words)) {
            found = &cl_commands[i];
            own = n;
        }
    }
    *out_own = own;
    return found;
}

static bool is_in(const enum cl_id *list, size_t n, enum cl_id id)
{
    for (size_t i = 0; i < n && list[i] != CL_NO_OPTION; i++)
        if (list[i] == id)
            return true;
    return false;
}

#define IS_IN(list, id) is_in(list, sizeof(list) / sizeof((list)[0]), id)

bool cl_command_takes(const struct cl_command *command, enum cl_id id)
{
    unsigned groups = command->groups;

    return IS_IN(command->options, id) || IS_IN(common, id) ||
           ((groups & CL_WITH_WALLET) && IS_IN(with_wallet, id)) ||
           ((groups & CL_WITH_NEW_KEY) && IS_IN(with_new_key, id)) ||
           ((groups & CL_WITH_TRUST) && IS_IN(with_trust, id)) ||
           ((groups & CL_WITH_LEDGER) && IS_IN(with_ledger, id));
}

bool cl_command_bears(const struct cl_command *command, enum cl_id id)
{
    return cl_command_takes(command, id) || IS_IN(with_wallet, id) || IS_IN(with_trust, id);
}

bool cl_option_is_common(enum cl_id id)
{
    return IS_IN(common, id);
}
