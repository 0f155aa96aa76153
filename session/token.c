/* token.c: the names of message.h's list, as numbers. */
#include "lib/base/span.h"
#include "session/message.h"

static const struct {
    const char *text;
    uint8_t len;
    uint8_t flags;
} tokens[CG_TOKEN_COUNT] = {[CG_TOKEN_OTHER] = {"", 0, 0},
#define X(name, text, flags) [CG_TOKEN_##name] = {text, sizeof(text) - 1, flags},
                            CG_TOKEN_LIST(X)
#undef X
};

struct cg_span cg_token_name(enum cg_token token)
{
    return cg_span_of(tokens[token].text, tokens[token].len);
}

unsigned cg_token_flags(enum cg_token token)
{
    return tokens[token].flags;
}

/* Names of a length differ early, so a handful of comparisons ends at the first byte. */
#define TRY(token)                                                                                 \
    if (memcmp(name.at, tokens[CG_TOKEN_##token].text, name.len) == 0)                             \
    return CG_TOKEN_##token

static enum cg_token find(struct cg_span name)
{
    switch (name.len) {
    case 2:
        TRY(TE);
        break;
    case 3:
        TRY(AGE);
        TRY(VIA);
        break;
    case 4:
        TRY(SAPI);
        TRY(HOST);
        TRY(DATE);
        TRY(ETAG);
        TRY(VARY);
        break;
    case 5:
        TRY(QLOCK);
        TRY(ALLOW);
        TRY(RANGE);
        break;
    case 6:
        TRY(ACCEPT);
        TRY(COOKIE);
        TRY(EXPECT);
        TRY(ORIGIN);
        TRY(PRAGMA);
        TRY(SERVER);
        break;
    case 7:
        TRY(ALT_SVC);
        TRY(EXPIRES);
        TRY(REFERER);
        TRY(TRAILER);
        TRY(UPGRADE);
        break;
    case 8:
        TRY(IF_MATCH);
        TRY(IF_RANGE);
        TRY(LOCATION);
        TRY(PRIORITY);
        break;
    case 9:
        TRY(FORWARDED);
        TRY(SIGNATURE);
        TRY(X_REAL_IP);
        break;
    case 10:
        TRY(CONNECTION);
        TRY(KEEP_ALIVE);
        TRY(SET_COOKIE);
        TRY(USER_AGENT);
        break;
    case 11:
        TRY(GRPC_STATUS);
        TRY(RETRY_AFTER);
        TRY(TRACEPARENT);
        break;
    case 12:
        TRY(CONTENT_TYPE);
        TRY(MAX_FORWARDS);
        TRY(SAPI_TRAILER);
        TRY(X_REQUEST_ID);
        break;
    case 13:
        TRY(ACCEPT_RANGES);
        TRY(AUTHORIZATION);
        TRY(CACHE_CONTROL);
        TRY(CONTENT_RANGE);
        TRY(IF_NONE_MATCH);
        TRY(LAST_MODIFIED);
        TRY(SAPI_RESPONSE);
        TRY(X_HTTP_METHOD);
        TRY(X_REWRITE_URL);
        break;
    case 14:
        TRY(CONTENT_LENGTH);
        TRY(CONTENT_DIGEST);
        TRY(HTTP2_SETTINGS);
        TRY(SEC_FETCH_DEST);
        TRY(SEC_FETCH_MODE);
        TRY(SEC_FETCH_SITE);
        TRY(X_ORIGINAL_URL);
        break;
    case 15:
        TRY(ACCEPT_ENCODING);
        TRY(ACCEPT_LANGUAGE);
        TRY(IDEMPOTENCY_KEY);
        TRY(SIGNATURE_INPUT);
        break;
    case 16:
        TRY(CONTENT_ENCODING);
        TRY(CONTENT_LANGUAGE);
        TRY(CONTENT_LOCATION);
        TRY(PROXY_CONNECTION);
        TRY(WWW_AUTHENTICATE);
        break;
    case 17:
        TRY(TRANSFER_ENCODING);
        TRY(IF_MODIFIED_SINCE);
        TRY(SEC_WEBSOCKET_KEY);
        TRY(X_METHOD_OVERRIDE);
        break;
    case 18:
        TRY(PROXY_AUTHENTICATE);
        break;
    case 19:
        TRY(CONTENT_DISPOSITION);
        TRY(IF_UNMODIFIED_SINCE);
        TRY(PROXY_AUTHORIZATION);
        break;
    case 20:
        TRY(SEC_WEBSOCKET_ACCEPT);
        break;
    case 21:
        TRY(SEC_WEBSOCKET_VERSION);
        break;
    case 22:
        TRY(SEC_WEBSOCKET_PROTOCOL);
        TRY(X_HTTP_METHOD_OVERRIDE);
        break;
    case 24:
        TRY(SEC_WEBSOCKET_EXTENSIONS);
        break;
    case 25:
        TRY(STRICT_TRANSPORT_SECURITY);
        break;
    default:
        break;
    }
    return CG_TOKEN_OTHER;
}

static bool in_family(struct cg_span name, enum cg_token family)
{
    return name.len >= tokens[family].len &&
           memcmp(name.at, tokens[family].text, tokens[family].len) == 0;
}

enum cg_token cg_token_of(struct cg_span name)
{
    enum cg_token token = find(name);

    if (token != CG_TOKEN_OTHER || name.len == 0)
        return token;
    switch (name.at[0]) {
    case 'x':
        if (in_family(name, CG_TOKEN_X_FORWARDED_ANY))
            return CG_TOKEN_X_FORWARDED_ANY;
        if (in_family(name, CG_TOKEN_X_HTTPCG_ANY))
            return CG_TOKEN_X_HTTPCG_ANY;
        break;
    case 's':
        if (in_family(name, CG_TOKEN_SAPI_ANY))
            return CG_TOKEN_SAPI_ANY;
        break;
    case 'p':
        if (in_family(name, CG_TOKEN_PROXY_ANY))
            return CG_TOKEN_PROXY_ANY;
        break;
    default:
        break;
    }
    return CG_TOKEN_OTHER;
}
