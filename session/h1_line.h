/* h1_line.h: the lines of an HTTP/1.1 head, each judged whole and by itself.
 *
 * Everything that two parsers could read in two ways is refused here, before llhttp sees it: bare
 * CR and LF, NUL, folded lines, space before the colon, names that are no tokens, a request line
 * that is not exactly three words. */
#ifndef CG_SESSION_H1_LINE_H
#define CG_SESSION_H1_LINE_H
#include "session/message.h"

/* More than any method's name and " HTTP/1.1" have beside the target. */
#define CG_H1_LINE_SLACK_BYTES 64

struct cg_h1_request_line {
    struct cg_span method, target;
};

struct cg_h1_target {
    enum cg_form form;
    struct cg_span scheme, authority; /* of the absolute form */
    struct cg_span path;              /* with query; "/" where the absolute form has none */
};

/* cg_h1_read_request takes a line without its end. Gives 0, or the status to refuse with: 400, 405
 * (CONNECT), 414. */
int cg_h1_read_request(struct cg_span line, size_t uri_max, struct cg_h1_request_line *out);
/* cg_h1_read_target takes a target apart; false: malformed, or a form that is not served. */
bool cg_h1_read_target(struct cg_span target, struct cg_h1_target *out);
/* cg_h1_read_status takes a response's first line; *minor is 0 or 1. */
bool cg_h1_read_status(struct cg_span line, int *minor, int *status);
/* cg_h1_fold_field checks a field line and makes its name lower case where it stands. */
bool cg_h1_fold_field(uint8_t *line, size_t len);
/* cg_h1_read_length takes a Content-Length: digits alone, at most 18; -1: anything else. */
int64_t cg_h1_read_length(struct cg_span value);
/* cg_h1_is_authority tells whether text can be a Host or a URL's authority. */
bool cg_h1_is_authority(struct cg_span text);

#endif
