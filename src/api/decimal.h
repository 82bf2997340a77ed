// Doubles as the shortest decimal that reads back as the same double: "0.1", "1500", "1e+30".
// Pure; any thread. Cost: integer arithmetic for 1e-5 <= |value| < 1e15, printf outside.
#pragma once

struct strbuf;

// `value` must be finite.
void decimal_add(struct strbuf *into, double value);
