#include "runtime/resolve.h"

#include "lib/base/span.h"
#include "runtime/loop_inner.h"
#include "runtime/socket.h"

#include <ares.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 256
#define N_KEPT_MAX 1024 /* answers kept; a stranger who makes us resolve cannot fill memory */

/* One name: a question under way, or an answer that is kept. */
struct name {
    struct name *next;          /* in its bucket */
    struct name *older, *newer; /* of the kept ones */
    struct cg_resolver *resolver;
    struct cg_name_wait waits; /* list head */
    struct cg_mono expires;
    bool is_asked; /* a question is under way */
    size_t n;
    struct cg_address at[CG_DIAL_MAX_ADDRESSES];
    char text[CG_NAME_MAX_BYTES + 1];
};

/* A socket of c-ares's. */
struct watch {
    struct watch *next;
    struct cg_resolver *resolver;
    uv_poll_t poll;
    ares_socket_t fd;
};

struct cg_resolver {
    struct cg_loop *loop;
    ares_channel channel;
    struct watch *watches;
    struct cg_timer timer; /* c-ares's own time-outs */
    uint32_t ttl_max_s;
    struct name *buckets[N_BUCKETS];
    struct name kept; /* list head: .newer is the oldest, .older the newest */
    size_t n_kept;
};

struct cg_loop *cg_resolver_loop(struct cg_resolver *resolver)
{
    return resolver->loop;
}

/* --- c-ares and the loop --- */

static void set_timer(struct cg_resolver *resolver)
{
    struct timeval tv, *next = ares_timeout(resolver->channel, NULL, &tv);
    struct cg_mono due = CG_NEVER;

    if (next)
        due = cg_mono_after(cg_loop_mono(resolver->loop),
                            (int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
    cg_loop_set(resolver->loop, &resolver->timer, due);
}

static void on_timer(struct cg_timer *timer)
{
    struct cg_resolver *resolver =
        (struct cg_resolver *)((char *)timer - offsetof(struct cg_resolver, timer));

    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct cg_resolver *resolver = watch->resolver;
    ares_socket_t fd = watch->fd; /* watch may go while c-ares works */
    bool can_read = status != 0 || (events & UV_READABLE);
    bool can_write = status != 0 || (events & UV_WRITABLE);

    ares_process_fd(resolver->channel, can_read ? fd : ARES_SOCKET_BAD,
                    can_write ? fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_watch(struct cg_resolver *resolver, struct watch **at)
{
    struct watch *watch = *at;

    (void)resolver;
    *at = watch->next;
    uv_close((uv_handle_t *)&watch->poll, free_watch);
}

/* c-ares says what it wants to know of one of its sockets; nothing means that it closes it. */
static void on_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct cg_resolver *resolver = data;
    struct watch **at = &resolver->watches, *watch;

    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    if (!readable && !writable) {
        if (*at)
            drop_watch(resolver, at);
        return;
    }
    if (!*at) {
        watch = calloc(1, sizeof *watch);
        if (!watch || uv_poll_init(&resolver->loop->uv, &watch->poll, fd) != 0) {
            free(watch); /* unwatched, the question ends by its time-out */
            return;
        }
        watch->resolver = resolver;
        watch->fd = fd;
        watch->poll.data = watch;
        *at = watch;
    }
    uv_poll_start(&(*at)->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                  on_socket);
}

/* --- names --- */

static void init_list(struct cg_name_wait *head)
{
    head->next = head->prev = head;
}

void cg_name_wait_done(struct cg_name_wait *wait)
{
    if (!wait->next)
        return;
    wait->prev->next = wait->next;
    wait->next->prev = wait->prev;
    wait->next = wait->prev = NULL;
}

static struct name **bucket_of(struct cg_resolver *resolver, const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a; who can choose names can fill a bucket, of 1024 at most */

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return &resolver->buckets[h % N_BUCKETS];
}

static void unkeep(struct name *name)
{
    if (!name->newer)
        return;
    name->newer->older = name->older;
    name->older->newer = name->newer;
    name->newer = name->older = NULL;
    name->resolver->n_kept--;
}

static void free_name(struct name *name)
{
    struct name **at = bucket_of(name->resolver, name->text);

    while (*at != name)
        at = &(*at)->next;
    *at = name->next;
    unkeep(name);
    free(name);
}

static void keep(struct name *name, int64_t ttl_s)
{
    struct cg_resolver *resolver = name->resolver;

    if (resolver->n_kept >= N_KEPT_MAX)
        free_name(resolver->kept.newer);
    name->expires = cg_mono_after(cg_loop_mono(resolver->loop), ttl_s * 1000);
    name->newer = &resolver->kept;
    name->older = resolver->kept.older;
    name->older->newer = name;
    resolver->kept.older = name;
    resolver->n_kept++;
}

/* Those who wait may begin anything, ask for this very name included: it is taken apart first. */
static void tell(struct cg_name_wait *waits, cg_err err, const struct cg_address *at, size_t n)
{
    while (waits->next != waits) {
        struct cg_name_wait *wait = waits->next;

        cg_name_wait_done(wait);
        wait->on_addresses(wait, err, at, n);
    }
}

static cg_err err_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return CG_OK;
    case ARES_ETIMEOUT:
        return CG_TIMEOUT;
    case ARES_ENOMEM:
        return CG_NO_MEMORY;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return CG_CANCELLED;
    default:
        return CG_UNREACHABLE;
    }
}

/* Takes the addresses and gives the time they may be kept, in seconds. */
static int64_t take_addresses(struct name *name, const struct ares_addrinfo *info)
{
    int64_t ttl_s = name->resolver->ttl_max_s;

    name->n = 0;
    for (const struct ares_addrinfo_node *node = info->nodes;
         node && name->n < CG_DIAL_MAX_ADDRESSES; node = node->ai_next) {
        struct cg_address *at = &name->at[name->n];

        cg_address_of_sockaddr(node->ai_addr, (socklen_t)node->ai_addrlen, at);
        at->port = 0;
        if (at->kind != CG_ADDRESS_NONE)
            name->n++;
        if (node->ai_ttl < ttl_s)
            ttl_s = node->ai_ttl;
    }
    return ttl_s;
}

static void on_answer(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
    struct name *name = data;
    struct cg_address at[CG_DIAL_MAX_ADDRESSES];
    struct cg_name_wait waits;
    cg_err err = err_of(status);
    int64_t ttl_s = 0;
    size_t n;

    (void)timeouts;
    if (err == CG_OK)
        ttl_s = take_addresses(name, info);
    if (info)
        ares_freeaddrinfo(info);
    if (err == CG_OK && name->n == 0)
        err = CG_UNREACHABLE;
    n = err == CG_OK ? name->n : 0;
    memcpy(at, name->at, sizeof at);

    name->is_asked = false;
    init_list(&waits);
    if (name->waits.next != &name->waits) {
        waits = name->waits;
        waits.next->prev = waits.prev->next = &waits;
        init_list(&name->waits);
    }
    if (err == CG_OK && ttl_s > 0)
        keep(name, ttl_s);
    else
        free_name(name);
    tell(&waits, err, at, n);
}

/* Letters, digits, hyphens, dots and the underscore of service names; nothing a resolver or a hosts
 * file could read in two ways. */
static bool read_name(struct cg_span text, char out[CG_NAME_MAX_BYTES + 1])
{
    if (text.len == 0 || text.len > CG_NAME_MAX_BYTES || text.at[0] == '.')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 'a' - 'A');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
        out[i] = (char)c;
    }
    out[text.len] = 0;
    return true;
}

void cg_resolver_ask(struct cg_resolver *resolver, struct cg_span text, struct cg_name_wait *wait)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_socktype = SOCK_STREAM};
    char lower[CG_NAME_MAX_BYTES + 1];
    struct name *name, **at;

    wait->next = wait->prev = NULL;
    if (!read_name(text, lower)) {
        wait->on_addresses(wait, CG_SYNTAX, NULL, 0);
        return;
    }
    at = bucket_of(resolver, lower);
    for (name = *at; name && strcmp(name->text, lower) != 0; name = name->next)
        ;
    if (name && !name->is_asked) {
        if (!cg_mono_is_due(name->expires, cg_loop_mono(resolver->loop))) {
            wait->on_addresses(wait, CG_OK, name->at, name->n);
            return;
        }
        free_name(name);
        name = NULL;
    }
    bool is_new = !name;

    if (is_new) {
        name = calloc(1, sizeof *name);
        if (!name) {
            wait->on_addresses(wait, CG_NO_MEMORY, NULL, 0);
            return;
        }
        name->resolver = resolver;
        name->is_asked = true;
        init_list(&name->waits);
        memcpy(name->text, lower, sizeof lower);
        name->next = *at;
        *at = name;
    }
    wait->next = &name->waits;
    wait->prev = name->waits.prev;
    wait->prev->next = wait;
    name->waits.prev = wait;
    if (is_new) {
        ares_getaddrinfo(resolver->channel, name->text, NULL, &hints, on_answer, name);
        set_timer(resolver);
    }
}

/* --- life --- */

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

cg_err cg_resolver_new(struct cg_loop *loop, const struct cg_resolver_options *options,
                       struct cg_resolver **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct cg_resolver *resolver = calloc(1, sizeof *resolver);
    struct ares_options ares = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = options->try_ms ? (int)options->try_ms : 2000,
        .tries = options->n_tries ? (int)options->n_tries : 2,
        .ndomains = 0, /* a search domain would be a second meaning of a name */
        .sock_state_cb = on_state,
        .sock_state_cb_data = resolver,
    };
    int options_given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
                        ARES_OPT_SOCK_STATE_CB;
    int rc;

#ifdef ARES_OPT_QUERY_CACHE
    /* From 1.31 on c-ares remembers answers itself; two memories would add their times. */
    ares.qcache_max_ttl = 0;
    options_given |= ARES_OPT_QUERY_CACHE;
#endif
    if (!resolver)
        return CG_NO_MEMORY;
    pthread_once(&once, init_library);
    resolver->loop = loop;
    resolver->ttl_max_s = options->ttl_max_s;
    resolver->kept.older = resolver->kept.newer = &resolver->kept;
    cg_timer_init(&resolver->timer, on_timer);
    rc = ares_init_options(&resolver->channel, &ares, options_given);
    if (rc != ARES_SUCCESS) {
        free(resolver);
        return rc == ARES_ENOMEM ? CG_NO_MEMORY : CG_IO;
    }
    if (options->servers &&
        (rc = ares_set_servers_ports_csv(resolver->channel, options->servers)) != ARES_SUCCESS) {
        ares_destroy(resolver->channel);
        free(resolver);
        return rc == ARES_ENOMEM ? CG_NO_MEMORY : CG_CONFIG;
    }
    *out = resolver;
    return CG_OK;
}

void cg_resolver_free(struct cg_resolver *resolver)
{
    if (!resolver)
        return;
    ares_destroy(resolver->channel); /* ends all questions with CG_CANCELLED */
    while (resolver->watches)
        drop_watch(resolver, &resolver->watches);
    while (resolver->kept.newer != &resolver->kept)
        free_name(resolver->kept.newer);
    cg_loop_unset(resolver->loop, &resolver->timer);
    free(resolver);
}
