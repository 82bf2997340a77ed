// The methods of the API by the Connect protocol: POST /service/method, unary. For the files of http/.
#pragma once

#include <stdbool.h>

struct exchange;

// Whether the path is of a service ("/netscope.v1.FlowService/ListFlows"). Then the answer is made, or the runner makes it.
bool connect_answer(struct exchange *exchange);
