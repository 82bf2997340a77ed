#include "http/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

// One element, from `at` to before `end`.
struct element {
    const char *at, *end;
};

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

static bool is_text(const struct element *element, size_t length, const char *text, size_t bytes)
{
    return length == bytes && strncasecmp(element->at, text, bytes) == 0;
}

// How exactly the element fits the type: 0 = not, 1 by */*, 2 by text/*, 3 by its name. A coding has no slash, and fits *.
static unsigned fit(const struct element *element, const char *type)
{
    size_t length = 0, kind = strcspn(type, "/");
    while (element->at + length < element->end && strchr("; \t", element->at[length]) == NULL)
        length++;
    if (is_text(element, length, type, strlen(type)))
        return 3;
    if (type[kind] == '\0')
        return is_text(element, length, "*", 1);
    if (length > 2 && length - 2 == kind && element->at[length - 1] == '*' &&
        strncasecmp(element->at, type, length - 1) == 0)
        return 2;
    return is_text(element, length, "*/*", 3);
}

// "q=0.5" somewhere behind the range; 1000 without.
static unsigned weight(const struct element *element)
{
    const char *at = element->at;
    while ((at = memchr(at, ';', (size_t)(element->end - at))) != NULL) {
        at = skip_blanks(at + 1, element->end);
        if (element->end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=')
            continue;
        unsigned value = at[2] == '1' ? 1000 : 0, digit = 100;
        for (at += 4; value < 1000 && digit > 0 && at < element->end && *at >= '0' && *at <= '9'; at++) {
            value += digit * (unsigned)(*at - '0');
            digit /= 10;
        }
        return value;
    }
    return 1000;
}

static unsigned weight_of(const char *header, const char *type)
{
    unsigned best = 0, found = 0;
    for (const char *end = header + strlen(header); header < end;) {
        const char *comma = memchr(header, ',', (size_t)(end - header));
        struct element element = {skip_blanks(header, end), comma != NULL ? comma : end};
        unsigned fits = fit(&element, type);
        if (fits > best) {
            best = fits;
            found = weight(&element);
        }
        header = comma != NULL ? comma + 1 : end;
    }
    return found;
}

unsigned accept_weight(const char *header, const char *type)
{
    return header == NULL ? 1000 : weight_of(header, type);
}

bool accept_coding(const char *header, const char *coding)
{
    return header != NULL && weight_of(header, coding) > 0;
}
