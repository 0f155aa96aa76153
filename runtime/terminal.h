/* terminal.h: what only a terminal can give: a passphrase that nobody sees being typed. */
#ifndef CG_RUNTIME_TERMINAL_H
#define CG_RUNTIME_TERMINAL_H
#include "lib/base/buf.h"

/* cg_terminal_secret asks on the controlling terminal, whatever standard input is, with the echo
 * off.  Appends the line without its end.
 * Errors  CG_NOT_FOUND (there is no terminal), CG_CANCELLED (Ctrl-C, Ctrl-D on an empty line),
 *         CG_TOO_LARGE, CG_IO. */
CG_MUST_USE cg_err cg_terminal_secret(const char *prompt, struct cg_buf *out);
/* cg_terminal_is tells whether a descriptor is a terminal. */
bool cg_terminal_is(int fd);
/* cg_terminal_columns tells how wide it is; 80 where it does not say. */
unsigned cg_terminal_columns(int fd);

#endif
