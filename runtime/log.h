/* log.h: one event, one line, as JSON or logfmt.
 *
 *     cg_log(log, WARN, request_refused, CG_STR("step", "lock"), CG_ERR(err), CG_ID("request",
 * id));
 *
 * Any thread may log. A line is put together on the caller's stack and copied into a ring; one
 * thread writes the ring out every 100 ms, so no loop ever waits for a disk or a terminal. Before
 * cg_log_start and after cg_log_stop lines are written at once. Whatever does not fit is counted
 * and said. Text is escaped and cut, whoever it came from: nothing a peer sends can end a line or
 * reach a terminal as a control sequence. There is no field for a struct cg_secret. */
#ifndef CG_RUNTIME_LOG_H
#define CG_RUNTIME_LOG_H
#include <httpcg/err.h>

#include "runtime/log_events.h"
#include "runtime/problem.h"

enum cg_log_level {
    CG_LOG_ERROR, /* an operator has to act */
    CG_LOG_WARN,  /* something was refused or failed and is being coped with */
    CG_LOG_INFO,  /* what changes rarely: starts, reloads, publications */
    CG_LOG_DEBUG, /* everything a developer wants */
};

enum cg_log_format {
    CG_LOG_JSON,
    CG_LOG_LOGFMT,
};

/* A field's text is cut to so many bytes, a line to so many; a pipe takes 4096 in one piece. */
#define CG_LOG_TEXT_MAX_BYTES 512
#define CG_LOG_LINE_MAX_BYTES 4096

enum cg_log_kind {
    CG_FIELD_NONE,
    CG_FIELD_TEXT,
    CG_FIELD_INT,
    CG_FIELD_UINT,
    CG_FIELD_BOOL,
    CG_FIELD_ERR,
    CG_FIELD_ID,
    CG_FIELD_HEX,
};

/* Made only by the macros below; borrowed for the length of the call. */
struct cg_log_field {
    enum cg_log_kind kind;
    const char *name;
    union {
        struct cg_span text;
        int64_t i;
        uint64_t u;
        bool b;
        cg_err err;
        const uint8_t *id;
    };
};

/* clang-format off */
#define CG_STR(name, s)     cg_log_str((name), (s))                     /* a C string; NULL is left out */
#define CG_TEXT(name, span) ((struct cg_log_field){CG_FIELD_TEXT, (name), {.text = (span)}})
#define CG_INT(name, n)     ((struct cg_log_field){CG_FIELD_INT, (name), {.i = (n)}})
#define CG_UINT(name, n)    ((struct cg_log_field){CG_FIELD_UINT, (name), {.u = (n)}})
#define CG_BOOL(name, x)    ((struct cg_log_field){CG_FIELD_BOOL, (name), {.b = (x)}})
#define CG_ERR(e)           ((struct cg_log_field){CG_FIELD_ERR, "error", {.err = (e)}})
#define CG_ID(name, at)     ((struct cg_log_field){CG_FIELD_ID, (name), {.id = (at)}})  /* 16 bytes, as a UUID */
#define CG_HEX(name, span)  ((struct cg_log_field){CG_FIELD_HEX, (name), {.text = (span)}}) /* at most 64 bytes */
/* clang-format on */

struct cg_log;

struct cg_log_options {
    enum cg_log_level level;
    enum cg_log_format format;
    const char *file;   /* NULL: standard error */
    const char *access; /* NULL: no access log; "-": standard error */
    size_t ring_bytes;  /* of each of the two; 0: 1 MiB */
    /* Microseconds since 1970, for the lines' time; NULL: the system's clock. */
    int64_t (*now_us)(void *ctx);
    void *ctx;
};

/* cg_log_new opens the files.
 * Errors  CG_IO with a problem that says which and what to do; CG_NO_MEMORY. */
CG_MUST_USE cg_err cg_log_new(const struct cg_log_options *options, struct cg_problems *problems,
                              struct cg_log **out);
/* cg_log_start starts the writing thread. */
CG_MUST_USE cg_err cg_log_start(struct cg_log *log);
/* cg_log_stop writes what is left and ends the thread; lines then go out at once. */
void cg_log_stop(struct cg_log *log);
void cg_log_free(struct cg_log *log);
/* cg_log_reopen opens the files anew at the writer's next turn, after a rotation; a file that
 * cannot be opened keeps its old descriptor, and the log says so. */
void cg_log_reopen(struct cg_log *log);
void cg_log_set_level(struct cg_log *log, enum cg_log_level level);
/* cg_log_has tells whether lines of that level are written; a log that is NULL writes none. */
bool cg_log_has(const struct cg_log *log, enum cg_log_level level);
/* cg_log_dropped counts the lines lost since the start; access: those of the access log. */
uint64_t cg_log_dropped(struct cg_log *log, bool access);

/* cg_log logs an event: a level without its prefix, an event's name, fields. */
#define cg_log(log, level, event, ...)                                                             \
    do {                                                                                           \
        struct cg_log *cg_log_ = (log);                                                            \
        if (cg_log_has(cg_log_, CG_LOG_##level))                                                   \
            cg_log_write(cg_log_, CG_LOG_##level, CG_EVENT_##event, CG_LOG_FIELDS(__VA_ARGS__));   \
    } while (0)
/* cg_log_access adds a line to the access log, if there is one: no level, event "request". */
#define cg_log_access(log, ...) cg_log_write_access((log), CG_LOG_FIELDS(__VA_ARGS__))

/* The first field is nothing, so that there may be none. */
#define CG_LOG_FIELDS(...)                                                                         \
    (const struct cg_log_field[]){{CG_FIELD_NONE, NULL, {.i = 0}}, ##__VA_ARGS__},                 \
        sizeof((const struct cg_log_field[]){{CG_FIELD_NONE, NULL, {.i = 0}}, ##__VA_ARGS__}) /    \
            sizeof(struct cg_log_field)

void cg_log_write(struct cg_log *log, enum cg_log_level level, enum cg_log_event event,
                  const struct cg_log_field *fields, size_t n_fields);
void cg_log_write_access(struct cg_log *log, const struct cg_log_field *fields, size_t n_fields);
struct cg_log_field cg_log_str(const char *name, const char *s);

/* cg_log_line writes one whole line with its line feed, at most CG_LOG_LINE_MAX_BYTES, and returns
 * its length; level CG_LOG_ACCESS leaves the level out. (log_line.c: pure) */
#define CG_LOG_ACCESS (-1)
size_t cg_log_line(enum cg_log_format format, int64_t now_us, int level, enum cg_log_event event,
                   const struct cg_log_field *fields, size_t n_fields,
                   char out[static CG_LOG_LINE_MAX_BYTES]);

#endif
