/* url.h: httpcg:// URLs, their one canonical form, and the five planes.
 *
 *   httpcg://<plane>/<authority>/<path>?<query>#<fragment>
 *
 * The plane stands where other URLs have their host; the authority is the first segment behind it.
 * Whatever is signed, matched or forwarded is the canonical form that is read here, never the bytes
 * that came: two spellings of one resource are one URL, and whatever could be understood in two
 * ways (dot segments, empty segments, encoded slashes) is refused instead of repaired. */
#ifndef CG_URL_H
#define CG_URL_H
#include <httpcg/err.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cg_plane {
    CG_PLANE_APP,    /* services by DNS-shaped name */
    CG_PLANE_BPI,    /* ledgers and what describes the protocol */
    CG_PLANE_GW,     /* hidden services: name.WADDR.NSIG */
    CG_PLANE_WALLET, /* wallet providers */
    CG_PLANE_M2M,    /* devices behind a communicator: WADDR, path begins with OHPH */
    CG_PLANE_COUNT
};

/* cg_plane_name gives the name as it is written, such as "app". */
CG_API const char *cg_plane_name(enum cg_plane plane);
/* cg_plane_read takes a plane's name in either case. Errors CG_UNKNOWN. */
CG_API CG_MUST_USE cg_err cg_plane_read(struct cg_span text, enum cg_plane *out);

/* A URL in canonical form. */
struct cg_url {
    enum cg_plane plane;
    struct cg_span authority; /* lower case, never empty */
    struct cg_span path;      /* begins with '/' */
    struct cg_span query;     /* with its '?'; empty where there is none ("?" alone is one) */
    struct cg_span fragment;  /* with its '#', or empty; never sent */
};

enum cg_url_part {
    CG_URL_WHOLE,
    CG_URL_SCHEME,
    CG_URL_PLANE,
    CG_URL_AUTHORITY,
    CG_URL_PATH,
    CG_URL_QUERY,
    CG_URL_FRAGMENT,
};

/* What is wrong with a text that is no URL. */
struct cg_url_fault {
    enum cg_url_part part;
    size_t at;       /* the byte, from the start of the text that was given */
    const char *why; /* a sentence without full stop */
};

/* How much room the canonical form of a text of n bytes needs: an empty path becomes "/". */
#define CG_URL_ROOM(n) ((size_t)(n) + 1)

/* cg_url_read reads a whole URL and makes it canonical.
 * Owns    out points into room, which holds CG_URL_ROOM(text.len) bytes; fault may be NULL.
 * Errors  CG_SYNTAX (not of that form), CG_UNKNOWN (another scheme or plane), CG_SCHEMA (an
 *         authority or first segment that this plane does not have), CG_TOO_LARGE (path, query or
 *         the whole over its limit, measured as received); room is then undefined.
 * Source  docs/protocol/url.md; RFC 3986 */
CG_API CG_MUST_USE cg_err cg_url_read(struct cg_span text, void *room, struct cg_url *out,
                                      struct cg_url_fault *fault);
/* cg_url_read_target reads what an HTTP request says: plane is HTTP/2's :authority or HTTP/1.1's
 * Host, target is :path, or the absolute form's rest behind the plane; it may not have a fragment.
 * Owns    room holds CG_URL_ROOM(target.len) bytes.
 * Errors  as cg_url_read. */
CG_API CG_MUST_USE cg_err cg_url_read_target(struct cg_span plane, struct cg_span target,
                                             void *room, struct cg_url *out,
                                             struct cg_url_fault *fault);
/* cg_url_check_name tells whether "plane/authority" is canonical, as grants and records name it.
 * Errors  CG_SYNTAX, CG_UNKNOWN, CG_SCHEMA, CG_CANONICAL. */
CG_API CG_MUST_USE cg_err cg_url_check_name(struct cg_span name);

/* cg_url_chars tells how long cg_url_write's text is. */
CG_API size_t cg_url_chars(const struct cg_url *url);
/* cg_url_write writes the whole URL, without NUL; reading that again gives the same URL. */
CG_API void cg_url_write(const struct cg_url *url, char *out);
/* cg_url_name_chars and cg_url_name_write do the same for "plane/authority". */
CG_API size_t cg_url_name_chars(const struct cg_url *url);
CG_API void cg_url_name_write(const struct cg_url *url, char *out);

#ifdef __cplusplus
}
#endif
#endif
