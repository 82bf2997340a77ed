// What a client takes: the headers Accept and Accept-Encoding (RFC 9110, section 12.5), as far as answers have to be told apart. Pure.
#pragma once

#include <stdbool.h>

// The weight, in thousandths, that a media type has in the header ("text/plain"); 0 = it is not taken. NULL takes all.
unsigned accept_weight(const char *header, const char *type);

// Whether the header Accept-Encoding takes the coding ("gzip"). NULL takes none.
bool accept_coding(const char *header, const char *coding);
