// What is missing from a stream, as a sentence. Pure.
#pragma once

struct strbuf;
struct Netscope__V1__StreamGap;

// "1,234 flow records are missing here: this reader was too slow"; `what` are the events.
void gap_text_add(struct strbuf *into, const struct Netscope__V1__StreamGap *gap, const char *what);
