/* wallet_keep.c: httpcg wallet show, backup, restore and passwd. */
#include "client/bundle.h"
#include "client/wallet.h"

#include "lib/base/hex.h"
#include "lib/base/secret.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/identity/diddoc.h"
#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/terminal.h"

#include <unistd.h>

/* --- show ------------------------------------------------------------------------------------- */

static json_t *did_document(const struct cg_did_state *state)
{
    char text[8192];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);

    cg_diddoc_write(state, &w);
    return cg_writer_end(&w) == CG_OK ? json_loadb(text, w.len, 0, NULL) : NULL;
}

int cl_run_wallet_show(struct cl_run *run)
{
    char key[CL_PATH_MAX_BYTES], doc_path[CL_PATH_MAX_BYTES], did[CG_DID_CHARS + 1];
    struct cg_did_state state;
    struct cg_buf doc = {0}, bytes = {0};
    struct cg_keyfile file;
    int code = cl_run_open(run);

    if (code == 0)
        code = cl_wallet_paths(run, key, doc_path);
    if (code == 0)
        code = cl_wallet_doc(run, &state, &doc);
    if (code != 0)
        return code;
    cg_did_write(&state.waddr, did);
    cl_say(run->show, "did      %s", did);
    cl_add_text(run->show, "did", did);
    cl_add_text(run->show, "wallet_address", state.waddr.text);
    cl_add(run->show, "operations", json_integer((json_int_t)state.seq));
    cl_add(run->show, "deactivated", json_boolean(state.is_deactivated));
    cl_say(run->show, "document %s (%zu bytes, %llu operations%s)", doc_path, doc.len,
           (unsigned long long)state.seq, state.is_deactivated ? ", deactivated" : "");
    /* The key file may be elsewhere: a document alone is worth a look, too. */
    if (cg_file_read(key, CG_KEYFILE_MAX_BYTES, &bytes) == CG_OK &&
        cg_keyfile_read(cg_buf_span(&bytes), &file) == CG_OK) {
        cl_say(run->show, "key      %s (%.*s, Argon2id with %u MiB)", key, (int)file.role.len,
               (const char *)file.role.at, file.cost.m_kib / 1024);
        cl_add_text(run->show, "key", key);
        cl_add(run->show, "role", json_stringn((const char *)file.role.at, file.role.len));
    } else {
        cl_say(run->show, "key      not here (%s)", key);
    }
    cl_add(run->show, "did_document", did_document(&state));
    cg_buf_done(&bytes);
    cg_buf_done(&doc);
    return 0;
}

/* --- backup -----------------------------------------------------------------------------------
 *
 *   httpcg-wallet-backup 1
 *   address <WADDR>
 *   seed <64 hex digits>
 *   next-commitment <64 hex digits>
 *   next-seed <64 hex digits>          with --next
 *
 * The address is a hash of the other lines' meaning, so a slip of the pen is noticed. */

#define BACKUP_MAX_BYTES 4096

static void put_line(struct cg_writer *w, const char *name, struct cg_span bytes)
{
    cg_put_str(w, name);
    cg_put_str(w, " ");
    cg_put_hex(w, bytes);
    cg_put_str(w, "\n");
}

static int put_next(struct cl_run *run, const char *key_path, const struct cg_did_state *state,
                    struct cg_writer *w)
{
    char path[CL_PATH_MAX_BYTES];
    struct cg_hash commitment;
    struct cl_key next = {0};
    int code = cl_wallet_next_path(run, key_path, path);

    if (code == 0)
        code = cl_key_open(run, path, NULL, &next);
    if (code != 0)
        return code;
    cg_err err = cg_wallet_next(run->app.crypto, cg_locked_get(next.seed), &commitment);
    if (err == CG_OK && !cg_hash_eq(&commitment, &state->next))
        code = cl_fail(run->show, CL_EXIT_KEY, CG_OK, NULL,
                       "%s is not the seed that this wallet commits to", path);
    else if (err != CG_OK)
        code = cl_fail(run->show, CL_EXIT_KEY, err, NULL, "cannot use %s", path);
    else
        put_line(w, "next-seed", cg_span_of(cg_locked_get(next.seed)->bytes, 32));
    cl_key_done(&next);
    return code;
}

static int write_backup(struct cl_run *run, struct cg_span text)
{
    const char *path = cl_text(run->args, CL_OUTPUT);

    if (path && strcmp(path, "-") != 0)
        return cl_write_new(run, path, text);
    if (fwrite(text.at, 1, text.len, run->show->out) != text.len || fflush(run->show->out) != 0)
        return cl_fail(run->show, CL_EXIT_WRITE, CG_IO, NULL, "standard output");
    if (cg_terminal_is(STDOUT_FILENO))
        cl_show_warn(run->show, "whoever reads this is you: copy it to paper and clear the screen");
    return 0;
}

int cl_run_wallet_backup(struct cl_run *run)
{
    char key_path[CL_PATH_MAX_BYTES], doc_path[CL_PATH_MAX_BYTES];
    uint8_t text[BACKUP_MAX_BYTES];
    struct cg_writer w = cg_writer_fixed(text, sizeof text);
    struct cg_did_state state;
    struct cg_buf doc = {0};
    int code = cl_run_open(run);

    if (code == 0 && run->show->is_json)
        code =
            cl_fail(run->show, CL_EXIT_USAGE, CG_OK, NULL, "a backup has one form, which is text");
    if (code == 0)
        code = cl_wallet_paths(run, key_path, doc_path);
    if (code == 0)
        code = cl_wallet_doc(run, &state, &doc);
    cg_buf_done(&doc);
    if (code == 0 && state.seq > 0)
        code = cl_fail(run->show, CL_EXIT_KEY, CG_OK,
                       "keep its key file and its document, and the next seed apart",
                       "a wallet that was rotated cannot be kept as two lines");
    if (code == 0)
        code = cl_wallet_open(run);
    if (code != 0)
        return code;
    cg_put_str(&w, "httpcg-wallet-backup 1\naddress ");
    cg_put_str(&w, state.waddr.text);
    cg_put_str(&w, "\n");
    put_line(&w, "seed", cg_span_of(cg_locked_get(run->app.wallet.seed)->bytes, 32));
    put_line(&w, "next-commitment", cg_hash_span(&state.next));
    if (cl_is_on(run->args, CL_NEXT))
        code = put_next(run, key_path, &state, &w);
    if (code == 0)
        code = write_backup(run, cg_writer_span(&w));
    cg_wipe(text, sizeof text);
    return code;
}

/* --- restore ---------------------------------------------------------------------------------- */

struct backup {
    struct cg_waddr address;
    struct cg_secret seed, next_seed;
    struct cg_hash next;
    bool has_address, has_seed, has_next, has_next_seed;
};

/* The value of a line, its blanks (people group digits) left out. */
static size_t squeeze(struct cg_span in, char *out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < in.len && n < room; i++)
        if (in.at[i] != ' ' && in.at[i] != '\t' && in.at[i] != '\r')
            out[n++] = (char)in.at[i];
    return n;
}

static cg_err read_line(struct cg_span line, struct backup *out)
{
    size_t blank = cg_span_find(line, ' ');
    struct cg_span name = cg_span_first(line, blank);
    char value[256];
    struct cg_span text = cg_span_of(value, squeeze(cg_span_from(line, blank), value, 256));
    cg_err err = CG_SYNTAX;

    if (line.len == 0 || line.at[0] == '#' || cg_span_is(name, "httpcg-wallet-backup"))
        return CG_OK;
    if (cg_span_is(name, "address") && !out->has_address) {
        out->has_address = true;
        err = cg_waddr_read(text, &out->address);
    } else if (cg_span_is(name, "seed") && !out->has_seed) {
        out->has_seed = true;
        err = cg_hex_read(text, out->seed.bytes, 32);
    } else if (cg_span_is(name, "next-commitment") && !out->has_next) {
        out->has_next = true;
        err = cg_hex_read(text, out->next.bytes, 32);
    } else if (cg_span_is(name, "next-seed") && !out->has_next_seed) {
        out->has_next_seed = true;
        err = cg_hex_read(text, out->next_seed.bytes, 32);
    }
    cg_wipe(value, sizeof value);
    return err;
}

static int read_backup(struct cl_run *run, struct cg_span text, struct backup *out)
{
    unsigned line_number = 0;

    while (text.len > 0) {
        struct cg_span line = cg_span_first(text, cg_span_find(text, '\n'));

        text = cg_span_from(text, line.len + 1);
        line_number++;
        while (line.len > 0 && (line.at[line.len - 1] == '\r' || line.at[line.len - 1] == ' '))
            line.len--;
        cg_err err = read_line(line, out);
        if (err != CG_OK)
            return cl_fail(run->show, CL_EXIT_READ, err,
                           "digits are 0-9 and a-f, 64 of them; each line may stand once",
                           "line %u of the backup", line_number);
    }
    if (!out->has_address || !out->has_seed || !out->has_next)
        return cl_fail(run->show, CL_EXIT_READ, CG_OK, NULL, "the backup has no line \"%s\"",
                       !out->has_address ? "address"
                       : !out->has_seed  ? "seed"
                                         : "next-commitment");
    return 0;
}

static cg_err rebuild(struct cl_run *run, const struct backup *backup, struct cl_key *key,
                      struct cl_key *next, uint8_t doc_bytes[CG_WALLET_DOC_BYTES])
{
    struct cg_wallet_doc doc;
    struct cg_waddr waddr;
    struct cg_signer *signer;
    struct cg_hash commitment;

    snprintf(key->role, sizeof key->role, "identity");
    memcpy(key->hint, backup->address.text, sizeof backup->address.text);
    key->created = cg_clock_wall();
    *next = *key;
    CG_TRY(cg_locked_new(&backup->seed, &key->seed));
    CG_TRY(cg_locked_new(&backup->next_seed, &next->seed));
    CG_TRY(cg_key_heap_signer(run->app.crypto, &backup->seed, &signer));
    cg_wallet_doc_make(signer, &backup->next, &doc);
    cg_signer_free(signer);
    cg_wallet_doc_write(&doc, doc_bytes);
    CG_TRY(cg_wallet_doc_address(&doc, &waddr));
    if (!cg_waddr_eq(&waddr, &backup->address))
        return CG_MISMATCH;
    if (!backup->has_next_seed)
        return CG_OK;
    CG_TRY(cg_wallet_next(run->app.crypto, &backup->next_seed, &commitment));
    return cg_hash_eq(&commitment, &backup->next) ? CG_OK : CG_MISMATCH;
}

static int restore(struct cl_run *run, const struct backup *backup)
{
    char key_path[CL_PATH_MAX_BYTES], doc_path[CL_PATH_MAX_BYTES], next[CL_PATH_MAX_BYTES];
    uint8_t doc[CG_WALLET_DOC_BYTES];
    struct cl_key key = {0}, next_key = {0};
    struct cl_bundle bundle;
    struct cg_buf pass = {0};
    int code = cl_wallet_paths(run, key_path, doc_path);

    cl_bundle_init(&bundle, run);
    if (code == 0)
        code = cl_wallet_next_path(run, key_path, next);
    if (code == 0)
        code = cl_bundle_plan(&bundle, key_path);
    if (code == 0)
        code = cl_bundle_plan(&bundle, doc_path);
    if (code == 0 && backup->has_next_seed)
        code = cl_bundle_plan(&bundle, next);
    if (code != 0)
        return code;
    cg_err err = rebuild(run, backup, &key, &next_key, doc);
    if (err != CG_OK)
        code = cl_fail(run->show, CL_EXIT_KEY, err, "a digit is wrong, or lines of two wallets met",
                       "the seeds do not give the address %s", backup->address.text);
    if (code == 0)
        code = cl_pass_get(run, CL_PASS_NEW, key_path, &pass);
    if (code == 0)
        code = cl_bundle_begin(&bundle, cl_text(run->args, CL_WALLET) ? NULL : run->app.folder);
    if (code == 0 && backup->has_next_seed)
        code = cl_bundle_write_key(&bundle, next, &next_key, cg_buf_span(&pass));
    if (code == 0)
        code = cl_bundle_write_key(&bundle, key_path, &key, cg_buf_span(&pass));
    if (code == 0)
        code = cl_bundle_write(&bundle, doc_path, CG_BYTES(doc));
    cl_bundle_end(&bundle, code == 0);
    if (code == 0) {
        cl_say(run->show, "restored did:bpi:%s to %s%s", backup->address.text, key_path,
               backup->has_next_seed ? " and the next seed beside it" : "");
        cl_add_text(run->show, "wallet_address", backup->address.text);
    }
    cg_buf_wipe(&pass);
    cl_key_done(&key);
    cl_key_done(&next_key);
    return code;
}

int cl_run_wallet_restore(struct cl_run *run)
{
    struct backup backup = {0};
    struct cg_buf text = {0};
    int code = cl_run_open(run);

    if (code == 0)
        code = cl_read(run, run->n_words > 0 ? run->words[0] : "-", BACKUP_MAX_BYTES, &text);
    if (code == 0)
        code = read_backup(run, cg_buf_span(&text), &backup);
    cg_buf_wipe(&text);
    if (code == 0)
        code = restore(run, &backup);
    cg_wipe(&backup, sizeof backup);
    return code;
}

/* --- passwd ----------------------------------------------------------------------------------- */

int cl_run_wallet_passwd(struct cl_run *run)
{
    char path[CL_PATH_MAX_BYTES], doc[CL_PATH_MAX_BYTES];
    struct cl_key key = {0};
    struct cg_buf pass = {0};
    int code = cl_run_open(run);

    if (code == 0 && run->n_words > 0) {
        int n = snprintf(path, sizeof path, "%s", run->words[0]);

        if (n < 0 || n >= (int)sizeof path)
            code = cl_fail(run->show, CL_EXIT_USAGE, CG_TOO_LARGE, NULL, "the path");
    } else if (code == 0) {
        code = cl_wallet_paths(run, path, doc);
    }
    if (code == 0)
        code = cl_key_open(run, path, NULL, &key);
    if (code == 0)
        code = cl_pass_get(run, CL_PASS_NEW, path, &pass);
    if (code == 0)
        code = cl_key_write(run, path, &key, cg_buf_span(&pass), true);
    if (code == 0) {
        cl_say(run->show, "%s has its new passphrase", path);
        cl_add_text(run->show, "key", path);
    }
    cg_buf_wipe(&pass);
    cl_key_done(&key);
    return code;
}
