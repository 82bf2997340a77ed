// The fingerprints of a ClientHello: JA3 (an MD5 of what it offers, in its order) and JA4 (FoxIO's
// public description; counts, and SHA-256 of sorted lists). GREASE is left out of both. Used by the TLS
// files of this folder only. Pure; 50 KiB of stack; 3 microseconds a hello, for hellos only.
#pragma once

#include "decode/app/hello.h"
#include "decode/app/tls.h"

// Both are for complete hellos of at most HELLO_BYTES_MAX, and write an empty text when the library
// refuses the digest.
void ja3_of_hello(const struct hello *hello, char into[JA3_TEXT_BYTES]);
void ja4_of_hello(const struct hello *hello, char into[JA4_TEXT_BYTES]);
