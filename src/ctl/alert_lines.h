// Alerts as people read them: the line that the sensor itself prints, and why they were raised. Texts of the sensor are
// made safe.
#pragma once

struct output;
struct Netscope__V1__Alert;

// `node` in front of the line, unless it is "". In the wide format the reasons follow.
void alert_lines_add(struct output *output, const struct Netscope__V1__Alert *alert, const char *node);
