#include <string.h>

#include "age/armor.h"
#include "age/stream.h"
#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"

static enum psn_code open_payload(const struct psn_secret *key, const struct psn_buf *box,
                                  struct psn_buf *out)
{
    struct psn_stream_memory memory = { box->data, box->size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(out);
    PSN_AUTO(psn_age_reader) *reader = NULL;

    MUST(!psn_age_reader_new(&source, 0, &reader, NULL));
    return psn_age_open_stream(key, reader, &sink, NULL);
}

/* Any content comes back from its payload; with one bit changed, or one byte cut, it does
 * not. The first bytes say which, and how often the rest is repeated. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1 << 20);
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_stream_memory memory;
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(&box);
    size_t place;

    if (size < 5)
        return 0;
    MUST(!psn_crypto_init(NULL));
    MUST(!psn_secret_copy("0123456789abcdef0123456789abcdef", 32, &key, NULL));
    for (unsigned i = 0; i <= bytes[0] && plain.size + size < 300000; i++)
        psn_buf_bytes(&plain, bytes + 5, size - 5);
    memory = (struct psn_stream_memory){ plain.data, plain.size, 0 };
    MUST(!psn_age_seal_stream(key, &source, &sink, NULL));
    /* By itself, without the header that stands before it in a file, a payload may begin
     * like the text form. */
    if (psn_age_looks_armored(box.data, box.size))
        return 0;
    MUST(!open_payload(key, &box, &out));
    MUST(out.size == plain.size);
    MUST(out.size == 0 || memcmp(out.data, plain.data, out.size) == 0);
    place = ((size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3]) % box.size;
    box.data[place] ^= (uint8_t)(1U << (bytes[4] & 7));
    psn_buf_reset(&out);
    MUST(open_payload(key, &box, &out));
    MUST(out.size <= place); /* nothing from the changed chunk on */
    box.data[place] ^= (uint8_t)(1U << (bytes[4] & 7));
    box.size = place;
    psn_buf_reset(&out);
    MUST(open_payload(key, &box, &out));
    return 0;
}
