#include "capture/filter_spelling.h"

#include <assert.h>
#include <regex.h>
#include <string.h>

#include "base/strbuf.h"

enum { LINK_TYPE_ARCNET_BSD = 7, LINK_TYPE_ARCNET_LINUX = 129, EXPRESSION_BYTES_MAX = 1024 * 1024 };

// The groups of the address pattern.
enum { WHOLE, PROTOCOL, DIRECTION_SPACE, DIRECTION, HOST, NOT, ADDRESS, GROUPS };

static const char address_pattern[] =
    "(link|ether)[ \t]+((src|dst)[ \t]+)?(host[ \t]+)?(not[ \t]+)?[$]([0-9a-fA-F]{1,2})";

// Writes what stands for the match.
typedef void spell_match(struct strbuf *into, const char *text, const regmatch_t groups[GROUPS],
                         bool outbound);

static void spell_all(struct strbuf *into, const regex_t *regex, const char *text, spell_match *spell,
                      bool outbound)
{
    regmatch_t groups[GROUPS];
    while (regexec(regex, text, GROUPS, groups, 0) == 0) {
        assert(groups[WHOLE].rm_so >= 0 && groups[WHOLE].rm_eo > groups[WHOLE].rm_so); // it goes on
        strbuf_add_bytes(into, text, (size_t)groups[WHOLE].rm_so);
        spell(into, text, groups, outbound);
        text += groups[WHOLE].rm_eo;
    }
    strbuf_add(into, text);
}

static char *spell(const char *expression, const char *pattern, spell_match *match, bool outbound)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
        return NULL;
    struct strbuf spelled;
    strbuf_init(&spelled, EXPRESSION_BYTES_MAX);
    spell_all(&spelled, &regex, expression, match, outbound);
    regfree(&regex);
    char *copy = spelled.failed ? NULL : strdup(spelled.text);
    strbuf_done(&spelled);
    return copy;
}

static bool has_group(const regmatch_t *group)
{
    return group->rm_so >= 0;
}

static void spell_address(struct strbuf *into, const char *text, const regmatch_t groups[GROUPS],
                          bool outbound)
{
    (void)outbound;
    assert(has_group(&groups[ADDRESS]));
    int digits = (int)(groups[ADDRESS].rm_eo - groups[ADDRESS].rm_so);
    const char *address = text + groups[ADDRESS].rm_so;
    strbuf_add(into, has_group(&groups[NOT]) ? "not (" : "(");
    if (!has_group(&groups[DIRECTION]))
        strbuf_addf(into, "link[0] = 0x%.*s or link[1] = 0x%.*s)", digits, address, digits, address);
    else
        strbuf_addf(into, "link[%d] = 0x%.*s)", text[groups[DIRECTION].rm_so] == 's' ? 0 : 1, digits,
                    address);
}

char *filter_spell_arcnet(const char *expression, uint16_t link_type)
{
    if (link_type != LINK_TYPE_ARCNET_BSD && link_type != LINK_TYPE_ARCNET_LINUX)
        return strdup(expression);
    return spell(expression, address_pattern, spell_address, false);
}

static void spell_direction(struct strbuf *into, const char *text, const regmatch_t groups[GROUPS],
                            bool outbound)
{
    bool asks_outbound = text[groups[WHOLE].rm_so] == 'o';
    strbuf_add(into, asks_outbound == outbound ? "(greater 0)" : "(not greater 0)");
}

char *filter_spell_direction(const char *expression, bool outbound)
{
    return spell(expression, "\\<(inbound|outbound)\\>", spell_direction, outbound);
}
