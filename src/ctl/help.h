// Texts of --help, made of the tables. Pure.
#pragma once

struct strbuf;
struct command;

void help_add_overview(struct strbuf *into);
void help_add_command(struct strbuf *into, const struct command *command);
