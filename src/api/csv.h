// A protobuf-c message as a line of CSV: submessages flattened with dots ("endpoint_a.ip"), values as
// in JSON (api/json.h), a timestamp as two columns, unknown as an empty column, repeated values joined
// by ';' (repeated messages as one JSON array). Quoting is RFC 4180's: a column that holds a comma, a
// quote or a line break stands in quotes, quotes double. Lines end in "\n". Pure; any thread.
#pragma once

#include "api/message_plan.h"

struct strbuf;

void csv_add_header(struct strbuf *into, const struct message_plan *plan);
void csv_add_row(struct strbuf *into, const struct message_plan *plan, const void *message);
