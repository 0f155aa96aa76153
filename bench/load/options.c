#include "bench/load/load.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

static void usage(FILE *to)
{
    fputs(
        "usage: load [OPTION]... URL\n"
        "\n"
        "Sends a fixed number of GET requests to https://, http:// or httpcg:// URLs and prints,\n"
        "as JSON, how long they took and the CPU time that the watched processes spent on them.\n"
        "\n"
        "  -c, --connections N   connections (8)\n"
        "  -m, --streams N       requests at a time on each (16); with --http1 it is 1\n"
        "  -n, --requests N      requests to measure, over all connections (20000)\n"
        "  -w, --warm-up N       requests before that (2000)\n"
        "      --http1           HTTP/1.1 instead of HTTP/2\n"
        "      --watch PID       a process whose CPU time is measured; may be repeated\n"
        "      --hold            prints \"ready\" before measuring and waits for a line\n"
        "      --timeout S       the longest that each phase may take (60)\n"
        "httpcg:// only:\n"
        "      --trust FILE      the trust file\n"
        "      --grant           signs each request, in mode grant\n"
        "      --key FILE        the wallet's key file, its document beside it as FILE.doc\n"
        "                        with the ending .hck replaced\n"
        "      --passphrase FILE the key file's passphrase\n"
        "      --connect-to H:P  dials this in place of the gateway's own address\n"
        "      --verify N        verifies one of so many signed answers to the end (64)\n",
        to);
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || n < min || n > max) {
        fprintf(stderr, "load: %s is not a number from %llu to %llu\n", text,
                (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *out = n;
    return true;
}

enum { HTTP1 = 256, WATCH, HOLD, TIMEOUT, HOME, TRUST, GRANT, PASSPHRASE, VERIFY };

static const struct option longs[] = {
    {"connections", required_argument, NULL, 'c'},
    {"streams", required_argument, NULL, 'm'},
    {"requests", required_argument, NULL, 'n'},
    {"warm-up", required_argument, NULL, 'w'},
    {"http1", no_argument, NULL, HTTP1},
    {"watch", required_argument, NULL, WATCH},
    {"hold", no_argument, NULL, HOLD},
    {"timeout", required_argument, NULL, TIMEOUT},
    {"trust", required_argument, NULL, TRUST},
    {"grant", no_argument, NULL, GRANT},
    {"home", required_argument, NULL, HOME},
    {"passphrase", required_argument, NULL, PASSPHRASE},
    {"verify", required_argument, NULL, VERIFY},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool take(int c, struct ld_options *o)
{
    uint64_t n = 0;

    switch (c) {
    case 'c':
        if (!read_number(optarg, 1, LD_CONNS_MAX, &n))
            return false;
        o->n_conns = (unsigned)n;
        return true;
    case 'm':
        if (!read_number(optarg, 1, LD_STREAMS_MAX, &n))
            return false;
        o->n_streams = (unsigned)n;
        return true;
    case 'n':
        return read_number(optarg, 1, 100000000, &o->n_requests);
    case 'w':
        return read_number(optarg, 0, 100000000, &o->n_warm_up);
    case HTTP1:
        o->is_h1 = true;
        return true;
    case WATCH:
        if (o->n_watched == LD_WATCH_MAX || !read_number(optarg, 1, INT32_MAX, &n))
            return false;
        o->watched[o->n_watched++] = (pid_t)n;
        return true;
    case HOLD:
        o->holds = true;
        return true;
    case TIMEOUT:
        if (!read_number(optarg, 1, 3600, &n))
            return false;
        o->timeout_s = (unsigned)n;
        return true;
    case TRUST:
        o->trust = optarg;
        return true;
    case GRANT:
        o->is_grant = true;
        return true;
    case HOME:
        o->home = optarg;
        return true;
    case PASSPHRASE:
        o->passphrase = optarg;
        return true;
    case VERIFY:
        if (!read_number(optarg, 1, 1000000, &n))
            return false;
        o->every = (unsigned)n;
        return true;
    default:
        fputs("Try load --help.\n", stderr);
        return false;
    }
}

int ld_options_read(int argc, char **argv, struct ld_options *out)
{
    int c;

    *out = (struct ld_options){.n_conns = 8,
                               .n_streams = 16,
                               .n_requests = 20000,
                               .n_warm_up = 2000,
                               .every = 64,
                               .timeout_s = 60};
    while ((c = getopt_long(argc, argv, "c:m:n:w:h", longs, NULL)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return 0;
        }
        if (!take(c, out))
            return 2;
    }
    if (optind + 1 != argc) {
        usage(stderr);
        return 2;
    }
    out->url = argv[optind];
    if (out->is_h1)
        out->n_streams = 1;
    return -1;
}
