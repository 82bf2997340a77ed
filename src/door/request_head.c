#include "door/request_head.h"

bool request_head_read(struct request_head *head, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && !head->complete; i++) {
        if (bytes[i] == '\n') {
            head->complete = head->begun && !head->in_line;
            head->in_line = false;
        } else if (bytes[i] != '\r') {
            head->begun = head->in_line = true;
        }
    }
    return head->complete;
}
