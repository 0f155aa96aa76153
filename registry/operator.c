/* GET /operator: whose signature confirms the records of this registry. */
#include "registry/inner.h"
#include "registry/office.h"

#include "lib/base/base64.h"
#include "lib/base/span.h"
#include "lib/base/try.h"
#include "lib/wire/json.h"

void rg_operator(const struct cg_message *in, struct cg_reply *out)
{
    struct rg_registry *registry = in->role;
    struct cg_span doc = rg_office_doc(registry->office);
    char did[CG_DID_CHARS + 1];
    CG_AUTO(buf) struct cg_buf body = {0};

    cg_did_write(&registry->did, did);
    cg_buf_init(&body, CG_RESOLVE_MAX_BYTES);
    struct cg_writer w = cg_writer_into(&body);
    cg_put_str(&w, "{\"operator_did\":");
    cg_json_put_text(&w, cg_span_str(did));
    cg_put_str(&w, ",\"operator_doc\":\"");
    uint8_t *room = cg_put_room(&w, cg_base64_chars(CG_BASE64, doc.len));
    if (room)
        cg_base64_write(CG_BASE64, doc, (char *)room);
    cg_put_str(&w, "\"}\n");
    if (cg_writer_end(&w) != CG_OK) {
        cg_reply_refuse(out, CG_REFUSAL_INTERNAL, NULL);
        return;
    }
    cg_reply_field(out, CG_TOKEN_CACHE_CONTROL, CG_LIT("public, max-age=3600"));
    cg_reply_add(out, cg_buf_span(&body));
    cg_reply_send(out, 200, "application/json");
}
