#include "runtime/daemon.h"

#include "lib/base/span.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

cg_err cg_notify_send(const char *path, const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct cg_span name = cg_span_str(path);
    socklen_t len;
    ssize_t n;
    int fd;

    if (name.len == 0)
        return CG_OK;
    if ((name.at[0] != '/' && name.at[0] != '@') || name.len >= sizeof to.sun_path)
        return CG_UNSUPPORTED;
    memcpy(to.sun_path, name.at, name.len);
    if (name.at[0] == '@')
        to.sun_path[0] = '\0'; /* an abstract name: its length is part of it, and has no NUL */
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len + (name.at[0] == '/'));

    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return CG_IO;
    n = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, len);
    close(fd);
    return n == (ssize_t)strlen(state) ? CG_OK : CG_IO;
}
