#include "runtime/terminal.h"

#include "lib/base/secret.h"
#include "lib/base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static cg_err write_text(int fd, const char *text)
{
    struct cg_span left = cg_span_str(text);

    while (left.len > 0) {
        ssize_t n = write(fd, left.at, left.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return CG_IO;
        left = cg_span_from(left, (size_t)n);
    }
    return CG_OK;
}

static cg_err read_line(int fd, struct cg_buf *out)
{
    uint8_t line[LINE_MAX_BYTES];
    size_t len = 0;
    cg_err err = CG_OK;

    for (;;) {
        ssize_t n = read(fd, line + len, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = CG_IO;
        else if (n == 0)
            err = len == 0 ? CG_CANCELLED : CG_OK;
        if (n <= 0 || line[len] == '\n')
            break;
        /* Signals are off, so that none can leave the terminal without echo: Ctrl-C is a letter. */
        if (line[len] == 0x03 || line[len] == 0x1c) {
            err = CG_CANCELLED;
            break;
        }
        if (++len == sizeof line) {
            err = CG_TOO_LARGE;
            break;
        }
    }
    if (err == CG_OK)
        err = cg_buf_add(out, cg_span_of(line, len));
    cg_wipe(line, sizeof line);
    return err;
}

cg_err cg_terminal_secret(const char *prompt, struct cg_buf *out)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before, quiet;

    if (fd < 0)
        return CG_NOT_FOUND;
    if (tcgetattr(fd, &before) != 0) {
        close(fd);
        return CG_NOT_FOUND;
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    quiet.c_lflag |= ICANON | ECHONL;
    cg_err err = tcsetattr(fd, TCSAFLUSH, &quiet) == 0 ? write_text(fd, prompt) : CG_IO;
    if (err == CG_OK)
        err = read_line(fd, out);
    if (tcsetattr(fd, TCSAFLUSH, &before) != 0 && err == CG_OK)
        err = CG_IO;
    close(fd);
    return err;
}

bool cg_terminal_is(int fd)
{
    return isatty(fd) == 1;
}

unsigned cg_terminal_columns(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
