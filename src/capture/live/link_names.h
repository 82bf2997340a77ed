// The names of the kernel's links by their numbers modulo SOURCE_LINKS, those that are gone included: whoever places
// a packet of "any" asks for each record, which must not cost a system call. Written by the keeper, read by any
// thread; half a megabyte, touched as far as numbers go.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/live/link_watch.h"
#include "capture/source.h"

struct link_names;

struct link_names *link_names_create(struct error *error); // NULL without memory
void link_names_destroy(struct link_names *names);         // takes NULL

// Takes in all links that there are.
void link_names_put(struct link_names *names, const struct link_watch *watch);
bool link_names_get(struct link_names *names, uint32_t link, char name[SOURCE_LINK_NAME_BYTES]);
