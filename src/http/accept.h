// What a client takes: the header Accept (RFC 9110, section 12.5.1), as far as two answers have to be told apart. Pure.
#pragma once

#include <stdbool.h>

// The weight, in thousandths, that a media type has in the header ("text/plain"); 0 = it is not taken. NULL takes all.
unsigned accept_weight(const char *header, const char *type);
