#include "aggregate/name_loader.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/netscope-names-XXXXXX";
static struct names_settings settings;

static void begin(void)
{
    int file = mkstemp(path);
    cr_assert(file >= 0);
    close(file);
    settings = (struct names_settings){.file = path};
}

static void end(void)
{
    unlink(path);
}

TestSuite(name_loader, .init = begin, .fini = end, .timeout = 60);

// Replaces the file as tools do: by another one that is moved to its name.
static void write_names(const char *text)
{
    char aside[64];
    snprintf(aside, sizeof aside, "%s.new", path);
    FILE *file = fopen(aside, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(rename(aside, path), 0);
}

static const char *name_of(const struct naming *naming, const char *address_text)
{
    struct address address;
    cr_assert(address_parse(address_text, &address));
    const struct name_row *row = naming_get(naming, &address);
    return row != NULL ? row->name : "";
}

// Takes what there is until the address is called so, for ten seconds at most.
static struct naming *await_name(struct name_loader *loader, struct naming *held, const char *address,
                                 const char *name)
{
    for (int i = 0; i < 100 && strcmp(name_of(held, address), name) != 0; i++) {
        usleep(100000);
        held = name_loader_take(loader, held);
    }
    cr_expect_str_eq(name_of(held, address), name);
    return held;
}

static struct name_loader *create(bool watching)
{
    struct error error;
    struct name_loader *loader = name_loader_create(&settings, watching, &error);
    cr_assert_not_null(loader, "%s", error.text);
    return loader;
}

Test(name_loader, a_change_is_loaded_aside)
{
    write_names("10.0.0.1,first,,\n");
    struct name_loader *loader = create(true);
    struct naming *held = name_loader_take(loader, NULL);
    cr_expect_str_eq(name_of(held, "10.0.0.1"), "first");
    cr_expect_eq(name_loader_take(loader, held), held, "nothing new");
    write_names("10.0.0.1,second,,\n");
    held = await_name(loader, held, "10.0.0.1", "second");
    write_names("nonsense\n");
    usleep(2500000);
    cr_expect_eq(name_loader_take(loader, held), held, "a wrong file changes nothing");
    write_names("10.0.0.1,third,,\n");
    held = await_name(loader, held, "10.0.0.1", "third");
    naming_destroy(held);
    name_loader_destroy(loader);
}

Test(name_loader, without_watching_nothing_changes)
{
    write_names("10.0.0.1,first,,\n");
    struct name_loader *loader = create(false);
    struct naming *held = name_loader_take(loader, NULL);
    write_names("10.0.0.1,second,,\n");
    usleep(2500000);
    cr_expect_eq(name_loader_take(loader, held), held);
    naming_destroy(held);
    name_loader_destroy(loader);
}

Test(name_loader, settings_may_name_another_file)
{
    char *items[] = {"192.0.2.0/24"};
    write_names("10.0.0.1,old,,\n");
    struct name_loader *loader = create(true);
    struct naming *held = name_loader_take(loader, NULL);
    char other[] = "/tmp/netscope-names-XXXXXX";
    int file = mkstemp(other);
    cr_assert_eq(write(file, "10.0.0.1,new,,\n", 15), 15);
    close(file);
    struct names_settings changed = {.file = other, .local = {.items = items, .count = 1}};
    struct error error;
    struct naming *unread = naming_load(&changed, &error), *naming = naming_load(&changed, &error);
    name_loader_change(loader, unread);
    name_loader_change(loader, naming); // what was not taken is dropped
    held = name_loader_take(loader, held);
    cr_expect_eq(held, naming);
    struct address inside, outside;
    address_parse("192.0.2.7", &inside);
    address_parse("10.0.0.1", &outside);
    cr_expect(naming_is_local(held, &inside));
    cr_expect_not(naming_is_local(held, &outside));
    file = open(other, O_WRONLY | O_TRUNC);
    cr_assert_eq(write(file, "10.0.0.1,newer,,\n", 17), 17);
    close(file);
    held = await_name(loader, held, "10.0.0.1", "newer");
    naming_destroy(held);
    name_loader_destroy(loader);
    unlink(other);
}

Test(name_loader, a_wrong_start_is_refused)
{
    struct error error;
    settings.file = "/nonexistent/names.csv";
    cr_expect_null(name_loader_create(&settings, true, &error));
    cr_expect_not_null(strstr(error.text, "cannot read names.file /nonexistent/names.csv"), "%s", error.text);
    char *items[] = {"10.0.0.1/8"};
    settings = (struct names_settings){.file = "", .local = {.items = items, .count = 1}};
    cr_expect_null(name_loader_create(&settings, true, &error));
    cr_expect_not_null(strstr(error.text, "networks.local: '10.0.0.1/8' is no CIDR"), "%s", error.text);
}
