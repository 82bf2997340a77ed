#include "door/request_head.h"

#include <criterion/criterion.h>
#include <string.h>

static bool is_complete(const char *text)
{
    struct request_head whole = {0}, pieces = {0};
    bool complete = request_head_read(&whole, (const uint8_t *)text, strlen(text));
    for (const char *at = text; *at != '\0'; at++)
        request_head_read(&pieces, (const uint8_t *)at, 1);
    cr_expect_eq(complete, pieces.complete);
    return complete;
}

Test(request_head, ends_with_an_empty_line)
{
    cr_expect(is_complete("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_expect(is_complete("GET / HTTP/1.1\nHost: a\n\nbody"));
    cr_expect(is_complete("\r\n\r\nGET / HTTP/1.1\r\n\r\n"));
}

Test(request_head, is_not_complete_before)
{
    cr_expect_not(is_complete(""));
    cr_expect_not(is_complete("\r\n\r\n\r\n"));
    cr_expect_not(is_complete("GET / HTTP/1.1\r\n"));
    cr_expect_not(is_complete("GET / HTTP/1.1\r\nHost: a\r\n\r"));
}

Test(request_head, stays_complete)
{
    struct request_head head = {0};
    request_head_read(&head, (const uint8_t *)"a\n\n", 3);
    cr_expect(request_head_read(&head, (const uint8_t *)"b", 1));
}
