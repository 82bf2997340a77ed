// Any bytes as a settings file: refused with a sentence, or settings that print and load back the same.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "config/loading.h"

static void expect(bool holds)
{
    if (!holds)
        abort();
}

static bool parse(const char *bytes, size_t length, struct settings *settings)
{
    static struct loading loading;
    struct error error = {0};
    expect(loading_begin(&loading, settings, &error));
    bool fine = settings_file_parse("fuzz.yaml", bytes, length, &loading, &error);
    expect(fine || (error.kind == ERROR_INVALID_ARGUMENT && error.text[0] != '\0'));
    return fine;
}

static void expect_round_trip(const struct settings *settings)
{
    struct strbuf first, second;
    struct settings again;
    struct error error;
    strbuf_init(&first, 1 << 24);
    strbuf_init(&second, 1 << 24);
    expect(config_add_yaml(&first, settings, &error));
    expect(parse(first.text, first.length, &again));
    expect(config_add_yaml(&second, &again, &error));
    expect(first.length == second.length && memcmp(first.text, second.text, first.length) == 0);
    settings_done(&again);
    strbuf_done(&first);
    strbuf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct settings settings;
    if (parse((const char *)bytes, length, &settings))
        expect_round_trip(&settings);
    settings_done(&settings);
    return 0;
}
