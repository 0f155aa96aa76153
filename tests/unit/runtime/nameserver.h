/* nameserver.h: a DNS server on loopback that knows three names, on a thread of its own. */
#ifndef CG_TESTS_RUNTIME_NAMESERVER_H
#define CG_TESTS_RUNTIME_NAMESERVER_H
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct nameserver {
    int fd;
    pthread_t thread;
    char at[32]; /* for cg_resolver_options.servers */
    atomic_int n_questions;
    uint32_t ttl_s;
};

/* good.test: 127.0.0.1; mixed.test: 127.0.0.1 and 10.0.0.1; deaf.test: 127.0.0.2 and 127.0.0.1;
 * mute.test: no answer at all; everything else: no such name. */
static inline size_t answer_question(struct nameserver *ns, uint8_t *m, size_t len, size_t room)
{
    char name[256];
    size_t at = 12, n = 0, end;
    uint8_t ips[2][4] = {{127, 0, 0, 1}, {10, 0, 0, 1}};
    int n_ips = 0;

    while (at < len && m[at] != 0 && n + m[at] + 1 < sizeof name) {
        memcpy(name + n, m + at + 1, m[at]);
        n += m[at];
        name[n++] = '.';
        at += (size_t)m[at] + 1;
    }
    name[n > 0 ? n - 1 : 0] = 0;
    end = at + 5;
    if (end > len)
        return 0;
    if (strcmp(name, "mute.test") == 0)
        return 0;
    if (strcmp(name, "good.test") == 0)
        n_ips = 1;
    if (strcmp(name, "mixed.test") == 0)
        n_ips = 2;
    if (strcmp(name, "deaf.test") == 0) {
        n_ips = 2;
        memcpy(ips[0], (uint8_t[]){127, 0, 0, 2}, 4);
        memcpy(ips[1], (uint8_t[]){127, 0, 0, 1}, 4);
    }
    m[2] = 0x85;
    m[3] = n_ips ? 0x80 : 0x83;
    if (m[at + 2] != 1) /* AAAA: the name is there, without any */
        n_ips = 0;
    m[6] = m[8] = m[9] = m[10] = m[11] = 0;
    m[7] = (uint8_t)n_ips;
    for (int i = 0; i < n_ips && end + 16 <= room; i++) {
        uint8_t rr[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4};

        rr[8] = (uint8_t)(ns->ttl_s >> 8);
        rr[9] = (uint8_t)ns->ttl_s;
        memcpy(m + end, rr, 12);
        memcpy(m + end + 12, ips[i], 4);
        end += 16;
    }
    return end;
}

static inline void *serve_names(void *arg)
{
    struct nameserver *ns = arg;

    for (;;) {
        uint8_t m[512];
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(ns->fd, m, sizeof m, 0, (struct sockaddr *)&from, &from_len);
        size_t out;

        if (n == 1) /* the test's own word to end */
            return NULL;
        if (n < 17)
            continue;
        atomic_fetch_add(&ns->n_questions, 1);
        out = answer_question(ns, m, (size_t)n, sizeof m);
        if (out > 0)
            sendto(ns->fd, m, out, 0, (struct sockaddr *)&from, from_len);
    }
}

static inline void nameserver_start(struct nameserver *ns, uint32_t ttl_s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;

    ns->ttl_s = ttl_s;
    atomic_init(&ns->n_questions, 0);
    ns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(bind(ns->fd, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(getsockname(ns->fd, (struct sockaddr *)&at, &len) == 0);
    snprintf(ns->at, sizeof ns->at, "127.0.0.1:%u", ntohs(at.sin_port));
    CHECK(pthread_create(&ns->thread, NULL, serve_names, ns) == 0);
}

static inline void nameserver_stop(struct nameserver *ns)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;

    CHECK(getsockname(ns->fd, (struct sockaddr *)&at, &len) == 0);
    CHECK(sendto(ns->fd, "", 1, 0, (struct sockaddr *)&at, sizeof at) == 1);
    pthread_join(ns->thread, NULL);
    close(ns->fd);
}

#endif
